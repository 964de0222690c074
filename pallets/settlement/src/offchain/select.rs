//! Which items a run takes up, and what it does with each.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};

use frame_support::traits::Get;
use stipend_primitives::{
    ledger::{OpenItem, Unsettled},
    settlement::VerdictKind,
    view::Provider,
    AccountId, BlockNumber,
};

use crate::{
    crypto::AuthorityId,
    pallet::{Authorities, Config, Pallet, RefundQueue, Votes},
    quorum::Tally,
};

use super::{
    keys::public,
    memory::{Lane, Marks, SlowProviders},
};

/// Open items that a run looks at to choose from: more than sixteen gateways leave open that may
/// leave 256 open each.
const OPEN_ITEMS_MAX: usize = 4_096;

/// Items that a run takes up: at a block per second more than any company's gateways submit, and
/// few enough for the connections that they cost.
const TASKS_MAX: usize = 64;

/// Blocks after which a validator that voted unattested looks again: the provider may be back, or
/// the refunds may be others by now.
const LOOK_AGAIN_BLOCKS: BlockNumber = 10;

/// What a run does with an item.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    /// Asks the provider's attestor.
    Ask {
        /// Where and with which key.
        provider: Provider,
        /// Whether the time for an attestation is over: without one the item is unattested.
        overdue: bool,
    },
    /// There is nothing to ask for.
    Unattested,
}

/// An item that a run takes up.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// The item.
    pub(crate) open: OpenItem,
    /// What to do with it.
    pub(crate) route: Route,
}

/// Chooses the items of a run: in turn from every pair of gateway and provider, the oldest first, so
/// that none of them crowds out another.
pub(crate) fn tasks<T: Config>(
    keys: &[AuthorityId],
    lane: Lane,
    now: BlockNumber,
    marks: &Marks,
    slow: &SlowProviders,
) -> Vec<Task> {
    let authorities = Authorities::<T>::get();
    let mut providers = BTreeMap::new();
    let mut queues: BTreeMap<(AccountId, AccountId), VecDeque<Task>> = BTreeMap::new();
    for open in T::Unsettled::open_items(OPEN_ITEMS_MAX) {
        let item = &open.item;
        if marks.has(item) || RefundQueue::<T>::contains_key(item) {
            continue;
        }
        let provider = providers
            .entry(item.provider.clone())
            .or_insert_with(|| Pallet::<T>::provider_in_office(&item.provider));
        let records = Votes::<T>::get(item);
        let tally = Tally::new(&authorities, &records);
        let Some(route) = route::<T>(&open, provider.as_ref(), keys, &tally, now) else { continue };
        let route_lane = match route {
            Route::Ask { .. } => slow.lane_of(&item.provider),
            // Nobody waits for these, and their refunds take time to compute.
            Route::Unattested => Lane::Slow,
        };
        if route_lane == lane {
            let pair = (item.gateway.clone(), item.provider.clone());
            queues.entry(pair).or_default().push_back(Task { open, route });
        }
    }
    take_turns(queues)
}

fn take_turns(mut queues: BTreeMap<(AccountId, AccountId), VecDeque<Task>>) -> Vec<Task> {
    let mut tasks = Vec::new();
    while tasks.len() < TASKS_MAX && !queues.is_empty() {
        queues.retain(|_, queue| {
            if tasks.len() < TASKS_MAX {
                tasks.extend(queue.pop_front());
            }
            !queue.is_empty()
        });
    }
    tasks
}

/// What is to be done with an item; `None` if nothing.
fn route<T: Config>(
    open: &OpenItem,
    provider: Option<&Provider>,
    keys: &[AuthorityId],
    tally: &Tally,
    now: BlockNumber,
) -> Option<Route> {
    let age = now.saturating_sub(open.submitted_at);
    let overdue = age >= T::UnattestedAfter::get();
    // By now nobody waits for a validator that is away to tell which side it is on.
    let long_overdue = age >= T::UnattestedAfter::get().saturating_mul(2);
    let is_hopeless = tally.attested_is_out_of_reach() || (long_overdue && tally.is_split());
    let route = match provider {
        Some(provider) if provider.suspended => Route::Unattested,
        // The validators saw different attestations, or some saw none: they will not agree on one.
        _ if overdue && is_hopeless => Route::Unattested,
        Some(provider) => Route::Ask { provider: provider.clone(), overdue },
        None if overdue => Route::Unattested,
        None => return None,
    };
    let is_needed = keys.iter().any(|key| needs_vote(tally, key, &route, age));
    is_needed.then_some(route)
}

/// Whether the validator has something to add on this route to what it voted.
fn needs_vote(tally: &Tally, key: &AuthorityId, route: &Route, age: BlockNumber) -> bool {
    let Some(record) = tally.vote_of(&public(key)) else { return true };
    if tally.has_quorum(&record.verdict_hash) {
        // Others' leaving made its votes a quorum: cast again, it is applied.
        return true;
    }
    match (record.kind, route) {
        (VerdictKind::Unattested, _) => age.is_multiple_of(LOOK_AGAIN_BLOCKS),
        (VerdictKind::Match | VerdictKind::Adjust, Route::Ask { .. }) => false,
        (VerdictKind::Match | VerdictKind::Adjust, Route::Unattested) => true,
    }
}
