//! Reservations on their way to the chain and back.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use stipend_primitives::{AccountId, BlockNumber, ClassId, Credits};
use tokio::task::JoinHandle;

use super::{plan, Follower};
use crate::{
    chain::{Chain, ChainError, Row, ROWS_MAX},
    clock::now_ms,
    wallet::{Account, Hold},
};

/// Top-ups of one account closer together than this mean that its target is too small.
const SHORT: Duration = Duration::from_secs(30);

/// How far a target grows.
const FACTOR_MAX: Credits = 1_024;

/// How fast an account uses its reservations up.
pub(super) struct Pace {
    last: Instant,
    factor: Credits,
}

/// Calls on their way: one lot at a time, so that each is planned on what the one before led to.
pub(super) struct Job {
    task: Option<JoinHandle<Result<BlockNumber, ChainError>>>,
    /// The block to be taken in before the accounts show the result.
    lands_at: Option<BlockNumber>,
    accounts: Vec<Arc<Account>>,
    /// Credits that are being let go, or that keep a renewal possible.
    holds: Vec<Hold>,
}

impl Job {
    pub(super) fn owners(&self) -> HashSet<AccountId> {
        let held = self.holds.iter().map(|hold| hold.account().owner.clone());
        self.accounts.iter().map(|account| account.owner.clone()).chain(held).collect()
    }

    /// Resolves when the calls of `job` are finalised or failed; never if there is no job.
    pub(super) async fn landed(job: &mut Option<Job>) -> Result<BlockNumber, ChainError> {
        let Some(task) = job.as_mut().and_then(|job| job.task.as_mut()) else {
            return std::future::pending().await;
        };
        let result = task.await;
        if let Some(job) = job {
            job.task = None;
        }
        result.unwrap_or_else(|error| Err(ChainError(error.to_string())))
    }
}

/// What a job is to do.
#[derive(Default)]
struct Lot {
    release: Vec<Row>,
    reserve: Vec<Row>,
    accounts: Vec<Arc<Account>>,
    holds: Vec<Hold>,
}

impl Lot {
    fn top_up(&mut self, account: Arc<Account>, amount: Credits) {
        self.reserve.push((account.owner.clone(), account.class, amount));
        self.accounts.push(account);
    }

    /// Extends a reservation. Only a top-up does that, so the smallest one; where nothing is left to
    /// take, one micro-credit is let go and taken again. False if the account has not even that.
    fn extend(&mut self, account: &Arc<Account>) -> bool {
        if !account.has_available() {
            let Some(hold) = account.hold_one() else { return false };
            self.release.push((account.owner.clone(), account.class, 1));
            self.holds.push(hold);
        }
        self.top_up(account.clone(), 1);
        true
    }
}

impl<C: Chain> Follower<C> {
    /// Starts a job for the accounts that wait, unless one is on its way.
    pub(super) async fn begin_job(&mut self) {
        if self.job.is_some() {
            return;
        }
        let mut lot = Lot::default();
        for hold in self.leaving.drain(..) {
            let account = hold.account();
            lot.release.push((account.owner.clone(), account.class, hold.amount()));
            lot.holds.push(hold);
        }
        let pending = self.take_pending();
        let owners: HashSet<AccountId> = pending.iter().map(|account| account.owner.clone()).collect();
        if let Err(error) = self.refresh(self.at.hash, owners.into_iter().collect()).await {
            tracing::warn!(%error, "cannot look at the wallets that need credits");
            for account in pending {
                self.set_aside(account);
            }
            self.launch(lot);
            return;
        }
        let margin_ms = self.state.expiry_margin_ms;
        for account in pending {
            if lot.reserve.len() >= ROWS_MAX {
                self.pending.push(account);
                continue;
            }
            let amount = self.plan(&account);
            let must_extend = plan::is_ending(&account.figures(), margin_ms, now_ms());
            if amount == 0 && !(must_extend && lot.extend(&account)) {
                self.set_aside(account);
            } else if amount > 0 {
                lot.top_up(account, amount);
            }
        }
        self.launch(lot);
    }

