use frame_support::{
    assert_noop,
    pallet_prelude::{InvalidTransaction, TransactionValidityError},
};
use sp_core::H256;
use sp_runtime::DispatchError;
use stipend_primitives::{
    batch::Batch,
    settlement::{Refund, Verdict, VerdictKind, Vote},
    ClassId, Credits,
};

use super::world::*;
use crate::{mock::*, types::VOTE_CHANGES_MAX, Call, Error, Event, Votes};

const CLASS: ClassId = ClassId::INNOVATION;

fn setup() -> (sp_io::TestExternalities, Attestor, Batch) {
    let (mut ext, attestor) = chain(4);
    let batch = ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        batch
    });
    (ext, attestor, batch)
}

fn adjust(name: u8, refunds: Vec<Refund>) -> Verdict {
    Verdict::Adjust { provider_root: [name; 32].into(), receipts: 1, refunds: refunds.try_into().unwrap() }
}

/// What the pool answers, and what the call answers where it is dispatched all the same.
fn refusals(vote: &Vote, number: u32) -> (TransactionValidityError, DispatchError) {
    let call = call(vote, number);
    let pool = authorize(&call).unwrap_err();
    let origin = frame_system::Origin::<Test>::Authorized;
    let root = sp_io::storage::root(sp_core::storage::StateVersion::V1);
    let dispatched = sp_runtime::traits::Dispatchable::dispatch(call, origin.into()).unwrap_err().error;
    assert_eq!(sp_io::storage::root(sp_core::storage::StateVersion::V1), root);
    (pool, dispatched)
}

fn refused_as(invalid: InvalidTransaction, error: Error<Test>) -> (TransactionValidityError, DispatchError) {
    (TransactionValidityError::Invalid(invalid), error.into())
}

#[test]
fn a_vote_is_kept_until_the_quorum_is_there() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let vote = vote(&batch, &attestor, Verdict::Match);
        cast(&vote, 2).unwrap();
        let voted = Event::Voted {
            item: item(&batch, &attestor),
            validator: key(2),
            verdict_hash: vote.verdict_hash(),
            kind: VerdictKind::Match,
        };
        System::assert_last_event(voted.into());
        assert_eq!(Settlement::vote_of(&vote.item, &H256(key(2))), Some(vote.verdict_hash()));
        assert_eq!(Settlement::vote_of(&vote.item, &H256(key(1))), None);
    });
}

#[test]
fn only_authorised_votes_count() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let vote = Box::new(vote(&batch, &attestor, Verdict::Match));
        for origin in [RuntimeOrigin::root(), RuntimeOrigin::none(), RuntimeOrigin::signed(account(0))] {
            assert_noop!(
                Settlement::vote(origin, vote.clone(), key(0), signature(&vote, &validator(0), &GENESIS)),
                DispatchError::BadOrigin
            );
        }
    });
}

#[test]
fn a_vote_that_comes_late_is_stale() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let vote = vote(&batch, &attestor, Verdict::Match);
        for number in 0..3 {
            cast(&vote, number).unwrap();
        }
        assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
        let stale = refused_as(InvalidTransaction::Stale, Error::NotOpen);
        assert_eq!(refusals(&vote, 3), stale);
        assert_eq!(Closed::get().len(), 1);
    });
}

#[test]
fn the_same_vote_again_is_stale() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let vote = vote(&batch, &attestor, Verdict::Match);
        cast(&vote, 0).unwrap();
        assert_eq!(refusals(&vote, 0), refused_as(InvalidTransaction::Stale, Error::AlreadyVoted));
        assert_eq!(Votes::<Test>::get(&vote.item).len(), 1);
    });
}

#[test]
fn a_changed_vote_replaces_the_first() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let unattested = Verdict::Unattested { refunds: Default::default() };
        cast(&vote(&batch, &attestor, unattested), 0).unwrap();
        cast(&vote(&batch, &attestor, Verdict::Match), 1).unwrap();
        cast(&vote(&batch, &attestor, Verdict::Match), 2).unwrap();
        assert_eq!(last_closed(), None);
        cast(&vote(&batch, &attestor, Verdict::Match), 0).unwrap();
        assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
    });
}

#[test]
fn a_validator_changes_its_mind_a_few_times_only() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        for name in 0..=VOTE_CHANGES_MAX {
            cast(&vote(&batch, &attestor, adjust(name, Vec::new())), 0).unwrap();
        }
        let once_more = vote(&batch, &attestor, Verdict::Match);
        let refused = refused_as(InvalidTransaction::Custom(63), Error::TooManyChanges);
        assert_eq!(refusals(&once_more, 0), refused);
        // It can still give up, once.
        let give_up = Verdict::Unattested { refunds: Default::default() };
        cast(&vote(&batch, &attestor, give_up), 0).unwrap();
        assert_eq!(refusals(&once_more, 0), refused);
        let refunds = vec![refund(1, ClassId::INNOVATION, 1)].try_into().unwrap();
        let otherwise = vote(&batch, &attestor, Verdict::Unattested { refunds });
        assert_eq!(refusals(&otherwise, 0), refused);
        // Others are not concerned.
        for number in 1..4 {
            cast(&once_more, number).unwrap();
        }
        assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
    });
}

