//! Proofs as files.

use super::made_up::{finality, set, GENESIS};
use super::wallets::portable_wallet;
use super::*;

fn documents() -> [Document; 3] {
    let proof = proven(3, 1);
    let receipt = PortableReceipt {
        genesis: GENESIS,
        gateway: gateway(),
        sequence: FIRST_SEQ + 1,
        finality: finality(&header(&proof).unwrap(), 5, 4),
        receipt: proof.receipt,
        path: proof.proof,
        header: proof.header,
    };
    [Document::Receipt(receipt), Document::Wallet(portable_wallet(5)), Document::Validators(set(5, 4))]
}

fn is_unreadable(text: &str) -> bool {
    matches!(Document::read(text), Err(ProofError::Unreadable { part: "JSON", .. }))
}

#[test]
fn a_document_is_read_as_it_was_written_and_still_proves() {
    for document in documents() {
        let text = serde_json::to_string_pretty(&document).unwrap();
        assert_eq!(Document::read(&text).unwrap(), document, "{text}");
    }
    let [receipt, wallet, validators] = documents();
    let set = validators.validators().unwrap();
    assert!(receipt.receipt().unwrap().verify(&set).is_ok());
    assert!(wallet.wallet().unwrap().verify(&set).is_ok());
}

#[test]
fn the_validators_file_has_the_form_that_is_documented() {
    let [.., validators] = documents();
    let json = serde_json::to_value(&validators).unwrap();
    assert_eq!(json["format"], "stipend-validators/1");
    assert_eq!(json["setId"], 5);
    assert_eq!(json["authorities"][0]["weight"], 1);
    assert!(json["authorities"][0]["key"].as_str().unwrap().starts_with("0x"));
    assert!(json["genesis"].as_str().unwrap().starts_with("0x6e6e"));
}

#[test]
fn a_document_of_another_version_or_of_none_is_refused() {
    for document in documents() {
        let text = serde_json::to_string(&document).unwrap();
        let newer = Document::read(&text.replace("/1\"", "/2\"")).unwrap_err();
        assert!(matches!(&newer, ProofError::UnknownFormat(format) if format.ends_with("/2")), "{newer}");
        assert!(is_unreadable(&text.replace("\"format\":", "\"shape\":")));
    }
    for text in ["", "{}", "[]", "null"] {
        assert!(is_unreadable(text), "{text:?}");
    }
}

#[test]
fn a_document_of_another_kind_is_named() {
    let [receipt, wallet, validators] = documents();
    assert!(receipt
        .clone()
        .wallet()
        .unwrap_err()
        .to_string()
        .contains("proof of a receipt, not a proof of a wallet"));
    assert!(wallet.validators().is_err() && validators.receipt().is_err() && receipt.validators().is_err());
}

/// The positions after every `{` of a text.
fn openings(text: &str) -> Vec<usize> {
    text.match_indices('{').map(|(at, _)| at + 1).collect()
}

#[test]
fn an_unknown_field_is_refused_wherever_it_stands() {
    for document in documents() {
        let text = serde_json::to_string(&document).unwrap();
        for at in openings(&text) {
            let more = format!("{}\"more\":1,{}", &text[..at], &text[at..]);
            assert!(is_unreadable(&more), "{more}");
        }
    }
}

#[test]
fn a_field_that_stands_twice_is_refused_wherever_it_stands() {
    for document in documents() {
        let text = serde_json::to_string(&document).unwrap();
        for at in openings(&text) {
            // The first field of the object again, with the value it has.
            let rest = &text[at..];
            let value = rest.find(':').unwrap() + 1;
            let mut values =
                serde_json::Deserializer::from_str(&rest[value..]).into_iter::<serde_json::Value>();
            values.next().unwrap().unwrap();
            let field = &rest[..value + values.byte_offset()];
            let twice = format!("{}{field},{rest}", &text[..at]);
            assert!(is_unreadable(&twice), "{twice}");
        }
    }
}

#[test]
fn text_after_the_end_is_refused() {
    for document in documents() {
        let text = serde_json::to_string(&document).unwrap();
        assert!(is_unreadable(&format!("{text} {{}}")));
        assert!(is_unreadable(&text[..text.len() - 1]));
    }
}

#[test]
fn fingerprints_tell_sets_apart() {
    let first = set(5, 4);
    let mut others = vec![set(6, 4), set(5, 3), set(5, 4), set(5, 4), set(5, 4)];
    others[2].genesis = H256([1; 32]);
    others[3].authorities[0].weight = 2;
    others[4].authorities.swap(0, 1);
    assert_eq!(first.fingerprint(), set(5, 4).fingerprint());
    for other in others {
        assert_ne!(first.fingerprint(), other.fingerprint(), "{other:?}");
    }
}
