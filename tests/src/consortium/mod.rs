//! A consortium: four real validators (and more that join), each on its own machine as far as the
//! network goes, and everything that can happen to them.
//!
//! | module | does |
//! |---|---|
//! | [`network`] | namespaces, cables, switches |
//! | [`spec`] | the chain they run |
//! | [`validator`] | one of them |
//! | [`finality`] | what they call final, and that they agree |
//! | [`load`] | requests that employees make meanwhile |

pub mod finality;
pub mod load;
pub mod network;
pub mod spec;
pub mod validator;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{bail, ensure, Context, Result};
use stipend_primitives::BlockNumber;
use stipend_sdk::Client;

use crate::{services, stage::RunningChain};
use finality::Finality;
use network::Network;
use validator::{Heads, Validator};

/// Validators of the `local` chain.
pub const FOUNDERS: usize = 4;

/// Validators that may be away while the rest can still make blocks final.
pub const FAULTS_MAX: usize = (FOUNDERS - 1) / 3;

/// How long the chain may take for something that it will certainly do. Generous: what is tested is
/// that it happens, not how fast a busy machine is.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// For how long votes that were under way may still finish a round.
const SETTLE: Duration = Duration::from_secs(3);

/// Pause between two looks at a node.
const LOOK: Duration = Duration::from_millis(300);

/// The validators and their network.
pub struct Consortium {
    /// Founders first, in the order of the genesis.
    pub validators: Vec<Validator>,
    /// What they call final.
    pub finality: Finality,
    /// Logs and data.
    pub dir: PathBuf,
    network: Network,
    spec: PathBuf,
}

impl Consortium {
    /// Starts the founders under `target/<dir>` and waits until they make blocks final together.
    pub async fn start(dir: &str, session_blocks: Option<u32>) -> Result<Self> {
        let dir = services::work_dir(dir)?;
        println!("Logs and data of the validators: {}", dir.display());
        let mut network = Network::lay()?;
        let validators = (0..FOUNDERS)
            .map(|at| Validator::prepare(&dir, at, network.plug_in(at)?))
            .collect::<Result<Vec<_>>>()?;
        let spec = spec::write(&dir, &validators, session_blocks)?;
        let mut consortium = Consortium { validators, finality: Finality::default(), dir, network, spec };
        consortium.start_founders().await?;
        consortium.wait_for_height(3).await.context("the validators make nothing final")?;
        Ok(consortium)
    }

    /// Whether validators can be cut off from each other on this machine.
    pub fn can_part(&self) -> bool {
        self.network.can_part()
    }

    /// The chain through one validator, for a company to use.
    pub fn chain_at(&self, at: usize) -> RunningChain {
        RunningChain { url: self.validators[at].url.clone(), host: self.network.host() }
    }

    /// A connection to one validator.
    pub fn client(&self, at: usize) -> Result<Client> {
        self.validators[at].client().cloned()
    }

    /// Starts a validator, again or for the first time.
    pub async fn start_validator(&mut self, at: usize) -> Result<()> {
        let peers = self.peers_of(at);
        let first = self.validators[at].client().is_err();
        self.validators[at].start(&self.spec, &peers, at < FOUNDERS).await?;
        if first {
            let client = self.client(at)?;
            self.finality.follow(&self.validators[at].name, client);
        }
        Ok(())
    }

    /// Starts all founders at once.
    async fn start_founders(&mut self) -> Result<()> {
        let peers: Vec<Vec<String>> = (0..FOUNDERS).map(|at| self.peers_of(at)).collect();
        let spec = &self.spec;
        let starting =
            self.validators.iter_mut().zip(&peers).map(|(founder, peers)| founder.start(spec, peers, true));
        futures::future::try_join_all(starting).await?;
        for validator in &self.validators {
            self.finality.follow(&validator.name, validator.client()?.clone());
        }
        Ok(())
    }

    /// Addresses of all validators but one.
    fn peers_of(&self, at: usize) -> Vec<String> {
        let others = self.validators.iter().enumerate().filter(|(other, _)| *other != at);
        others.map(|(_, validator)| validator.address()).collect()
    }

    /// Plugs in one more machine and returns its number; [`Self::start_validator`] starts its node.
    pub fn join(&mut self) -> Result<usize> {
        let at = self.validators.len();
        let place = self.network.plug_in(at)?;
        self.validators.push(Validator::prepare(&self.dir, at, place)?);
        Ok(at)
    }

    /// Kills a validator as a power cut would.
    pub fn kill(&mut self, at: usize) {
        self.validators[at].kill();
    }

