//! The rules of the protocol, each of which can be switched off to show what it is there for.

/// A rule that the pallet or its worker has. Where it stands in the source is in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// More than two thirds of the authorities agree. Off: half of them are enough.
    TwoThirds,
    /// Only authorities of the session under way vote, and only their votes count. Off: whoever ever
    /// was one votes.
    SetInForce,
    /// A validator has one vote on an item. Off: the same vote again counts again.
    OneVoteEach,
    /// A vote needs its validator's signature. Off: everybody votes for everybody.
    SignedVotes,
    /// A settled item takes no more votes. Off: it does.
    OpenItems,
    /// An item whose refunds are still being paid takes no more votes. Off: it does.
    NotWhilePaying,
    /// A vote counts only for the batch that it was cast on. Off: for any with the same number.
    SameBatch,
    /// A verdict gives back no more than was collected. Off: whatever it says.
    WithinCollected,
    /// What is paid leaves the queue. Off: it stays there.
    PaidOnce,
    /// A suspended provider is not asked. Off: it is.
    SuspendedUnasked,
    /// An item without an attestation in time is unattested. Off: validators go on asking.
    Deadline,
    /// Once no attested verdict can reach the quorum, overdue items are unattested. Off: validators
    /// keep to what they saw.
    GivingUp,
    /// A vote that has become a quorum by others' leaving is cast again. Off: it is not.
    CastAgain,
    /// A gateway with too many unsettled batches waits. Off: it goes on.
    BackPressure,
    /// Long after the deadline, a verdict counts as out of reach unless all votes so far are for it. Off:
    /// validators wait for ever for one that is away.
    LateDisagreement,
    /// A validator that has used up its changes of mind can still change to unattested. Off: it keeps
    /// its last vote.
    UnattestedAlways,
}

/// Which rules hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The one that is switched off.
    pub off: Option<Rule>,
}

impl Rules {
    /// The pallet's rules but for one.
    pub fn without(rule: Rule) -> Self {
        Rules { off: Some(rule) }
    }

    /// Whether `rule` holds.
    pub fn has(&self, rule: Rule) -> bool {
        self.off != Some(rule)
    }
}
