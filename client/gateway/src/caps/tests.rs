#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use super::*;
use proptest::prelude::*;

const MODEL: ModelId = ModelId(1);
const OTHER: ModelId = ModelId(2);

fn amounts(credits: Credits, tokens: u64) -> Amounts {
    Amounts { credits, tokens }
}

fn per_day(max: Credits) -> Caps {
    Caps { credits_per_day_max: Some(max), ..Caps::default() }
}

#[test]
fn what_is_held_counts_and_comes_back_on_every_path() {
    let used = Arc::new(Use::default());
    let caps = per_day(100);
    let first = used.hold(&caps, MODEL, amounts(60, 0), 0).unwrap();
    let reached = used.hold(&caps, MODEL, amounts(60, 0), 0).err().unwrap();
    assert_eq!((reached.cap, reached.refused), (Cap::CreditsPerDay, Refused::Held));
    assert_eq!(reached.answer().status, 429);
    drop(first);
    let second = used.hold(&caps, MODEL, amounts(60, 0), 0).unwrap();
    assert!(second.settle(amounts(50, 0), 0).is_empty());
    let reached = used.hold(&caps, MODEL, amounts(60, 0), DAY_MS - 1_500).err().unwrap();
    assert_eq!(reached.refused, Refused::Used { left_ms: 1_500 });
    assert_eq!(reached.answer().retry_after_s, Some(2));
    assert_eq!(used.room(&caps, MODEL, 0), 50);
    assert!(used.hold(&caps, MODEL, amounts(60, 0), DAY_MS).is_ok());
    let reached = used.hold(&caps, MODEL, amounts(101, 0), 0).err().unwrap();
    assert_eq!((reached.refused, reached.answer().status), (Refused::ForGood, 403));
}

#[test]
fn each_share_is_told_once_in_its_window_to_the_log_and_to_the_next_caller() {
    let used = Arc::new(Use::default());
    let caps = per_day(100);
    let spend = |credits, now| {
        used.hold(&caps, MODEL, amounts(credits, 0), now).unwrap().settle(amounts(credits, 0), now)
    };
    let told = |percent| Warning { cap: Cap::CreditsPerDay, percent };
    assert_eq!(spend(79, 0), []);
    assert_eq!(used.take_untold(), None);
    assert_eq!(spend(1, 0), [told(80)]);
    assert_eq!((used.take_untold(), used.take_untold()), (Some(told(80)), None));
    assert_eq!(spend(14, 0), []);
    assert_eq!(spend(6, 0), [told(100)]);
    let reached = used.hold(&caps, MODEL, amounts(1, 0), 0).err().unwrap();
    assert_eq!(reached.warning, None);
    assert_eq!(spend(95, DAY_MS), [told(95)]);
    // Too little is left: that is the end of it, too.
    let reached = used.hold(&caps, MODEL, amounts(6, 0), DAY_MS).err().unwrap();
    assert_eq!(reached.warning, Some(told(100)));
}

#[test]
fn every_cap_counts_its_own_and_one_that_is_reached_holds_nothing_of_the_others() {
    let used = Arc::new(Use::default());
    let caps = Caps {
        credits_per_day_max: Some(1_000),
        credits_per_minute_max: Some(500),
        tokens_per_minute_max: Some(100),
        model_credits_per_day_max: vec![(MODEL, 300), (MODEL, 200)],
    };
    let reached = |model, credits, tokens, now| {
        used.hold(&caps, model, amounts(credits, tokens), now).err().map(|reached| reached.cap)
    };
    assert_eq!(reached(MODEL, 201, 1, 0), Some(Cap::ModelCreditsPerDay));
    assert_eq!(reached(OTHER, 501, 1, 0), Some(Cap::CreditsPerMinute));
    assert_eq!(reached(OTHER, 500, 101, 0), Some(Cap::TokensPerMinute));
    used.hold(&caps, OTHER, amounts(500, 100), 0).unwrap().settle(amounts(450, 60), 0);
    assert_eq!(reached(MODEL, 10, 41, 0), Some(Cap::TokensPerMinute));
    assert_eq!(reached(MODEL, 10, 41, MINUTE_MS), None);
    used.hold(&caps, OTHER, amounts(500, 100), MINUTE_MS).unwrap().settle(amounts(500, 100), MINUTE_MS);
    assert_eq!(reached(OTHER, 51, 1, 2 * MINUTE_MS), Some(Cap::CreditsPerDay));
    assert_eq!(used.room(&caps, MODEL, 2 * MINUTE_MS), 50);
}

