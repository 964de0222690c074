//! The state grows with unsettled batches and a bounded history, never with receipts.

use frame_support::assert_ok;
use stipend_primitives::{
    attestation::GpuUse,
    ledger::Unsettled,
    settlement::{Item, VerdictKind},
    Sequence,
};

use super::dispatch;
use crate::{mock::*, Batches, Gateways, HISTORY_MAX};

fn settle(first_seq: Sequence) {
    let item = Item { gateway: gateway(0), first_seq, provider: provider(0) };
    Receipts::close_item(&item, VerdictKind::Match, 0, GpuUse::default());
}

#[test]
fn a_batch_is_found_by_any_of_its_receipts() {
    run(|| {
        for first_seq in [0, 10, 20] {
            assert_ok!(dispatch(batch(0, first_seq, 1, &[(0, 1, 0)], &[record(0, 0, (1, 1, 1), 0); 10])));
        }
        for seq in 0..30 {
            let view = Receipts::batch(&gateway(0), seq).unwrap();
            assert_eq!((view.first_seq, view.last_seq), (seq / 10 * 10, seq / 10 * 10 + 9));
        }
        assert_eq!(Receipts::batch(&gateway(0), 30), None);
        assert_eq!(Receipts::batch(&gateway(0), u64::MAX), None);
        assert_eq!(Receipts::batch(&gateway(1), 0), None);
    });
}

#[test]
fn the_oldest_settled_batches_are_forgotten_and_the_latest_kept() {
    run(|| {
        let submitted = Sequence::from(HISTORY_MAX) + 50;
        for seq in 0..submitted {
            assert_ok!(dispatch(single(0, seq)));
            settle(seq);
        }
        assert_eq!(Gateways::<Test>::get(gateway(0)).remembered, HISTORY_MAX);
        assert_eq!(Batches::<Test>::iter_prefix(gateway(0)).count() as u32, HISTORY_MAX);
        assert_eq!(Receipts::batch(&gateway(0), 49), None);
        assert!(Receipts::batch(&gateway(0), 50).is_some());
    });
}

#[test]
fn an_unsettled_batch_is_never_forgotten() {
    run(|| {
        let submitted = Sequence::from(HISTORY_MAX) + 50;
        for seq in 0..submitted {
            assert_ok!(dispatch(single(0, seq)));
            if seq != 3 {
                settle(seq);
            }
        }
        assert!(Receipts::batch(&gateway(0), 3).is_some());
        assert_eq!(Receipts::batch(&gateway(0), 4), None);
        assert_eq!(Gateways::<Test>::get(gateway(0)).remembered, HISTORY_MAX + 1);
        settle(3);
        assert_eq!(Receipts::batch(&gateway(0), 3), None, "it is the oldest of a full history");
    });
}

#[test]
fn the_state_of_a_large_batch_is_as_small_as_that_of_a_small_one() {
    let stored = |receipts: usize| {
        run(|| {
            let records = vec![record(0, 0, (1, 1, 1), 0); receipts];
            assert_ok!(dispatch(batch(0, 0, 1, &[(0, 1, 0)], &records)));
            let (key, record) = Batches::<Test>::iter_prefix(gateway(0)).next().unwrap();
            codec::Encode::encode(&(key, record)).len()
        })
    };
    assert_eq!(stored(1), stored(5_000));
}

#[test]
fn open_batches_are_counted_per_gateway() {
    run(|| {
        for seq in 0..3 {
            assert_ok!(dispatch(single(0, seq)));
        }
        settle(1);
        assert_eq!(Receipts::unsettled(), [(gateway(0), 2)]);
    });
}
