use frame_support::assert_ok;
use stipend_primitives::{settlement::Verdict, AccountId};

use super::world::*;
use crate::{mock::*, Event, TURNOUT_ITEMS_MIN};

/// Settles one item with the votes of these validators of four.
fn settle_by(seq: u64, attestor: &Attestor, voters: [u32; 3]) {
    let batch = small_batch(seq, attestor);
    submit(&batch);
    for number in voters {
        cast(&vote(&batch, attestor, Verdict::Match), number).unwrap();
    }
}

fn absent() -> Vec<(AccountId, u32)> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Settlement(Event::ValidatorAbsent { validator, settled }) => {
                Some((validator, settled))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn whoever_voted_on_nothing_is_named_when_the_session_ends() {
    let (mut ext, attestor) = chain(4);
    ext.execute_with(|| {
        System::set_block_number(1);
        for item in 0..TURNOUT_ITEMS_MIN {
            settle_by(u64::from(item) * 10, &attestor, [0, 1, 2]);
        }
        assert_eq!(Settlement::turnout().settled, TURNOUT_ITEMS_MIN);
        set_authorities(0..4);
        assert_eq!(absent(), [(account(3), TURNOUT_ITEMS_MIN)]);
        assert_ok!(Settlement::do_try_state());
    });
}

#[test]
fn one_vote_in_a_session_is_enough_not_to_be_named() {
    let (mut ext, attestor) = chain(4);
    ext.execute_with(|| {
        System::set_block_number(1);
        settle_by(0, &attestor, [3, 1, 2]);
        for item in 1..TURNOUT_ITEMS_MIN {
            settle_by(u64::from(item) * 10, &attestor, [0, 1, 2]);
        }
        let turnout = Settlement::turnout();
        assert_eq!(turnout.votes.iter().find(|(who, _)| *who == account(3)), Some(&(account(3), 1)));
        set_authorities(0..4);
        assert!(absent().is_empty());
    });
}

#[test]
fn a_few_items_say_nothing_of_who_was_absent() {
    let (mut ext, attestor) = chain(4);
    ext.execute_with(|| {
        System::set_block_number(1);
        for item in 1..TURNOUT_ITEMS_MIN {
            settle_by(u64::from(item - 1) * 10, &attestor, [0, 1, 2]);
        }
        set_authorities(0..4);
        assert!(absent().is_empty());
    });
}

#[test]
fn every_session_is_counted_anew() {
    let (mut ext, attestor) = chain(4);
    ext.execute_with(|| {
        System::set_block_number(1);
        settle_by(0, &attestor, [0, 1, 2]);
        set_authorities(0..3);
        let turnout = Settlement::turnout();
        assert_eq!(turnout.settled, 0);
        assert_eq!(turnout.votes.len(), 3);
        assert!(turnout.votes.iter().all(|(_, votes)| *votes == 0));
    });
}

#[test]
fn votes_on_one_item_stand_in_another_order_than_those_on_the_next() {
    let (mut ext, attestor) = chain(4);
    ext.execute_with(|| {
        let last: std::collections::BTreeSet<u32> = (0..40)
            .map(|item| {
                let batch = small_batch(item * 10, &attestor);
                submit(&batch);
                let vote = vote(&batch, &attestor, Verdict::Match);
                (0..4).min_by_key(|number| pool_priority(&vote, *number)).unwrap()
            })
            .collect();
        assert_eq!(last.len(), 4, "the same validators are always the last: {last:?}");
    });
}
