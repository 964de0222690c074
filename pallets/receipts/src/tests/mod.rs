//! One file per behaviour.
#![allow(clippy::unwrap_used)]

mod authorising;
mod charging;
mod committing;
mod energy;
mod extrinsic;
mod history;
mod model;
mod pricing;
mod sequencing;
mod settling;
mod shortfalls;

use frame_support::{
    dispatch::{DispatchResultWithPostInfo, RawOrigin},
    pallet_prelude::{TransactionSource, TransactionValidityError, ValidTransaction},
    traits::Authorize,
};
use stipend_primitives::batch::{Batch, SignedBatch};

use crate::{mock::*, Call};

/// What the pool, or the block, makes of a signed batch.
fn judged(
    source: TransactionSource,
    signed: &SignedBatch,
) -> Result<ValidTransaction, TransactionValidityError> {
    let call = Call::<Test>::submit_batch { signed: Box::new(signed.clone()) };
    call.authorize(source).expect("the call authorises itself").map(|(valid, _)| valid)
}

/// Calls `submit_batch` as it is called once a batch is authorised.
fn dispatch(batch: Batch) -> DispatchResultWithPostInfo {
    let signed = SignedBatch { batch, signature: [0; 64] };
    Receipts::submit_batch(RawOrigin::Authorized.into(), Box::new(signed))
}
