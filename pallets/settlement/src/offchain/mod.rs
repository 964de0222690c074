//! The off-chain worker: asks the attestors, compares, votes.
//!
//! A run belongs to one block and takes part in the settlement of the items that are open in its
//! state. What it does with an item is a [`Route`]; that several validators do the same with it is
//! what the quorum is for. Nothing that a provider answers, or does not answer, can end a run or
//! take its time from another provider: see [`fetch`] and [`memory::Lane`].

mod attestation;
pub mod fetch;
pub mod keys;
mod memory;
mod receipts;
mod select;
mod verdict;
mod vote;

use sp_core::offchain::Duration;
use sp_runtime::offchain::storage_lock::StorageLock;
use stipend_primitives::{
    attestation::{Attestation, GpuUse},
    ledger::OpenItem,
    settlement::Verdict,
    AccountId, BlockNumber,
};

use alloc::{format, string::String, vec::Vec};

use crate::{
    crypto::AuthorityId,
    pallet::{Config, Pallet},
    LOG_TARGET,
};

use fetch::{Done, Fetches};
use memory::{Lane, Marks, SlowProviders};
use select::{Route, Task};
use verdict::Work;

/// A lane's lock is void after this time: longer than any run, so that it only matters after a crash.
const LOCK_MS: u64 = 30_000;

/// Bytes of leaves that one run asks for: the rest waits for the next run, the worker's memory does
/// not grow with the number of disputes.
const LEAVES_LEN_MAX: usize = 16 * 1024 * 1024;

/// Disputes of one provider that one run looks into, so that it leaves room for others'.
const LEAVES_PER_PROVIDER_MAX: usize = 16;

/// Runs for block `now`, if this node is a validator with a vote.
pub(crate) fn run<T: Config>(now: BlockNumber) {
    let keys = keys::own_keys::<T>();
    if keys.is_empty() {
        return;
    }
    for lane in [Lane::Prompt, Lane::Slow] {
        let mut lock = StorageLock::with_deadline(lane.lock_key(), Duration::from_millis(LOCK_MS));
        // The run of an earlier block is still at it: it does not wait in line.
        let Ok(_guard) = lock.try_lock() else { continue };
        Run::<T>::new(&keys, lane, now).go();
    }
}

/// What is asked for, of which task.
enum Purpose {
    Attestation(usize),
    Leaves(usize, Attestation),
}

struct Run<'a, T: Config> {
    keys: &'a [AuthorityId],
    lane: Lane,
    marks: Marks,
    slow: SlowProviders,
    fetches: Fetches<Purpose>,
    tasks: Vec<Task>,
    /// What needs the batch itself: done last, because it takes time.
    works: Vec<Work>,
    leaves_len: usize,
    /// Of whom leaves are asked for.
    leaves_of: Vec<AccountId>,
    _runtime: core::marker::PhantomData<T>,
}

impl<'a, T: Config> Run<'a, T> {
    fn new(keys: &'a [AuthorityId], lane: Lane, now: BlockNumber) -> Self {
        let marks = Marks::load(lane, now);
        let slow = SlowProviders::load();
        let tasks = select::tasks::<T>(keys, lane, now, &marks, &slow);
        Run {
            keys,
            lane,
            marks,
            slow,
            fetches: Fetches::new(lane.limits()),
            tasks,
            works: Vec::new(),
            leaves_len: 0,
            leaves_of: Vec::new(),
            _runtime: core::marker::PhantomData,
        }
    }

    fn go(mut self) {
        for at in 0..self.tasks.len() {
            match &self.tasks[at].route {
                Route::Ask { provider, .. } => {
                    let url = url(&provider.endpoint, &self.tasks[at], "");
                    self.fetches.start(&url, attestation::ATTESTATION_LEN_MAX, Purpose::Attestation(at));
                }
                Route::Unattested => self.works.push(Work::unattested(self.tasks[at].open.clone())),
            }
        }
        while let Some(done) = self.fetches.next_done() {
            self.take(done);
        }
        let works = core::mem::take(&mut self.works);
        for (open, verdict, gpu) in verdict::compute::<T>(works, self.lane.compute_ms_max()) {
            self.vote(open, verdict, gpu);
        }
        self.marks.save();
    }

