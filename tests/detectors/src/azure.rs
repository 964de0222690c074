//! An hour of a production service, replayed: traffic that is honest, so whatever is said of it is wrong.
//!
//! The trace has times and token counts, and neither wallets nor prompts. Prompts are taken to be all different. Who sent what is made up, in
//! ways that bring out the worst: see [`Owners`].

use anyhow::{Context, Result};
use stipend_detectors::{Detectors, Endpoint, Finish, Memory, Observation, Origin, Policy, Sketch};

use crate::{random::Random, set::BEGINS_MS};

const CSV: &str = include_str!("../../data/AzureLLMInferenceTrace_code.csv");

/// Who sent what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owners {
    /// All of it is one wallet's.
    One,
    /// Wallets by turns: each has an even share of even pace, which is as near to a clock as the trace gets.
    ByTurns(u64),
    /// Prompts of about the same length belong to the same wallet: each has requests of like size.
    BySize(u64),
    /// A wallet keeps on for a stretch of requests, then comes the next: bursts.
    ByStretches(u64),
    /// Wallets at random.
    AtRandom(u64),
}

/// All of them.
pub const OWNERS: [Owners; 7] = [
    Owners::One,
    Owners::ByTurns(8),
    Owners::ByTurns(200),
    Owners::BySize(50),
    Owners::BySize(400),
    Owners::ByStretches(40),
    Owners::AtRandom(100),
];

/// Hours that the trace is played for, over and over: rules that wait for half a day have to be given one.
pub const HOURS: u64 = 48;

/// What was said of a replay.
pub struct Replayed {
    /// Who sent what.
    pub owners: Owners,
    /// Requests.
    pub requests: usize,
    /// Requests at which a rule's condition held, said again or not.
    pub alerted: usize,
}

impl Replayed {
    /// Of a hundred requests, how many.
    pub fn percent(&self) -> f64 {
        self.alerted as f64 * 100.0 / self.requests.max(1) as f64
    }
}

struct Request {
    at_ms: u64,
    input: u32,
    output: u32,
}

/// Plays the trace with each idea of who sent what.
pub fn replay_all() -> Result<Vec<Replayed>> {
    let trace = read()?;
    Ok(OWNERS.into_iter().map(|owners| replay(&trace, owners)).collect())
}

fn replay(trace: &[Request], owners: Owners) -> Replayed {
    // Nothing is kept back: neither for a newcomer nor because it was said before.
    let policy = Policy { learning_ms: 0, quiet_ms: 0 };
    let mut detectors = Detectors::new(policy, Memory::default());
    let mut random = Random::new(1, 1);
    let (mut requests, mut alerted) = (0, 0);
    for hour in 0..HOURS {
        for request in trace {
            let wallet = owner(owners, requests as u64, request, &mut random);
            let at_ms = BEGINS_MS + hour * 3_600_000 + request.at_ms;
            let seen = observation(request, requests as u64, wallet, at_ms);
            requests += 1;
            alerted += usize::from(!detectors.observe(&seen).is_empty());
        }
    }
    Replayed { owners, requests, alerted }
}

fn owner(owners: Owners, number: u64, request: &Request, random: &mut Random) -> u64 {
    match owners {
        Owners::One => 0,
        Owners::ByTurns(wallets) => number % wallets,
        Owners::BySize(wallets) => u64::from(request.input) * wallets / 8_192,
        Owners::ByStretches(wallets) => number / 25 % wallets,
        Owners::AtRandom(wallets) => random.between(0, wallets - 1),
    }
}

/// The least favourable reading of what the trace does not say: every answer ran to its bound, and nobody names a purpose.
fn observation(request: &Request, number: u64, wallet: u64, at_ms: u64) -> Observation {
    let mut name = [0; 32];
    name[..8].copy_from_slice(&wallet.to_le_bytes());
    Observation {
        request: u128::from(number).to_le_bytes(),
        at_ms,
        wallet: name,
        wallet_since_ms: None,
        key: name,
        model: 0,
        provider: 0,
        endpoint: Endpoint::Text,
        input_tokens: request.input,
        output_tokens: request.output,
        max_tokens: request.output,
        finish: Finish::Length,
        fetched_permille: 1_000,
        prompt: Sketch::unknown(number),
        tool_calls: None,
        origin: Origin::default(),
        purpose: None,
        period_ends_ms: Some(at_ms + 24 * 3_600_000),
    }
}

fn read() -> Result<Vec<Request>> {
    let mut first = None;
    CSV.lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.trim().split(',');
            let mut field = || fields.next().context("a row of the trace has too few fields");
            let at_ms = ms_of_day(field()?)?;
            let start = *first.get_or_insert(at_ms);
            let (input, output) = (field()?.parse()?, field()?.parse()?);
            Ok(Request { at_ms: at_ms.saturating_sub(start), input, output })
        })
        .collect()
}

/// Milliseconds since midnight of `YYYY-MM-DD hh:mm:ss.fffffff`; the trace lies within one day.
fn ms_of_day(timestamp: &str) -> Result<u64> {
    let clock = timestamp.split(' ').nth(1).context("a time of the trace has no clock part")?;
    let mut parts = clock.split(':');
    let mut next = || parts.next().context("a time of the trace is not hh:mm:ss");
    let (hours, minutes, seconds): (u64, u64, f64) = (next()?.parse()?, next()?.parse()?, next()?.parse()?);
    Ok((hours * 3_600 + minutes * 60) * 1_000 + (seconds * 1e3) as u64)
}
