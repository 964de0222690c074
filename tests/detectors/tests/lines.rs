//! What is promised of the detectors, on the committed scenes.

#![allow(clippy::unwrap_used)]

use stipend_bench_detectors::{
    azure,
    measure::{measure, Measured},
    scene::Scene,
    set::{generate, Set, HELD_OUT, SETS, TUNING},
};
use stipend_detectors::{Detectors, Finding, Memory, Policy, Rule};

/// Of what a rule finds, how much is there, and of what is there, how much it finds.
const PRECISION_MIN: f64 = 0.95;
const RECALL_MIN: f64 = 0.9;

/// Of a hundred honest requests, how many may be spoken of.
const ALERTED_PERCENT_MAX: f64 = 0.5;

fn holds(set: &Set, measured: &Measured) {
    for (rule, score) in Rule::ALL.iter().zip(&measured.scores) {
        let name = format!("{} on the {} set", rule.name(), set.name);
        assert!(score.there >= 20, "{name}: {} scenes are too few to speak of a share", score.there);
        assert!(
            score.precision() >= PRECISION_MIN,
            "{name}: precision {}: {:?}",
            score.precision(),
            score.wrong
        );
        assert!(score.recall() >= RECALL_MIN, "{name}: recall {}: {:?}", score.recall(), score.missed);
    }
}

#[test]
fn every_rule_holds_its_lines_on_the_set_that_bounds_were_chosen_on() {
    holds(&TUNING, &measure(&TUNING).unwrap());
}

#[test]
fn every_rule_holds_its_lines_on_scenes_that_nothing_was_chosen_on() {
    holds(&HELD_OUT, &measure(&HELD_OUT).unwrap());
}

#[test]
fn there_is_at_least_as_much_honest_traffic_as_waste() {
    for set in SETS {
        let scenes = set.scenes().unwrap();
        let requests = |is_honest: bool| {
            let chosen = scenes.iter().filter(|scene| scene.labels.is_empty() == is_honest);
            chosen.map(|scene| scene.events.len()).sum::<usize>()
        };
        assert!(
            requests(true) >= requests(false),
            "{}: {} and {}",
            set.name,
            requests(true),
            requests(false)
        );
    }
}

#[test]
fn the_committed_scenes_are_what_their_seeds_make() {
    for set in SETS {
        let made = generate(set.seed);
        let committed = set.scenes().unwrap();
        assert_eq!(made.len(), committed.len());
        for (made, committed) in made.iter().zip(&committed) {
            assert_eq!(made, committed, "{}: scene {}", set.name, made.number);
        }
    }
}

#[test]
fn scenes_are_read_as_they_were_written() {
    let scenes = generate(99);
    let mut text = String::new();
    scenes.iter().for_each(|scene| scene.lines(&mut text));
    assert_eq!(Scene::read(&text).unwrap(), scenes);
}

#[test]
fn of_an_honest_production_trace_next_to_nothing_is_said_whoever_sent_what() {
    for replayed in azure::replay_all().unwrap() {
        assert!(replayed.requests > 400_000);
        assert!(replayed.percent() <= ALERTED_PERCENT_MAX, "{:?}: {} %", replayed.owners, replayed.percent());
    }
}

#[test]
fn the_same_observations_give_the_same_findings() {
    let run = || -> Vec<Finding> {
        let mut detectors = Detectors::new(Policy::default(), Memory::default());
        let seen = TUNING.observations(&TUNING.scenes().unwrap()).unwrap();
        seen.iter().flat_map(|labelled| detectors.observe(&labelled.seen)).collect()
    };
    let found = run();
    assert!(found.len() > 100);
    assert_eq!(found, run());
}

#[test]
fn a_purpose_silences_all_that_it_is_meant_to_and_nothing_else() {
    let mut detectors = Detectors::new(Policy::default(), Memory::default());
    let mut said = std::collections::BTreeSet::new();
    for mut labelled in TUNING.observations(&TUNING.scenes().unwrap()).unwrap() {
        labelled.seen.purpose = Some(1);
        said.extend(detectors.observe(&labelled.seen).iter().map(|finding| finding.rule));
    }
    assert_eq!(said.into_iter().collect::<Vec<_>>(), [Rule::Loop, Rule::Unread, Rule::SharedKey]);
}

#[test]
fn explanations_are_sentences_that_hold_figures_and_no_identity() {
    let mut detectors = Detectors::new(Policy::default(), Memory::default());
    for labelled in TUNING.observations(&TUNING.scenes().unwrap()).unwrap() {
        for finding in detectors.observe(&labelled.seen) {
            let text = &finding.explanation;
            assert!(text.ends_with('.') && text.matches(". ").count() >= 1, "{text}");
            assert!(text.chars().any(|letter| letter.is_ascii_digit()), "{text}");
            assert!(!text.contains("  ") && !text.contains("0x"), "{text}");
            assert!(finding.from_ms <= finding.to_ms && finding.score_permille >= 500, "{finding:?}");
            assert!(!finding.requests.is_empty() && finding.count > 0);
        }
    }
}
