//! What is remembered is bounded, whoever sends whatever; and who is told of what, when.

mod common;

use common::{detectors, request, DAY, HOUR, MINUTE};
use proptest::prelude::*;
use stipend_detectors::{
    Answer, Audience, Brake, Detectors, Endpoint, Finish, Measure, Memory, Observation, Origin, Phase,
    Policy, Role, Rule, Secret, Sketch, Sketcher,
};

const SMALL: Memory = Memory { wallets_max: 20, keys_max: 20, prompts_max: 100 };

fn anything() -> impl Strategy<Value = Observation> {
    let who = (0..60u8, 0..60u8, 0..6u32, 0..3u8);
    let what = (0..3u8, 0..5u8, 0..100_000u32, 0..5_000u32, 0..5_000u32, 0..=1_000u16);
    let how = (0..400u64, proptest::option::of(0..9u64), 0..30u64, 0..5u64, any::<bool>(), 0..30 * DAY);
    (who, what, how, any::<u64>()).prop_map(|(who, what, how, number)| {
        let mut seen = request(number, how.5);
        (seen.wallet, seen.key, seen.model) = ([who.0; 32], [who.1; 32], who.2);
        seen.endpoint = [Endpoint::Text, Endpoint::Embeddings, Endpoint::Other][usize::from(what.0)];
        let finishes = [Finish::Stop, Finish::Length, Finish::Tools, Finish::Failed, Finish::Unknown];
        seen.finish = finishes[usize::from(what.1)];
        (seen.input_tokens, seen.output_tokens, seen.max_tokens) = (what.2, what.3, what.4);
        (seen.fetched_permille, seen.tool_calls) = (what.5, how.1);
        seen.prompt = Sketch::unknown(how.0);
        seen.prompt.opening = how.0 % 40;
        seen.origin = Origin { network: how.2, agent: how.3 };
        seen.purpose = how.4.then_some(1);
        seen.period_ends_ms = Some(seen.at_ms + how.0 * HOUR);
        seen
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_memory_stays_within_its_bound(all in proptest::collection::vec(anything(), 1..1_500)) {
        let mut detectors = Detectors::new(Policy { learning_ms: 0, quiet_ms: 0 }, SMALL);
        for seen in &all {
            for finding in detectors.observe(seen) {
                prop_assert!(finding.from_ms <= finding.to_ms);
                prop_assert!(finding.requests.len() <= stipend_detectors::REQUESTS_MAX);
                prop_assert!((500..=1_000).contains(&finding.score_permille), "{finding:?}");
            }
            prop_assert!(detectors.bytes() <= SMALL.bytes_max());
            prop_assert!(detectors.wallets() <= SMALL.wallets_max);
        }
    }
}

#[test]
fn a_flood_of_different_long_prompts_stays_within_the_bound() {
    let sketcher = Sketcher::new(Secret::new([3; 32]));
    let mut detectors = Detectors::new(Policy::default(), SMALL);
    for number in 0..5_000u64 {
        let letter =
            |at: u64| (b'a' + (number.wrapping_mul(31).wrapping_add(at * at * 7) % 26) as u8) as char;
        let text: String = (0..300).map(|at| if at % 5 == 4 { ' ' } else { letter(at + number) }).collect();
        let mut seen = request(number, number * 1_000);
        seen.prompt = sketcher.prompt([(Role::User, text.as_str())]);
        seen.wallet[..8].copy_from_slice(&number.to_le_bytes());
        seen.key = seen.wallet;
        detectors.observe(&seen);
    }
    assert!(detectors.bytes() <= SMALL.bytes_max());
    assert!(detectors.bytes() > SMALL.bytes_max() / 50, "the bound has something to do with what is used");
}

#[test]
fn a_prompt_that_keeps_coming_is_found_in_a_flood_of_others() {
    let mut detectors = Detectors::new(Policy::default(), SMALL);
    let mut found = Vec::new();
    for number in 0..4_000u64 {
        let mut seen = request(number, number * 3_000);
        // No wallet of the flood is that of the pattern.
        seen.wallet = [(number % 5 + 10) as u8; 32];
        if number % 50 == 0 {
            (seen.wallet, seen.prompt) = ([1; 32], Sketch::unknown(5));
        }
        found.extend(detectors.observe(&seen));
    }
    assert!(found.iter().any(|finding| finding.rule == Rule::Repeat && finding.wallet == [1; 32]));
}

fn repeats(number: u64) -> Observation {
    let mut seen = request(number, number * MINUTE);
    seen.prompt = Sketch::unknown(5);
    seen
}

#[test]
fn a_rule_speaks_of_a_wallet_once_a_day() {
    let mut detectors = detectors();
    let days: Vec<_> = (0..3 * 24 * 60)
        .flat_map(|number| detectors.observe(&repeats(number)))
        .filter(|finding| finding.rule == Rule::Repeat)
        .map(|finding| finding.to_ms)
        .collect();
    assert_eq!(days.len(), 3);
    assert!(days.windows(2).all(|pair| pair[1] - pair[0] == DAY));
}

#[test]
fn a_wallets_first_weeks_are_nobodys_business_but_securitys() {
    let mut detectors = detectors();
    let mut found = Vec::new();
    for number in 0..200 {
        let mut seen = repeats(number);
        seen.wallet_since_ms = Some(seen.at_ms - 3 * DAY);
        seen.origin = Origin { network: number % 6, agent: number % 4 };
        found.extend(detectors.observe(&seen));
    }
    assert!(found.iter().all(|finding| finding.audience == Audience::Security));
    assert_eq!(found.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [Rule::SharedKey]);
}

#[test]
fn the_learning_phase_ends_to_the_millisecond() {
    let policy = Policy::default();
    assert_eq!(policy.phase(1_000, 1_000 + policy.learning_ms - 1), Phase::Learning);
    assert_eq!(policy.phase(1_000, 1_000 + policy.learning_ms), Phase::Settled);
    // A wallet that begins later than it is looked at, by a clock that went back.
    assert_eq!(policy.phase(5_000, 1_000), Phase::Learning);
}

/// A finding of a rule, at the time of request 99 of [`repeats`].
fn finding(audience: Audience) -> stipend_detectors::Finding {
    let mut detectors = detectors();
    let found = (0..40).flat_map(|number| detectors.observe(&repeats(number))).next();
    let mut found = found.expect("forty equal prompts are found");
    found.audience = audience;
    found
}

#[test]
fn advice_never_holds_anybody_back() {
    let found = finding(Audience::Person);
    let mut brake = Brake::new(Measure::Advise, HOUR, 1_000, 10);
    brake.learn(&found);
    assert!(brake.is_idle(found.to_ms));
    assert_eq!(brake.ask(&found.wallet, found.to_ms + 1, false), Answer::Pass);
}

#[test]
fn a_brake_keeps_requests_apart_for_a_while() {
    let found = finding(Audience::Person);
    let mut brake = Brake::new(Measure::Slow, HOUR, 1_000, 10);
    brake.learn(&found);
    let at = found.to_ms;
    assert_eq!(brake.ask(&found.wallet, at + 1, true), Answer::Pass);
    assert_eq!(brake.ask(&found.wallet, at + 401, true), Answer::Wait(600));
    assert_eq!(brake.ask(&found.wallet, at + 1_001, true), Answer::Pass);
    assert_eq!(brake.ask(&[9; 32], at + 1_002, false), Answer::Pass, "another wallet");
    assert_eq!(brake.ask(&found.wallet, at + HOUR - 1, true), Answer::Pass);
    assert!(!brake.is_idle(at + HOUR - 1) && brake.is_idle(at + HOUR));
    assert_eq!(brake.ask(&found.wallet, at + HOUR, true), Answer::Pass);
    assert_eq!(brake.ask(&found.wallet, at + HOUR + 1, true), Answer::Pass, "the while is over");
}

#[test]
fn a_purpose_is_asked_for_and_suffices() {
    let found = finding(Audience::Person);
    let mut brake = Brake::new(Measure::AskPurpose, HOUR, 1_000, 10);
    brake.learn(&found);
    assert_eq!(brake.ask(&found.wallet, found.to_ms + 1, false), Answer::NamePurpose);
    assert_eq!(brake.ask(&found.wallet, found.to_ms + 2, true), Answer::Pass);
}

#[test]
fn what_security_is_told_of_shows_in_no_answer() {
    let found = finding(Audience::Security);
    for measure in [Measure::Slow, Measure::AskPurpose] {
        let mut brake = Brake::new(measure, HOUR, 1_000, 10);
        brake.learn(&found);
        assert_eq!(brake.ask(&found.wallet, found.to_ms + 1, false), Answer::Pass);
        assert_eq!(brake.ask(&found.wallet, found.to_ms + 2, false), Answer::Pass);
    }
}
