#![allow(clippy::unwrap_used)]

use std::{collections::HashMap, path::Path};

use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use stipend_primitives::{
    attestation::{Claim, SignedAttestation, SignedClaim},
    batch::RECEIPTS_MAX,
    leaf::UsageLeaf,
    Digest,
};

use super::{book::UNKNOWN_MODEL, *};
use crate::{
    config::{EngineConfig, GatewayConfig},
    secret::TokenHash,
};

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
        engine: EngineConfig { authority: "127.0.0.1:1".parse().unwrap(), token: None },
        gateways: vec![GatewayConfig { account: gateway(), token: TokenHash::of("t") }],
        models: Vec::new(),
        limits,
        misreport: 0,
    }
}

fn small_limits() -> Limits {
    Limits { leaves_max: 40, unclaimed_max: 1_000, ..Limits::default() }
}

fn open(dir: &Path, limits: Limits) -> Store {
    let grain = Grain { segment_bytes_max: 2_000, held_back_max: 30, pruned_min: 1 };
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
    assert_eq!((leaves[2].model, leaves[2].usage), (UNKNOWN_MODEL, Usage::default()));
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

#[tokio::test]
async fn forgotten_ranges_stay_forgotten_and_are_not_attested_anew() {
    let dir = tempfile::tempdir().unwrap();
    let claims: Vec<_> =
        (0..30u16).map(|range| claim_of(u64::from(range) * 10, &[range * 2, range * 2 + 1])).collect();
    let oldest_kept;
    {
        let store = open(dir.path(), small_limits());
        for (range, claim) in claims.iter().enumerate() {
            meter(&store, range as u16 * 2).await;
            meter(&store, range as u16 * 2 + 1).await;
            store.claim(claim).await.unwrap();
        }
        store.sweep(now_ms()).await.unwrap();
        assert_eq!(store.sizes().2, 40);
        oldest_kept = attestation(&store, 100, 101).unwrap();
        assert!(matches!(store.claim(&claims[9]).await, Err(ClaimError::Conflict(_))));
        let oldest = store.log.prune_before(0).await.unwrap();
        assert!(oldest > 0, "the log's beginning is let go of");
    }
    // Twice, because the first opening's sweep must not lose the watermark either.
    for _ in 0..2 {
        let store = open(dir.path(), small_limits());
        assert_eq!(attestation(&store, 90, 91), None);
        assert!(matches!(store.claim(&claims[0]).await, Err(ClaimError::Conflict(_))));
        assert_eq!(attestation(&store, 100, 101).unwrap(), oldest_kept);
        store.sweep(now_ms()).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_refused_as_forgotten_outlives_the_log_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let old = claim_of(0, &[1]);
    {
        let store = open(dir.path(), small_limits());
        store.claim(&old).await.unwrap();
        store.sweep(now_ms() + 2 * 24 * 60 * 60 * 1000).await.unwrap();
        let said_at = store.log.next_position();
        for number in 0..200u16 {
            meter(&store, number + 2).await;
        }
        store.sweep(now_ms()).await.unwrap();
        assert!(store.log.prune_before(0).await.unwrap() > said_at);
    }
    let store = open(dir.path(), small_limits());
    assert!(matches!(store.claim(&old).await, Err(ClaimError::Conflict(_))));
}

#[tokio::test]
async fn a_request_that_waits_to_be_claimed_does_not_hold_the_log_back() {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = open(dir.path(), small_limits());
        meter(&store, 999).await;
        for number in 0..200u16 {
            meter(&store, number).await;
            store.claim(&claim_of(u64::from(number), &[number])).await.unwrap();
        }
        store.sweep(now_ms()).await.unwrap();
        assert!(store.log.prune_before(0).await.unwrap() > 200);
    }
    let store = open(dir.path(), small_limits());
    store.claim(&claim_of(500, &[999])).await.unwrap();
    assert_eq!(leaves_of(&store, 500, 500)[0].usage, usage(999));
}

#[tokio::test]
async fn what_is_never_claimed_is_forgotten_by_age() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Limits::default());
    meter(&store, 1).await;
    store.claim(&claim_of(0, &[1])).await.unwrap();
    meter(&store, 2).await;
    let _in_flight = store.begin(&gateway(), digest(3)).unwrap();
    let day_ms = 24 * 60 * 60 * 1000;
    store.sweep(now_ms() + day_ms / 2).await.unwrap();
    assert_eq!(store.sizes(), (2, 1, 1));
    store.sweep(now_ms() + day_ms + 60_000).await.unwrap();
    assert_eq!(store.sizes(), (1, 0, 0));
}

