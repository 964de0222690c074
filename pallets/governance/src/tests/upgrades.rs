use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::DispatchError::BadOrigin;

use super::signed;
use crate::{
    mock::{new_chain, Governance, RuntimeOrigin, System, Test, STRANGER, UPGRADE, VALIDATORS},
    Error, Event,
};

#[test]
fn the_council_authorises_the_hash_of_a_runtime() {
    new_chain().execute_with(|| {
        assert_ok!(Governance::authorize_upgrade(signed(&UPGRADE), H256::repeat_byte(1)));
        System::assert_last_event(
            frame_system::Event::UpgradeAuthorized { code_hash: H256::repeat_byte(1), check_version: true }
                .into(),
        );
        // Whoever brings other code is refused.
        assert_noop!(
            System::apply_authorized_upgrade(signed(&STRANGER), vec![1, 2, 3]),
            frame_system::Error::<Test>::Unauthorized
        );
    });
}

#[test]
fn nobody_else_authorises_an_upgrade_not_even_root() {
    new_chain().execute_with(|| {
        for origin in [signed(&STRANGER), signed(&VALIDATORS), RuntimeOrigin::root(), RuntimeOrigin::none()] {
            assert_noop!(Governance::authorize_upgrade(origin, H256::zero()), BadOrigin);
        }
        assert_noop!(
            System::apply_authorized_upgrade(signed(&STRANGER), vec![1]),
            frame_system::Error::<Test>::NothingAuthorized
        );
    });
}

#[test]
fn stalled_finality_is_noted_for_the_next_session() {
    new_chain().execute_with(|| {
        System::set_block_number(100);
        assert_ok!(Governance::note_stalled(signed(&VALIDATORS), 20, 90));
        System::assert_last_event(Event::FinalityNotedStalled { delay: 20, best_finalized: 90 }.into());
        assert_eq!(pallet_grandpa::Stalled::<Test>::get(), Some((20, 90)));
    });
}

#[test]
fn a_block_to_come_is_not_the_last_finalised_one() {
    new_chain().execute_with(|| {
        let future = Governance::note_stalled(signed(&VALIDATORS), 20, 1);
        assert_noop!(future, Error::<Test>::NotABlockYet);
        assert_noop!(Governance::note_stalled(signed(&STRANGER), 20, 0), BadOrigin);
    });
}