    fn vote(&mut self, open: OpenItem, verdict: Verdict, gpu: GpuUse) {
        vote::cast::<T>(self.keys, &open, verdict, gpu);
        self.marks.add(&open.item);
    }

    /// Takes in one answer.
    fn take(&mut self, done: Done<Purpose>) {
        let (at, attestation) = match done.purpose {
            Purpose::Attestation(at) => (at, None),
            Purpose::Leaves(at, attestation) => (at, Some(attestation)),
        };
        self.slow.note(&self.tasks[at].open.item.provider, done.elapsed_ms);
        if self.lane == Lane::Prompt && done.result == Err(fetch::Fault::TimedOut) {
            return;
        }
        let judged = match attestation {
            None => self.judge_attestation(at, done.result),
            Some(attestation) => self.judge_leaves(at, done.result, attestation),
        };
        if let Err(fault) = judged {
            self.without_attestation(at, &fault);
        }
    }

    /// Equal roots settle the item, unless evidence may be missing; else the leaves are asked for.
    fn judge_attestation(&mut self, at: usize, result: Result<Vec<u8>, fetch::Fault>) -> Result<(), String> {
        let body = result.map_err(|fault| format!("the attestor does not answer: {fault:?}"))?;
        let task = &self.tasks[at];
        let Route::Ask { provider, .. } = &task.route else { return Ok(()) };
        let attestation = attestation::check(&body, &task.open, provider, &Pallet::<T>::genesis_hash())
            .map_err(|fault| format!("the attestation does not count: {fault:?}"))?;
        if attestation.root == task.open.root {
            let open = task.open.clone();
            if verdict::without_evidence::<T>(&open).is_empty() {
                self.vote(open, Verdict::Match, attestation.gpu_use());
            } else {
                self.works.push(Work::matched(open, attestation.gpu_use()));
            }
            return Ok(());
        }
        let len = attestation::leaves_len(&task.open);
        let who = &task.open.item.provider;
        let of_provider = self.leaves_of.iter().filter(|other| *other == who).count();
        if self.leaves_len + len <= LEAVES_LEN_MAX && of_provider < LEAVES_PER_PROVIDER_MAX {
            self.leaves_len += len;
            self.leaves_of.push(who.clone());
            let url = url(&provider.endpoint, task, "/leaves");
            self.fetches.start(&url, len, Purpose::Leaves(at, attestation));
        }
        Ok(())
    }

    fn judge_leaves(
        &mut self,
        at: usize,
        result: Result<Vec<u8>, fetch::Fault>,
        attestation: Attestation,
    ) -> Result<(), String> {
        let body = result.map_err(|fault| format!("the attestor does not send its leaves: {fault:?}"))?;
        let leaves = attestation::check_leaves(&body, &attestation)
            .map_err(|fault| format!("the leaves do not count: {fault:?}"))?;
        let task = &self.tasks[at];
        let overdue = matches!(task.route, Route::Ask { overdue: true, .. });
        self.works.push(Work::adjust(task.open.clone(), &attestation, leaves, overdue));
        Ok(())
    }

    /// There is no attestation that counts: in time that is the verdict.
    fn without_attestation(&mut self, at: usize, why: &str) {
        let task = &self.tasks[at];
        let Route::Ask { overdue, .. } = task.route else { return };
        if overdue {
            log::warn!(
                target: LOG_TARGET,
                "{:?} is not attested in time and settled by its classes' policies: {why}",
                task.open.item,
            );
            self.works.push(Work::unattested(task.open.clone()));
        } else {
            log::debug!(target: LOG_TARGET, "{:?} is not attested yet: {why}", task.open.item);
        }
    }
}

/// Where a task's attestation, or what belongs to it, is asked for.
fn url(endpoint: &[u8], task: &Task, suffix: &str) -> String {
    let item = &task.open.item;
    let gateway: &[u8] = item.gateway.as_ref();
    format!(
        "{}/v1/attestations/{}/{}/{}{suffix}",
        // Only UTF-8 is registered.
        core::str::from_utf8(endpoint).unwrap_or_default(),
        hex::encode(gateway),
        item.first_seq,
        task.open.last_seq,
    )
}
