//! What holds in every history within the bounds.

use stipend_settlement_model::{properties::*, *};

/// Looks at everything and says how much that was.
fn holds(bounds: Bounds, rules: Rules, properties: &[Property], goals: &[Goal]) {
    let outcome = explore(&SettlementModel::new(bounds, rules), properties, goals);
    println!("{}: {} states, {} actions deep", bounds.name, outcome.states_count, outcome.depth);
    if let Some(broken) = outcome.broken {
        panic!("{}: {broken}", bounds.name);
    }
    assert!(outcome.missed.is_empty(), "{}: no history leads to {:?}", bounds.name, outcome.missed);
}

fn long_only(what: &str, check: impl FnOnce()) {
    if std::env::var_os("STIPEND_TEST_LONG").is_none() {
        println!("NOT RUN: {what} is part of `make test-long`");
        return;
    }
    check();
}

#[test]
fn one_liar_among_four_changes_nothing_about_an_item() {
    let goals = [MATCHED, ADJUSTED, UNATTESTED, QUEUED, CHANGED, REINSTATED];
    holds(ONE_ITEM, Rules::default(), &OF_THE_PROTOCOL, &goals);
}

#[test]
fn with_nobody_away_every_item_settles_whatever_its_provider_does() {
    let properties = [OF_THE_PROTOCOL.as_slice(), &[SETTLES_SPLIT]].concat();
    holds(NOBODY_AWAY, Rules::default(), &properties, &[MATCHED, ADJUSTED, UNATTESTED]);
}

#[test]
fn with_one_silent_and_votes_replayed_every_item_settles_whatever_its_provider_does() {
    let properties = [OF_THE_PROTOCOL.as_slice(), &[SETTLES_SPLIT]].concat();
    holds(FEW_CHANGES, Rules::default(), &properties, &[MATCHED, ADJUSTED, UNATTESTED]);
}

#[test]
fn two_liars_among_seven_change_nothing_about_an_item() {
    holds(SEVEN_VALIDATORS, Rules::default(), &OF_THE_PROTOCOL, &[MATCHED, ADJUSTED, UNATTESTED]);
}

#[test]
fn the_validators_in_force_decide_when_the_set_changes_under_an_open_item() {
    holds(CHANGING_SET, Rules::default(), &OF_THE_PROTOCOL, &[MATCHED, ADJUSTED, UNATTESTED, CHANGED]);
}

#[test]
fn an_item_settles_when_half_of_its_voters_leave() {
    holds(SHRINKING_SET, Rules::default(), &OF_THE_PROTOCOL, &[MATCHED, ADJUSTED, UNATTESTED]);
}

#[test]
fn votes_of_another_fork_do_no_harm() {
    holds(FORK, Rules::default(), &OF_THE_PROTOCOL, &[MATCHED, ADJUSTED, UNATTESTED, UNDONE]);
}

#[test]
fn items_after_a_suspension_follow_it() {
    holds(TWO_ITEMS, Rules::default(), &OF_THE_PROTOCOL, &[MATCHED, ADJUSTED, UNATTESTED, REINSTATED]);
}

#[test]
fn the_chain_keeps_its_books_even_if_every_validator_lies() {
    holds(ALL_LIARS, Rules::default(), &OF_THE_CHAIN, &[MATCHED, ADJUSTED, UNATTESTED, QUEUED]);
}

#[test]
fn the_same_with_more_of_everything() {
    long_only("the settlement model with larger bounds", || {
        let any = ONE_ITEM.providers;
        let all = [MATCHED, ADJUSTED, UNATTESTED];
        for bounds in [
            Bounds { name: "one item, more changes", changes_max: 3, reports_max: 2, ..ONE_ITEM },
            Bounds { name: "changing set, more changes", changes_max: 2, ..CHANGING_SET },
            Bounds {
                name: "fork, any provider",
                sets: &[0b111],
                liars: 0,
                providers: any,
                reports_max: 0,
                ..FORK
            },
            Bounds { name: "two items, three validators", sets: &[0b111], ..TWO_ITEMS },
            Bounds { name: "two items at a time", unsettled_max: 2, ..TWO_ITEMS },
        ] {
            holds(bounds, Rules::default(), &OF_THE_PROTOCOL, &all);
        }
    });
}
