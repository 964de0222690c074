//! The task that follows the chain: the only one that changes keys, prices and what reservations
//! grant, always as of one finalised block.

mod block;
mod job;
mod plan;
mod share;

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::StreamExt;
use stipend_primitives::{AccountId, BlockNumber, ClassId};
use tokio::{
    sync::mpsc,
    time::{interval, sleep, MissedTickBehavior},
};

use crate::{
    chain::{BlockRef, Chain, ChainError},
    pipeline::work::Work,
    state::State,
    wallet::{Account, Hold, Wallet},
};
use job::{Job, Pace};

/// Requests that need credits at about the same time share one look at the chain.
const GATHER: Duration = Duration::from_millis(20);

/// Pause after the chain could not be asked.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// How often reservations are looked through for those that near their end.
const RENEW_EVERY: Duration = Duration::from_secs(30);

/// Follows the chain for one gateway.
pub(crate) struct Follower<C> {
    pub(crate) chain: Arc<C>,
    pub(crate) state: Arc<State>,
    pub(crate) work: Arc<Work>,
    /// The newest block that was taken in.
    at: BlockRef,
    /// Accounts that wait for a top-up.
    pending: Vec<Arc<Account>>,
    /// Reservations on their way.
    job: Option<Job>,
    /// Wallets without a key, until nothing of theirs is reserved here.
    departed: Vec<Arc<Wallet>>,
    /// Free credits to be let go.
    leaving: Vec<Hold>,
    /// Accounts that requests wait for and that the chain had too little for when it was last looked at.
    short: Vec<Arc<Account>>,
    /// Whether there is no other gateway.
    is_alone: bool,
    pace: HashMap<(AccountId, ClassId), Pace>,
    /// Wallets to look at again for what no event tells, such as refunds and expiry.
    rotation: Vec<Arc<Wallet>>,
}

/// Why a block could not be taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    OtherGateway(#[from] crate::pipeline::work::OtherGateway),
}

impl<C: Chain> Follower<C> {
    /// A follower that has taken in all of `at`.
    pub(crate) async fn start(
        chain: Arc<C>,
        state: Arc<State>,
        work: Arc<Work>,
        at: BlockRef,
    ) -> Result<Self, FollowError> {
        let mut follower = Follower {
            chain,
            state,
            work,
            at,
            pending: Vec::new(),
            job: None,
            departed: Vec::new(),
            leaving: Vec::new(),
            short: Vec::new(),
            is_alone: true,
            pace: HashMap::new(),
            rotation: Vec::new(),
        };
        follower.take_all(at).await?;
        Ok(follower)
    }

    /// Runs until it is aborted.
    pub(crate) async fn run(mut self, mut wanted: mpsc::UnboundedReceiver<Arc<Account>>) {
        let mut renew = interval(RENEW_EVERY);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut blocks = self.chain.blocks_after(self.at.number);
            let trouble = loop {
                let taken = tokio::select! {
                    block = blocks.next() => match block {
                        Some(Ok(block)) => self.take_block(block).await,
                        Some(Err(error)) => Err(error.into()),
                        None => Err(ChainError("the stream of blocks ended".into()).into()),
                    },
                    Some(account) = wanted.recv() => {
                        self.pending.push(account);
                        sleep(GATHER).await;
                        while let Ok(account) = wanted.try_recv() {
                            self.pending.push(account);
                        }
                        self.look_at_pending().await;
                        self.begin_job().await;
                        Ok(())
                    }
                    landed = Job::landed(&mut self.job) => {
                        self.take_landing(landed).await;
                        Ok(())
                    }
                    _ = renew.tick() => {
                        self.renew().await;
                        Ok(())
                    }
                };
                if let Err(error) = taken {
                    break error;
                }
            };
            self.recover(trouble).await;
        }
    }

    /// Begins again at the newest finalised block.
    async fn recover(&mut self, trouble: FollowError) {
        let mut trouble = trouble;
        loop {
            match &trouble {
                FollowError::OtherGateway(error) => self.state.status.halt(error.to_string()),
                FollowError::Chain(error) => tracing::warn!(%error, "cannot follow the chain; trying again"),
            }
            sleep(RETRY_PAUSE).await;
            let taken = match self.chain.head().await {
                // A node that comes back may be behind for a while; what was finalised stays so.
                Ok(head) if head.number < self.at.number => {
                    Err(ChainError(format!("the node is behind, at block {}", head.number)).into())
                }
                Ok(head) => self.take_all(head).await,
                Err(error) => Err(error.into()),
            };
            match taken {
                Ok(()) => return,
                Err(error) => trouble = error,
            }
        }
    }

    fn is_at(&self, number: BlockNumber) -> bool {
        self.at.number >= number
    }
}