#[test]
fn what_an_earlier_run_charged_today_counts() {
    let used = Arc::new(Use::default());
    used.restore(MODEL, 70, DAY_MS + 5);
    used.restore(OTHER, 20, DAY_MS + 6);
    assert_eq!(used.room(&per_day(100), MODEL, DAY_MS + 10), 10);
    let caps = Caps { model_credits_per_day_max: vec![(MODEL, 100)], ..Caps::default() };
    assert_eq!(used.room(&caps, MODEL, DAY_MS + 10), 30);
    assert_eq!(used.room(&caps, MODEL, 2 * DAY_MS), 100);
}

#[test]
fn what_is_used_and_held_of_each_cap_is_shown_with_the_end_of_its_window() {
    let used = Arc::new(Use::default());
    let caps = Caps {
        credits_per_day_max: Some(1_000),
        credits_per_minute_max: None,
        tokens_per_minute_max: Some(100),
        model_credits_per_day_max: vec![(OTHER, 400), (MODEL, 300), (MODEL, 200)],
    };
    used.hold(&caps, MODEL, amounts(50, 20), 5).unwrap().settle(amounts(30, 10), 5);
    let flying = used.hold(&caps, OTHER, amounts(70, 40), 5).unwrap();
    let shown = |now| -> Vec<_> {
        let all = used.of_caps(&caps, now).into_iter();
        all.map(|cap| (cap.cap, cap.model, cap.max, cap.used, cap.held, cap.resets_at_ms)).collect()
    };
    assert_eq!(
        shown(9),
        [
            (Cap::CreditsPerDay, None, 1_000, 30, 70, DAY_MS),
            (Cap::TokensPerMinute, None, 100, 10, 40, MINUTE_MS),
            (Cap::ModelCreditsPerDay, Some(MODEL), 200, 30, 0, DAY_MS),
            (Cap::ModelCreditsPerDay, Some(OTHER), 400, 0, 70, DAY_MS),
        ]
    );
    drop(flying);
    assert_eq!(shown(MINUTE_MS)[1], (Cap::TokensPerMinute, None, 100, 0, 0, 2 * MINUTE_MS));
    assert_eq!(shown(MINUTE_MS)[0].3, 30);
    assert!(used.of_caps(&Caps::default(), 9).is_empty());
}

proptest! {
    /// Requests that begin, end and break off in any order, across the ends of windows: no cap is ever passed, and in the
    /// end nothing is held.
    #[test]
    fn no_history_passes_a_cap(steps in proptest::collection::vec((0..3u8, 1..60u128, 0..=60u128, 0..20_000u64), 1..120)) {
        let used = Arc::new(Use::default());
        let caps = Caps { credits_per_minute_max: Some(100), ..Caps::default() };
        let (mut now, mut flying, mut spent) = (0, Vec::new(), HashMap::<u64, u128>::new());
        for (act, most, cost, passes) in steps {
            now += passes;
            match act {
                0 => flying.extend(used.hold(&caps, MODEL, amounts(most, 0), now).ok()),
                1 if !flying.is_empty() => {
                    let hold: CapHold = flying.remove(0);
                    let cost = cost.min(hold.most.credits);
                    hold.settle(amounts(cost, 0), now);
                    *spent.entry(now / MINUTE_MS).or_default() += cost;
                }
                _ => drop(flying.pop()),
            }
            let held: u128 = flying.iter().map(|hold| hold.most.credits).sum();
            prop_assert!(spent.get(&(now / MINUTE_MS)).copied().unwrap_or(0) + held <= 100);
        }
        drop(flying);
        prop_assert_eq!(used.room(&caps, MODEL, now + MINUTE_MS), 100);
    }
}
