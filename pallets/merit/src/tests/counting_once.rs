//! Evidence and receipts count once per kind, whatever became of them.

use frame_support::{assert_noop, assert_ok};
use stipend_primitives::merit::{Record, Source};

use crate::{mock::*, Error, Outcomes};

/// An outcome from receipts, by their numbers.
fn from_receipts(kind: u16, evidence: u8, receipts: impl IntoIterator<Item = u8>) -> Record {
    let source = Source::of_receipts(receipts.into_iter().map(|id| [id; 32]).collect()).unwrap();
    Record { source, ..said(kind, evidence, 1) }
}

#[test]
fn evidence_counts_once() {
    test_with_kind(|| {
        record(1, 1);
        assert_noop!(Merit::record(signed(&eva()), said(0, 1, 1)), Error::<Test>::EvidenceCounted);
        // For no other wallet and from no other evaluator, either.
        let of_bob = Record { wallet: bob(), ..said(0, 1, 1) };
        assert_noop!(Merit::record(signed(&eli()), of_bob), Error::<Test>::EvidenceCounted);
    });
}

#[test]
fn evidence_that_was_reverted_does_not_count_again() {
    test_with_kind(|| {
        let id = record(1, 1);
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        assert_noop!(Merit::record(signed(&eva()), said(0, 1, 1)), Error::<Test>::EvidenceCounted);
    });
}

#[test]
fn evidence_counts_once_though_its_outcome_is_forgotten() {
    test_with_kind(|| {
        record(1, 1);
        wait(DAY + KEEP);
        Merit::sweep(16);
        assert_eq!(Outcomes::<Test>::iter_keys().count(), 0);
        assert_noop!(Merit::record(signed(&eva()), said(0, 1, 1)), Error::<Test>::EvidenceCounted);
    });
}

#[test]
fn a_receipt_backs_one_outcome() {
    test_with_kind(|| {
        assert_ok!(Merit::record(signed(&eva()), from_receipts(0, 1, [1, 2, 3])));
        let again = Merit::record(signed(&eva()), from_receipts(0, 2, [3, 4]));
        assert_noop!(again, Error::<Test>::ReceiptCounted);
        assert_ok!(Merit::record(signed(&eva()), from_receipts(0, 2, [4, 5])));
    });
}

#[test]
fn the_same_many_receipts_back_one_outcome() {
    test_with_kind(|| {
        assert_ok!(Merit::record(signed(&eva()), from_receipts(0, 1, 0..40)));
        let again = Merit::record(signed(&eva()), from_receipts(0, 2, (0..40).rev()));
        assert_noop!(again, Error::<Test>::ReceiptCounted);
    });
}

#[test]
fn a_purpose_backs_as_many_outcomes_as_like() {
    test_with_kind(|| {
        record(1, 1);
        record(2, 1);
    });
}

#[test]
fn another_kind_counts_for_itself() {
    test_with_kind(|| {
        register("thesis", rule());
        assert_ok!(Merit::record(signed(&eva()), from_receipts(0, 1, [1])));
        assert_ok!(Merit::record(signed(&eva()), from_receipts(1, 1, [1])));
    });
}