    /// The accounts that wait, each once.
    fn take_pending(&mut self) -> Vec<Arc<Account>> {
        let mut seen = HashSet::new();
        let mut pending = std::mem::take(&mut self.pending);
        pending.retain(|account| seen.insert(Arc::as_ptr(account)));
        pending
    }

    fn plan(&mut self, account: &Account) -> Credits {
        let settings = &self.state.reservations;
        let key = (account.owner.clone(), account.class);
        let factor = match self.pace.get(&key) {
            Some(pace) if pace.last.elapsed() < SHORT => (pace.factor * 2).min(FACTOR_MAX),
            Some(_) | None => 1,
        };
        let target = settings.target.saturating_mul(factor);
        let amount = plan::top_up(&account.figures(), account.wanted(), target, settings);
        if amount > 0 {
            self.pace.insert(key, Pace { last: Instant::now(), factor });
        }
        amount
    }

    /// Extends reservations that are in use and near their end.
    pub(super) async fn renew(&mut self) {
        self.pace.retain(|_, pace| pace.last.elapsed() < SHORT);
        if self.job.is_some() {
            return;
        }
        let now = now_ms();
        let mut lot = Lot::default();
        for account in self.state.wallets.all().iter().flat_map(|wallet| wallet.accounts().to_vec()) {
            let due = plan::is_ageing(&account.figures(), &self.state.reservations, now);
            // What a job holds for hours is in use, too.
            let is_used = || account.take_active() || account.figures().held > 0;
            if due && lot.reserve.len() < ROWS_MAX && is_used() {
                lot.extend(&account);
            }
        }
        self.launch(lot);
    }

    fn launch(&mut self, lot: Lot) {
        let Lot { release, reserve, accounts, holds } = lot;
        if release.is_empty() && reserve.is_empty() {
            return;
        }
        tracing::debug!(reserve = reserve.len(), release = release.len(), "moving credits");
        self.state.metrics.reservations.inc_by(reserve.len() as u64);
        let lifetime_ms = u64::try_from(self.state.reservations.lifetime.as_millis()).unwrap_or(u64::MAX);
        let expires_at = now_ms().saturating_add(lifetime_ms);
        let chain = self.chain.clone();
        let task = tokio::spawn(async move {
            let mut block = 0;
            for rows in release.chunks(ROWS_MAX) {
                block = chain.release(rows.to_vec()).await?;
            }
            if !reserve.is_empty() {
                block = chain.reserve(reserve, expires_at).await?;
            }
            Ok(block)
        });
        self.job = Some(Job { task: Some(task), lands_at: None, accounts, holds });
    }

    /// The calls are finalised, or failed: then the next block shows what became of them.
    pub(super) async fn take_landing(&mut self, landed: Result<BlockNumber, ChainError>) {
        let lands_at = landed.unwrap_or_else(|error| {
            tracing::warn!(%error, "credits could not be moved; trying again when they are needed");
            self.at.number.saturating_add(1)
        });
        if let Some(job) = &mut self.job {
            job.lands_at = Some(lands_at);
        }
        if self.is_at(lands_at) {
            // The block was taken in before the answer came: look once more.
            let owners = self.job.iter().flat_map(Job::owners).collect();
            if self.refresh(self.at.hash, owners).await.is_err() {
                return;
            }
        }
        self.take_landing_if_reached().await;
    }

    /// Ends the job if the block that holds its calls was taken in.
    pub(super) async fn take_landing_if_reached(&mut self) {
        let reached = |job: &mut Job| job.lands_at.is_some_and(|number| self.at.number >= number);
        let Some(job) = self.job.take_if(reached) else { return };
        drop(job.holds);
        let mut wanting: HashMap<(AccountId, ClassId), Arc<Account>> = HashMap::new();
        for account in job.accounts {
            let wanted = account.take_wanted();
            // Somebody wanted more meanwhile, or others were faster.
            if (wanted > account.free() || account.is_short()) && account.want(wanted) {
                wanting.insert((account.owner.clone(), account.class), account);
            }
        }
        self.pending.extend(wanting.into_values());
    }
}
