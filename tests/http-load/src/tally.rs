//! What a measurement saw.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::connection::Shot;

/// Longest latency that is told apart from longer ones, in nanoseconds: a minute.
const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// Latencies, counts, faults.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Nanoseconds to the first byte of the body.
    first: Histogram<u64>,
    /// Nanoseconds to the last byte.
    end: Histogram<u64>,
    /// Requests that got no answer, or a wrong one.
    pub faults: u64,
    /// What the first of them was.
    pub fault: Option<String>,
    /// From the first request to the last answer.
    pub wall: Duration,
}

impl Default for Tally {
    fn default() -> Self {
        let histogram = || {
            Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3)
                .expect("a minute is more than two nanoseconds; qed")
        };
        Tally { first: histogram(), end: histogram(), faults: 0, fault: None, wall: Duration::ZERO }
    }
}

impl Tally {
    /// Requests that were answered well.
    pub fn answered(&self) -> u64 {
        self.end.len()
    }

    /// Answers per second.
    pub fn rate(&self) -> f64 {
        self.answered() as f64 / self.wall.as_secs_f64()
    }

    /// The quantile of the time to the first byte of the body, in microseconds.
    pub fn first_us(&self, quantile: f64) -> f64 {
        self.first.value_at_quantile(quantile) as f64 / 1e3
    }

    /// The quantile of the time to the last byte, in microseconds.
    pub fn end_us(&self, quantile: f64) -> f64 {
        self.end.value_at_quantile(quantile) as f64 / 1e3
    }

    pub(crate) fn record(&mut self, since: Instant, shot: &Shot) {
        let nanos = |at: Instant| u64::try_from((at - since).as_nanos()).unwrap_or(u64::MAX);
        self.first.saturating_record(nanos(shot.first));
        self.end.saturating_record(nanos(shot.end));
    }

    pub(crate) fn fail(&mut self, fault: String) {
        self.faults += 1;
        self.fault.get_or_insert(fault);
    }

    pub(crate) fn add(&mut self, other: Tally) {
        self.first.add(other.first).expect("all tallies have the same bounds; qed");
        self.end.add(other.end).expect("all tallies have the same bounds; qed");
        self.faults += other.faults;
        self.fault = self.fault.take().or(other.fault);
    }
}
