//! Validators that join and leave become authorities of block making, finality and settlement.

use codec::Encode;
use frame_support::{assert_ok, traits::Get};
use sp_keyring::Ed25519Keyring::{Alice, Eve};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use stipend_primitives::BlockNumber;
use stipend_runtime::{configs::session::SessionPeriod, Grandpa, Roles, Runtime, Session, SessionKeys};

use crate::chain::{apply, begin_block, council_of_one, empty_blocks, end_block, new_chain, signed};

/// Authorities of Aura, GRANDPA and settlement.
fn authorities() -> [usize; 3] {
    [
        pallet_aura::Authorities::<Runtime>::get().len(),
        Grandpa::grandpa_authorities().len(),
        pallet_settlement::Authorities::<Runtime>::get().len(),
    ]
}

/// Makes blocks until `sessions` more have begun, and one more in which GRANDPA's change is in force.
fn pass_sessions(from: BlockNumber, sessions: BlockNumber) -> BlockNumber {
    let period = SessionPeriod::get();
    let last = (from / period + sessions) * period + 1;
    empty_blocks(from, last);
    last + 1
}

#[test]
fn a_validator_joins_and_leaves_all_three_sets_of_authorities() {
    let mut chain = new_chain("development");
    chain.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    chain.execute_with(|| {
        let eve = Eve.to_account_id();
        begin_block(1);
        let add = pallet_roles::Call::add_validator { who: eve.clone() };
        council_of_one(Alice, 0, add);
        let generated = SessionKeys::generate(&eve.encode(), None);
        let set_keys =
            pallet_session::Call::set_keys { keys: generated.keys, proof: generated.proof.encode() };
        assert_ok!(apply(signed(Eve, 0, set_keys)).unwrap());
        end_block();

        let next = pass_sessions(2, 2);
        assert_eq!(Session::validators().len(), 2);
        assert_eq!(authorities(), [2, 2, 2]);
        let set_id = pallet_grandpa::CurrentSetId::<Runtime>::get();

        // Sessions in which nobody comes or goes leave GRANDPA's set as it is.
        let next = pass_sessions(next, 1);
        assert_eq!(pallet_grandpa::CurrentSetId::<Runtime>::get(), set_id);

        begin_block(next);
        let remove = pallet_roles::Call::remove_validator { who: Alice.to_account_id() };
        council_of_one(Alice, 1, remove);
        end_block();
        pass_sessions(next + 1, 2);
        assert_eq!(Session::validators(), [eve]);
        assert_eq!(authorities(), [1, 1, 1]);
        assert_ok!(Roles::do_try_state());
    });
}

#[test]
fn session_keys_that_the_sender_does_not_own_are_refused() {
    let mut chain = new_chain("development");
    chain.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    chain.execute_with(|| {
        begin_block(1);
        let of_eve = SessionKeys::generate(&Eve.to_account_id().encode(), None);
        let set_keys = pallet_session::Call::set_keys { keys: of_eve.keys, proof: of_eve.proof.encode() };
        let refusal = pallet_session::Error::<Runtime>::InvalidProof.into();
        assert_eq!(apply(signed(Alice, 0, set_keys)), Ok(Err(refusal)));
    });
}
