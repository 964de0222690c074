use frame_support::{traits::Hooks, weights::Weight};
use stipend_primitives::{
    attestation::GpuUse,
    batch::Batch,
    settlement::{Refund, Verdict, VerdictKind},
    AccountId, ClassId,
};

use super::world::*;
use crate::{mock::*, types::REFUNDS_AT_ONCE_MAX, Event, RefundQueue, Votes, WeightInfo};

const CLASS: ClassId = ClassId::INNOVATION;

fn paid(owner: u8) -> u128 {
    Paid::get().get(&(account(owner), CLASS)).copied().unwrap_or(0)
}

fn adjust(refunds: Vec<Refund>) -> Verdict {
    Verdict::Adjust { provider_root: [1; 32].into(), receipts: 1, refunds: refunds.try_into().unwrap() }
}

#[test]
fn the_quorum_pays_each_refund_once() {
    let (mut ext, attestor) = chain(4);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        let vote = vote(&batch, &attestor, adjust(vec![refund(1, CLASS, 30), refund(2, CLASS, 12)]));
        cast(&vote, 0).unwrap();
        cast(&vote, 1).unwrap();
        assert_eq!(paid(1), 0);
        cast(&vote, 2).unwrap();
        assert_eq!((paid(1), paid(2)), (30, 12));
        assert_eq!(last_closed(), Some((VerdictKind::Adjust, 42)));
        assert!(cast(&vote, 3).is_err());
        assert_eq!((paid(1), paid(2)), (30, 12));
        assert_eq!(Votes::<Test>::iter().count(), 0);
    });
}

#[test]
fn what_is_settled_is_what_the_ledger_gave_back() {
    let (mut ext, attestor) = chain(1);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        RefundMax::set(20);
        cast(&vote(&batch, &attestor, adjust(vec![refund(1, CLASS, 30), refund(2, CLASS, 12)])), 0).unwrap();
        assert_eq!(last_closed(), Some((VerdictKind::Adjust, 32)));
        let event = Event::Settled {
            item: item(&batch, &attestor),
            verdict: VerdictKind::Adjust,
            refunded: 32,
            gpu: GpuUse::default(),
        };
        System::assert_last_event(event.into());
    });
}

/// A batch that many wallets paid for, and the refund of one micro-credit to each.
fn long_list(attestor: &Attestor, count: u32) -> (Batch, Vec<Refund>) {
    let mut batch = small_batch(0, attestor);
    let owner = |number: u32| {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        AccountId::new(bytes)
    };
    batch.wallets = (0..count).map(owner).collect::<Vec<_>>().try_into().unwrap();
    let refunds = (0..count).map(|number| Refund { owner: owner(number), class: CLASS, amount: 1 }).collect();
    (batch, refunds)
}

#[test]
fn a_long_list_is_paid_over_several_blocks_and_then_the_item_is_closed() {
    let (mut ext, attestor) = chain(1);
    ext.execute_with(|| {
        let count = REFUNDS_AT_ONCE_MAX + 1_000;
        let (batch, refunds) = long_list(&attestor, count);
        submit(&batch);
        let vote = vote(&batch, &attestor, adjust(refunds));
        cast(&vote, 0).unwrap();
        assert_eq!(Paid::get().len() as u32, REFUNDS_AT_ONCE_MAX);
        assert_eq!(last_closed(), None);
        System::assert_last_event(
            Event::RefundsQueued { item: item(&batch, &attestor), remaining: 1_000 }.into(),
        );
        // It has its verdict: votes change nothing any more.
        assert!(cast(&vote, 0).is_err());

        // A full block pays nothing, an emptier one what fits.
        assert_eq!(Settlement::on_idle(2, Weight::zero()), Weight::zero());
        assert_eq!(Paid::get().len() as u32, REFUNDS_AT_ONCE_MAX);
        let room = <() as WeightInfo>::pay_refunds(400);
        assert!(Settlement::on_idle(2, room).all_lte(room));
        assert_eq!(Paid::get().len() as u32, REFUNDS_AT_ONCE_MAX + 400);
        Settlement::do_try_state().unwrap();
        Settlement::on_idle(3, Weight::MAX);
        assert_eq!(Paid::get().len() as u32, count);
        assert!(Paid::get().values().all(|amount| *amount == 1));
        assert_eq!(last_closed(), Some((VerdictKind::Adjust, u128::from(count))));
        assert_eq!(RefundQueue::<Test>::iter().count(), 0);
        Settlement::on_idle(4, Weight::MAX);
        assert_eq!(Closed::get().len(), 1);
    });
}

#[test]
fn the_worker_leaves_an_item_with_a_verdict_alone() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let (batch, refunds) = long_list(&attestor, REFUNDS_AT_ONCE_MAX + 1);
        submit(&batch);
        attestor.serve_honestly(&node.network, &batch);
        cast(&vote(&batch, &attestor, adjust(refunds)), 0).unwrap();
        assert!(open(&batch, &attestor).is_some());
    });
    assert_eq!(node.run(&mut ext).len(), 0);
    assert!(node.network.asked().is_empty());
}
