//! What the rules cost.

use std::{hint::black_box, time::Instant};

use anyhow::Result;
use stipend_detectors::{Detectors, Memory, Policy, Role, Secret, Sketcher};

use crate::set::{Set, BEGINS_MS};

/// Bytes of prompts that are sketched.
pub const PROMPT_BYTES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// Times, in nanoseconds.
pub struct Speed {
    /// Of one observation: half of them are faster, and 99 of 100.
    pub observe_ns: (u64, u64),
    /// On the whole.
    pub observe_mean_ns: u64,
    /// To sketch a prompt of so many bytes: the middle of many.
    pub sketch_ns: Vec<(usize, u64)>,
}

/// Measures on this machine, in one thread.
pub fn measure(set: &Set) -> Result<Speed> {
    let scenes = set.scenes()?;
    let mut seen = set.observations(&scenes)?;
    let span = seen.last().map_or(0, |last| last.seen.at_ms - BEGINS_MS);
    let mut detectors = Detectors::new(Policy::default(), Memory::default());
    let mut times = Vec::new();
    let began = Instant::now();
    // Time and again, each time later, until there are enough to speak of a hundredth.
    for _ in 0..5 {
        for labelled in &mut seen {
            let start = Instant::now();
            black_box(detectors.observe(&labelled.seen));
            times.push(start.elapsed().as_nanos() as u64);
            labelled.seen.at_ms += span;
        }
    }
    let observe_mean_ns = began.elapsed().as_nanos() as u64 / times.len().max(1) as u64;
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    Ok(Speed { observe_ns: (at(50), at(99)), observe_mean_ns, sketch_ns: sketches() })
}

fn sketches() -> Vec<(usize, u64)> {
    let sketcher = Sketcher::new(Secret::new([1; 32]));
    let prose = "Whoever wants to know what a tide is must look at the moon, the sea and 12 other things. ";
    PROMPT_BYTES
        .into_iter()
        .map(|bytes| {
            let text: String = prose.chars().cycle().take(bytes).collect();
            let mut times: Vec<u64> = (0..100)
                .map(|_| {
                    let start = Instant::now();
                    black_box(sketcher.prompt([(Role::User, black_box(text.as_str()))]));
                    start.elapsed().as_nanos() as u64
                })
                .collect();
            times.sort_unstable();
            (bytes, times[50])
        })
        .collect()
}
