//! One measurement of one side.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;
use stipend_http_load::{
    closed::{self, Until},
    paced,
    tally::Tally,
    target::Form,
};

use super::{options::Phase, side::Side};
use crate::{process::Process, process_usage};

/// How long a side is warmed up before it is measured for the first time.
const WARM_UP: Duration = Duration::from_secs(1);

/// What one measurement showed. Latencies in microseconds.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Sample {
    pub side: &'static str,
    pub phase: Phase,
    pub round: u32,
    /// Answers per second.
    pub rate: f64,
    /// Requests without a good answer.
    pub faults: u64,
    /// What the first of them was.
    pub fault: Option<String>,
    /// Processor microseconds of the side per answer.
    pub cpu_us: f64,
    /// Processor microseconds of the stand-in upstream per answer.
    pub mock_cpu_us: f64,
    /// Processor microseconds of the load per answer.
    pub load_cpu_us: f64,
    /// Part of one core that the side used.
    pub busy: f64,
    /// Part of one core that the chain used meanwhile.
    pub chain_busy: f64,
    /// To the first byte of the body.
    pub first_p50_us: f64,
    pub first_p99_us: f64,
    /// To the last byte; in the open loop since the request was due.
    pub p50_us: f64,
    pub p99_us: f64,
    pub p999_us: f64,
    /// Bytes of memory in use afterwards.
    pub rss_bytes: u64,
}

/// What runs beside the side that is measured.
pub(super) struct Beside<'a> {
    pub mock: &'a Process,
    pub chain: Option<&'a Process>,
}

/// How a side is loaded.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub phase: Phase,
    pub duration: Duration,
    /// Of the closed loop.
    pub connections: usize,
    /// Requests a second of the open loop.
    pub rate: u32,
}

/// Sends as much as the side takes for a moment; how many a second it bears.
pub(super) async fn warm_up(side: &Side, connections: usize) -> Result<f64> {
    let tally = closed::run(&side.target, connections, Form::Whole, Until::Elapsed(WARM_UP)).await?;
    Ok(tally.rate())
}

/// Measures a side once.
pub(super) async fn measure(side: &Side, load: Load, round: u32, beside: &Beside<'_>) -> Result<Sample> {
    let chain_cpu = || beside.chain.and_then(|chain| chain.cpu_time().ok()).unwrap_or_default();
    let load_cpu = || process_usage::cpu_of(std::process::id());
    let load_before = load_cpu()?;
    let (side_cpu, mock_cpu, chain_before) = (side.usage().cpu, beside.mock.cpu_time()?, chain_cpu());
    let began = Instant::now();
    let tally = load.run(side).await?;
    let wall = began.elapsed().as_secs_f64();
    let usage = side.usage();
    let used = usage.cpu.saturating_sub(side_cpu);
    let per_answer = |cpu: Duration| cpu.as_secs_f64() * 1e6 / tally.answered().max(1) as f64;
    Ok(Sample {
        side: side.name,
        phase: load.phase,
        round,
        rate: tally.rate(),
        faults: tally.faults,
        fault: tally.fault.clone(),
        cpu_us: per_answer(used),
        mock_cpu_us: per_answer(beside.mock.cpu_time()?.saturating_sub(mock_cpu)),
        load_cpu_us: per_answer(load_cpu()?.saturating_sub(load_before)),
        busy: used.as_secs_f64() / wall,
        chain_busy: chain_cpu().saturating_sub(chain_before).as_secs_f64() / wall,
        first_p50_us: tally.first_us(0.5),
        first_p99_us: tally.first_us(0.99),
        p50_us: tally.end_us(0.5),
        p99_us: tally.end_us(0.99),
        p999_us: tally.end_us(0.999),
        rss_bytes: usage.rss_bytes,
    })
}

impl Load {
    async fn run(self, side: &Side) -> Result<Tally> {
        let Load { phase, duration, connections, rate } = self;
        let (target, until) = (&side.target, Until::Elapsed(duration));
        match phase {
            Phase::Saturated => closed::run(target, connections, Form::Whole, until).await,
            Phase::Lone => closed::run(target, 1, Form::Whole, until).await,
            Phase::Paced => paced::run(target, rate, Form::Whole, duration).await,
            Phase::Streams => closed::run(target, connections, Form::Stream, until).await,
            Phase::LoneStream => closed::run(target, 1, Form::Stream, until).await,
        }
    }
}
