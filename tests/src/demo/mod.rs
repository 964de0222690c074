//! The main job: a basket is minted, the trace is replayed, every batch is settled, and the books
//! are checked against a computation of their own.

mod books;
mod report;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{bail, Context, Result};
use stipend_primitives::Digest;

use crate::{
    company::{Company, MODEL_GENERAL, MODEL_REASONING},
    observer::Observer,
    progress::bar,
    replay::{Answer, Call, Replay},
    stage::{Setup, Stage},
    trace,
    wallet_service::WalletService,
};

/// Requests of the trace that are replayed.
const REQUESTS: usize = 300;

/// How many times faster than the trace: its first 300 requests arrived within 217 s.
const SPEED: f64 = 12.0;

/// Requests that the second provider understates.
pub(crate) const MISREPORTED: u32 = 3;

/// How long every batch may take to be settled after the last answer.
const SETTLEMENT_TIMEOUT: Duration = Duration::from_secs(180);

/// How the demo is run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Leave everything running until Ctrl-C.
    pub keep: bool,
    /// A real engine behind the first provider: address and the name it gives its model.
    pub engine: Option<(String, String)>,
    /// Folder under `target` for logs and data, where it is not `demo`.
    pub dir: Option<&'static str>,
}

impl Options {
    /// Reads `KEEP`, `ENGINE_URL` and `ENGINE_MODEL`.
    pub fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let engine = variable("ENGINE_URL").map(|url| {
            let url = url.trim_end_matches('/').trim_end_matches("/v1").to_string();
            (url, variable("ENGINE_MODEL").unwrap_or_else(|| "default".into()))
        });
        Options { keep: variable("KEEP").is_some_and(|value| value != "0"), engine, dir: None }
    }
}

/// Runs the demo; an error names the first thing that does not hold.
pub async fn run(options: Options) -> Result<()> {
    let started = Instant::now();
    let setup = Setup {
        dir: options.dir.unwrap_or("demo"),
        engine: options.engine.clone(),
        misreport: MISREPORTED,
        ..Default::default()
    };
    let stage = Stage::set(setup).await?;
    let observer = Observer::start(stage.client.clone());

    let answers = replay(&stage, &options).await?;
    println!("{} requests answered.", answers.len());
    wait_until_settled(&observer, &answers).await?;

    let checks = books::check(&stage, &observer, &answers).await?;
    report::print(&stage, &observer, &answers, &checks).await?;
    if !checks.failures.is_empty() {
        bail!("{}", checks.failures.join("; "));
    }
    println!("\nThe books balance to the micro-credit. Done in {:.0} s.", started.elapsed().as_secs_f64());
    if options.keep {
        let url = stage.endpoints().into_iter().find(|(name, _)| *name == "STIPEND_RPC_URL");
        let wallet = WalletService::start(&stage.dir, &url.context("the chain has no address")?.1).await?;
        println!("The wallets' pages: {}", wallet.service.url);
        println!("  stipend --key target/demo/keys/ada wallet sign-in {}", wallet.service.url);
        println!("Everything keeps running until Ctrl-C; addresses are in target/demo/endpoints.env.");
        tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")?;
    }
    Ok(())
}

/// Which employee, provider and form a request of the trace gets.
fn calls(company: &Company, options: &Options) -> Result<Vec<Call>> {
    let requests = trace::requests(REQUESTS)?;
    Ok(requests
        .into_iter()
        .enumerate()
        .map(|(index, mut request)| {
            let model = model_of(index);
            if options.engine.is_some() && model == MODEL_GENERAL {
                // A real model on a small machine cannot keep up with a production service.
                request.input = request.input.min(48);
                request.output = request.output.min(8);
            }
            let employee = &company.employees[employee_of(index, company.employees.len())];
            Call {
                index,
                request,
                api_key: employee.api_key.clone(),
                model: model.into(),
                // A third of the requests, spread over employees and models.
                stream: (index / 6) % 3 == 0,
            }
        })
        .collect())
}

/// The employee of a request of the trace.
pub(crate) fn employee_of(index: usize, employees: usize) -> usize {
    index % employees
}

/// The model of a request of the trace.
pub(crate) fn model_of(index: usize) -> &'static str {
    if index.is_multiple_of(2) {
        MODEL_GENERAL
    } else {
        MODEL_REASONING
    }
}

async fn replay(stage: &Stage, options: &Options) -> Result<Vec<Answer>> {
    let bar = Arc::new(bar("replaying", REQUESTS as u64));
    let ticks = bar.clone();
    let speed = if options.engine.is_some() { SPEED / 4.0 } else { SPEED };
    let replay = Replay { gateway_url: stage.gateway_url(), speed, attempts_max: 1 };
    let answers = replay.run(calls(&stage.company, options)?, move |_| ticks.inc(1)).await?;
    bar.finish_and_clear();
    Ok(answers)
}

async fn wait_until_settled(observer: &Observer, answers: &[Answer]) -> Result<()> {
    let bar = bar("settling", answers.len() as u64);
    let started = Instant::now();
    loop {
        let settled =
            observer.with(|seen| answers.iter().filter(|a| seen.settled.contains_key(&a.digest)).count());
        bar.set_position(settled as u64);
        if settled == answers.len() {
            bar.finish_and_clear();
            return Ok(());
        }
        if started.elapsed() > SETTLEMENT_TIMEOUT {
            let finalised = observer
                .with(|seen| answers.iter().filter(|a| seen.finalised.contains_key(&a.digest)).count());
            bail!(
                "after {} s {finalised} of {} receipts are final and {settled} settled; see the logs",
                SETTLEMENT_TIMEOUT.as_secs(),
                answers.len(),
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Answers by digest.
pub(crate) fn by_digest(answers: &[Answer]) -> HashMap<Digest, &Answer> {
    answers.iter().map(|answer| (answer.digest, answer)).collect()
}
