//! A batch on the way that a node takes it: as a general transaction, authorised, then called.

use codec::Encode;
use frame_support::{
    assert_ok,
    dispatch::GetDispatchInfo,
    pallet_prelude::{InvalidTransaction, TransactionSource, TransactionValidityError},
    traits::Hooks,
};
use sp_runtime::{
    traits::{Applyable, Checkable},
    DispatchError,
};
use stipend_primitives::{batch::SignedBatch, Role};

use crate::{mock::*, Authorised, Call};

fn extrinsic(signed: SignedBatch) -> UncheckedExtrinsic {
    let call = Call::submit_batch { signed: Box::new(signed) };
    UncheckedExtrinsic::new_transaction(call.into(), (frame_system::AuthorizeCall::new(),))
}

fn apply(extrinsic: UncheckedExtrinsic) -> Result<Result<(), DispatchError>, TransactionValidityError> {
    let (info, len) = (extrinsic.get_dispatch_info(), extrinsic.encoded_size());
    let checked = extrinsic.check(&frame_system::ChainContext::<Test>::default())?;
    let applied = checked.apply::<Test>(&info, len)?;
    Ok(applied.map(|_| ()).map_err(|error| error.error))
}

#[test]
fn a_signed_batch_needs_no_account_to_carry_it() {
    run(|| {
        assert_eq!(apply(extrinsic(sign(0, single(0, 0)))), Ok(Ok(())));
        assert_eq!(Receipts::next_seq(&gateway(0)), 1);
    });
}

#[test]
fn the_pool_changes_nothing() {
    run(|| {
        let extrinsic = extrinsic(sign(0, single(0, 0)));
        let (info, len) = (extrinsic.get_dispatch_info(), extrinsic.encoded_size());
        let checked = extrinsic.check(&frame_system::ChainContext::<Test>::default()).unwrap();
        let root = sp_io::storage::root(Default::default());
        assert_ok!(checked.validate::<Test>(TransactionSource::External, &info, len));
        assert_eq!(sp_io::storage::root(Default::default()), root);
    });
}

#[test]
fn the_remembered_hash_is_the_batchs_hash() {
    run(|| {
        for seq in 0..3 {
            let batch = single(0, seq);
            let hash = batch.hash();
            assert_eq!(apply(extrinsic(sign(0, batch))), Ok(Ok(())));
            assert_eq!(Receipts::batch(&gateway(0), seq).unwrap().batch_hash, hash);
            assert!(!Authorised::<Test>::exists());
        }
    });
}

#[test]
fn a_hash_that_another_batch_left_behind_is_not_taken_for_this_ones() {
    run(|| {
        Authorised::<Test>::put((gateway(1), 0, sp_core::H256::zero()));
        let batch = single(0, 0);
        let hash = batch.hash();
        assert_ok!(super::dispatch(batch));
        assert_eq!(Receipts::batch(&gateway(0), 0).unwrap().batch_hash, hash);
        Authorised::<Test>::kill();
    });
}

#[test]
fn nothing_is_left_behind_at_the_end_of_a_block() {
    run(|| {
        Authorised::<Test>::put((gateway(0), 0, sp_core::H256::zero()));
        Receipts::on_finalize(1);
        assert!(!Authorised::<Test>::exists());
    });
}

#[test]
fn a_batch_with_a_wrong_signature_never_gets_into_a_block() {
    run(|| {
        let mut signed = sign(0, single(0, 0));
        signed.signature[0] ^= 1;
        assert_eq!(apply(extrinsic(signed)), Err(InvalidTransaction::Custom(6).into()));
        assert_eq!(Receipts::next_seq(&gateway(0)), 0);
    });
}

#[test]
fn nobody_calls_it_with_a_signed_or_an_empty_origin() {
    run(|| {
        for origin in [RuntimeOrigin::signed(gateway(0)), RuntimeOrigin::root(), RuntimeOrigin::none()] {
            let signed = Box::new(sign(0, single(0, 0)));
            let error = Receipts::submit_batch(origin, signed).unwrap_err().error;
            assert_eq!(error, DispatchError::BadOrigin);
        }
    });
}

#[test]
fn a_gateway_whose_role_was_revoked_while_its_batch_waited_is_refused_in_the_block() {
    run(|| {
        use stipend_primitives::ledger::Roles;
        assert!(!StandIn::has(&gateway(5), Role::Gateway));
        assert_eq!(apply(extrinsic(sign(5, single(5, 0)))), Err(InvalidTransaction::Custom(1).into()));
    });
}
