use frame_support::traits::OneSessionHandler;
use stipend_primitives::settlement::{Verdict, VerdictKind};

use super::world::*;
use crate::{crypto::AuthorityId, mock::*, types::AUTHORITIES_MAX, Authorities, Votes};
use sp_core::Pair;

#[test]
fn the_first_session_has_authorities() {
    new_test_ext().execute_with(|| {
        let who = account(0);
        let keys = [(&who, AuthorityId::from(validator(0).public()))];
        Settlement::on_genesis_session(keys.into_iter());
        assert_eq!(Authorities::<Test>::get().len(), 1);
    });
}

#[test]
fn an_unchanged_session_changes_nothing() {
    let (mut ext, _) = chain(3);
    ext.execute_with(|| {
        let who = account(0);
        let keys = [(&who, AuthorityId::from(validator(7).public()))];
        Settlement::on_new_session(false, keys.clone().into_iter(), keys.into_iter());
        assert_eq!(Authorities::<Test>::get().len(), 3);
    });
}

#[test]
fn votes_of_former_authorities_do_not_count() {
    let (mut ext, attestor) = chain(4);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        let vote = vote(&batch, &attestor, Verdict::Match);
        cast(&vote, 0).unwrap();
        cast(&vote, 1).unwrap();
        // Two of four stay, one of them voted: with the two new ones there are four again.
        set_authorities([1, 2, 5, 6]);
        cast(&vote, 2).unwrap();
        assert_eq!(last_closed(), None);
        assert_eq!(Votes::<Test>::get(&vote.item).len(), 2, "the former authority's vote is gone");
        cast(&vote, 5).unwrap();
        assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
    });
}

#[test]
fn a_former_authority_votes_no_more() {
    let (mut ext, attestor) = chain(4);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        set_authorities([1, 2, 3]);
        assert!(cast(&vote(&batch, &attestor, Verdict::Match), 0).is_err());
    });
}

#[test]
fn when_leaving_validators_leave_a_quorum_behind_a_repeated_vote_applies_it() {
    let (mut ext, attestor) = chain(4);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        let vote = vote(&batch, &attestor, Verdict::Match);
        cast(&vote, 0).unwrap();
        cast(&vote, 1).unwrap();
        assert!(cast(&vote, 1).is_err());
        set_authorities([0, 1]);
        cast(&vote, 1).unwrap();
        assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
    });
}

#[test]
fn the_worker_casts_its_vote_again_when_others_left() {
    let (mut ext, attestor) = chain(4);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        attestor.serve_honestly(&node.network, &batch);
        cast(&vote(&batch, &attestor, Verdict::Match), 1).unwrap();
    });
    assert_eq!(node.settle(&mut ext), 1);
    pass_blocks(&mut ext, 20);
    assert_eq!(node.settle(&mut ext), 0);
    ext.execute_with(|| set_authorities([0, 1]));
    assert_eq!(node.settle(&mut ext), 1);
    assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
}

#[test]
fn authorities_beyond_the_bound_have_no_vote() {
    new_test_ext().execute_with(|| {
        set_authorities(0..AUTHORITIES_MAX + 1);
        assert_eq!(Authorities::<Test>::get().len(), AUTHORITIES_MAX as usize);
    });
}
