//! Who votes, and who has stopped.
//!
//! Votes that come after the quorum are not counted, so one item says little of who was absent. The
//! pool's order of votes changes from item to item (see `votes.rs`): a validator that votes in time
//! misses no more than a third of them by being the last, and after [`TURNOUT_ITEMS_MIN`] items one that
//! is counted on none of them did not vote.

use alloc::vec::Vec;

use stipend_primitives::{settlement::Turnout as TurnoutView, AccountId};

use crate::{
    pallet::{Accounts, Authorities, Config, Event, Pallet, Turnout},
    quorum::is_voter,
    types::{SessionTurnout, VoteRecord},
    LOG_TARGET,
};

/// Settled items after which a validator without a vote is named: a third to this power is less than
/// one in a million sessions.
pub const TURNOUT_ITEMS_MIN: u32 = 14;

impl<T: Config> Pallet<T> {
    /// Counts the votes on an item that was just settled.
    pub(crate) fn count_turnout(records: &[VoteRecord]) {
        let authorities = Authorities::<T>::get();
        Turnout::<T>::mutate(|turnout| {
            turnout.settled = turnout.settled.saturating_add(1);
            for (votes, authority) in turnout.votes.iter_mut().zip(&authorities) {
                if records.iter().any(|record| is_voter(authority, record)) {
                    *votes = votes.saturating_add(1);
                }
            }
        });
    }

    /// Names the validators that voted on nothing in the session that ends.
    pub(crate) fn report_absent() {
        let turnout = Turnout::<T>::get();
        if turnout.settled < TURNOUT_ITEMS_MIN {
            return;
        }
        for (validator, votes) in Accounts::<T>::get().into_iter().zip(&turnout.votes) {
            if *votes == 0 {
                let settled = turnout.settled;
                log::warn!(
                    target: LOG_TARGET,
                    "validator {validator:?} voted on none of the {settled} items of this session",
                );
                Self::deposit_event(Event::ValidatorAbsent { validator, settled });
            }
        }
    }

    /// Begins to count for the authorities of now.
    pub(crate) fn begin_turnout() {
        let votes = Authorities::<T>::get().iter().map(|_| 0).collect::<Vec<u32>>();
        Turnout::<T>::put(SessionTurnout {
            settled: 0,
            votes: frame_support::BoundedVec::truncate_from(votes),
        });
    }

    /// How many items were settled in the session under way, and on how many each validator voted in
    /// time.
    pub fn turnout() -> TurnoutView {
        let turnout = Turnout::<T>::get();
        let votes: Vec<(AccountId, u32)> =
            Accounts::<T>::get().into_iter().zip(turnout.votes.iter().copied()).collect();
        TurnoutView { settled: turnout.settled, votes }
    }
}
