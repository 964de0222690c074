//! Who gets a transaction into a block, and how many.

use core::{fmt, marker::PhantomData};

use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
    dispatch::{DispatchInfo, PostDispatchInfo},
    pallet_prelude::TransactionSource,
    traits::Get,
    weights::Weight,
    CloneNoBound, DefaultNoBound, EqNoBound, PartialEqNoBound,
};
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{
        AsSystemOriginSigner, DispatchInfoOf, DispatchOriginOf, Dispatchable, PostDispatchInfoOf,
        TransactionExtension, ValidateResult,
    },
    transaction_validity::{
        InvalidTransaction, TransactionPriority, TransactionValidityError, ValidTransaction,
    },
    DispatchResult,
};
use stipend_primitives::AccountId;

use crate::{Config, Pallet, Sent, WeightInfo};

/// The code of `InvalidTransaction::Custom` for a signer with neither a role nor an entitlement.
pub const NOT_ADMITTED: u8 = 100;

/// The code of `InvalidTransaction::Custom` for a transaction of a mere owner that is longer than any
/// call that is an owner's to make.
pub const TOO_LONG: u8 = 101;

/// Pool priority of a signer with a role. When the pool is full, what owners sent goes first, so a
/// flood from one wallet never keeps HR or a gateway out.
pub const ROLE_PRIORITY: TransactionPriority = 1_000;

/// Admits signed transactions of accounts that hold a role or an entitlement, and of each account
/// no more per block than it is allowed.
///
/// Nothing is paid for a transaction on this chain, so this is what stands between the pool and
/// everybody: a signer without a provider reference of `frame_system` (each role and each wallet is
/// one) is refused with [`NOT_ADMITTED`]. An account that has used up its allowance is refused with
/// `ExhaustsResources`, which leaves the transaction in the pool for the next block. An account
/// without a role cannot fill the chain with long transactions either: they are [`TOO_LONG`].
///
/// Transactions that are authorised by their content (batches, votes, signed mint requests) have no
/// signer and pass.
#[derive(
    Encode, Decode, DecodeWithMemTracking, CloneNoBound, EqNoBound, PartialEqNoBound, DefaultNoBound, TypeInfo,
)]
#[scale_info(skip_type_params(T))]
pub struct CheckAdmission<T>(PhantomData<T>);

impl<T> CheckAdmission<T> {
    /// The extension; there is nothing in it.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> fmt::Debug for CheckAdmission<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("CheckAdmission")
    }
}

impl<T> TransactionExtension<T::RuntimeCall> for CheckAdmission<T>
where
    T: Config + Send + Sync,
    T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
    DispatchOriginOf<T::RuntimeCall>: AsSystemOriginSigner<AccountId>,
{
    const IDENTIFIER: &'static str = "CheckAdmission";
    type Implicit = ();
    /// The signer and what it may send in one block.
    type Val = Option<(AccountId, u32)>;
    /// Weight that was announced and not used.
    type Pre = Weight;

    fn weight(&self, _call: &T::RuntimeCall) -> Weight {
        T::WeightInfo::check_admission()
    }

    fn validate(
        &self,
        origin: DispatchOriginOf<T::RuntimeCall>,
        _call: &T::RuntimeCall,
        _info: &DispatchInfoOf<T::RuntimeCall>,
        len: usize,
        _self_implicit: Self::Implicit,
        _inherited_implication: &impl Encode,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, T::RuntimeCall> {
        let Some(who) = origin.as_system_origin_signer().cloned() else {
            return Ok((ValidTransaction::default(), None, origin));
        };
        if frame_system::Pallet::<T>::providers(&who) == 0 {
            return Err(InvalidTransaction::Custom(NOT_ADMITTED).into());
        }
        let role_allowance = Pallet::<T>::role_allowance(&who);
        if role_allowance.is_none() && len > T::OwnerLengthMax::get() as usize {
            return Err(InvalidTransaction::Custom(TOO_LONG).into());
        }
        let priority = if role_allowance.is_some() { ROLE_PRIORITY } else { 0 };
        let allowance = role_allowance.unwrap_or_else(Pallet::<T>::owner_allowance);
        Ok((ValidTransaction { priority, ..Default::default() }, Some((who, allowance)), origin))
    }

    fn prepare(
        self,
        val: Self::Val,
        _origin: &DispatchOriginOf<T::RuntimeCall>,
        call: &T::RuntimeCall,
        _info: &DispatchInfoOf<T::RuntimeCall>,
        _len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        let Some((who, allowance)) = val else {
            return Ok(self.weight(call));
        };
        let sent = Sent::<T>::get(&who);
        if sent >= allowance {
            return Err(InvalidTransaction::ExhaustsResources.into());
        }
        Sent::<T>::insert(&who, sent + 1);
        Ok(Weight::zero())
    }

    fn post_dispatch_details(
        unused: Self::Pre,
        _info: &DispatchInfoOf<T::RuntimeCall>,
        _post_info: &PostDispatchInfoOf<T::RuntimeCall>,
        _len: usize,
        _result: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        Ok(unused)
    }
}
