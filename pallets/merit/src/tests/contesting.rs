//! What others say of an outcome, and what the council decides.

use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::DispatchError;
use stipend_primitives::merit::{OutcomeId, Rule, Standing};

use crate::{mock::*, ContestsBy, Error, Event, CONTESTS_MAX};

const REASON: H256 = H256([9; 32]);

fn contest(who: stipend_primitives::AccountId, id: OutcomeId) -> frame_support::dispatch::DispatchResult {
    Merit::contest(signed(&who), id, REASON)
}

fn decide(ids: &[OutcomeId], stand: bool) -> frame_support::dispatch::DispatchResult {
    Merit::decide(council(), ids.to_vec().try_into().unwrap(), stand)
}

fn standing(id: OutcomeId) -> Standing {
    Merit::outcome(id).unwrap().outcome.standing
}

#[test]
fn another_evaluator_the_owner_and_who_pays_may_contest() {
    test_with_kind(|| {
        for (evidence, who) in [(1, eli()), (2, ada()), (3, hr())] {
            let id = record(evidence, 1);
            assert_ok!(contest(who.clone(), id));
            System::assert_last_event(Event::Contested { outcome: id, by: who, reason: REASON }.into());
            assert_eq!(standing(id), Standing::Contested);
        }
        assert_eq!(Merit::open_contests(10).len(), 3);
    });
}

#[test]
fn nobody_else_may_and_not_twice() {
    test_with_kind(|| {
        let id = record(1, 1);
        for who in [bob(), gateway(), eva()] {
            assert_noop!(contest(who, id), Error::<Test>::MayNotContest);
        }
        assert_noop!(contest(eli(), 9), Error::<Test>::OutcomeUnknown);
        assert_ok!(contest(eli(), id));
        assert_noop!(contest(ada(), id), Error::<Test>::AlreadyContested);
        assert_ok!(decide(&[id], true));
        assert_noop!(contest(ada(), id), Error::<Test>::AlreadyContested);
    });
}

#[test]
fn an_outcome_is_contested_inside_its_window() {
    test_with_kind(|| {
        let (late, withdrawn) = (record(1, 1), record(2, 1));
        assert_ok!(Merit::withdraw(signed(&eva()), withdrawn));
        assert_noop!(contest(eli(), withdrawn), Error::<Test>::AlreadyReverted);
        wait(DAY);
        assert_noop!(contest(eli(), late), Error::<Test>::WindowClosed);
    });
}

#[test]
fn the_council_lets_stand_or_takes_back_however_late() {
    test_with_kind(|| {
        let (stands, falls) = (record(1, 1), record(2, 2));
        assert_ok!(contest(eli(), stands));
        assert_ok!(contest(eli(), falls));
        wait(3 * DAY);
        assert_ok!(decide(&[stands], true));
        System::assert_last_event(Event::Decided { outcome: stands, stands: true }.into());
        assert_ok!(decide(&[falls], false));
        assert_eq!((standing(stands), standing(falls)), (Standing::Upheld, Standing::Overturned));
        assert_eq!(credits(&ada()), [11, 0, 0, 0, 20]);
        assert_eq!(Merit::open_contests(10), []);
        assert_eq!(ContestsBy::<Test>::iter().count(), 0);
    });
}

#[test]
fn only_the_council_decides_and_only_on_what_is_contested() {
    test_with_kind(|| {
        let (contested, open) = (record(1, 1), record(2, 1));
        assert_ok!(contest(eli(), contested));
        for origin in [signed(&eva()), signed(&eli()), signed(&hr())] {
            let decide = Merit::decide(origin, vec![contested].try_into().unwrap(), false);
            assert_noop!(decide, DispatchError::BadOrigin);
        }
        assert_noop!(decide(&[open], false), Error::<Test>::NotContested);
        // All or none.
        assert_noop!(decide(&[contested, open], false), Error::<Test>::NotContested);
        assert_eq!(standing(contested), Standing::Contested);
        assert_ok!(decide(&[contested, contested], false));
        assert_eq!(credits(&ada()), [11, 0, 0, 0, 10]);
    });
}

#[test]
fn an_evaluator_that_sees_its_mistake_withdraws_what_is_contested() {
    test_with_kind(|| {
        let id = record(1, 1);
        assert_ok!(contest(eli(), id));
        wait(2 * DAY);
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        assert_noop!(decide(&[id], false), Error::<Test>::NotContested);
        assert_eq!(ContestsBy::<Test>::iter().count(), 0);
    });
}

#[test]
fn an_outcome_that_was_upheld_can_still_be_withdrawn_inside_its_window() {
    test_with_kind(|| {
        let id = record(1, 1);
        assert_ok!(contest(eli(), id));
        assert_ok!(decide(&[id], true));
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        assert_eq!(credits(&ada())[0], 1);
    });
}

#[test]
fn who_contests_everything_has_to_wait_for_the_council() {
    test(|| {
        register("commit", Rule { award: 1, wallet_cap: 1_000 * CREDIT, ..rule() });
        let id = record(1, 1);
        ContestsBy::<Test>::insert(eli(), CONTESTS_MAX);
        assert_noop!(contest(eli(), id), Error::<Test>::TooManyContests);
        assert_ok!(contest(ada(), id));
        ContestsBy::<Test>::remove(eli());
    });
}
