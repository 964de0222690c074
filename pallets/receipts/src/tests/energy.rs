//! What the ledger learns of energy: what paid for each item, and what the item took.

use frame_support::assert_ok;
use stipend_primitives::{
    attestation::GpuUse,
    ledger::{Ledger, Unsettled},
    settlement::{Item, VerdictKind},
    ClassId, Credits,
};

use super::dispatch;
use crate::{mock::*, Bases};

const INNOVATION: ClassId = ClassId::INNOVATION;

fn close(number: u16, energy_mj: Option<u64>) {
    let item = Item { gateway: gateway(0), first_seq: 0, provider: provider(number) };
    Receipts::close_item(&item, VerdictKind::Match, 0, GpuUse { energy_mj, time_ms: None });
}

fn unsettled() -> Vec<(ClassId, Credits)> {
    StandIn::unsettled()
}

#[test]
fn each_item_is_paid_for_by_its_base_costs_and_not_by_fees() {
    run(|| {
        // 1,030 of Innovation and 1,060 of Render by the first provider, 1,030 of Innovation by the second.
        let records = [record(0, 0, (10, 0, 0), 7), record(1, 1, (20, 0, 0), 0), record(1, 2, (10, 0, 0), 9)];
        assert_ok!(dispatch(batch(0, 0, 2, &[(0, 1, 0), (0, 1, 2), (1, 1, 1)], &records)));
        assert_eq!(unsettled(), [(INNOVATION, 2_060), (ClassId::RENDER, 1_060)]);
        close(0, Some(500));
        assert_eq!(measured().pop(), Some((vec![(INNOVATION, 1_030), (ClassId::RENDER, 1_060)], Some(500))));
        assert_eq!(unsettled(), [(INNOVATION, 1_030)]);
        close(1, None);
        assert_eq!(measured().pop(), Some((vec![(INNOVATION, 1_030)], None)));
        assert_eq!((unsettled().len(), Bases::<Test>::iter().count()), (0, 0));
    });
}

#[test]
fn what_nobody_paid_for_is_on_no_class() {
    run(|| {
        StandIn::endow(&owner(0), INNOVATION, 1_500);
        StandIn::endow(&owner(1), INNOVATION, 0);
        let records = [record(0, 0, (10, 0, 0), 0), record(0, 1, (10, 0, 0), 5), record(1, 2, (10, 0, 0), 0)];
        assert_ok!(dispatch(batch(0, 0, 2, &[(0, 1, 0), (1, 1, 0), (2, 1, 0)], &records)));
        assert_eq!(unsettled(), [(INNOVATION, 1_500)]);
        for number in 0..3 {
            close(number, Some(1));
        }
        let paid: Vec<_> = measured().into_iter().map(|(paid, _)| paid).collect();
        assert_eq!(paid, [vec![(INNOVATION, 1_030)], vec![(INNOVATION, 470)], vec![]]);
    });
}

#[test]
fn a_batch_of_before_energy_was_counted_is_settled_as_ever() {
    run(|| {
        assert_ok!(dispatch(single(0, 0)));
        Bases::<Test>::remove(gateway(0), crate::SequenceKey::from(0));
        close(0, Some(9));
        assert_eq!(measured(), [(vec![], Some(9))]);
        // The stand-in was told of it when it came.
        StandIn::settle_energy(&unsettled(), None);
    });
}
