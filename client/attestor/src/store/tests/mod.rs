#![allow(clippy::unwrap_used)]

mod forgetting;
mod history;

use std::path::Path;

use ed25519_dalek::{Signer, SigningKey};
use stipend_primitives::{
    attestation::{Claim, SignedAttestation, SignedClaim},
    batch::RECEIPTS_MAX,
    leaf::UsageLeaf,
    Digest,
};

use super::*;
use crate::{
    config::{EngineConfig, GatewayConfig},
    secret::TokenHash,
};

impl Store {
    async fn claim(&self, signed: &SignedClaim) -> Result<Claimed, ClaimError> {
        self.claim_after(async {}, signed).await
    }
}

const GENESIS: H256 = H256([7; 32]);
const PROVIDER: AccountId = AccountId::new([9; 32]);

fn gateway_key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

fn gateway() -> AccountId {
    AccountId::new(gateway_key().verifying_key().to_bytes())
}

fn config(dir: &Path, limits: Limits) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        provider: PROVIDER,
        key: AttestationKey::from_hex(&"05".repeat(32)).unwrap(),
        data_dir: dir.to_path_buf(),
        genesis: GENESIS,
        engine: EngineConfig {
            kind: None,
            authority: "127.0.0.1:1".parse().unwrap(),
            token: None,
            try_priorities: false,
        },
        evidence: None,
        gpu: None,
        gateways: vec![GatewayConfig { account: gateway(), token: TokenHash::of("t"), signs: false }],
        models: Vec::new(),
        limits,
        misreport: 0,
    }
}

fn small_limits() -> Limits {
    Limits { leaves_max: 40, unclaimed_max: 1_000, ..Limits::default() }
}

fn open(dir: &Path, limits: Limits) -> Store {
    let grain = Grain { segment_bytes_max: 2_000, held_back_max: 30, pruned_min: 1, ranges_open_max: 20 };
    Store::open_with(config(dir, limits), grain).unwrap()
}

fn digest(number: u16) -> Digest {
    let mut digest = [0; 16];
    digest[..2].copy_from_slice(&number.to_be_bytes());
    digest
}

fn usage(number: u16) -> Usage {
    Usage { input: u32::from(number) + 1, cached_input: 1, output: 2 }
}

async fn meter(store: &Store, number: u16) -> bool {
    let Ok(ticket) = store.begin(&gateway(), digest(number)) else { return false };
    store.meter(ticket, ModelId(4), usage(number)).await.unwrap();
    true
}

fn signed(claim: Claim) -> SignedClaim {
    let signature = gateway_key().sign(&claim.signing_payload(&GENESIS)).to_bytes();
    SignedClaim { claim, signature }
}

/// A claim for the range from `first_seq` on whose requests are `numbers`.
fn claim_of(first_seq: Sequence, numbers: &[u16]) -> SignedClaim {
    let requests: Vec<_> = (first_seq..).zip(numbers.iter().map(|number| digest(*number))).collect();
    let last_seq = first_seq + numbers.len().max(1) as u64 - 1;
    signed(Claim { gateway: gateway(), provider: PROVIDER, first_seq, last_seq, requests })
}

fn leaves_of(store: &Store, first_seq: Sequence, last_seq: Sequence) -> Vec<UsageLeaf> {
    UsageLeaf::read_all(&store.range(&gateway(), first_seq, last_seq).unwrap().leaves).unwrap()
}

fn attestation(store: &Store, first_seq: Sequence, last_seq: Sequence) -> Option<SignedAttestation> {
    store.range(&gateway(), first_seq, last_seq).map(|range| range.signed.clone())
}

fn block_on<F: std::future::Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[tokio::test]
async fn a_claim_is_attested_from_what_was_metered() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Limits::default());
    for number in 0..3 {
        assert!(meter(&store, number).await);
    }
    let claim = claim_of(10, &[2, 0, 77]);
    assert_eq!(store.claim(&claim).await.unwrap(), Claimed::New { unknown_count: 1 });

    let signed = attestation(&store, 10, 12).unwrap();
    let key = AttestationKey::from_hex(&"05".repeat(32)).unwrap().public();
    assert!(signed.verifies(&GENESIS, &key));
    let leaves = leaves_of(&store, 10, 12);
    assert_eq!(signed.attestation.root, UsageLeaf::root(&leaves));
    assert_eq!(leaves[0], UsageLeaf { seq: 10, model: ModelId(4), usage: usage(2), digest: digest(2) });
    assert_eq!((leaves[2].model, leaves[2].usage), (ModelId::UNKNOWN, Usage::default()));
    assert_eq!((signed.attestation.count, signed.attestation.input), (3, 4));
    assert_eq!(store.claim(&claim).await.unwrap(), Claimed::Repeated);
    assert_eq!(attestation(&store, 10, 11), None, "only the range that was claimed");
}

