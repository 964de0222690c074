//! The example in Python says and signs the same bytes as this library.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{path::PathBuf, process::Command};

use codec::Encode;
use frame_support::{Blake2_128, StorageHasher};
use serde_json::Value;
use sp_core::H256;
use stipend_primitives::{
    mint::{Grant, MintRequest},
    AccountId,
};
use stipend_sdk::{SignedMint, Signer};

const GENESIS: H256 = H256([0xab; 32]);
const REFERENCE: &str = "payroll 4711/2027-01 \u{20ac}";
const CRYPTOGRAPHY: &str = "\
try: import cryptography
except ImportError: import nacl";

/// Whether the example can run; says aloud if not.
fn python_is_there() -> bool {
    let asked = Command::new("python3").args(["-c", CRYPTOGRAPHY]).output();
    let there = asked.is_ok_and(|answer| answer.status.success());
    if !there {
        println!("NOT RUN: there is no python3 with `cryptography` or `pynacl`; `pip install cryptography` brings it");
    }
    there
}

/// What the example would send for these arguments.
fn printed(signer: &Signer, owner: &AccountId, arguments: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("hr.key");
    signer.save(&key).unwrap();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/python/mint.py");
    let owner = serde_json::to_value(owner).unwrap();
    let run = Command::new("python3")
        .arg("-B")
        .arg(script)
        .args([owner.as_str().unwrap(), "--print", "--reference", REFERENCE, "--key"])
        .arg(&key)
        .args(["--genesis", &format!("{GENESIS:?}")])
        .args(arguments)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).unwrap()
}

#[test]
fn the_example_signs_what_this_library_signs() {
    if !python_is_there() {
        return;
    }
    let one =
        |program, amount, valid_from, valid_until| Grant::One { program, amount, valid_from, valid_until };
    let cases: [(&[&str], Grant); 4] = [
        (&["--program", "7", "--amount", "1500"], one(7, 1_500_000_000, None, None)),
        (
            &["--program", "4294967295", "--amount", "340282366920938463463374607431768.211455"],
            one(u32::MAX, u128::MAX, None, None),
        ),
        (
            &[
                "--program",
                "0",
                "--amount",
                "0.000001",
                "--from",
                "2025-06-15T15:06:40Z",
                "--until",
                "9999-12-31",
            ],
            one(0, 1, Some(1_750_000_000_000), Some(253_402_214_400_000)),
        ),
        (&["--basket", "3"], Grant::Basket { basket: 3 }),
    ];
    let (signer, owner) = (Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32]).account());
    let idempotency_key = Blake2_128::hash(REFERENCE.as_bytes());
    for (arguments, grant) in cases {
        let expected = SignedMint::new(&signer, &GENESIS, owner.clone(), grant, idempotency_key);
        let printed = printed(&signer, &owner, arguments);
        assert_eq!(printed["encoded"], hex::encode(expected.request.encode()), "{arguments:?}");
        assert_eq!(printed["payload"], hex::encode(expected.request.signing_payload(&GENESIS)));
        let request: MintRequest = serde_json::from_value(printed["request"].clone()).unwrap();
        assert_eq!(request, expected.request);
        // What it prints is a file for `stipend mint cosign` and `stipend mint send`.
        let signed: SignedMint = serde_json::from_value(printed).unwrap();
        assert_eq!(signed, expected);
    }
}
