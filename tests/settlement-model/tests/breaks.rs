//! Every property can fail: with one rule of the protocol switched off, a history breaks it.

use stipend_settlement_model::{properties::*, *};

/// Finds a history that breaks `property`.
fn breaks(property: Property, off: Rule, bounds: Bounds) {
    let outcome = explore(&SettlementModel::new(bounds, Rules::without(off)), &[property], &[]);
    let broken = outcome.broken;
    let broken = broken.unwrap_or_else(|| panic!("without {off:?} it still holds: {}", property.name));
    println!("without {off:?}, after {} states: {broken}", outcome.states_count);
    assert_eq!(broken.property, property.name);
}

#[test]
fn an_item_has_two_verdicts_if_settled_items_take_votes() {
    breaks(ONE_VERDICT, Rule::OpenItems, ONE_ITEM);
}

#[test]
fn an_item_has_two_verdicts_if_items_that_are_being_paid_take_votes() {
    breaks(ONE_VERDICT, Rule::NotWhilePaying, ONE_ITEM);
}

#[test]
fn a_final_verdict_is_replaced_if_settled_items_take_votes() {
    breaks(FINAL, Rule::OpenItems, FORK);
}

#[test]
fn a_minority_decides_if_half_of_the_votes_are_enough() {
    breaks(TWO_THIRDS, Rule::TwoThirds, ONE_ITEM);
}

#[test]
fn former_validators_decide_if_their_votes_count() {
    breaks(TWO_THIRDS, Rule::SetInForce, CHANGING_SET);
}

#[test]
fn a_minority_decides_if_the_same_vote_counts_twice() {
    breaks(TWO_THIRDS, Rule::OneVoteEach, ONE_ITEM);
}

#[test]
fn a_liar_decides_alone_if_its_vote_counts_three_times() {
    breaks(HONEST_VERDICT, Rule::OneVoteEach, ONE_ITEM);
}

#[test]
fn a_liar_decides_alone_if_votes_need_no_signature() {
    breaks(HONEST_VERDICT, Rule::SignedVotes, ONE_ITEM);
}

#[test]
fn votes_on_one_batch_decide_another_if_their_batch_does_not_matter() {
    breaks(HONEST_VERDICT, Rule::SameBatch, FORK);
}

#[test]
fn refunds_are_paid_twice_if_what_is_paid_stays_in_the_queue() {
    breaks(PAID_ONCE, Rule::PaidOnce, ONE_ITEM);
}

#[test]
fn more_is_refunded_than_was_collected_if_nobody_checks() {
    breaks(WITHIN_COLLECTED, Rule::WithinCollected, ALL_LIARS);
}

#[test]
fn a_suspended_providers_attestation_counts_if_it_is_asked() {
    breaks(SUSPENDED, Rule::SuspendedUnasked, TWO_ITEMS);
}

#[test]
fn what_waits_grows_if_gateways_need_not_wait() {
    breaks(BOUNDED, Rule::BackPressure, TWO_ITEMS);
}

#[test]
fn an_item_stays_open_for_ever_if_a_quorum_by_leaving_is_not_cast_again() {
    breaks(SETTLES_ANSWERED, Rule::CastAgain, SHRINKING_SET);
}

#[test]
fn an_item_stays_open_for_ever_if_there_is_no_deadline() {
    breaks(SETTLES_UNANSWERED, Rule::Deadline, ONE_ITEM);
}

#[test]
fn not_even_a_suspension_frees_a_validator_whose_changes_of_mind_are_used_up() {
    breaks(SETTLES_SUSPENDED, Rule::UnattestedAlways, FEW_CHANGES);
}

#[test]
fn an_item_stays_open_for_ever_if_validators_that_disagree_do_not_give_up() {
    breaks(SETTLES_SPLIT, Rule::GivingUp, NOBODY_AWAY);
}

#[test]
fn an_item_stays_open_for_ever_if_the_others_wait_for_one_that_is_away() {
    for provider in [&[AGREES], &[TWO_FACED]] {
        breaks(SETTLES_SPLIT, Rule::LateDisagreement, Bounds { providers: provider, ..FEW_CHANGES });
    }
}

#[test]
fn an_item_stays_open_for_ever_if_replayed_votes_use_up_the_last_change_of_mind() {
    breaks(SETTLES_ANSWERED, Rule::UnattestedAlways, Bounds { providers: &[AGREES], ..FEW_CHANGES });
}