#[test]
fn who_is_not_an_authority_has_no_vote() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let refused = refused_as(InvalidTransaction::BadSigner, Error::NotAuthority);
        assert_eq!(refusals(&vote(&batch, &attestor, Verdict::Match), 4), refused);
    });
}

#[test]
fn a_vote_needs_the_validators_own_signature() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let vote = vote(&batch, &attestor, Verdict::Match);
        let bad_proof = TransactionValidityError::Invalid(InvalidTransaction::BadProof);
        let by_another = call_with(&vote, key(0), signature(&vote, &validator(1), &GENESIS));
        assert_eq!(authorize(&by_another), Err(bad_proof));
        let other_vote = Vote { verdict: adjust(1, Vec::new()), ..vote.clone() };
        let of_another_vote = call_with(&vote, key(0), signature(&other_vote, &validator(0), &GENESIS));
        assert_eq!(authorize(&of_another_vote), Err(bad_proof));
        assert_eq!(authorize(&call_with(&vote, key(0), [0; 64])), Err(bad_proof));
    });
}

#[test]
fn a_vote_for_another_chain_does_not_count_here() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let vote = vote(&batch, &attestor, Verdict::Match);
        let elsewhere = call_with(&vote, key(0), signature(&vote, &validator(0), &H256([8; 32])));
        let bad_proof = TransactionValidityError::Invalid(InvalidTransaction::BadProof);
        assert_eq!(authorize(&elsewhere), Err(bad_proof));
    });
}

#[test]
fn a_vote_on_another_batch_with_the_same_number_does_not_count() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let mut vote = vote(&batch, &attestor, Verdict::Match);
        vote.batch_hash = H256([1; 32]);
        let refused = refused_as(InvalidTransaction::Custom(60), Error::OtherBatch);
        assert_eq!(refusals(&vote, 0), refused);
    });
}

#[test]
fn a_vote_on_nothing_is_stale() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let mut vote = vote(&batch, &attestor, Verdict::Match);
        vote.item.first_seq = 1;
        assert_eq!(refusals(&vote, 0), refused_as(InvalidTransaction::Stale, Error::NotOpen));
    });
}

#[test]
fn refunds_above_what_was_collected_are_refused() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let collected = open(&batch, &attestor).unwrap().collected;
        let too_high = refused_as(InvalidTransaction::Custom(62), Error::RefundsTooHigh);
        let split = |first: Credits, second: Credits| {
            let refunds = vec![refund(1, CLASS, first), refund(2, CLASS, second)];
            vote(&batch, &attestor, adjust(0, refunds))
        };
        assert_eq!(refusals(&split(collected, 1), 0), too_high);
        // A sum that wraps round is not a small one.
        assert_eq!(refusals(&split(Credits::MAX, 2), 0), too_high);
        cast(&split(collected - 1, 1), 0).unwrap();
    });
}

#[test]
fn refunds_must_be_in_their_one_canonical_form() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let not_canonical = refused_as(InvalidTransaction::Custom(61), Error::RefundsNotCanonical);
        let two = ClassId::PRIORITY;
        for refunds in [
            vec![refund(2, CLASS, 1), refund(1, CLASS, 1)],
            vec![refund(1, two, 1), refund(1, CLASS, 1)],
            vec![refund(1, CLASS, 1), refund(1, CLASS, 1)],
            vec![refund(1, CLASS, 0)],
        ] {
            assert_eq!(refusals(&vote(&batch, &attestor, adjust(0, refunds)), 0), not_canonical);
        }
        let good = vec![refund(1, CLASS, 1), refund(1, two, 1), refund(2, CLASS, 1)];
        cast(&vote(&batch, &attestor, adjust(0, good)), 0).unwrap();
    });
}

#[test]
fn the_pool_keeps_one_vote_of_a_validator_on_an_item() {
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let validity = |vote: &Vote, number| authorize(&call(vote, number)).unwrap();
        let first = validity(&vote(&batch, &attestor, Verdict::Match), 0);
        assert!(first.propagate && first.requires.is_empty() && first.priority > 0 && first.longevity < 100);
        let changed = validity(&vote(&batch, &attestor, adjust(1, Vec::new())), 0);
        assert_eq!(first.provides, changed.provides);
        let by_another = validity(&vote(&batch, &attestor, Verdict::Match), 1);
        assert_ne!(first.provides, by_another.provides);
        let next = small_batch(batch.last_seq() + 1, &attestor);
        submit(&next);
        assert_ne!(first.provides, validity(&vote(&next, &attestor, Verdict::Match), 0).provides);
    });
}

#[test]
fn a_vote_without_the_quorum_weighs_less() {
    use frame_support::dispatch::GetDispatchInfo;
    let (mut ext, attestor, batch) = setup();
    ext.execute_with(|| {
        let vote = vote(&batch, &attestor, adjust(0, vec![refund(1, CLASS, 1), refund(2, CLASS, 1)]));
        let call = call(&vote, 0);
        let foreseen = call.get_dispatch_info().call_weight;
        let actual = include(call).unwrap().actual_weight.unwrap();
        assert!(actual.ref_time() < foreseen.ref_time(), "{actual} < {foreseen}");
        let bare = Call::<Test>::vote { vote: Box::new(vote), validator: key(0), signature: [0; 64] };
        assert_eq!(bare.get_dispatch_info().call_weight, foreseen);
    });
}
