#![allow(clippy::unwrap_used)]

use super::*;
use sp_core::H256;
use stipend_sdk::primitives::{
    cost::Usage,
    leaf::{BatchCommitment, ReceiptLeaf, UsageLeaf},
    ModelId,
};

fn account(name: &str) -> AccountId {
    parse::account(name).unwrap()
}

#[test]
fn a_proven_receipt_is_shown_with_its_exact_cost() {
    let receipt = ReceiptLeaf {
        leaf: UsageLeaf {
            seq: 7,
            model: ModelId(0),
            usage: Usage { input: 1, cached_input: 2, output: 3 },
            digest: [5; 16],
        },
        wallet: account("//Dave"),
        provider: account("//Eve"),
        book: 1,
        priority_fee: 9,
    };
    let commitment =
        BatchCommitment { gateway: account("//Ferdie"), first_seq: 0, last_seq: 9, root: H256([1; 32]) };
    let verified = VerifiedReceipt { receipt, commitment, block_number: 12, block_hash: H256([2; 32]) };
    let answer = verified_answer(&verified, &account("//Ferdie"), "tiny", Some(1_234_567), "by me").unwrap();
    assert_eq!(answer.json["cost"], "1234567");
    assert_eq!(answer.json["priority_fee"], "9");
    assert_eq!(answer.json["verified"], true);
    assert!(answer.human.contains("1.234567 credits"));
    assert!(answer.human.contains("finalised block 12, by me"));
    let answer = verified_answer(&verified, &account("//Ferdie"), "0", None, "by me").unwrap();
    assert_eq!(answer.json["cost"], serde_json::Value::Null);
    assert!(answer.human.contains("price book 1"));
}
