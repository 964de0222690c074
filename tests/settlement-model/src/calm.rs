//! What becomes of a state if nothing bad happens any more.
//!
//! "Every item can settle" is not a property of one state. So each state is followed on for a while in
//! which messages arrive, time passes and the honest validators work. The liars are silent, which leaves
//! the honest ones to themselves.

use crate::{
    state::{Age, Chain, Face, SignedBy, State, ITEMS_MAX},
    worker::work,
    SettlementModel,
};

/// Blocks that are enough: each validator changes its mind a few times, and each refund takes one.
const BLOCKS_MAX: usize = 12;

/// Whether all items are settled in the end, if from now on the provider shows each validator what it
/// `sees`.
pub(crate) fn settles(model: &SettlementModel, state: &State, sees: impl Fn(u8) -> Option<Face>) -> bool {
    let (mut chain, mut signed) = (state.chain, state.signed);
    for item in chain.items.iter_mut().flatten() {
        item.age = Age::Late;
    }
    for _ in 0..BLOCKS_MAX {
        if is_settled(&chain) {
            return true;
        }
        let before = chain;
        block(model, &mut chain, &mut signed, &sees);
        if chain == before {
            return false;
        }
    }
    is_settled(&chain)
}

fn is_settled(chain: &Chain) -> bool {
    chain.items.iter().flatten().all(|item| item.is_closed)
}

/// One block: the votes that all honest validators cast on the state before it, and then the queue.
fn block(
    model: &SettlementModel,
    chain: &mut Chain,
    signed: &mut [SignedBy; ITEMS_MAX],
    sees: &impl Fn(u8) -> Option<Face>,
) {
    let (bounds, rules) = (&model.bounds, &model.rules);
    let before = *chain;
    for validator in bounds.honest() {
        for at in 0..bounds.items {
            let Some(vote) = work(bounds, rules, &before, (validator, at), sees(validator)) else { continue };
            let by = &mut signed[usize::from(at)];
            by[usize::from(validator)].insert(vote.batch, vote.verdict);
            // It may come after the quorum: then it is refused, as any late vote is.
            let _counted = chain.vote(bounds, rules, vote, by);
        }
    }
    let _paid = chain.pay_queued(rules);
}
