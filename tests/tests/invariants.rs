//! Random histories of all calls, several gateways, reorganised blocks: invariants 1 to 4 and 6.

use std::sync::Mutex;

use frame_support::traits::GetCallMetadata;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use stipend_runtime::RuntimeCall;
use stipend_tests::model::{history, Coverage, World};

/// Histories in `make test`; `make test-long` asks for more through `PROPTEST_CASES`.
const CASES: u32 = 600;

/// Times that as many histories are added while a rare call was in none of them.
const ROUNDS_MAX: usize = 10;

/// Acts in one history.
const ACTS_MAX: usize = 120;

#[test]
fn no_history_of_calls_breaks_an_invariant() {
    let seed: [u8; 32] = match std::env::var("STIPEND_TEST_SEED") {
        Ok(text) => hex::decode(text).ok().and_then(|seed| seed.try_into().ok()).expect("64 hex digits"),
        Err(_) => rand::random(),
    };
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    println!("seed: STIPEND_TEST_SEED={}, {cases} histories", hex::encode(seed));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let coverage = Mutex::new(Coverage::new());
    for _ in 0..ROUNDS_MAX {
        runner
            .run(&history(ACTS_MAX), |acts| {
                coverage.lock().expect("no other thread").extend(World::run(&acts));
                Ok(())
            })
            .expect("the history printed above breaks an invariant");
        let missing = missing(&coverage.lock().expect("no other thread"));
        if missing.is_empty() {
            break;
        }
        println!("not carried out yet: {missing:?}");
    }

    let covered = coverage.into_inner().expect("no other thread");
    let missing = missing(&covered);
    assert!(missing.is_empty(), "no history carried out {missing:?}");
    println!("{} calls carried out", covered.len());
}

/// Calls of Stipend's pallets that no history has carried out.
fn missing(covered: &Coverage) -> Vec<String> {
    ["Roles", "Entitlements", "Pricing", "Receipts", "Settlement", "Merit"]
        .into_iter()
        .flat_map(|pallet| {
            RuntimeCall::get_call_names(pallet).iter().map(move |call| format!("{pallet}.{call}"))
        })
        .filter(|call| !covered.contains(call))
        .collect()
}
