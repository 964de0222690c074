//! Batches, leaves and roots.

use codec::Encode;
use serde_json::{json, Value};
use stipend_primitives::{
    batch::{Batch, Line, Record, SignedBatch},
    cost::Usage,
    leaf::{BatchCommitment, ReceiptLeaf, UsageLeaf, COMMITMENT_TAG, RECEIPT_LEAF_LEN},
    merkle::{prove, RootBuilder},
    ModelId,
};

use super::{account, hex, scale, signature, GENESIS};

fn records() -> [Record; 3] {
    [
        Record {
            wallet: 0,
            line: 0,
            usage: Usage { input: 1_200, cached_input: 300, output: 250 },
            priority_fee: 0,
            digest: *b"first request...",
        },
        Record {
            wallet: 1,
            line: 1,
            usage: Usage { input: 1, cached_input: 0, output: 0 },
            priority_fee: 77,
            digest: *b"second request..",
        },
        Record {
            wallet: 0,
            line: 1,
            usage: Usage { input: u32::MAX, cached_input: u32::MAX, output: u32::MAX },
            priority_fee: u32::MAX,
            digest: [0xff; 16],
        },
    ]
}

fn batch_of_three() -> Batch {
    let line = |provider, book, model| Line { provider: account(provider), book, model: ModelId(model) };
    Batch {
        gateway: account(3),
        first_seq: 1_000_000,
        wallets: vec![account(10), account(11)].try_into().unwrap(),
        lines: vec![line(20, 4, 0), line(21, 5, 65_534)].try_into().unwrap(),
        records: records().iter().flat_map(Record::to_bytes).collect::<Vec<_>>().try_into().unwrap(),
    }
}

pub fn batch() -> Value {
    let batch = batch_of_three();
    let payload = batch.signing_payload(&GENESIS);
    let signed = SignedBatch { batch: batch.clone(), signature: signature(3, &payload) };
    json!({
        "genesis": hex(GENESIS),
        "records": records().map(|record| hex(record.to_bytes())),
        "line": scale(&batch.lines[1]),
        "scale": scale(&batch),
        "hash": hex(batch.hash()),
        "last_seq": batch.last_seq(),
        "payload": hex(payload),
        "signature_by_seed_3": hex(signed.signature),
        "signed_scale": scale(&signed),
    })
}

fn receipt_leaves() -> Vec<ReceiptLeaf> {
    (0..3).map(|index| ReceiptLeaf::of(&batch_of_three(), index).unwrap()).collect()
}

pub fn leaf() -> Value {
    let leaves = receipt_leaves();
    let mut builder = RootBuilder::new(RECEIPT_LEAF_LEN);
    leaves.iter().for_each(|leaf| builder.push(&leaf.to_bytes()));
    let root = builder.finish();
    let commitment = BatchCommitment { gateway: account(3), first_seq: 1_000_000, last_seq: 1_000_002, root };
    let of_provider: Vec<UsageLeaf> = leaves[1..].iter().map(|leaf| leaf.leaf).collect();
    json!({
        "usage_leaves": leaves.iter().map(|leaf| hex(leaf.leaf.to_bytes())).collect::<Vec<_>>(),
        "receipt_leaves": leaves.iter().map(|leaf| hex(leaf.to_bytes())).collect::<Vec<_>>(),
        "receipts_root": hex(root),
        "second_providers_root": hex(UsageLeaf::root(&of_provider)),
        "commitment": scale(&commitment),
        "digest_item_other": hex([COMMITMENT_TAG.as_slice(), &commitment.encode()].concat()),
    })
}

/// Leaves whose four bytes are their index.
fn index_leaves(count: u32) -> Vec<u8> {
    (0..count).flat_map(u32::to_le_bytes).collect()
}

pub fn merkle() -> Value {
    let root = |count: u32| {
        let mut builder = RootBuilder::new(4);
        index_leaves(count).chunks(4).for_each(|leaf| builder.push(leaf));
        json!({ "leaves": count, "root": hex(builder.finish()) })
    };
    let proof = |count: u32, index: u64| {
        let proof = prove(&index_leaves(count), 4, index).unwrap();
        json!({
            "leaves": count,
            "index": index,
            "path": proof.path.iter().map(hex).collect::<Vec<_>>(),
            "chunk_len": proof.chunk.len(),
            "scale_blake2_256": hex(sp_io::hashing::blake2_256(&proof.encode())),
        })
    };
    let counts = [0, 1, 2, 127, 128, 129, 255, 256, 257, 384, 385, 1_000, 50_000];
    json!({
        "leaf": "four bytes, the leaf's index little-endian",
        "roots": counts.map(root),
        "proofs": [proof(1, 0), proof(129, 128), proof(385, 0), proof(385, 384), proof(50_000, 33_333)],
        "proof_of_three_scale": scale(&prove(&index_leaves(3), 4, 1).unwrap()),
    })
}
