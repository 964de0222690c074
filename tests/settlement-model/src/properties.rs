//! What must hold in every state, and what must be reached in some.

use crate::{
    calm,
    state::{Item, State, Verdict, COLLECTED},
    SettlementModel,
};

/// Something that must hold in every state.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// In words.
    pub name: &'static str,
    /// Whether it does.
    pub holds: fn(&SettlementModel, &State) -> bool,
}

/// At most one verdict is applied to an item on one chain, and nothing changes it.
pub const ONE_VERDICT: Property = Property {
    name: "an item has at most one verdict",
    holds: |_, state| items(state).all(|item| item.applied_count <= 1),
};

/// What the best chain says of an item that a final block settled is what that block says.
pub const FINAL: Property = Property {
    name: "a verdict in a final block stands",
    holds: |_, state| {
        let finalised = state.finalised.unwrap_or_default();
        let verdict = |item: &Option<Item>| item.and_then(|item| item.applied).map(|applied| applied.verdict);
        let mut both = finalised.items.iter().zip(&state.chain.items);
        both.all(|(then, now)| verdict(then).is_none() || verdict(then) == verdict(now))
    },
};

/// Votes of more than two thirds of the validators in force in the block of the last vote, each signed
/// by its validator for this batch.
pub const TWO_THIRDS: Property = Property {
    name: "a verdict has the votes of more than two thirds of the validators in force",
    holds: |_, state| {
        let mut applied = items(state).filter_map(|item| item.applied);
        applied.all(|applied| 3 * applied.votes > 2 * applied.validators)
    },
};

/// With at most f liars of 3f+1.
pub const HONEST_VERDICT: Property = Property {
    name: "a verdict is one that an honest validator came to",
    holds: |_, state| items(state).filter_map(|item| item.applied).all(|applied| applied.is_honest),
};

/// What the wallets got, and will get from the queue, is what the verdict says.
pub const PAID_ONCE: Property =
    Property { name: "refunds are paid exactly once", holds: |_, state| items(state).all(is_paid_once) };

/// At any time, whoever lies.
pub const WITHIN_COLLECTED: Property = Property {
    name: "no more is refunded than was collected",
    holds: |_, state| items(state).all(|item| item.refunded <= COLLECTED),
};

/// It does not matter what was attested.
pub const SUSPENDED: Property = Property {
    name: "an item that was never open with its provider in office is unattested",
    holds: |_, state| {
        state.chain.items.iter().zip(state.was_in_office).all(|(item, was_in_office)| {
            let applied = item.and_then(|item| item.applied);
            was_in_office || applied.is_none_or(|applied| applied.verdict == Verdict::Unattested)
        })
    },
};

/// What waits is bounded.
pub const BOUNDED: Property = Property {
    name: "no more batches are unsettled than may be",
    holds: |model, state| {
        let unsettled = items(state).filter(|item| !item.is_closed).count();
        unsettled <= usize::from(model.bounds.unsettled_max)
    },
};

/// Once faults end, the honest validators alone settle every item of an honest provider that answers,
/// whatever happened before and whatever votes were replayed.
pub const SETTLES_ANSWERED: Property = Property {
    name: "every item of an honest provider that answers can settle",
    holds: |model, state| match state.faces {
        [face] => calm::settles(model, state, |_| Some(*face)),
        _ => true,
    },
};

/// The same for a provider that never showed anybody an attestation.
pub const SETTLES_UNANSWERED: Property = Property {
    name: "every item of a provider that never answered can settle",
    holds: |model, state| was_answered(state) || calm::settles(model, state, |_| None),
};

/// The same for any provider, once it is suspended.
pub const SETTLES_SUSPENDED: Property = Property {
    name: "every item can settle once its provider is suspended",
    holds: |model, state| {
        let mut suspended = *state;
        suspended.chain.is_suspended = true;
        calm::settles(model, &suspended, |_| None)
    },
};

