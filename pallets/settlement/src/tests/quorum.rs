use proptest::prelude::*;
use stipend_primitives::{
    attestation::GpuUse,
    settlement::{Verdict, VerdictKind},
};

use super::world::*;
use crate::{
    mock::*,
    quorum::{quorum, Tally},
    types::VoteRecord,
    Authorities, Event, Votes,
};

#[test]
fn the_quorum_is_the_smallest_number_above_two_thirds() {
    let expected = [(0, 1), (1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (10, 7), (100, 67)];
    for (authorities_count, votes) in expected {
        assert_eq!(quorum(authorities_count), votes, "{authorities_count} authorities");
    }
    for authorities_count in 0..=u32::from(u16::MAX) {
        let votes = quorum(authorities_count);
        assert!(3 * votes > 2 * authorities_count && 3 * (votes - 1) <= 2 * authorities_count);
    }
}

#[test]
fn one_validator_alone_settles() {
    let (mut ext, attestor) = chain(1);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        cast(&vote(&batch, &attestor, Verdict::Match), 0).unwrap();
        assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
        let settled = Event::Settled {
            item: item(&batch, &attestor),
            verdict: VerdictKind::Match,
            refunded: 0,
            gpu: GpuUse::default(),
        };
        System::assert_last_event(settled.into());
        assert_eq!(Votes::<Test>::iter().count(), 0);
    });
}

#[test]
fn two_thirds_are_not_enough() {
    let (mut ext, attestor) = chain(3);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        let vote = vote(&batch, &attestor, Verdict::Match);
        cast(&vote, 0).unwrap();
        cast(&vote, 1).unwrap();
        assert_eq!(last_closed(), None);
        cast(&vote, 2).unwrap();
        assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
    });
}

#[test]
fn different_verdicts_do_not_add_up() {
    let (mut ext, attestor) = chain(4);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        let unattested = |amount| Verdict::Unattested {
            refunds: vec![refund(1, stipend_primitives::ClassId::INNOVATION, amount)].try_into().unwrap(),
        };
        cast(&vote(&batch, &attestor, Verdict::Match), 0).unwrap();
        cast(&vote(&batch, &attestor, unattested(5)), 1).unwrap();
        cast(&vote(&batch, &attestor, unattested(5)), 2).unwrap();
        // The same kind, another amount: another verdict.
        cast(&vote(&batch, &attestor, unattested(6)), 3).unwrap();
        assert_eq!(last_closed(), None);
        assert!(open(&batch, &attestor).is_some());
        assert!(Paid::get().is_empty());
        cast(&vote(&batch, &attestor, unattested(5)), 3).unwrap();
        assert_eq!(last_closed(), Some((VerdictKind::Unattested, 5)));
    });
}

#[test]
fn without_authorities_nothing_is_settled() {
    let (mut ext, attestor) = chain(0);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        assert!(cast(&vote(&batch, &attestor, Verdict::Match), 0).is_err());
        assert_eq!(last_closed(), None);
    });
}

fn record(number: u32, name: u8, kind: VerdictKind) -> VoteRecord {
    VoteRecord { validator: key(number), verdict_hash: [name; 32].into(), kind, changes: 0 }
}

#[test]
fn an_attested_verdict_is_out_of_reach_once_the_missing_votes_cannot_help_it() {
    let (mut ext, _) = chain(4);
    ext.execute_with(|| {
        use VerdictKind::{Adjust, Match, Unattested};
        let authorities = Authorities::<Test>::get();
        let out_of_reach =
            |records: &[VoteRecord]| Tally::new(&authorities, records).attested_is_out_of_reach();
        assert!(!out_of_reach(&[]));
        assert!(!out_of_reach(&[record(0, 1, Unattested)]));
        assert!(!out_of_reach(&[record(0, 1, Unattested), record(1, 2, Match)]));
        assert!(out_of_reach(&[record(0, 1, Unattested), record(1, 1, Unattested)]));
        assert!(out_of_reach(&[record(0, 2, Match), record(1, 3, Adjust), record(2, 4, Adjust)]));
        assert!(!out_of_reach(&[record(0, 2, Match), record(1, 2, Match), record(2, 4, Adjust)]));
        // Somebody who is not an authority has no part in it.
        assert!(!out_of_reach(&[record(0, 1, Unattested), record(9, 1, Unattested)]));
    });
}

proptest! {
    /// Whatever is voted in whatever order, an item is settled by the first verdict that more than two
    /// thirds of the authorities agree on, at that vote, and by nothing else.
    #[test]
    fn an_item_is_settled_exactly_when_more_than_two_thirds_agree(
        authorities_count in 1u32..10,
        votes in prop::collection::vec((0u32..12, 0u8..3), 0..25),
    ) {
        let (mut ext, attestor) = chain(authorities_count);
        ext.execute_with(|| {
            let batch = small_batch(0, &attestor);
            submit(&batch);
            let mut minds = std::collections::BTreeMap::new();
            for (number, choice) in votes {
                let verdict = match choice {
                    0 => Verdict::Match,
                    other => Verdict::Adjust {
                        provider_root: [other; 32].into(),
                        receipts: 1,
                        refunds: Default::default(),
                    },
                };
                let was_open = open(&batch, &attestor).is_some();
                let counted = cast(&vote(&batch, &attestor, verdict), number).is_ok();
                prop_assert!(!counted || (was_open && number < authorities_count));
                if counted {
                    minds.insert(number, choice);
                }
                let largest = (0..3)
                    .map(|choice| minds.values().filter(|mind| **mind == choice).count() as u32)
                    .max()
                    .unwrap_or(0);
                let agreed = 3 * largest > 2 * authorities_count;
                prop_assert_eq!(open(&batch, &attestor).is_none(), agreed);
                prop_assert_eq!(Closed::get().len(), usize::from(agreed));
            }
            Ok(())
        })?;
    }
}
