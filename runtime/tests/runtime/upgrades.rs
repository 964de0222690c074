//! The runtime is replaced after a vote, by code that anybody with a role brings.

use codec::Encode;
use frame_support::assert_ok;
use sp_core::{
    traits::{ReadRuntimeVersion, ReadRuntimeVersionExt},
    H256,
};
use sp_externalities::Externalities;
use sp_io::hashing::blake2_256;
use sp_keyring::Ed25519Keyring::{Alice, Eve};
use stipend_primitives::Role;
use stipend_runtime::{Runtime, RuntimeCall, RuntimeEvent, System, VERSION};

use crate::chain::{apply, begin_block, council_of_one, end_block, new_chain, signed};

/// Takes the code's first four bytes for its version, where a node reads the real one out of it.
struct FirstBytes;

impl ReadRuntimeVersion for FirstBytes {
    fn read_runtime_version(&self, code: &[u8], _: &mut dyn Externalities) -> Result<Vec<u8>, String> {
        let bytes = code[..4].try_into().unwrap();
        Ok(sp_version::RuntimeVersion { spec_version: u32::from_le_bytes(bytes), ..VERSION }.encode())
    }
}

/// Code of a megabyte, longer than this runtime.
fn code(spec_version: u32) -> Vec<u8> {
    let mut code = spec_version.to_le_bytes().to_vec();
    code.resize(1024 * 1024, 7);
    code
}

fn authorize(code: &[u8]) -> RuntimeCall {
    pallet_governance::Call::authorize_upgrade { code_hash: H256(blake2_256(code)) }.into()
}

fn bring(code: Vec<u8>) -> RuntimeCall {
    frame_system::Call::apply_authorized_upgrade { code }.into()
}

fn chain() -> sp_io::TestExternalities {
    let mut chain = new_chain("development");
    chain.register_extension(ReadRuntimeVersionExt::new(FirstBytes));
    chain
}

/// The code that the chain runs from the next block on.
fn running() -> Option<Vec<u8>> {
    frame_support::storage::unhashed::get_raw(sp_core::storage::well_known_keys::CODE)
}

#[test]
fn anybody_with_a_role_brings_the_code_that_was_voted_for() {
    chain().execute_with(|| {
        begin_block(1);
        let auditor =
            pallet_roles::Call::grant_role { who: Eve.to_account_id(), role: Role::Auditor, allowance: None };
        council_of_one(Alice, 0, auditor);
        council_of_one(Alice, 1, authorize(&code(VERSION.spec_version + 1)));
        end_block();

        begin_block(2);
        let other = bring(code(VERSION.spec_version + 2));
        let refusal = frame_system::Error::<Runtime>::Unauthorized.into();
        assert_eq!(apply(signed(Eve, 0, other)), Ok(Err(refusal)));
        assert_ok!(apply(signed(Eve, 1, bring(code(VERSION.spec_version + 1)))).unwrap());
        assert_eq!(running(), Some(code(VERSION.spec_version + 1)));
        end_block();

        // What was authorised once is applied once.
        begin_block(3);
        let again = apply(signed(Eve, 2, bring(code(VERSION.spec_version + 1))));
        assert_eq!(again, Ok(Err(frame_system::Error::<Runtime>::NothingAuthorized.into())));
    });
}

#[test]
fn a_runtime_whose_version_is_not_higher_is_refused() {
    chain().execute_with(|| {
        begin_block(1);
        council_of_one(Alice, 0, authorize(&code(VERSION.spec_version)));
        assert_ok!(apply(signed(Alice, 1, bring(code(VERSION.spec_version)))).unwrap());
        assert_ne!(running(), Some(code(VERSION.spec_version)));
        let rejected = System::events().into_iter().any(|record| {
            matches!(
                record.event,
                RuntimeEvent::System(frame_system::Event::RejectedInvalidAuthorizedUpgrade { .. })
            )
        });
        assert!(rejected);
    });
}

#[test]
fn nobody_replaces_the_runtime_without_a_vote() {
    chain().execute_with(|| {
        begin_block(1);
        let code_hash = H256::zero();
        let bad_origin = Ok(Err(sp_runtime::DispatchError::BadOrigin));
        let mut nonce = 0;
        for call in [
            RuntimeCall::System(frame_system::Call::set_code { code: code(9) }),
            frame_system::Call::set_code_without_checks { code: code(9) }.into(),
            frame_system::Call::authorize_upgrade { code_hash }.into(),
            frame_system::Call::authorize_upgrade_without_checks { code_hash }.into(),
            pallet_governance::Call::authorize_upgrade { code_hash }.into(),
        ] {
            assert_eq!(apply(signed(Alice, nonce, call.clone())), bad_origin, "{call:?}");
            nonce += 1;
        }
        // Not even the whole council makes a call as root.
        let set_storage =
            frame_system::Call::set_storage { items: vec![(b"key".to_vec(), b"value".to_vec())] };
        assert_ok!(apply(signed(Alice, nonce, crate::chain::proposal(set_storage, 1))).unwrap());
        assert_eq!(crate::chain::last_verdict(), Err(sp_runtime::DispatchError::BadOrigin));
    });
}
