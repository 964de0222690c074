//! Measures the gateway with everything on, and beside it other gateways and plain proxies, before one stand-in upstream in
//! one run. The sides take turns in every round, and medians over the rounds are shown, so that a slow moment of the machine
//! hits all of them.

mod cores;
mod long_run;
mod measure;
mod options;
mod ours;
mod peers;
mod plot;
mod report;
mod side;

use std::fs;

use anyhow::{bail, ensure, Context, Result};
use hyper::header::HeaderValue;
use serde_json::json;
use stipend_http_load::{mock, target::Target};

use crate::{
    figures, progress,
    services::{Node, Service},
};
use cores::{move_to, Cores};
use measure::{measure, warm_up, Beside, Sample};
pub use options::{Command, Options, Phase};
use ours::Ours;
use report::{Report, DIRECT, OURS};
use side::{Side, CHAT};

/// Runs everything, prints the figures, and writes `target/bench/gateway.json` and `gateway.svg`.
pub async fn run(options: Options) -> Result<()> {
    if let Some(Command::Mock { provider_key }) = &options.command {
        return serve_mock(provider_key).await;
    }
    let known: Vec<&str> = [DIRECT, OURS].into_iter().chain(peers::names()).collect();
    if let Some(unknown) = options.only.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("there is no side `{unknown}`; the sides are {}", known.join(", "));
    }
    let cores = Cores::of_machine()?;
    move_to(cores.load)?;
    println!("{}", cores.describe());
    println!("Load average before: {}", fs::read_to_string("/proc/loadavg")?.trim());
    let dir = options.folder()?;
    println!("Logs and data: {}", dir.display());
    let company = ours::company()?;
    let mock = ours::mock(&dir, &company, &cores).await?;
    let mut direct = direct(&mock)?;
    direct.ready().await.context("the stand-in upstream cannot be measured")?;
    let mut stage = Stage { sides: vec![direct], node: None, mock };
    if options.wants(OURS) {
        let ours = Ours { dir: &dir, cores: &cores, company: &company, mock: &stage.mock };
        let node = ours.found().await?;
        stage.sides.push(ours.gateway(&node).await?);
        if let Some(program) = &options.against {
            stage.sides.push(ours.gateway_before(program, &node).await?);
        }
        stage.node = Some(node);
    }
    let upstream = ours::address(&stage.mock.url)?;
    stage.sides.extend(peers::start(&dir, upstream, &cores, &options).await?);
    stage.measure(&options).await
}

/// What runs.
struct Stage {
    sides: Vec<Side>,
    node: Option<Node>,
    mock: Service,
}

impl Stage {
    async fn measure(&self, options: &Options) -> Result<()> {
        for side in &self.sides {
            if let Some(process) = &side.process {
                println!("{} runs as process {}", side.name, process.id());
            }
        }
        let rss_before: Vec<u64> = self.sides.iter().map(|side| side.usage().rss_bytes).collect();
        let samples = self.rounds(options).await?;
        let connections = options.connections.into();
        let report = Report { sides: &self.sides, samples: &samples, rss_before: &rss_before, connections };
        report.print();
        let mut steps = Vec::new();
        if options.requests > 0 {
            let ours = self.sides.iter().find(|side| side.name == OURS);
            steps =
                long_run::run(ours.context("a long run goes through `ours`")?, options.requests, connections)
                    .await?;
        }
        let folder = figures::folder()?;
        let figures = json!({ "options": options, "samples": samples, "long_run": steps });
        fs::write(folder.join("gateway.json"), serde_json::to_string_pretty(&figures)?)?;
        println!("\nFigures of every round: {}/gateway.json", folder.display());
        if report.has(Phase::Saturated) || report.has(Phase::Streams) {
            let plot = folder.join("gateway.svg");
            plot::bars(&plot, &report)?;
            println!("Plot: {}", plot.display());
        }
        let is_faulty = samples.iter().any(|sample| sample.side == OURS && sample.faults > 0);
        ensure!(!is_faulty, "the gateway did not answer every request well");
        Ok(())
    }

    async fn rounds(&self, options: &Options) -> Result<Vec<Sample>> {
        let phases = options.phases();
        let beside = Beside { mock: &self.mock.process, chain: self.node.as_ref().map(|node| &node.process) };
        let count = phases.len() as u64 * u64::from(options.rounds) * self.sides.len() as u64;
        let bar = progress::bar("measuring", count);
        let mut rates = Vec::new();
        for side in &self.sides {
            let bears = warm_up(side, options.connections.into()).await?;
            rates.push(options.rate.min((bears / 2.0).max(1.0) as u32));
        }
        let mut samples = Vec::new();
        for round in 1..=options.rounds {
            for phase in &phases {
                // Who comes first changes: nobody always follows the same neighbour.
                for turn in 0..self.sides.len() {
                    let at = (turn + round as usize) % self.sides.len();
                    let side = &self.sides[at];
                    bar.set_message(format!("{round}: {}, {}", side.name, phase.name()));
                    match measure(side, options.load(*phase, rates[at]), round, &beside).await {
                        Ok(sample) => samples.push(sample),
                        Err(error) if side.is_ours() => return Err(error.context(side.name)),
                        Err(error) => println!("FAILED: {} with {}: {error:#}", side.name, phase.name()),
                    }
                    bar.inc(1);
                }
            }
            // Where no terminal shows the bar.
            println!("Round {round} of {} is done.", options.rounds);
        }
        bar.finish_and_clear();
        Ok(samples)
    }
}

async fn serve_mock(provider_key: &str) -> Result<()> {
    let listener = mock::listen(([127, 0, 0, 1], 0).into()).await?;
    println!("listening on http://{}", listener.local_addr()?);
    mock::serve(listener, HeaderValue::from_str(provider_key)?).await
}

fn direct(mock: &Service) -> Result<Side> {
    let target = Target::new(ours::address(&mock.url)?, CHAT, "mock", Vec::new());
    Ok(Side { name: DIRECT, does: "the stand-in upstream itself", target, process: None })
}
