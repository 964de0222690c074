//! What is forgotten, when, and that it stays so.

use super::*;

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

#[tokio::test]
async fn ranges_that_can_still_be_open_outlive_the_bound_on_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), small_limits());
    for range in 0..25 {
        store.claim(&claim_of(range * 3, &[1, 2, 3])).await.unwrap();
    }
    store.sweep(now_ms()).await.unwrap();
    let (_, ranges, leaves) = store.sizes();
    assert_eq!((ranges, leaves), (20, 60), "the newest 20, though 40 leaves are the bound");
    assert_eq!(attestation(&store, 12, 14), None);
    assert!(attestation(&store, 15, 17).is_some());
    store.sweep(now_ms() + 2 * 24 * 60 * 60 * 1000).await.unwrap();
    assert_eq!(store.sizes().1, 0, "nothing outlives its age");
    assert_eq!(Grain::default().ranges_open_max, 272, "what the chain and a gateway leave open");
}
