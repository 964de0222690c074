//! What a validator's off-chain worker does: `pallets/settlement/src/offchain/{select,mod,vote}.rs`.

use crate::{
    rules::{Rule, Rules},
    state::{Age, Chain, Face, Item, SignedVote, Verdict, Vote},
    tally::Tally,
    Bounds,
};

/// What a run does with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// Asks the provider's attestor.
    Ask { is_overdue: bool },
    /// There is nothing to ask for.
    Unattested,
}

/// The vote that an honest validator signs on an item of `chain` when the provider shows it `saw`;
/// `None` if it signs none.
pub(crate) fn work(
    bounds: &Bounds,
    rules: &Rules,
    chain: &Chain,
    (validator, at): (u8, u8),
    saw: Option<Face>,
) -> Option<SignedVote> {
    let item = chain.items[usize::from(at)].filter(|item| !item.is_closed && item.queued.is_none())?;
    let set = bounds.sets[usize::from(chain.session)];
    if set >> validator & 1 == 0 {
        return None;
    }
    let route = route(rules, chain, &item, &Tally { set, votes: &item.votes });
    let own = item.votes[usize::from(validator)];
    let own_has_quorum = own.is_some_and(|vote| rules.has_quorum(bounds, chain, &item, vote));
    let recasts = own_has_quorum && rules.has(Rule::CastAgain);
    if !recasts && !needs_vote(own, route) {
        return None;
    }
    let verdict = match (route, saw) {
        (Route::Unattested, _) => Verdict::Unattested,
        (Route::Ask { .. }, Some(Face::Same)) => Verdict::Match,
        (Route::Ask { .. }, Some(Face::Less)) => Verdict::Adjust,
        (Route::Ask { is_overdue: true }, None) => Verdict::Unattested,
        (Route::Ask { is_overdue: false }, None) => return None,
    };
    let is_repeated = own.is_some_and(|vote| vote.verdict == verdict);
    if is_repeated && !recasts {
        return None;
    }
    Some(SignedVote { validator, item: at, batch: item.batch, verdict })
}

fn route(rules: &Rules, chain: &Chain, item: &Item, tally: &Tally) -> Route {
    let is_overdue = item.age != Age::InTime && rules.has(Rule::Deadline);
    let is_hopeless = tally.attested_is_out_of_reach()
        || (rules.has(Rule::LateDisagreement)
            && item.age == Age::Late
            && tally.leader() < tally.votes_count());
    let is_unasked = chain.is_suspended && rules.has(Rule::SuspendedUnasked);
    let gives_up = is_overdue && is_hopeless && rules.has(Rule::GivingUp);
    if is_unasked || gives_up {
        Route::Unattested
    } else {
        Route::Ask { is_overdue }
    }
}

/// Whether the validator has something to add to its vote. That one who voted unattested looks again
/// every few blocks only is left out: it may look at any time.
fn needs_vote(own: Option<Vote>, route: Route) -> bool {
    match (own.map(|vote| vote.verdict), route) {
        (None | Some(Verdict::Unattested), _) => true,
        (Some(_), Route::Ask { .. }) => false,
        (Some(_), Route::Unattested) => true,
    }
}