#[tokio::test]
async fn a_request_counts_once_however_often_it_is_claimed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Limits::default());
    meter(&store, 1).await;
    store.claim(&claim_of(0, &[1, 1])).await.unwrap();
    store.claim(&claim_of(2, &[1])).await.unwrap();
    let leaves = [leaves_of(&store, 0, 1), leaves_of(&store, 2, 2)].concat();
    assert_eq!(leaves.iter().map(|leaf| leaf.usage.output).collect::<Vec<_>>(), [2, 0, 0]);
}

#[tokio::test]
async fn contradicting_claims_are_refused_and_gaps_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Limits::default());
    store.claim(&claim_of(10, &[1, 2, 3])).await.unwrap();
    for refused in [claim_of(10, &[1, 2, 4]), claim_of(10, &[1]), claim_of(12, &[9]), claim_of(8, &[7, 8, 9])]
    {
        assert!(matches!(store.claim(&refused).await, Err(ClaimError::Conflict(_))));
    }
    store.claim(&claim_of(20, &[5])).await.unwrap();
    store.claim(&claim_of(7, &[6, 7, 8])).await.unwrap();
}

#[tokio::test]
async fn claims_that_are_not_the_gateways_or_not_well_formed_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Limits::default());
    let good = claim_of(0, &[1]);
    let mut forged = good.clone();
    forged.claim.requests[0].1 = digest(2);
    assert!(matches!(store.claim(&forged).await, Err(ClaimError::BadSignature)));

    let change = |change: fn(&mut Claim)| {
        let mut claim = good.claim.clone();
        change(&mut claim);
        signed(claim)
    };
    let stranger = change(|claim| claim.gateway = AccountId::new([1; 32]));
    assert!(matches!(store.claim(&stranger).await, Err(ClaimError::UnknownGateway)));
    let elsewhere = change(|claim| claim.provider = AccountId::new([1; 32]));
    assert!(matches!(store.claim(&elsewhere).await, Err(ClaimError::OtherProvider)));
    for malformed in [
        change(|claim| claim.requests.clear()),
        change(|claim| claim.first_seq = 1),
        change(|claim| claim.last_seq = u64::from(RECEIPTS_MAX)),
        change(|claim| claim.requests.push((0, digest(3)))),
    ] {
        assert!(matches!(store.claim(&malformed).await, Err(ClaimError::Malformed(_))));
    }
}

#[tokio::test]
async fn a_digest_is_for_one_request() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Limits { unclaimed_max: 2, ..Limits::default() });
    let in_flight = store.begin(&gateway(), digest(1)).unwrap();
    assert_eq!(store.begin(&gateway(), digest(1)).err(), Some(CannotBegin::Repeated));
    drop(in_flight);
    assert!(meter(&store, 1).await, "a request that failed lets its digest go");
    assert_eq!(store.begin(&gateway(), digest(1)).err(), Some(CannotBegin::Repeated));
    store.claim(&claim_of(0, &[1])).await.unwrap();
    assert_eq!(store.begin(&gateway(), digest(1)).err(), Some(CannotBegin::Repeated));

    let _one = store.begin(&gateway(), digest(2)).unwrap();
    let _two = store.begin(&gateway(), digest(3)).unwrap();
    assert_eq!(store.begin(&gateway(), digest(4)).err(), Some(CannotBegin::Full));
}

#[test]
fn a_data_folder_serves_one_provider_on_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), Limits::default()));
    let mut other = config(dir.path(), Limits::default());
    other.genesis = H256([8; 32]);
    assert!(matches!(Store::open(other), Err(OpenError::Foreign { .. })));
}

#[tokio::test]
async fn what_the_gpus_did_is_attested_once_and_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let share = |time_us, energy_uj| Share { time_us: Some(time_us), energy_uj: Some(energy_uj) };
    let before;
    {
        let store = open(dir.path(), Limits::default());
        for number in 0..3 {
            meter(&store, number).await;
        }
        let book = &store.books[&gateway()];
        book.measured(&digest(0), share(1_500, 2_700));
        book.measured(&digest(1), share(700, 400));
        store.claim(&claim_of(0, &[0, 1])).await.unwrap();
        store.claim(&claim_of(2, &[2])).await.unwrap();
        before = attestation(&store, 0, 1).unwrap();
        assert_eq!((before.attestation.gpu_time_ms, before.attestation.energy_mj), (Some(2), Some(3)));
        let unknown = attestation(&store, 2, 2).unwrap().attestation;
        assert_eq!((unknown.gpu_time_ms, unknown.energy_mj), (None, None), "absent, not zero");
        book.measured(&digest(0), share(9_999, 9_999));
        assert_eq!(attestation(&store, 0, 1).unwrap(), before);
        meter(&store, 3).await;
        book.measured(&digest(3), share(1_000, 1_000));
    }
    let store = open(dir.path(), Limits::default());
    assert_eq!(attestation(&store, 0, 1).unwrap(), before);
    store.claim(&claim_of(3, &[3])).await.unwrap();
    let lost = attestation(&store, 3, 3).unwrap().attestation;
    assert_eq!((lost.gpu_time_ms, lost.output), (None, 2), "a restart forgets what was not attested");
}
