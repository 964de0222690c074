//! Whether new requests are admitted.

use std::sync::{
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    Arc,
};

use arc_swap::ArcSwapOption;
use stipend_openai::ApiError;
use stipend_primitives::{BlockNumber, Moment, Sequence};

use crate::config::Limits;

/// Seconds after which a chain that finalises again has been seen to.
const SILENCE_RETRY_S: u32 = 5;

/// Seconds after which a block has taken a batch.
const BACKLOG_RETRY_S: u32 = 2;

/// Why nothing new is admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// For people.
    pub(crate) why: String,
    /// Seconds after which it may have passed; `None` where only somebody's act ends it.
    retry_after_s: Option<u32>,
}

impl Refusal {
    /// It lasts until somebody does something about it.
    pub(crate) fn lasting(why: impl Into<String>) -> Self {
        Refusal { why: why.into(), retry_after_s: None }
    }

    fn passing(why: impl Into<String>, retry_after_s: u32) -> Self {
        Refusal { why: why.into(), retry_after_s: Some(retry_after_s) }
    }

    /// The answer to a request that is not admitted.
    pub(crate) fn answer(&self) -> ApiError {
        let message = format!("The gateway takes no requests now: {}. Try again later.", self.why);
        let answer = ApiError::unavailable(message);
        match self.retry_after_s {
            Some(seconds) => answer.with_retry_after(seconds),
            None => answer,
        }
    }
}

/// What the tasks behind the hot path say about themselves.
#[derive(Default)]
pub(crate) struct Status {
    block: AtomicU32,
    block_seen_ms: AtomicU64,
    next_seq: AtomicU64,
    draining: AtomicBool,
    halted: ArcSwapOption<String>,
    refused: ArcSwapOption<String>,
}

impl Status {
    /// A finalised block was taken in.
    pub(crate) fn saw_block(&self, number: BlockNumber, next_seq: Sequence, now_ms: Moment) {
        self.block.store(number, Ordering::Release);
        self.next_seq.store(next_seq, Ordering::Release);
        self.block_seen_ms.store(now_ms, Ordering::Release);
    }

    /// The newest finalised block that was taken in.
    pub(crate) fn block(&self) -> BlockNumber {
        self.block.load(Ordering::Acquire)
    }

    /// When that was; 0: never.
    pub(crate) fn block_seen_ms(&self) -> Moment {
        self.block_seen_ms.load(Ordering::Acquire)
    }

    /// The first receipt that no finalised block has.
    pub(crate) fn next_seq(&self) -> Sequence {
        self.next_seq.load(Ordering::Acquire)
    }

    /// Stops admission until the gateway is started anew: going on could lose receipts or charge what
    /// is not covered.
    pub(crate) fn halt(&self, why: String) {
        if self.halted.load().as_ref().is_none_or(|before| **before != why) {
            tracing::error!(%why, "no new request is admitted until the gateway is started anew");
            self.halted.store(Some(Arc::new(why)));
        }
    }

    /// Why the gateway must be started anew.
    pub(crate) fn halted(&self) -> Option<Arc<String>> {
        self.halted.load_full()
    }

    /// The chain refuses a batch: admission stops until it takes it.
    pub(crate) fn refuse(&self, why: String) {
        if self.refused.load().as_ref().is_none_or(|before| **before != why) {
            tracing::error!(%why, "the chain refuses a batch; no new request is admitted until it takes it");
            self.refused.store(Some(Arc::new(why)));
        }
    }

    /// The chain takes batches.
    pub(crate) fn take(&self) {
        if self.refused.load().is_some() {
            self.refused.store(None);
            tracing::info!("the chain takes batches again");
        }
    }

    /// The order to stop has come.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Why nothing new is admitted; `None` while all is well.
    pub(crate) fn refusal(&self, limits: &Limits, log_end: Sequence, now_ms: Moment) -> Option<Refusal> {
        if let Some(why) = self.halted.load().as_ref() {
            return Some(Refusal::lasting(format!("receipts cannot be charged ({why})")));
        }
        if let Some(why) = self.refused.load().as_ref() {
            return Some(Refusal::lasting(format!("the chain refuses receipts ({why})")));
        }
        if self.draining.load(Ordering::Acquire) {
            return Some(Refusal::lasting("the gateway is shutting down"));
        }
        let silent_ms = now_ms.saturating_sub(self.block_seen_ms.load(Ordering::Acquire));
        if u128::from(silent_ms) > limits.chain_silence_max.as_millis() {
            return Some(Refusal::passing("no finalised block was seen for too long", SILENCE_RETRY_S));
        }
        let backlog = log_end.saturating_sub(self.next_seq());
        if backlog > limits.backlog_receipts_max {
            let why = format!("{backlog} receipts wait for the chain");
            return Some(Refusal::passing(why, BACKLOG_RETRY_S));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_admitted_only_while_nothing_speaks_against_it() {
        let limits = Limits { backlog_receipts_max: 10, ..Limits::default() };
        let status = Status::default();
        let now = 1_000_000;
        assert!(status
            .refusal(&limits, 0, now)
            .is_some_and(|refusal| refusal.why.contains("finalised block")));
        status.saw_block(7, 100, now);
        assert_eq!(status.refusal(&limits, 110, now), None);
        assert!(status.refusal(&limits, 111, now).is_some_and(|refusal| refusal.why.contains("11 receipts")));
        assert!(status.refusal(&limits, 110, now + 120_001).is_some());
        status.refuse("not a gateway".into());
        assert!(status
            .refusal(&limits, 110, now)
            .is_some_and(|refusal| refusal.why.contains("not a gateway")));
        status.take();
        assert_eq!(status.refusal(&limits, 110, now), None);
        status.drain();
        assert!(status
            .refusal(&limits, 110, now)
            .is_some_and(|refusal| refusal.why.contains("shutting down")));
        status.halt("two gateways".into());
        status.take();
        assert!(status
            .refusal(&limits, 110, now)
            .is_some_and(|refusal| refusal.why.contains("two gateways")));
    }

    #[test]
    fn what_passes_by_itself_says_when_to_try_again() {
        let limits = Limits { backlog_receipts_max: 10, ..Limits::default() };
        let status = Status::default();
        let retry = |status: &Status, log_end| {
            let refusal = status.refusal(&limits, log_end, 1_000_000);
            refusal.and_then(|refusal| refusal.answer().retry_after_s)
        };
        assert_eq!(retry(&status, 0), Some(SILENCE_RETRY_S));
        status.saw_block(7, 100, 1_000_000);
        assert_eq!(retry(&status, 111), Some(BACKLOG_RETRY_S));
        status.drain();
        assert_eq!(retry(&status, 0), None, "another gateway may serve, this one never again");
    }
}
