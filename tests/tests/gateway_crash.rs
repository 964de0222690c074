//! Gateway, attestors and node are killed at any moment: no acknowledged request is lost, and none is charged twice.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{ensure, Result};
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use stipend_tests::{
    audit,
    company::{MODEL_GENERAL, MODEL_REASONING},
    observer::Observer,
    replay::{Call, Replay},
    stage::{Setup, Stage},
    trace,
};

/// How much of it there is.
struct Campaign {
    /// Times that somebody is killed.
    kills: usize,
    /// Requests replayed meanwhile.
    requests: usize,
    /// Time between two requests.
    pause: Duration,
}

/// What a change must pass.
const SHORT: Campaign = Campaign { kills: 20, requests: 400, pause: Duration::from_millis(100) };

/// What `make test-long` runs.
const LONG: Campaign = Campaign { kills: 200, requests: 10_000, pause: Duration::from_millis(30) };

/// Requests taken from the trace; more begin anew.
const TRACED: usize = 1_000;

/// How long the requests between two kills may take: a node that comes back has to be followed again first.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Clone, Copy, Debug)]
enum Victim {
    Gateway,
    Attestor(usize),
    Node,
}

/// In each six kills these, in a random order: the gateway holds what callers were told, so it is every other one.
const VICTIMS: [Victim; 6] = [
    Victim::Gateway,
    Victim::Gateway,
    Victim::Gateway,
    Victim::Attestor(0),
    Victim::Attestor(1),
    Victim::Node,
];

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing_and_double_nothing() -> Result<()> {
    let Campaign { kills, requests, pause } =
        if std::env::var_os("STIPEND_TEST_LONG").is_some() { LONG } else { SHORT };
    let seed: u64 =
        std::env::var("STIPEND_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random);
    println!("seed: STIPEND_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let setup = Setup { dir: "test-gateway-crash", ..Default::default() };
    let mut stage = Stage::set(setup).await?;
    let observer = Observer::start(stage.client.clone());

    let acknowledged = Arc::new(AtomicUsize::new(0));
    let counter = acknowledged.clone();
    let replay = Replay { gateway_url: stage.gateway_url(), speed: 1.0, attempts_max: 3_000 };
    let calls = calls(&stage, requests, pause)?;
    let replaying = tokio::spawn(async move {
        replay
            .run(calls, move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
            })
            .await
    });

    // Each kill at a random moment of its share of the requests: so all of them come while requests are under way.
    let share = requests / (kills + 1);
    let mut next = Vec::new();
    for kill in 1..=kills {
        let at = share * kill + random.gen_range(0..share);
        let began = Instant::now();
        while acknowledged.load(Ordering::Relaxed) < at {
            ensure!(began.elapsed() < PATIENCE, "{at} requests were not acknowledged in {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if next.is_empty() {
            next.extend(VICTIMS);
            next.shuffle(&mut random);
        }
        let victim = next.pop().unwrap_or(Victim::Gateway);
        match victim {
            Victim::Gateway => stage.restart_gateway().await?,
            Victim::Attestor(at) => stage.restart_attestor(at).await?,
            Victim::Node => stage.restart_node().await?,
        }
        println!("kill {kill}: {victim:?} after {at} of {requests} were acknowledged");
    }
    let answers = replaying.await??;
    audit::wait_until_final(&observer, &answers, Duration::from_secs(90)).await?;
    // A gateway that just came back may still have receipts to submit.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let audited = audit::check(&stage.client, &stage.company, &observer).await?;
    println!("{} receipts for {requests} acknowledged requests; 0 lost, 0 doubled", audited.receipts);
    Ok(())
}

/// Requests of the trace, evenly over time.
fn calls(stage: &Stage, requests: usize, pause: Duration) -> Result<Vec<Call>> {
    let trace = trace::requests(requests.min(TRACED))?;
    Ok((0..requests)
        .map(|index| {
            let mut request = trace[index % trace.len()];
            request.at = pause * index as u32;
            Call {
                index,
                request,
                api_key: stage.company.employees[index % stage.company.employees.len()].api_key.clone(),
                // The dear model seldom enough that the long campaign fits the wallets.
                model: if index % 4 == 3 { MODEL_REASONING } else { MODEL_GENERAL }.into(),
                stream: index % 3 == 0,
            }
        })
        .collect())
}
