//! The presets: that they build, and that the files in chain-spec/ are what they are said to be.

use std::path::Path;

use frame_support::{assert_ok, genesis_builder_helper::build_state};
use serde_json::{json, Value};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use stipend_primitives::{ClassId, Role};
use stipend_runtime::{
    configs::council::CouncilInstance,
    genesis::{preset, preset_names},
    Aura, Entitlements, Evidence, Governance, Grandpa, Merit, Pricing, Receipts, Roles, Runtime,
    RuntimeGenesisConfig, Session, Settlement, System,
};

use crate::chain::{full_genesis, new_chain};

const VALIDATORS: [(Ed25519Keyring, Sr25519Keyring); 4] = [
    (Ed25519Keyring::Alice, Sr25519Keyring::Alice),
    (Ed25519Keyring::Bob, Sr25519Keyring::Bob),
    (Ed25519Keyring::Charlie, Sr25519Keyring::Charlie),
    (Ed25519Keyring::Dave, Sr25519Keyring::Dave),
];

/// The patch for a chain with these validators, a council of the first `seats` of them, and the four
/// first classes.
fn patch(validators: &[(Ed25519Keyring, Sr25519Keyring)], seats: usize) -> Value {
    let accounts: Vec<_> = validators.iter().map(|(account, _)| account.to_account_id()).collect();
    let keys = |(account, aura): &(Ed25519Keyring, Sr25519Keyring)| {
        let session_keys = json!({
            "aura": aura.public(),
            "grandpa": account.public(),
            "settlement": account.public(),
        });
        json!([account.to_account_id(), account.to_account_id(), session_keys])
    };
    json!({
        "roles": { "council": accounts[..seats], "validators": accounts },
        "session": { "keys": validators.iter().map(keys).collect::<Vec<_>>() },
        "entitlements": {
            "classes": [
                { "id": ClassId::INNOVATION, "name": "Innovation", "unattested": "refund" },
                { "id": ClassId::PRIORITY, "name": "Priority", "unattested": "refund" },
                { "id": ClassId::RENDER, "name": "Render", "unattested": "refund" },
                { "id": ClassId::REASONING, "name": "Reasoning", "unattested": "refund" },
            ],
        },
        // A development chain does not wait for a day before a rule holds.
        "merit": { "noticeMs": 4_000 },
    })
}

/// Compares a file of chain-spec/ to what it should hold, or writes it if that is asked for.
fn check_file(name: &str, validators: &[(Ed25519Keyring, Sr25519Keyring)], seats: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../chain-spec").join(name);
    let expected = serde_json::to_string_pretty(&patch(validators, seats)).unwrap() + "\n";
    if std::env::var_os("STIPEND_WRITE_CHAIN_SPECS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(
        found == expected,
        "chain-spec/{name} is not what this test makes: change the test, run it once with \
         STIPEND_WRITE_CHAIN_SPECS=1, and commit both; expected:\n{expected}"
    );
}

#[test]
fn the_files_in_chain_spec_are_current() {
    check_file("dev.json", &VALIDATORS[..1], 1);
    check_file("local.json", &VALIDATORS, 3);
}

#[test]
fn both_presets_have_names() {
    assert_eq!(preset_names(), ["development", "local_testnet"]);
    for name in preset_names() {
        assert!(preset(&name).is_some());
    }
    assert_eq!(preset(&"staging".into()), None);
}

#[test]
fn both_presets_build_a_state_that_holds_every_invariant() {
    for (name, validators) in [("development", 1), ("local_testnet", 4)] {
        new_chain(name).execute_with(|| {
            assert_eq!(Session::validators().len(), validators);
            assert_eq!(pallet_aura::Authorities::<Runtime>::get().len(), validators);
            assert_eq!(Grandpa::grandpa_authorities().len(), validators);
            assert_eq!(pallet_settlement::Authorities::<Runtime>::get().len(), validators);
            assert_eq!(Aura::slot_duration(), 1_000);
            assert_eq!(Entitlements::classes().len(), 4);
            assert_ok!(Roles::do_try_state());
            assert_ok!(Entitlements::do_try_state());
            assert_ok!(Pricing::do_try_state());
            assert_ok!(Receipts::do_try_state());
            assert_ok!(Settlement::do_try_state());
            assert_ok!(Evidence::do_try_state());
            assert_ok!(Merit::do_try_state());
            assert_ok!(Governance::do_try_state());
        });
    }
}

#[test]
fn the_council_has_a_seat_on_the_one_and_three_on_the_other_and_one_reference_each() {
    for (name, seats) in [("development", 1), ("local_testnet", 3)] {
        new_chain(name).execute_with(|| {
            let alice = Ed25519Keyring::Alice.to_account_id();
            assert_eq!(Roles::roles(&alice), [Role::Council, Role::Validator]);
            let mut council: Vec<_> =
                VALIDATORS[..seats].iter().map(|(account, _)| account.to_account_id()).collect();
            council.sort();
            assert_eq!(pallet_collective::Members::<Runtime, CouncilInstance>::get(), council);
            // One provider for the roles, one consumer for the session keys: nothing leaked.
            assert_eq!((System::providers(&alice), System::consumers(&alice)), (1, 1));
        });
    }
}

#[test]
fn a_genesis_with_an_unknown_field_is_refused() {
    let mut config: Value = serde_json::from_slice(&full_genesis("development")).unwrap();
    config["roles"]["sudo"] = json!(Ed25519Keyring::Eve.to_account_id());
    let refusal = sp_io::TestExternalities::new_empty()
        .execute_with(|| build_state::<RuntimeGenesisConfig>(serde_json::to_vec(&config).unwrap()))
        .unwrap_err();
    assert!(refusal.contains("sudo"), "{refusal}");
}