    /// Parts the network: validators of one group reach each other and nobody else.
    pub fn part(&mut self, groups: &[&[usize]]) -> Result<()> {
        self.network.part(groups)
    }

    /// Makes the network one again.
    pub fn heal(&mut self) -> Result<()> {
        let everybody: Vec<usize> = (0..self.validators.len()).collect();
        self.network.part(&[&everybody])
    }

    /// The validators that run.
    pub fn running(&mut self) -> Vec<usize> {
        (0..self.validators.len()).filter(|at| self.validators[*at].is_running()).collect()
    }

    /// Newest blocks of some validators, in their order.
    pub async fn heads(&self, of: &[usize]) -> Result<Vec<Heads>> {
        futures::future::try_join_all(of.iter().map(|at| self.validators[*at].heads())).await
    }

    /// Waits until any validator calls this height final.
    pub async fn wait_for_height(&self, height: BlockNumber) -> Result<Duration> {
        let started = Instant::now();
        while self.finality.height() < height {
            if started.elapsed() > PATIENCE {
                bail!("height {height} was not final after {PATIENCE:?}; {} was", self.finality.height());
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(started.elapsed())
    }

    /// Waits until each of these validators calls `blocks` more blocks final than `from`.
    pub async fn wait_for_progress(
        &self,
        of: &[usize],
        from: BlockNumber,
        blocks: BlockNumber,
    ) -> Result<Duration> {
        self.wait_until(of, "finality goes on", |heads| heads.finalised.number >= from + blocks).await
    }

    /// Shows that none of these validators makes anything final, though each goes on making blocks.
    ///
    /// Votes that were under way may still finish a round, so it counts from the third new block on.
    pub async fn ensure_halted(&self, of: &[usize], blocks: BlockNumber) -> Result<()> {
        self.wait_for_blocks(of, 3).await?;
        let before = self.heads(of).await?;
        self.wait_for_blocks(of, blocks).await?;
        let after = self.heads(of).await?;
        for (at, (before, after)) in of.iter().zip(before.iter().zip(&after)) {
            ensure!(
                before.finalised == after.finalised,
                "{} went on from {:?} to {:?} without more than two thirds of the validators",
                self.validators[*at].name,
                before.finalised,
                after.finalised,
            );
        }
        Ok(())
    }

    /// Shows that none of these validators makes anything final for a while, whether or not it makes blocks:
    /// one that sees nobody makes none.
    pub async fn ensure_still(&self, of: &[usize], time: Duration) -> Result<()> {
        tokio::time::sleep(SETTLE).await;
        let before = self.heads(of).await?;
        tokio::time::sleep(time).await;
        let after = self.heads(of).await?;
        let finalised = |heads: &[Heads]| heads.iter().map(|heads| heads.finalised).collect::<Vec<_>>();
        ensure!(finalised(&before) == finalised(&after), "{of:?} went on from {before:?} to {after:?}");
        Ok(())
    }

    /// Waits until each of these validators has that many more blocks, final or not.
    async fn wait_for_blocks(&self, of: &[usize], blocks: BlockNumber) -> Result<()> {
        let goals: Vec<BlockNumber> =
            self.heads(of).await?.iter().map(|heads| heads.best.number + blocks).collect();
        for (at, goal) in of.iter().zip(goals) {
            self.wait_until(&[*at], "new blocks are made", |heads| heads.best.number >= goal).await?;
        }
        Ok(())
    }

    async fn wait_until(
        &self,
        of: &[usize],
        what: &str,
        reached: impl Fn(&Heads) -> bool,
    ) -> Result<Duration> {
        let started = Instant::now();
        loop {
            let heads = self.heads(of).await?;
            if heads.iter().all(&reached) {
                return Ok(started.elapsed());
            }
            ensure!(started.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}; {heads:?}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until all of these validators have made the greatest final height of now final, and
    /// checks that block and state root of it are the same everywhere, and that no two ever differed.
    pub async fn ensure_agreement(&self, of: &[usize]) -> Result<BlockNumber> {
        let height = self.finality.height();
        self.wait_until(of, "all catch up", |heads| heads.finalised.number >= height).await?;
        let blocks =
            futures::future::try_join_all(of.iter().map(|at| self.validators[*at].block_at(height))).await?;
        for (at, block) in of.iter().zip(&blocks) {
            ensure!(
                *block == blocks[0],
                "{} has {block:?} at final height {height}, {} has {:?}",
                self.validators[*at].name,
                self.validators[of[0]].name,
                blocks[0],
            );
        }
        self.finality.ensure_no_conflict()?;
        Ok(height)
    }
}
