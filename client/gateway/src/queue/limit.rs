//! How many requests an upstream gets at a time, learned from the upstream.
//!
//! An engine that is given more than it can run keeps the rest in a queue of its own, where no fee and no turn counts.
//! So the limit follows what shows such a queue, looked at in windows of [`WINDOW`]:
//!
//! - it refused (429, 503): down by a quarter;
//! - it says itself that requests wait (`vllm:num_requests_waiting`, by the attestor): down by a tenth;
//! - where it does not say, answers begin later than twice the least of the last minute: down by a tenth;
//! - none of these, and somebody waited here: up by the square root of the limit.
//!
//! Down by a part and up by less is what lets several gateways share one engine evenly; the square root and the least
//! latency as yardstick are those of the gradient and Vegas limits that are in wide use.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// What happens within it is one look: longer than a scheduling step of an engine, shorter than a person notices.
const WINDOW: Duration = Duration::from_millis(200);

/// The least latency is taken from this span and the one before it.
const SPAN: Duration = Duration::from_secs(30);

/// Latencies closer than this are alike: a network's jitter is no queue.
const JITTER_US: u64 = 10_000;

/// For how long the engine's own word on who waits counts.
const WORD: Duration = Duration::from_secs(6);

/// A limit between 1 and a maximum.
pub(crate) struct Limit {
    now: AtomicUsize,
    max: usize,
    /// Whether somebody had to wait in this window.
    was_short: AtomicBool,
    /// `None`: the limit is fixed.
    learner: Option<Mutex<Learner>>,
}

impl Limit {
    /// Begins at the maximum: the first window tells.
    pub(super) fn new(max: usize, learned: bool) -> Self {
        let learner = learned.then(|| Mutex::new(Learner::new(Instant::now())));
        Limit { now: AtomicUsize::new(max), max, was_short: AtomicBool::new(false), learner }
    }

    /// Requests at a time, now.
    pub(crate) fn get(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }

    /// Somebody has to wait.
    pub(super) fn was_short(&self) {
        self.was_short.store(true, Ordering::Relaxed);
    }

    /// An answer of known latency began, or came.
    pub(super) fn answered(&self, latency: Option<Duration>, now: Instant) {
        // Whoever finds it locked leaves its sample out: others speak for it.
        let Some(mut learner) = self.learner.as_ref().and_then(|learner| learner.try_lock()) else { return };
        if let Some(latency) = latency {
            learner.sum_us =
                learner.sum_us.saturating_add(latency.as_micros().try_into().unwrap_or(u64::MAX));
            learner.samples += 1;
        }
        self.look(&mut learner, now);
    }

    /// The upstream had too many.
    pub(super) fn refused(&self, now: Instant) {
        let Some(mut learner) = self.learner.as_ref().map(|learner| learner.lock()) else { return };
        learner.refused = true;
        self.look(&mut learner, now);
    }

    /// The engine says how many wait in it.
    pub(super) fn engine_waits(&self, waiting: u64, now: Instant) {
        let Some(mut learner) = self.learner.as_ref().map(|learner| learner.lock()) else { return };
        learner.word = Some((waiting, now));
        self.look(&mut learner, now);
    }

    fn look(&self, learner: &mut Learner, now: Instant) {
        if now.saturating_duration_since(learner.began) < WINDOW {
            return;
        }
        let was_short = self.was_short.swap(false, Ordering::Relaxed);
        let limit = learner.conclude(self.get(), self.max, was_short, now);
        self.now.store(limit, Ordering::SeqCst);
    }
}

/// One window, and what is remembered of those before.
struct Learner {
    began: Instant,
    samples: u64,
    sum_us: u64,
    refused: bool,
    word: Option<(u64, Instant)>,
    span_began: Instant,
    /// Least mean latency of this span and of the one before.
    least_us: [Option<u64>; 2],
}

impl Learner {
    fn new(now: Instant) -> Self {
        Learner {
            began: now,
            samples: 0,
            sum_us: 0,
            refused: false,
            word: None,
            span_began: now,
            least_us: [None; 2],
        }
    }

