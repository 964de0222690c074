use frame_support::{
    assert_ok,
    traits::fungible::{Inspect, InspectHold, Mutate, MutateHold},
};
use pallet_session::HoldReason;

use crate::{
    mock::{new_chain, RuntimeHoldReason, MEMBER},
    NoCurrency,
};

type Money = NoCurrency<RuntimeHoldReason>;

#[test]
fn there_is_no_money_and_none_can_be_made() {
    new_chain().execute_with(|| {
        let reason = RuntimeHoldReason::Session(HoldReason::Keys);
        assert_ok!(Money::hold(&reason, &MEMBER, 0));
        assert!(Money::hold(&reason, &MEMBER, 1).is_err());
        assert!(Money::mint_into(&MEMBER, 1).is_err());
        assert_eq!(<Money as Inspect<_>>::balance(&MEMBER), 0);
        assert_eq!(<Money as InspectHold<_>>::total_balance_on_hold(&MEMBER), 0);
        assert_eq!(<Money as Inspect<stipend_primitives::AccountId>>::total_issuance(), 0);
    });
}
