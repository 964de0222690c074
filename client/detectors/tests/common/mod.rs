//! A request like many, to be changed by each test.

use stipend_detectors::{
    Detectors, Endpoint, Finding, Finish, Memory, Observation, Origin, Policy, Rule, Sketch,
};

pub const MINUTE: u64 = 60_000;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;

/// A Monday, 10 o'clock.
pub const BEGIN: u64 = 1_767_571_200_000 + 10 * HOUR;

/// Request `number`, so many milliseconds after the beginning: an ordinary question that nobody asked before.
pub fn request(number: u64, after_ms: u64) -> Observation {
    let mut request = [0; 16];
    request[..8].copy_from_slice(&number.to_le_bytes());
    Observation {
        request,
        at_ms: BEGIN + after_ms,
        wallet: [1; 32],
        wallet_since_ms: Some(BEGIN - 100 * DAY),
        key: [2; 32],
        model: 0,
        provider: 0,
        endpoint: Endpoint::Text,
        input_tokens: 1_000 + (number * 7_919 % 900) as u32,
        output_tokens: 400,
        max_tokens: 2_000,
        finish: Finish::Stop,
        fetched_permille: 1_000,
        prompt: Sketch::unknown(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        tool_calls: None,
        origin: Origin { network: 1, agent: 1 },
        purpose: None,
        period_ends_ms: None,
    }
}

/// Detectors as a gateway has them.
#[allow(dead_code)]
pub fn detectors() -> Detectors {
    Detectors::new(Policy::default(), Memory::default())
}

/// What is found in some requests.
#[allow(dead_code)]
pub fn findings(requests: impl IntoIterator<Item = Observation>) -> Vec<Finding> {
    let mut detectors = detectors();
    requests.into_iter().flat_map(|seen| detectors.observe(&seen)).collect()
}

/// The rules that speak of some requests.
#[allow(dead_code)]
pub fn rules(requests: impl IntoIterator<Item = Observation>) -> Vec<Rule> {
    findings(requests).into_iter().map(|finding| finding.rule).collect()
}