    /// Ends the window; returns the limit for the next one.
    fn conclude(&mut self, limit: usize, max: usize, was_short: bool, now: Instant) -> usize {
        let mean_us = self.sum_us.checked_div(self.samples);
        let is_slow = mean_us.is_some_and(|mean| self.is_slow(mean, now));
        let word = self.word.filter(|(_, at)| now.saturating_duration_since(*at) < WORD);
        let queues = word.map_or(is_slow, |(waiting, _)| waiting > 0);
        let refused = std::mem::take(&mut self.refused);
        (self.began, self.samples, self.sum_us) = (now, 0, 0);
        if let Some((waiting, _)) = &mut self.word {
            // One word brings the limit down once; without a queue it holds until there is news.
            if *waiting > 0 {
                self.word = None;
            }
        }
        let next = if refused {
            limit - limit.div_ceil(4)
        } else if queues {
            limit - limit.div_ceil(10)
        } else if was_short {
            limit + limit.isqrt().max(1)
        } else {
            limit
        };
        next.clamp(1, max)
    }

    /// Whether a mean latency shows a queue; takes it in.
    fn is_slow(&mut self, mean_us: u64, now: Instant) -> bool {
        if now.saturating_duration_since(self.span_began) >= SPAN {
            self.least_us = [None, self.least_us[0]];
            self.span_began = now;
        }
        let least = self.least_us.iter().flatten().min().copied();
        self.least_us[0] = Some(self.least_us[0].map_or(mean_us, |least| least.min(mean_us)));
        least.is_some_and(|least| mean_us > least.saturating_mul(2).saturating_add(JITTER_US))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(200);

    /// An engine that runs `capacity` at a time: what is beyond waits in it and shows in the latency.
    fn run(limit: &Limit, capacity: usize, rounds: u32, from: Instant) -> Instant {
        let mut now = from;
        for _ in 0..rounds {
            now += STEP;
            limit.was_short();
            let inside = limit.get() as u32;
            let queued = inside.saturating_sub(capacity as u32);
            limit.answered(Some(Duration::from_millis(40) * (1 + 4 * queued / capacity as u32)), now);
        }
        now
    }

    #[test]
    fn the_limit_comes_near_what_the_engine_can_and_follows_it() {
        let limit = Limit::new(256, true);
        let now = run(&limit, 300, 5, Instant::now());
        assert_eq!(limit.get(), 256, "an engine that can more is given all");
        let now = run(&limit, 32, 60, now);
        assert!((28..=64).contains(&limit.get()), "{}", limit.get());
        run(&limit, 128, 60, now);
        assert!((112..=256).contains(&limit.get()), "{}", limit.get());
    }

    #[test]
    fn the_engines_word_counts_more_than_latency() {
        let limit = Limit::new(100, true);
        let mut now = Instant::now();
        for _ in 0..200 {
            now += STEP;
            limit.was_short();
            limit.engine_waits((limit.get() as u64).saturating_sub(20), now);
        }
        assert!((18..=26).contains(&limit.get()), "{}", limit.get());
        // Slow, but nobody waits in it.
        for round in 0..100 {
            now += STEP;
            limit.was_short();
            limit.engine_waits(0, now);
            limit.answered(Some(Duration::from_millis(round)), now);
        }
        assert_eq!(limit.get(), 100);
    }

    #[test]
    fn an_engine_that_refuses_gets_less_and_never_nothing() {
        let limit = Limit::new(64, true);
        let mut now = Instant::now();
        for _ in 0..50 {
            now += STEP;
            limit.refused(now);
        }
        assert_eq!(limit.get(), 1);
        for _ in 0..50 {
            now += STEP;
            limit.was_short();
            limit.answered(None, now);
        }
        assert_eq!(limit.get(), 64);
    }

    #[test]
    fn a_limit_that_nobody_reaches_and_a_fixed_one_stay() {
        let idle = Limit::new(64, true);
        let fixed = Limit::new(64, false);
        let mut now = Instant::now();
        idle.refused(now + STEP);
        let after = idle.get();
        for _ in 0..20 {
            now += STEP;
            idle.answered(Some(Duration::from_millis(10)), now + STEP);
            fixed.refused(now);
        }
        assert_eq!((idle.get(), fixed.get()), (after, 64));
    }
}
