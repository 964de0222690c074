//! A gateway that is killed at any moment loses no acknowledged request and charges none twice.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    sync::Arc,
    time::Duration,
};

use anyhow::{ensure, Result};
use rand::{rngs::StdRng, Rng, SeedableRng};
use stipend_tests::{
    audit,
    company::{MODEL_GENERAL, MODEL_REASONING},
    observer::Observer,
    replay::{Call, Replay},
    stage::{Setup, Stage},
    trace,
};

/// Times that the gateway is killed.
const ROUNDS: usize = 20;

/// Requests replayed meanwhile.
const REQUESTS: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_lose_nothing_and_double_nothing() -> Result<()> {
    let seed: u64 =
        std::env::var("STIPEND_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random);
    println!("seed: STIPEND_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let setup = Setup { dir: "test-gateway-crash", ..Default::default() };
    let mut stage = Stage::set(setup).await?;
    let observer = Observer::start(stage.client.clone());

    let acknowledged = Arc::new(AtomicUsize::new(0));
    let counter = acknowledged.clone();
    let replay = Replay { gateway_url: stage.gateway_url(), speed: 1.0, attempts_max: 1_000 };
    let calls = calls(&stage)?;
    let replaying = tokio::spawn(async move {
        replay
            .run(calls, move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
            })
            .await
    });

    for round in 1..=ROUNDS {
        // Long enough to get something done, short enough that requests are always under way.
        tokio::time::sleep(Duration::from_millis(random.gen_range(200..1_600))).await;
        stage.gateway.process.kill();
        println!("kill {round}: {} of {REQUESTS} acknowledged", acknowledged.load(Ordering::Relaxed));
        stage.restart_gateway().await?;
    }
    ensure!(
        acknowledged.load(Ordering::Relaxed) < REQUESTS,
        "every request was answered before the last kill: the test did not test its last rounds"
    );
    let answers = replaying.await??;
    audit::wait_until_final(&observer, &answers, Duration::from_secs(90)).await?;
    // A gateway that just came back may still have receipts to submit.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let audited = audit::check(&stage.client, &stage.company, &observer).await?;
    println!("{} receipts for {REQUESTS} acknowledged requests; 0 lost, 0 doubled", audited.receipts);
    Ok(())
}

/// Requests of the trace, evenly over the time that the kills take.
fn calls(stage: &Stage) -> Result<Vec<Call>> {
    Ok(trace::requests(REQUESTS)?
        .into_iter()
        .enumerate()
        .map(|(index, mut request)| {
            request.at = Duration::from_millis(100) * index as u32;
            Call {
                index,
                request,
                api_key: stage.company.employees[index % stage.company.employees.len()].api_key.clone(),
                model: if index % 2 == 0 { MODEL_GENERAL } else { MODEL_REASONING }.into(),
                stream: index % 3 == 0,
            }
        })
        .collect())
}
