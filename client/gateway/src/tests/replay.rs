//! Any history of requests, blocks, batches lost by the pool and crashes.

use std::{collections::HashMap, sync::Arc, time::Duration};

use proptest::prelude::*;
use stipend_openai::{Endpoint, RequestView};
use stipend_primitives::{cost::Usage, key, key::KeyLimits, AccountId, ClassId, Credits, Digest};

use super::{fake_chain::FakeChain, harness::*};
use crate::{
    admission::admit,
    exchange::{charge_for_test as charge, Served},
    start::StartError,
    telemetry::RequestSpan,
    terms::Terms,
};

#[derive(Clone, Debug)]
enum Step {
    /// These requests run at the same time: whose, and how many tokens come out.
    Serve(Vec<(u8, u32)>),
    Blocks(u8),
    Wait(u8),
    /// The process is killed; the pool may forget what it had.
    Crash {
        pool_forgets: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec((0..3u8, 0..40u32), 1..12).prop_map(Step::Serve),
        2 => (1..4u8).prop_map(Step::Blocks),
        2 => (1..20u8).prop_map(Step::Wait),
        2 => any::<bool>().prop_map(|pool_forgets| Step::Crash { pool_forgets }),
    ]
}

fn owner(number: u8) -> AccountId {
    AccountId::new([20 + number; 32])
}

fn key_of(number: u8) -> String {
    format!("key {number}")
}

/// What was acknowledged: who is to pay what for which request.
type Acknowledged = HashMap<Digest, (AccountId, Credits)>;

async fn serve(setup: &Setup, requests: &[(u8, u32)], acknowledged: &mut Acknowledged) {
    let served = requests.iter().map(|(number, output)| async move {
        let state = setup.engine().state.clone();
        let body = br#"{"model":"m","max_tokens":40,"messages":[{"role":"user","content":"hello"}]}"#;
        let known = state.keys.get(&key::hash(&key_of(*number)))?;
        let view = RequestView::read(Endpoint::Chat, body).unwrap();
        let admitted = admit(&state, &known, &view, Terms::default()).await.ok()?;
        let digest: Digest = rand::random();
        let usage = Usage { input: 7, cached_input: 3, output: *output };
        let provider = &setup.config.upstreams[0].provider;
        let (request_sha256, response_sha256) = ([1; 32], [2; 32]);
        let (endpoint, span) = (Endpoint::Chat, &RequestSpan::default());
        let served =
            Served { provider, digest, model: "m", usage, request_sha256, response_sha256, endpoint, span };
        let charged = charge(&state, admitted, served).await.ok()?;
        Some((digest, (owner(*number), charged.cost)))
    });
    acknowledged.extend(futures::future::join_all(served).await.into_iter().flatten());
}

async fn history(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut setup = Setup::with(1, |config| config.batch.receipts_max = 10).await;
    setup.chain.change(|ledger| {
        for number in 0..3 {
            ledger.endow(&owner(number), ClassId::INNOVATION, 300_000 * Credits::from(number + 1));
            ledger.set_key(&key_of(number), &owner(number), KeyLimits::default());
        }
    });
    until("the keys are known", || setup.engine().state.keys.get(&key::hash(&key_of(2))).is_some()).await;
    let mut acknowledged = Acknowledged::new();
    for step in steps {
        match step {
            Step::Serve(requests) => serve(&setup, &requests, &mut acknowledged).await,
            Step::Blocks(count) => (0..count).for_each(|_| setup.chain.produce()),
            Step::Wait(millis) => tokio::time::sleep(Duration::from_millis(millis.into())).await,
            Step::Crash { pool_forgets } => {
                setup.crash().await;
                if pool_forgets {
                    setup.chain.forget_pool();
                }
                setup.start().await;
            }
        }
    }
    // One more start, so that what a forgetful pool lost is handed in at once.
    setup.crash().await;
    setup.start().await;
    setup.charged(acknowledged.len()).await;
    check(&setup.chain, &acknowledged)?;
    for number in 0..3 {
        check_balance(&setup, &owner(number)).await;
    }
    Ok(())
}

fn check(chain: &Arc<FakeChain>, acknowledged: &Acknowledged) -> Result<(), TestCaseError> {
    let digests = chain.now(|ledger| ledger.digests.clone());
    for digest in &digests {
        prop_assert!(acknowledged.contains_key(digest), "a request was charged that was not acknowledged");
    }
    let mut distinct = digests.clone();
    distinct.sort_unstable();
    distinct.dedup();
    prop_assert_eq!(distinct.len(), digests.len(), "a request was charged twice");
    for number in 0..3 {
        let due: Credits =
            acknowledged.values().filter(|(who, _)| *who == owner(number)).map(|(_, cost)| cost).sum();
        let spent = chain.now(|ledger| ledger.pot(&owner(number), ClassId::INNOVATION).spent);
        prop_assert_eq!(spent, due);
    }
    prop_assert_eq!(chain.now(|ledger| ledger.uncollected), 0);
    prop_assert!(chain.variants().iter().all(|count| *count == 1), "a batch was handed in with other bytes");
    Ok(())
}

/// When all is finalised, what can be held is what the chain has reserved.
async fn check_balance(setup: &Setup, owner: &AccountId) {
    let account = setup.engine().state.wallets.get(owner).unwrap().account(ClassId::INNOVATION).unwrap();
    until("what can be held is what is reserved", || {
        let reserved = setup.chain.now(|ledger| ledger.pot(owner, ClassId::INNOVATION).reserved);
        account.figures().held == 0 && u128::try_from(account.free()) == Ok(reserved)
    })
    .await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn every_acknowledged_request_is_charged_exactly_once_whatever_crashes(
        steps in prop::collection::vec(step(), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(history(steps))?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_after_everything_was_done_and_forgotten() {
    let mut setup = Setup::new().await;
    for round in 1..4 {
        assert_eq!(setup.chat("ok").await.status, 200);
        setup.charged(round).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        setup.crash().await;
        setup.start().await;
    }
    assert_eq!(setup.chain.variants(), [1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_data_folder_begins_anew_and_an_old_copy_refuses_to_start() {
    let mut setup = Setup::new().await;
    assert_eq!(setup.chat("ok").await.status, 200);
    setup.charged(1).await;
    setup.crash().await;
    let (data, copy) = (setup.config.data_dir.clone(), setup.config.data_dir.with_extension("copy"));
    std::fs::rename(&data, &copy).unwrap();
    setup.start().await;
    assert_eq!(setup.chat("ok").await.status, 200);
    setup.charged(2).await;
    setup.crash().await;
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::rename(&copy, &data).unwrap();
    let refused = crate::start::start(&setup.config, setup.chain.clone()).await;
    assert!(matches!(refused.err(), Some(StartError::BehindChain { next_seq: 2, log_end: 1 })));
}
