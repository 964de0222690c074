//! A circuit breaker: an upstream that keeps failing is left alone for a while.
//!
//! | state | who is let through | goes over |
//! |---|---|---|
//! | closed | everybody | to open, after so many failures in a row |
//! | open | nobody | to half-open, after the pause, or when the upstream says that it is ready; to closed when a request that was on its way succeeds |
//! | half-open | one request at a time | to closed when that one succeeds; to open with twice the pause when it fails |
//!
//! All of it is a few atomic words: the hot path takes no lock.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use stipend_primitives::Moment;

use crate::config::BreakerConfig;

/// One upstream's circuit.
pub(crate) struct Breaker {
    failures_max: u32,
    pause_ms_min: u64,
    pause_ms_max: u64,
    /// In a row.
    failures: AtomicU32,
    /// 0: closed.
    open_until_ms: AtomicU64,
    pause_ms: AtomicU64,
    /// Whether somebody tries, half-open.
    trying: AtomicBool,
}

/// What a circuit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Circuit {
    Closed,
    HalfOpen,
    Open,
}

/// Leave to ask the upstream. Dropping it without a word on the outcome lets another one try.
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    is_trial: bool,
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_trial {
            self.breaker.trying.store(false, Ordering::Release);
        }
    }
}

impl Breaker {
    pub(crate) fn new(config: &BreakerConfig) -> Self {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Breaker {
            failures_max: config.failures_max,
            pause_ms_min: millis(config.pause),
            pause_ms_max: millis(config.pause_max),
            failures: AtomicU32::new(0),
            open_until_ms: AtomicU64::new(0),
            pause_ms: AtomicU64::new(millis(config.pause)),
            trying: AtomicBool::new(false),
        }
    }

    pub(crate) fn circuit(&self, now_ms: Moment) -> Circuit {
        match self.open_until_ms.load(Ordering::Acquire) {
            0 => Circuit::Closed,
            until if now_ms < until => Circuit::Open,
            _ => Circuit::HalfOpen,
        }
    }

    /// Whether a request would get a pass.
    pub(crate) fn lets_through(&self, now_ms: Moment) -> bool {
        match self.circuit(now_ms) {
            Circuit::Closed => true,
            Circuit::HalfOpen => !self.trying.load(Ordering::Acquire),
            Circuit::Open => false,
        }
    }

    /// Milliseconds until somebody may try; 0: now.
    pub(crate) fn wait_ms(&self, now_ms: Moment) -> u64 {
        self.open_until_ms.load(Ordering::Acquire).saturating_sub(now_ms)
    }

    /// Leave to ask now.
    pub(crate) fn pass(&self, now_ms: Moment) -> Option<Pass<'_>> {
        match self.circuit(now_ms) {
            Circuit::Closed => Some(Pass { breaker: self, is_trial: false }),
            Circuit::HalfOpen if !self.trying.swap(true, Ordering::AcqRel) => {
                Some(Pass { breaker: self, is_trial: true })
            }
            Circuit::HalfOpen | Circuit::Open => None,
        }
    }

    /// The upstream answered as it should; whether that closed the circuit.
    pub(crate) fn succeeded(&self) -> bool {
        if self.failures.swap(0, Ordering::AcqRel) == 0 {
            return false;
        }
        self.pause_ms.store(self.pause_ms_min, Ordering::Release);
        self.open_until_ms.swap(0, Ordering::AcqRel) != 0
    }

    /// The upstream failed; for how long nobody asks it, where that opened the circuit.
    pub(crate) fn failed(&self, now_ms: Moment) -> Option<Duration> {
        let failures = self.failures.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        // Failures of requests that were on their way when it opened say nothing new.
        if failures < self.failures_max || self.circuit(now_ms) == Circuit::Open {
            return None;
        }
        let pause_ms = self.pause_ms.load(Ordering::Acquire);
        self.pause_ms.store(pause_ms.saturating_mul(2).min(self.pause_ms_max), Ordering::Release);
        self.open_until_ms.store(now_ms.saturating_add(pause_ms), Ordering::Release);
        Some(Duration::from_millis(pause_ms))
    }

    /// The upstream says that it is ready: somebody may try now.
    pub(crate) fn half_open(&self, now_ms: Moment) {
        let sooner = |until: u64| (until > now_ms).then_some(now_ms);
        // An error means that it is not open.
        let _ = self.open_until_ms.fetch_update(Ordering::AcqRel, Ordering::Acquire, sooner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker::new(&BreakerConfig::default())
    }

    fn fail(breaker: &Breaker, times: u32, now: Moment) -> Option<Duration> {
        (0..times).filter_map(|_| breaker.failed(now)).last()
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_four_do_not() {
        let breaker = breaker();
        for _ in 0..10 {
            assert_eq!(fail(&breaker, 4, 1_000), None);
            breaker.succeeded();
        }
        assert_eq!(breaker.circuit(1_000), Circuit::Closed);
        assert_eq!(fail(&breaker, 5, 1_000), Some(Duration::from_secs(1)));
        assert!(breaker.circuit(1_999) == Circuit::Open && !breaker.lets_through(1_999));
        assert!(breaker.pass(1_999).is_none());
        assert_eq!((breaker.wait_ms(1_400), breaker.circuit(2_000)), (600, Circuit::HalfOpen));
    }

    #[test]
    fn half_open_one_tries_at_a_time_and_decides() {
        let breaker = breaker();
        fail(&breaker, 5, 0);
        let trial = breaker.pass(1_000);
        assert!(trial.is_some() && breaker.pass(1_000).is_none() && !breaker.lets_through(1_000));
        // The one who tried left without an answer.
        drop(trial);
        let trial = breaker.pass(1_000);
        assert!(trial.is_some());
        assert_eq!(breaker.failed(1_000), Some(Duration::from_secs(2)));
        drop(trial);
        assert_eq!(breaker.circuit(2_999), Circuit::Open);
        let trial = breaker.pass(3_000);
        assert!(trial.is_some() && breaker.succeeded());
        drop(trial);
        assert_eq!(breaker.circuit(3_000), Circuit::Closed);
        // The pause begins anew.
        assert_eq!(fail(&breaker, 5, 4_000), Some(Duration::from_secs(1)));
    }

    #[test]
    fn the_pause_doubles_up_to_its_maximum() {
        let breaker = breaker();
        fail(&breaker, 4, 0);
        let mut now = 0;
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let Some(pause) = breaker.failed(now) else { break };
            now += pause.as_millis() as u64;
            pauses.push(pause.as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn an_upstream_that_says_that_it_is_ready_is_tried_at_once() {
        let breaker = breaker();
        breaker.half_open(5);
        assert_eq!(breaker.circuit(5), Circuit::Closed);
        fail(&breaker, 5, 10);
        breaker.half_open(20);
        assert_eq!(breaker.circuit(20), Circuit::HalfOpen);
    }

    #[test]
    fn failures_of_requests_under_way_when_it_opened_do_not_lengthen_the_pause() {
        let breaker = breaker();
        assert_eq!(fail(&breaker, 50, 100), Some(Duration::from_secs(1)));
        assert_eq!(breaker.wait_ms(100), 1_000);
    }
}
