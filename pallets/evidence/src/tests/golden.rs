//! What validators sign never changes: the encodings are committed.
//!
//! To change them consciously: `STIPEND_GOLDEN=write cargo test --release -p pallet-evidence golden`.

use codec::Encode;
use serde_json::{json, Value};
use sp_core::{Pair, H256};
use stipend_evidence_token::issue::Issuer;

use super::world::*;
use crate::{types::Subject, Finding};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/golden.json");

fn vectors() -> Value {
    let genesis = H256([0xab; 32]);
    let evidence = Finding::Evidence {
        provider: account(20),
        round: 1_200,
        nonce: [0xc5; 32],
        digest: H256([0x9a; 32]),
        devices: vec![H256([1; 32]), H256([2; 32])].try_into().unwrap(),
    };
    let keys = Finding::Keys {
        round: 1_200,
        source: source("https://issuer.example/.well-known/jwks.json"),
        keys: Issuer::new("golden").key_set().valid(1, 2),
    };
    let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let findings = [evidence, keys].map(|finding| {
        let payload = finding.signing_payload(&genesis);
        let signature = sp_core::ed25519::Pair::from_seed(&[30; 32]).sign(&payload);
        json!({
            "scale": hex(&finding.encode()),
            "hash": hex(finding.hash().as_bytes()),
            "payload": hex(&payload),
            "signature_by_seed_30": hex(&signature.0),
        })
    });
    let subjects = [Subject::Evidence(account(20)), Subject::Keys].map(|subject| hex(&subject.encode()));
    json!({ "genesis": hex(genesis.as_bytes()), "findings": findings, "subjects": subjects })
}

#[test]
fn golden() {
    let vectors = vectors();
    if std::env::var("STIPEND_GOLDEN").is_ok_and(|mode| mode == "write") {
        let text = serde_json::to_string_pretty(&vectors).unwrap() + "\n";
        return std::fs::write(FILE, text).unwrap();
    }
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    assert_eq!(
        committed, vectors,
        "signatures made before would mean something else; see the head of this file"
    );
}
