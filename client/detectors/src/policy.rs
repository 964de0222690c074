//! What may follow from a finding, and what may not.
//!
//! Nothing here charges, revokes or freezes. The most that a company can ask for is that requests come more slowly, or with a purpose.

use crate::{
    bounded::Bounded,
    finding::{Audience, Finding},
    observation::WalletId,
};

/// How the rules speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Milliseconds from a wallet's first credits during which its use counts as adoption: no finding is told to the person, and no
    /// ratio of value to cost is formed. Security is told all the same.
    pub learning_ms: u64,
    /// Milliseconds for which a rule that has spoken of a wallet says nothing more of it.
    pub quiet_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        // Four weeks to find out what the thing is good for; one reminder a day.
        Policy { learning_ms: 28 * 24 * 3_600_000, quiet_ms: 24 * 3_600_000 }
    }
}

/// Where a wallet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its first weeks: whatever is tried counts as adoption.
    Learning,
    /// Afterwards.
    Settled,
}

impl Policy {
    /// Where a wallet stands that has had credits since `since_ms`.
    pub fn phase(&self, since_ms: u64, at_ms: u64) -> Phase {
        match at_ms.saturating_sub(since_ms) < self.learning_ms {
            true => Phase::Learning,
            false => Phase::Settled,
        }
    }
}

/// What findings do to the requests that come after them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// Nothing.
    #[default]
    Advise,
    /// Requests of the wallet have to keep a distance for a while.
    Slow,
    /// Requests of the wallet have to name a purpose for a while.
    AskPurpose,
}

/// What a request is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Pass,
    /// Come again after so many milliseconds.
    Wait(u64),
    /// Come again with a purpose.
    NamePurpose,
}

/// Keeps a measure in force for a while after findings. What security is told of has no effect here: whoever is looked at must not
/// notice, and whoever is suspected in error must not suffer.
pub struct Brake {
    measure: Measure,
    lasting_ms: u64,
    distance_ms: u64,
    wallets: Bounded<WalletId, Braked>,
}

#[derive(Clone, Copy, Default)]
struct Braked {
    until_ms: u64,
    last_ms: u64,
}

impl Brake {
    /// A brake that holds `measure` for `lasting_ms` after each finding, and lets a request pass every `distance_ms` where it slows down.
    pub fn new(measure: Measure, lasting_ms: u64, distance_ms: u64, wallets_max: usize) -> Self {
        Brake { measure, lasting_ms, distance_ms, wallets: Bounded::new(wallets_max) }
    }

    /// Takes a finding in.
    pub fn learn(&mut self, finding: &Finding) {
        if self.measure == Measure::Advise || finding.audience == Audience::Security {
            return;
        }
        let braked = self.wallets.entry(finding.wallet, Braked::default);
        braked.until_ms = braked.until_ms.max(finding.to_ms.saturating_add(self.lasting_ms));
    }

    /// What a request of the wallet is told now.
    pub fn ask(&mut self, wallet: &WalletId, at_ms: u64, has_purpose: bool) -> Answer {
        let Some(braked) = self.wallets.get_mut(wallet).filter(|braked| at_ms < braked.until_ms) else {
            return Answer::Pass;
        };
        match self.measure {
            Measure::Advise => Answer::Pass,
            Measure::AskPurpose if has_purpose => Answer::Pass,
            Measure::AskPurpose => Answer::NamePurpose,
            Measure::Slow => {
                let next_ms = braked.last_ms.saturating_add(self.distance_ms);
                if at_ms < next_ms {
                    return Answer::Wait(next_ms - at_ms);
                }
                braked.last_ms = at_ms;
                Answer::Pass
            }
        }
    }

    /// Whether no wallet is held back: nothing needs to be asked.
    pub fn is_idle(&self, at_ms: u64) -> bool {
        self.wallets.values().all(|braked| at_ms >= braked.until_ms)
    }
}
