//! What the chain, the network and the provider are in the model.

/// Validators at most: 3f+1 with f = 2.
pub const VALIDATORS_MAX: usize = 7;

/// Items at most: one to settle, and one that comes later.
pub const ITEMS_MAX: usize = 2;

/// Batches that a gateway may submit under one number: its own, and the same receipts by another price
/// book.
pub const BATCHES_MAX: u8 = 2;

/// Micro-credits that were collected for each item.
pub const COLLECTED: u8 = 3;

/// Refunds that are paid with the quorum's last vote; the rest waits in the queue.
pub const REFUNDS_AT_ONCE: u8 = 1;

/// What a vote is for. Votes agree if they are for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The provider's root is the gateway's.
    Match,
    /// The provider claims less.
    Adjust,
    /// No attestation counts.
    Unattested,
    /// A liar's: nothing that was attested.
    Invented,
    /// A liar's, that gives back more than was collected.
    Greedy,
}

/// The verdicts that honest validators come to.
pub const HONEST: [Verdict; 3] = [Verdict::Match, Verdict::Adjust, Verdict::Unattested];

/// All that a liar may sign.
pub const ALL: [Verdict; 5] =
    [Verdict::Match, Verdict::Adjust, Verdict::Unattested, Verdict::Invented, Verdict::Greedy];

impl Verdict {
    /// Micro-credits that it gives back, one refund per wallet.
    pub fn refunds(self) -> &'static [u8] {
        match self {
            Verdict::Match => &[],
            Verdict::Adjust => &[1, 1],
            Verdict::Unattested => &[2, 1],
            Verdict::Invented => &[1, 2],
            Verdict::Greedy => &[2, 2],
        }
    }

    /// Micro-credits that it gives back in all.
    pub fn total(self) -> u8 {
        self.refunds().iter().sum()
    }
}

/// An attestation that a provider signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Face {
    /// With the gateway's root.
    Same,
    /// With smaller claims.
    Less,
}

/// What a provider attests: one face if it is honest, both if it equivocates.
pub type Faces = &'static [Face];

/// A vote as the chain keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    /// For what.
    pub verdict: Verdict,
    /// How often the validator changed its mind.
    pub changes: u8,
    /// How often it counts besides; always 0 unless [`Rule::OneVoteEach`](crate::Rule) is off.
    pub repeats: u8,
}

/// The votes on an item, by validator.
pub type Votes = [Option<Vote>; VALIDATORS_MAX];

/// How a verdict was applied, written down at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Applied {
    /// Which.
    pub verdict: Verdict,
    /// Validators of the set in force that signed it for this batch and had their vote on it.
    pub votes: u8,
    /// Validators in force.
    pub validators: u8,
    /// Whether one of the honest validators concluded it of this batch.
    pub is_honest: bool,
}

/// A verdict whose refunds are not all paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Queued {
    /// Which.
    pub verdict: Verdict,
    /// Refunds left, the first of its list.
    pub left: u8,
}

impl Queued {
    /// Micro-credits that wait.
    pub fn waits(&self) -> u8 {
        self.verdict.refunds()[..usize::from(self.left)].iter().sum()
    }
}

/// How long an item is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Age {
    /// Not as long as an attestation may take.
    #[default]
    InTime,
    /// `UnattestedAfter` blocks.
    Overdue,
    /// Twice as long: see [`Rule::LateDisagreement`](crate::Rule).
    Late,
}

/// An item whose batch is in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// Which of the batches that the gateway may submit under this number.
    pub batch: u8,
    /// How long it is open.
    pub age: Age,
    /// The votes.
    pub votes: Votes,
    /// Refunds that wait.
    pub queued: Option<Queued>,
    /// The verdict that was applied, the last one if there were several.
    pub applied: Option<Applied>,
    /// How many were applied.
    pub applied_count: u8,
    /// Micro-credits given back.
    pub refunded: u8,
    /// Whether it is closed: verdict applied, refunds paid.
    pub is_closed: bool,
}

impl Item {
    /// An item of a batch that just came in.
    pub fn new(batch: u8) -> Self {
        Item {
            batch,
            age: Age::InTime,
            votes: [None; VALIDATORS_MAX],
            queued: None,
            applied: None,
            applied_count: 0,
            refunded: 0,
            is_closed: false,
        }
    }
}

/// The chain's state at its best block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chain {
    /// The session under way: an index into [`Bounds::sets`](crate::Bounds).
    pub session: u8,
    /// Whether the provider is suspended.
    pub is_suspended: bool,
    /// How often it was.
    pub reports: u8,
    /// The items, in the order of their batches.
    pub items: [Option<Item>; ITEMS_MAX],
}

/// A signed vote: it may reach a block never, late, twice, or after one that was signed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignedVote {
    /// Who signed it.
    pub validator: u8,
    /// On which item.
    pub item: u8,
    /// On which batch.
    pub batch: u8,
    /// For what.
    pub verdict: Verdict,
}

/// The votes that an honest validator has signed on one item, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signed(u8);

impl Signed {
    fn bit(batch: u8, verdict: Verdict) -> u8 {
        1 << (batch * HONEST.len() as u8 + verdict as u8)
    }

    /// Adds a vote.
    pub fn insert(&mut self, batch: u8, verdict: Verdict) {
        self.0 |= Self::bit(batch, verdict);
    }

    /// Whether the validator came to `verdict` on `batch`.
    pub fn has(self, batch: u8, verdict: Verdict) -> bool {
        HONEST.contains(&verdict) && self.0 & Self::bit(batch, verdict) != 0
    }

    /// All of them: batch and verdict.
    pub fn iter(self) -> impl Iterator<Item = (u8, Verdict)> {
        let all = (0..BATCHES_MAX).flat_map(|batch| HONEST.map(|verdict| (batch, verdict)));
        all.filter(move |(batch, verdict)| self.has(*batch, *verdict))
    }
}

/// The votes that were signed on one item, by validator.
pub type SignedBy = [Signed; VALIDATORS_MAX];

/// Everything: the chain, and what no fork can undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// What the provider attests.
    pub faces: Faces,
    /// The chain at its best block.
    pub chain: Chain,
    /// The last finalised state, which the chain may fall back to; kept only where forks are modelled.
    pub finalised: Option<Chain>,
    /// How often the chain fell back.
    pub forks: u8,
    /// The votes that were signed, by item and validator.
    pub signed: [SignedBy; ITEMS_MAX],
    /// Whether each item was open at a time when its provider was in office.
    pub was_in_office: [bool; ITEMS_MAX],
    /// Verdicts that a fork undid.
    pub undone: [Option<Verdict>; ITEMS_MAX],
}
