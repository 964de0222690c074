//! Any history of requests, claims, restarts and forgetting.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

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
