//! The absence of money, where the SDK asks for some.

use core::marker::PhantomData;

use frame_support::traits::{
    fungible::{hold, Dust, Inspect, Mutate, Unbalanced},
    tokens::{DepositConsequence, Fortitude, Preservation, Provenance, WithdrawConsequence},
};
use sp_runtime::{DispatchError, DispatchResult, TokenError};

/// A currency in which every balance is zero and stays zero.
///
/// `pallet-session` can hold a deposit for session keys and wants a currency to hold it in. There
/// is none on this chain, the deposit is zero, and whoever asks this one for more is refused. `R`
/// is the reason for a hold.
pub struct NoCurrency<R>(PhantomData<R>);

impl<A, R> Inspect<A> for NoCurrency<R> {
    type Balance = u128;

    fn total_issuance() -> u128 {
        0
    }

    fn minimum_balance() -> u128 {
        0
    }

    fn total_balance(_who: &A) -> u128 {
        0
    }

    fn balance(_who: &A) -> u128 {
        0
    }

    fn reducible_balance(_who: &A, _preservation: Preservation, _force: Fortitude) -> u128 {
        0
    }

    fn can_deposit(_who: &A, amount: u128, _provenance: Provenance) -> DepositConsequence {
        if amount == 0 {
            DepositConsequence::Success
        } else {
            DepositConsequence::Blocked
        }
    }

    fn can_withdraw(_who: &A, amount: u128) -> WithdrawConsequence<u128> {
        if amount == 0 {
            WithdrawConsequence::Success
        } else {
            WithdrawConsequence::BalanceLow
        }
    }
}

impl<A, R> Unbalanced<A> for NoCurrency<R> {
    fn handle_dust(_dust: Dust<A, Self>) {}

    fn write_balance(_who: &A, amount: u128) -> Result<Option<u128>, DispatchError> {
        refuse_unless_zero(amount).map(|()| None)
    }

    fn set_total_issuance(_amount: u128) {}
}

impl<A: Eq, R> Mutate<A> for NoCurrency<R> {}

impl<A, R: codec::Encode + scale_info::TypeInfo + 'static> hold::Inspect<A> for NoCurrency<R> {
    type Reason = R;

    fn total_balance_on_hold(_who: &A) -> u128 {
        0
    }

    fn balance_on_hold(_reason: &R, _who: &A) -> u128 {
        0
    }
}

impl<A, R: codec::Encode + scale_info::TypeInfo + 'static> hold::Unbalanced<A> for NoCurrency<R> {
    fn set_balance_on_hold(_reason: &R, _who: &A, amount: u128) -> DispatchResult {
        refuse_unless_zero(amount)
    }
}

impl<A, R: codec::Encode + scale_info::TypeInfo + 'static> hold::Mutate<A> for NoCurrency<R> {}

fn refuse_unless_zero(amount: u128) -> DispatchResult {
    if amount == 0 {
        Ok(())
    } else {
        Err(TokenError::Unsupported.into())
    }
}
