//! Attestations, claims and votes.

use serde_json::{json, Value};
use sp_core::H256;
use stipend_primitives::{
    attestation::{Attestation, Claim, GpuUse, SignedAttestation, SignedClaim},
    settlement::{Item, Refund, Verdict, Vote},
    ClassId,
};

use super::{account, both, hex, scale, signature, GENESIS};

pub fn attestation() -> Value {
    let without_gpu = Attestation {
        provider: account(20),
        gateway: account(3),
        first_seq: 1_000_000,
        last_seq: 1_000_002,
        count: 2,
        input: 4_294_967_296,
        cached_input: 4_294_967_295,
        output: 4_294_967_295,
        root: H256([0xcd; 32]),
        gpu_time_ms: None,
        energy_mj: None,
    };
    let with_gpu =
        Attestation { gpu_time_ms: Some(12_345), energy_mj: Some(9_876_543), ..without_gpu.clone() };
    let attestations = [without_gpu, with_gpu].map(|attestation| {
        let payload = attestation.signing_payload(&GENESIS);
        let signed = SignedAttestation { attestation, signature: signature(20, &payload) };
        json!({ "payload": hex(payload), "signed": both(&signed) })
    });

    let claim = Claim {
        gateway: account(3),
        provider: account(20),
        first_seq: 1_000_000,
        last_seq: 1_000_002,
        requests: vec![(1_000_000, *b"first request..."), (1_000_002, [0xff; 16])],
    };
    let payload = claim.signing_payload(&GENESIS);
    let signed = SignedClaim { claim: claim.clone(), signature: signature(3, &payload) };
    json!({
        "genesis": hex(GENESIS),
        "attestations_by_seed_20": attestations,
        "claim": { "scale": scale(&claim), "payload": hex(payload), "signed_by_seed_3": scale(&signed) },
    })
}

pub fn vote() -> Value {
    let refunds = || {
        let refund = |number, class, amount| Refund { owner: account(number), class, amount };
        vec![refund(10, ClassId::INNOVATION, 1), refund(11, ClassId::PRIORITY, u128::MAX)].try_into().unwrap()
    };
    let item = Item { gateway: account(3), first_seq: 1_000_000, provider: account(20) };
    let verdicts = [
        Verdict::Match,
        Verdict::Adjust { provider_root: H256([0xcd; 32]), receipts: 2, refunds: refunds() },
        Verdict::Unattested { refunds: refunds() },
    ];
    let gpu = [GpuUse { time_ms: Some(12_345), energy_mj: Some(9_876_543) }, GpuUse::default()];
    let votes = verdicts.into_iter().zip(gpu.into_iter().cycle()).map(|(verdict, gpu)| {
        let vote = Vote { item: item.clone(), batch_hash: H256([0xef; 32]), verdict, gpu };
        let payload = vote.signing_payload(&GENESIS);
        json!({
            "verdict": both(&vote.verdict),
            "verdict_hash": hex(vote.verdict_hash()),
            "scale": scale(&vote),
            "payload": hex(payload),
            "signature_by_seed_30": hex(signature(30, &payload)),
        })
    });
    let votes: Vec<Value> = votes.collect();
    json!({ "genesis": hex(GENESIS), "item": both(&item), "votes": votes })
}
