//! No call has a way to say "to somebody else".

use codec::Encode;
use frame_support::{assert_ok, BoundedVec};
use sp_core::H256;
use stipend_primitives::{key::KeyLimits, ledger::Ledger, ClassId};

use crate::{mock::*, Wallets};

fn wallet_bytes() -> Vec<u8> {
    Wallets::<Test>::get(bob(), ClassId::INNOVATION).encode()
}

#[test]
fn whatever_is_done_to_one_owner_leaves_another_owners_wallet_as_it_was() {
    test(|| {
        mint(&bob(), 10, Some(START + 30 * DAY));
        reserve(&gateway(), &bob(), 3, DAY);
        Entitlements::charge_alone(&gateway(), &bob(), INNOVATION, CREDIT);
        let before = wallet_bytes();

        let id = mint(&ada(), 10, None);
        assert_ok!(Entitlements::register_key(
            signed(&ada()),
            H256::repeat_byte(1),
            KeyLimits::default(),
            Some((gateway(), BoundedVec::truncate_from(vec![(INNOVATION, CREDIT)]))),
        ));
        assert!(reserve(&gateway(), &ada(), 2, HOUR));
        assert_eq!(Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, 100 * CREDIT), 10 * CREDIT);
        assert_eq!(Entitlements::refund(&ada(), INNOVATION, 100 * CREDIT), 10 * CREDIT);
        release(&gateway(), &ada(), u128::MAX);
        assert_ok!(Entitlements::give_back(signed(&ada()), id, CREDIT));
        assert_ok!(Entitlements::revoke(signed(&hr()), id, Some(CREDIT)));
        assert_ok!(Entitlements::freeze(signed(&hr()), ada(), true));
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));

        assert_eq!(wallet_bytes(), before);
    });
}

#[test]
fn credits_given_back_are_minted_again_only_as_a_new_entitlement() {
    test(|| {
        let given = mint(&ada(), 10, None);
        assert_ok!(Entitlements::give_back(signed(&ada()), given, 10 * CREDIT));
        let fresh = mint(&bob(), 10, None);
        assert_ne!(given, fresh);
        assert_eq!(credits_of(given), [0, 0, 0, 0, 10]);
        assert_eq!(Entitlements::entitlement(given).unwrap().owner, ada());
    });
}
