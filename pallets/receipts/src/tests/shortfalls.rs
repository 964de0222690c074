//! One bad receipt never sinks a batch: what nobody covers is recorded against the gateway.

use frame_support::assert_ok;
use stipend_primitives::{
    attestation::GpuUse,
    ledger::{Ledger, Shortfall, Unsettled, SHORTFALLS_MAX},
    settlement::{Item, VerdictKind},
    ClassId,
};

use super::dispatch;
use crate::mock::*;

fn item(number: u16) -> Item {
    Item { gateway: gateway(0), first_seq: 0, provider: provider(number) }
}

fn collected(number: u16) -> u128 {
    Receipts::open_item(&item(number)).unwrap().collected
}

#[test]
fn a_wallet_that_does_not_exist_is_uncollected_and_the_others_are_charged() {
    run(|| {
        let records = [record(0, 0, (10, 0, 0), 0), record(15, 0, (10, 0, 0), 3)];
        assert_ok!(dispatch(batch(0, 0, 16, &[(0, 1, 0)], &records)));
        let view = Receipts::batch(&gateway(0), 0).unwrap();
        assert_eq!((view.charged, view.uncollected), (2_063, 1_033));
        assert_eq!(Receipts::uncollected(&gateway(0)), 1_033);
        assert_eq!(collected(0), 1_030);
        assert_eq!(held(&owner(0), ClassId::INNOVATION), 1_000_000 - 1_030);
    });
}

#[test]
fn a_wallet_covers_its_receipts_in_the_order_of_their_sequence() {
    run(|| {
        StandIn::endow(&owner(0), ClassId::INNOVATION, 2_500);
        // Three receipts of 1,030 by three providers: the second is covered by half, the third is not.
        let records = [0, 1, 2].map(|line| record(0, line, (10, 0, 0), 0));
        assert_ok!(dispatch(batch(0, 0, 1, &[(0, 1, 0), (1, 1, 0), (2, 1, 1)], &records)));
        assert_eq!([0, 1, 2].map(collected), [1_030, 1_030, 440]);
        assert_eq!(Receipts::uncollected(&gateway(0)), 590);
    });
}

#[test]
fn each_item_knows_who_owes_it_what() {
    run(|| {
        StandIn::endow(&owner(0), ClassId::INNOVATION, 1_500);
        StandIn::endow(&owner(1), ClassId::PRIORITY, 1);
        let records = [record(0, 0, (10, 0, 0), 0), record(0, 1, (10, 0, 0), 0), record(1, 1, (10, 0, 0), 5)];
        assert_ok!(dispatch(batch(0, 0, 2, &[(0, 1, 0), (1, 1, 0)], &records)));
        assert_eq!(Receipts::shortfalls(&item(0)), Some(vec![]));
        let owed = |number, class, amount| Shortfall { owner: owner(number), class, amount };
        assert_eq!(
            Receipts::shortfalls(&item(1)),
            Some(vec![owed(0, ClassId::INNOVATION, 560), owed(1, ClassId::PRIORITY, 4)])
        );
    });
}

#[test]
fn a_line_that_no_record_uses_does_not_shift_who_is_owed() {
    run(|| {
        StandIn::endow(&owner(0), ClassId::INNOVATION, 0);
        let lines = [(0, 1, 0), (1, 1, 0), (2, 1, 0)];
        assert_ok!(dispatch(batch(0, 0, 1, &lines, &[record(0, 2, (10, 0, 0), 0)])));
        assert_eq!(Receipts::open_item(&item(0)), None);
        assert_eq!(Receipts::shortfalls(&item(2)).unwrap()[0].amount, 1_030);
        assert_eq!(Receipts::batch(&gateway(0), 0).unwrap().providers.len(), 1);
    });
}

#[test]
fn more_shortfalls_than_are_kept_are_only_summed() {
    run(|| {
        let rows = SHORTFALLS_MAX as u16 + 1;
        let submit = |first_seq, count| {
            let records: Vec<_> = (10..10 + count).map(|wallet| record(wallet, 0, (10, 0, 0), 0)).collect();
            assert_ok!(dispatch(batch(0, first_seq, 10 + count, &[(0, 1, 0)], &records)));
        };
        submit(0, rows);
        assert_eq!(Receipts::shortfalls(&item(0)), None);
        assert_eq!(collected(0), 0);

        submit(u64::from(rows), rows - 1);
        let second = Item { first_seq: rows.into(), ..item(0) };
        assert_eq!(Receipts::shortfalls(&second).unwrap().len(), SHORTFALLS_MAX as usize);
    });
}

#[test]
fn what_is_owed_is_forgotten_when_the_batch_is_settled() {
    run(|| {
        StandIn::endow(&owner(0), ClassId::INNOVATION, 0);
        assert_ok!(dispatch(single(0, 0)));
        assert_eq!(Receipts::shortfalls(&item(0)).unwrap().len(), 1);
        Receipts::close_item(&item(0), VerdictKind::Match, 0, GpuUse::default());
        assert_eq!(Receipts::shortfalls(&item(0)), Some(vec![]));
        assert_eq!(crate::Owing::<Test>::iter().count(), 0);
        assert!(Receipts::uncollected(&gateway(0)) > 0, "the gateway's total stands");
    });
}
