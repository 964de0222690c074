use sp_core::{crypto::ByteArray, H256};
use stipend_primitives::{
    attestation::GpuUse,
    batch::Batch,
    evidence::EvidenceLevel,
    settlement::{Verdict, VerdictKind},
    view::{BatchView, ProviderTotals, Settled, VoteView},
};

use super::world::*;
use crate::mock::*;

fn batch_view(batch: &Batch, attestor: &Attestor, settled: Option<Settled>) -> BatchView {
    let totals = ProviderTotals {
        provider: attestor.account.clone(),
        count: 3,
        input: 160,
        cached_input: 20,
        output: 240,
        collected: 11_527,
        root: H256::zero(),
        settled,
        evidence: EvidenceLevel::Hardware,
    };
    BatchView {
        gateway: batch.gateway.clone(),
        first_seq: batch.first_seq,
        last_seq: batch.last_seq(),
        submitted_at: 1,
        batch_hash: batch.hash(),
        receipts_root: H256::zero(),
        charged: 11_527,
        uncollected: 0,
        providers: vec![totals],
    }
}

#[test]
fn the_status_of_an_open_item_shows_its_votes_and_the_quorum() {
    let (mut ext, attestor) = chain(4);
    Hardware::mutate(|hardware| hardware.insert(attestor.account.clone()));
    ext.execute_with(|| {
        let batch = small_batch(5, &attestor);
        submit(&batch);
        cast(&vote(&batch, &attestor, Verdict::Match), 1).unwrap();
        let status = Settlement::status(&batch_view(&batch, &attestor, None));
        assert_eq!(status.len(), 1);
        assert_eq!(status[0].item, item(&batch, &attestor));
        assert_eq!((status[0].last_seq, status[0].count, status[0].quorum), (7, 3, 3));
        assert_eq!(status[0].settled, None);
        assert_eq!(status[0].evidence, EvidenceLevel::Hardware);
        let vote = VoteView {
            validator: H256(key(1)),
            verdict_hash: vote(&batch, &attestor, Verdict::Match).verdict_hash(),
            kind: VerdictKind::Match,
        };
        assert_eq!(status[0].votes, vec![vote]);
        assert_eq!(Settlement::pending(10), status);
    });
}

#[test]
fn the_status_of_a_settled_item_shows_how_it_was_settled() {
    let (mut ext, attestor) = chain(1);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        let settled = Settled { verdict: VerdictKind::Adjust, refunded: 12, gpu: GpuUse::default(), at: 4 };
        let status = Settlement::status(&batch_view(&batch, &attestor, Some(settled.clone())));
        assert_eq!(status[0].settled, Some(settled));
        assert!(status[0].votes.is_empty());
    });
}

#[test]
fn pending_items_come_oldest_first_and_as_many_as_asked_for() {
    let (mut ext, attestor) = chain(1);
    ext.execute_with(|| {
        let other = Attestor::registered(3);
        System::set_block_number(9);
        submit(&small_batch(0, &other));
        System::set_block_number(5);
        submit(&small_batch(0, &attestor));
        let pending = Settlement::pending(10);
        assert_eq!(pending.iter().map(|view| view.submitted_at).collect::<Vec<_>>(), [5, 9]);
        assert_eq!(Settlement::pending(1).len(), 1);
        assert_eq!(Settlement::pending(0).len(), 0);
    });
}

#[test]
fn a_vote_is_missing_once_its_item_is_older_than_asked() {
    let (mut ext, attestor) = chain(4);
    ext.execute_with(|| {
        System::set_block_number(5);
        let batch = small_batch(0, &attestor);
        submit(&batch);
        let voters = [1, 3];
        for number in voters {
            cast(&vote(&batch, &attestor, Verdict::Match), number).unwrap();
        }
        System::set_block_number(15);
        assert_eq!(Settlement::votes_missing(10), [0; 4], "ten blocks are not more than ten");
        System::set_block_number(16);
        let late: Vec<u32> = crate::pallet::Authorities::<Test>::get()
            .iter()
            .map(|authority| {
                u32::from(!voters.iter().any(|number| key(*number)[..] == *authority.as_slice()))
            })
            .collect();
        assert_eq!(late.iter().sum::<u32>(), 2);
        assert_eq!(Settlement::votes_missing(10), late);
    });
}