/// The same for a provider that goes silent or shows some validators one attestation and others
/// another or none.
pub const SETTLES_SPLIT: Property = Property {
    name: "every item can settle, whatever its provider does",
    holds: |model, state| {
        let (first, last) = (state.faces.first().copied(), state.faces.last().copied());
        // What validators with even numbers see, and those with odd ones.
        let seen = [(None, None), (first, first), (last, last), (first, None), (first, last)];
        seen.iter().all(|(even, odd)| {
            calm::settles(model, state, |validator| if validator % 2 == 0 { *even } else { *odd })
        })
    },
};

/// What the chain guarantees by itself, even if every validator lies.
pub const OF_THE_CHAIN: [Property; 6] =
    [ONE_VERDICT, FINAL, TWO_THIRDS, PAID_ONCE, WITHIN_COLLECTED, BOUNDED];

/// What holds with at most f liars of 3f+1.
pub const OF_THE_PROTOCOL: [Property; 11] = [
    ONE_VERDICT,
    FINAL,
    TWO_THIRDS,
    PAID_ONCE,
    WITHIN_COLLECTED,
    BOUNDED,
    HONEST_VERDICT,
    SUSPENDED,
    SETTLES_ANSWERED,
    SETTLES_UNANSWERED,
    SETTLES_SUSPENDED,
];

/// A kind of state that must be reached, or a check says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// In words.
    pub name: &'static str,
    /// Whether it is reached.
    pub is_reached: fn(&State) -> bool,
}

/// An item is settled as match.
pub const MATCHED: Goal =
    Goal { name: "settled as match", is_reached: |state| is_closed_as(state, Verdict::Match) };

/// An item is settled as adjust.
pub const ADJUSTED: Goal =
    Goal { name: "settled as adjust", is_reached: |state| is_closed_as(state, Verdict::Adjust) };

/// An item is settled as unattested.
pub const UNATTESTED: Goal =
    Goal { name: "settled as unattested", is_reached: |state| is_closed_as(state, Verdict::Unattested) };

/// Refunds wait for the next block.
pub const QUEUED: Goal = Goal {
    name: "refunds wait in the queue",
    is_reached: |state| items(state).any(|item| item.queued.is_some()),
};

/// A validator changed its mind.
pub const CHANGED: Goal = Goal {
    name: "a vote was changed",
    is_reached: |state| items(state).flat_map(|item| item.votes).flatten().any(|vote| vote.changes > 0),
};

/// A match after the provider was suspended and reinstated.
pub const REINSTATED: Goal = Goal {
    name: "settled as match after a suspension",
    is_reached: |state| {
        state.chain.reports > 0 && !state.chain.is_suspended && is_closed_as(state, Verdict::Match)
    },
};

/// A fork undid a verdict, and another was applied.
pub const UNDONE: Goal = Goal {
    name: "settled otherwise after a fork",
    is_reached: |state| {
        items(state).zip(state.undone).any(|(item, undone)| {
            item.applied.zip(undone).is_some_and(|(applied, undone)| applied.verdict != undone)
        })
    },
};

/// The items of the best block.
fn items(state: &State) -> impl Iterator<Item = &Item> {
    state.chain.items.iter().flatten()
}

fn is_closed_as(state: &State, verdict: Verdict) -> bool {
    items(state).any(|item| item.is_closed && item.applied.is_some_and(|applied| applied.verdict == verdict))
}

fn is_paid_once(item: &Item) -> bool {
    let Some(applied) = item.applied else { return item.refunded == 0 && !item.is_closed };
    let waits = item.queued.map_or(0, |queued| queued.waits());
    item.is_closed == item.queued.is_none() && item.refunded + waits == applied.verdict.total()
}

/// Whether an honest validator ever saw an attestation.
fn was_answered(state: &State) -> bool {
    let mut signed = state.signed.iter().flatten().flat_map(|signed| signed.iter());
    signed.any(|(_, verdict)| verdict != Verdict::Unattested)
}