#[test]
fn a_data_folder_serves_one_provider_on_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), Limits::default()));
    let mut other = config(dir.path(), Limits::default());
    other.genesis = H256([8; 32]);
    assert!(matches!(Store::open(other), Err(OpenError::Foreign { .. })));
}

#[derive(Clone, Debug)]
enum Step {
    Meter(u16),
    Claim { gap: u8, numbers: Vec<u16> },
    Overlap(u8),
    Repeat(prop::sample::Index),
    Sweep,
    Reopen,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..60u16).prop_map(Step::Meter),
        3 => (0..3u8, prop::collection::vec(0..60u16, 1..6)).prop_map(|(gap, numbers)| Step::Claim { gap, numbers }),
        1 => (1..4u8).prop_map(Step::Overlap),
        1 => any::<prop::sample::Index>().prop_map(Step::Repeat),
        1 => Just(Step::Sweep),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// One attestation per range, ever; a request's usage in at most one range; and nothing of what
    /// was metered is lost, whatever is restarted and forgotten in between.
    #[test]
    fn any_history_attests_every_range_once(steps in prop::collection::vec(any_step(), 1..60)) {
        block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let mut store = open(dir.path(), small_limits());
            let mut next_seq = 0;
            let mut waiting: HashMap<u16, Usage> = HashMap::new();
            let mut claims: Vec<(SignedClaim, SignedAttestation)> = Vec::new();
            for step in steps {
                match step {
                    Step::Meter(number) => {
                        if meter(&store, number).await {
                            prop_assert!(waiting.insert(number, usage(number)).is_none());
                        }
                    }
                    Step::Claim { gap, numbers } => {
                        let first_seq = next_seq + u64::from(gap);
                        let claim = claim_of(first_seq, &numbers);
                        next_seq = claim.claim.last_seq + 1;
                        store.claim(&claim).await.unwrap();
                        for (leaf, number) in leaves_of(&store, first_seq, next_seq - 1).iter().zip(&numbers) {
                            prop_assert_eq!(leaf.usage, waiting.remove(number).unwrap_or_default());
                        }
                        let signed = attestation(&store, first_seq, next_seq - 1).unwrap();
                        claims.push((claim, signed));
                    }
                    Step::Overlap(back) => {
                        if let Some(first_seq) = next_seq.checked_sub(u64::from(back)) {
                            // It may lie in a gap; then it is a claim like any other, of nothing.
                            let _ = store.claim(&claim_of(first_seq, &[1_000])).await;
                            next_seq = next_seq.max(first_seq + 1);
                        }
                    }
                    Step::Repeat(index) => {
                        if !claims.is_empty() {
                            // Repeated, or too old: never new.
                            let again = store.claim(&index.get(&claims).0).await;
                            let is_new = matches!(again, Ok(Claimed::New { .. }));
                            prop_assert!(!is_new);
                        }
                    }
                    Step::Sweep => store.sweep(now_ms()).await.unwrap(),
                    Step::Reopen => {
                        drop(store);
                        store = open(dir.path(), small_limits());
                    }
                }
                for (claim, signed) in &claims {
                    let now = attestation(&store, claim.claim.first_seq, claim.claim.last_seq);
                    prop_assert!(now.is_none_or(|now| now == *signed));
                }
            }
            Ok(())
        })?;
    }
}
