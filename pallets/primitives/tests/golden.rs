//! The committed vectors of every canonical encoding and signing payload.
//!
//! A change of any of them is a change of the protocol: signatures, roots and states made before it no longer
//! mean what they meant. To make one consciously:
//!
//! ```text
//! STIPEND_GOLDEN=write cargo test --release -p stipend-primitives --test golden
//! ```
//! and commit the new vectors with the reason.
#![allow(missing_docs, clippy::unwrap_used)]

mod vectors;

use std::{fs, path::PathBuf};

use serde_json::Value;

fn check(name: &str, computed: Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var("STIPEND_GOLDEN").is_ok_and(|mode| mode == "write") {
        let text = serde_json::to_string_pretty(&computed).unwrap() + "\n";
        return fs::write(&path, text).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let committed: Value = serde_json::from_str(&text).unwrap();
    compare(name, &committed, &computed);
}

/// Names the first place where two values differ.
fn compare(place: &str, committed: &Value, computed: &Value) {
    match (committed, computed) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let [old, new] = [old, new].map(|object| object.get(key).unwrap_or(&Value::Null));
                compare(&format!("{place}.{key}"), old, new);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{place}[{index}]"), old, new);
            }
        }
        _ => assert_eq!(committed, computed, "{place} is not what is committed; see the head of golden.rs"),
    }
}

#[test]
fn identifiers_and_enumerations() {
    check("ids.json", vectors::ids());
}

#[test]
fn signing_domains() {
    check("signing.json", vectors::signing());
}

#[test]
fn mint_requests() {
    check("mint.json", vectors::mint());
}

#[test]
fn price_books_and_costs() {
    check("price.json", vectors::price());
}

#[test]
fn batches() {
    check("batch.json", vectors::batch());
}

#[test]
fn leaves_and_commitments() {
    check("leaf.json", vectors::leaf());
}

#[test]
fn roots_and_proofs() {
    check("merkle.json", vectors::merkle());
}

#[test]
fn attestations_and_claims() {
    check("attestation.json", vectors::attestation());
}

#[test]
fn votes() {
    check("vote.json", vectors::vote());
}

#[test]
fn api_keys() {
    check("key.json", vectors::key());
}

#[test]
fn answers_of_the_runtime() {
    check("view.json", vectors::view());
}
