//! The ways to cheat with a batch that a block takes, and what the rules make of each.

use stipend_primitives::{cost::Usage, settlement::VerdictKind, Credits, Digest};

use super::Charge;
use crate::company::prices;

/// How a gateway cheats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cheat {
    /// Claims one request fewer than it charges, so that the provider cannot attest the range.
    OmitsFromClaim,
    /// Charges twice the tokens that were generated.
    InflatesUsage,
    /// The same, and charges more than the wallet holds.
    InflatesBeyondWallet,
    /// Charges somebody who has a key for requests that the provider never saw.
    InventsRequests,
    /// Charges a request under two numbers of one batch.
    ChargesTwice,
    /// Charges a request that it charged in the batch before.
    ChargesAgain,
    /// Claims its requests in another order than it charges them.
    ReordersClaim,
    /// Charges somebody who never asked for a key.
    ChargesWithoutKey,
    /// Charges what another gateway has reserved.
    ExceedsReservation,
}

/// What the rules make of a cheat, in micro-credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Per batch, the verdict on it and what it gives back.
    pub verdicts: Vec<(VerdictKind, Credits)>,
    /// What the wallet has paid in the end.
    pub spent: Credits,
    /// What stands against the gateway.
    pub uncollected: Credits,
}

impl Cheat {
    /// All of them. The one that takes longest to settle is the first.
    pub const ALL: [Cheat; 9] = [
        Cheat::OmitsFromClaim,
        Cheat::InflatesUsage,
        Cheat::InflatesBeyondWallet,
        Cheat::InventsRequests,
        Cheat::ChargesTwice,
        Cheat::ChargesAgain,
        Cheat::ReordersClaim,
        Cheat::ChargesWithoutKey,
        Cheat::ExceedsReservation,
    ];

    /// Whether the wallet's owner has an API key.
    pub fn payer_has_key(self) -> bool {
        self != Cheat::ChargesWithoutKey
    }

    /// What it charges, batch by batch, when `served` was served.
    pub fn charges(self, served: &[Charge]) -> Vec<Vec<Charge>> {
        let mut charges = served.to_vec();
        match self {
            Cheat::InflatesUsage | Cheat::InflatesBeyondWallet => {
                charges.iter_mut().for_each(|charge| *charge = inflated(charge))
            }
            Cheat::InventsRequests => {
                charges.iter_mut().for_each(|charge| charge.digest = rand::random());
            }
            Cheat::ChargesTwice => charges.push(served[0]),
            Cheat::ChargesAgain => return vec![charges, vec![served[0]]],
            _ => {}
        }
        vec![charges]
    }

    /// What it claims for a batch that charges `charges`.
    pub fn claims(self, charges: &[Charge]) -> Vec<Digest> {
        let mut digests: Vec<Digest> = charges.iter().map(|charge| charge.digest).collect();
        match self {
            Cheat::OmitsFromClaim => drop(digests.pop()),
            Cheat::ReordersClaim => digests.reverse(),
            _ => {}
        }
        digests
    }

    /// What the wallet holds: plenty, unless the cheat is about wallets that hold less.
    pub fn wallet(self, served: &[Charge]) -> Credits {
        let (due, charged) = (cost(served), self.charges(served).concat());
        match self {
            Cheat::InflatesBeyondWallet => (due + cost(&charged)) / 2,
            Cheat::ExceedsReservation => due,
            _ => 10 * cost(&charged),
        }
    }

    /// What an honest gateway has reserved of it.
    pub fn reserved_elsewhere(self, served: &[Charge]) -> Credits {
        match self {
            Cheat::ExceedsReservation => cost(served) / 2,
            _ => 0,
        }
    }

    /// What the rules make of it.
    pub fn outcome(self, served: &[Charge]) -> Outcome {
        let (due, charged) = (cost(served), cost(&self.charges(served).concat()));
        let one = cost(&served[..1]);
        let outcome = |verdicts, spent| Outcome { verdicts, spent, uncollected: 0 };
        match self {
            // Nothing that is attested: all of it goes back.
            Cheat::OmitsFromClaim => outcome(vec![(VerdictKind::Unattested, due)], 0),
            // The smaller claim counts.
            Cheat::InflatesUsage => outcome(vec![(VerdictKind::Adjust, charged - due)], due),
            // What was never collected cannot go back.
            Cheat::InflatesBeyondWallet => {
                let held = self.wallet(served);
                let verdicts = vec![(VerdictKind::Adjust, held - due)];
                Outcome { verdicts, spent: due, uncollected: charged - held }
            }
            Cheat::InventsRequests => outcome(vec![(VerdictKind::Adjust, charged)], 0),
            // A request counts once, however often it is charged.
            Cheat::ChargesTwice => outcome(vec![(VerdictKind::Adjust, one)], due),
            Cheat::ChargesAgain => outcome(vec![(VerdictKind::Match, 0), (VerdictKind::Adjust, one)], due),
            // Only the one in the middle stands where it was charged.
            Cheat::ReordersClaim => {
                let kept = cost(&served[1..2]);
                outcome(vec![(VerdictKind::Adjust, due - kept)], kept)
            }
            Cheat::ChargesWithoutKey => {
                Outcome { verdicts: vec![(VerdictKind::Match, 0)], spent: 0, uncollected: due }
            }
            Cheat::ExceedsReservation => {
                let reserved = self.reserved_elsewhere(served);
                let verdicts = vec![(VerdictKind::Match, 0)];
                Outcome { verdicts, spent: due - reserved, uncollected: reserved }
            }
        }
    }
}

/// What requests cost by the company's prices, in micro-credits.
pub fn cost(charges: &[Charge]) -> Credits {
    let price = &prices()[0];
    charges.iter().map(|charge| price.cost(&charge.usage)).sum()
}

/// A charge with twice the tokens of output.
pub fn inflated(charge: &Charge) -> Charge {
    let output = charge.usage.output * 2;
    Charge { usage: Usage { output, ..charge.usage }, ..*charge }
}
