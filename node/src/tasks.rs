//! The tasks of a running node: settlement's worker, authorship, finality.

use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use sc_client_api::Backend;
use sc_consensus_aura::SlotProportion;
use sc_consensus_grandpa::{SharedVoterState, ThreeQuartersOfTheUnfinalizedChain, VotingRulesBuilder};
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::{service::traits::NetworkService, NotificationService, ProtocolName};
use sc_network_sync::SyncingService;
use sc_service::{Configuration, Role, TaskManager};
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_aura::sr25519::AuthorityPair as AuraPair;
use sp_keystore::KeystorePtr;
use stipend_runtime::opaque::Block;
use substrate_prometheus_endpoint::Registry;

use crate::{
    block_bodies,
    proposer::{FillFor, GIVE_UP_AFTER},
    service::{
        inherents, FullBackend, FullClient, GrandpaBlockImport, GrandpaLink, Pool, Result, SelectChain,
        JUSTIFICATION_PERIOD,
    },
};

/// How long a vote takes to reach all validators. GRANDPA waits for two of these before it votes
/// and for four before it commits, so a block is final about 0.6 s after a round takes it up.
/// Three times the round trip across one continent.
const GOSSIP_DURATION: Duration = Duration::from_millis(150);

/// While nothing becomes final, blocks come less and less often, but one in this many slots: what the
/// council decides then takes effect within two sessions, and those must not take days.
const SLOTS_WITHOUT_FINALITY_MAX: u32 = 4;

/// The most that a proposer puts into a block, in bytes. A block travels as one response of at most
/// `sc_network::MAX_RESPONSE_SIZE`, 16 MiB, with its header and its justification: one that does
/// not fit could never be fetched by another node.
const BLOCK_BYTES_MAX: usize = 15 * 1024 * 1024;

/// What the tasks share.
pub struct Node {
    /// What the configuration says of them.
    pub settings: Settings,
    /// The client.
    pub client: Arc<FullClient>,
    /// The transaction pool.
    pub pool: Arc<Pool>,
    /// The database.
    pub backend: Arc<FullBackend>,
    /// The session keys.
    pub keystore: KeystorePtr,
    /// Peers and protocols.
    pub network: Arc<dyn NetworkService>,
    /// Which blocks peers have.
    pub sync: Arc<SyncingService<Block>>,
    /// Where to report to, if anywhere.
    pub telemetry: Option<TelemetryHandle>,
}

/// What the configuration says of the tasks.
pub struct Settings {
    role: Role,
    name: String,
    offchain_workers: bool,
    force_authoring: bool,
    follow_finality: bool,
    prometheus: Option<Registry>,
}

impl Settings {
    /// The settings in a configuration.
    pub fn of(config: &Configuration) -> Self {
        Settings {
            role: config.role,
            name: config.network.node_name.clone(),
            offchain_workers: config.offchain_worker.enabled,
            force_authoring: config.force_authoring,
            follow_finality: !config.disable_grandpa,
            prometheus: config.prometheus_registry().cloned(),
        }
    }
}

/// The parts of GRANDPA that its voter uses up.
pub struct Voter {
    /// Where blocks to vote on come from.
    pub link: GrandpaLink,
    /// The rounds under way, for `grandpa_roundState`.
    pub state: SharedVoterState,
    protocol: ProtocolName,
    messages: Box<dyn NotificationService>,
}

impl Voter {
    /// A voter that has not begun, with the protocol that its votes travel by.
    pub fn new(link: GrandpaLink, protocol: ProtocolName, messages: Box<dyn NotificationService>) -> Self {
        Voter { link, state: SharedVoterState::empty(), protocol, messages }
    }
}

impl Node {
    /// Runs the settlement's worker after every block, with HTTP and block bodies. A validator does
    /// unless it is told not to, others only if they are told to.
    pub fn start_offchain_workers(&self, task_manager: &TaskManager) -> Result<()> {
        if !self.settings.offchain_workers {
            return Ok(());
        }
        let client = self.client.clone();
        let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
            runtime_api_provider: self.client.clone(),
            keystore: Some(self.keystore.clone()),
            offchain_db: self.backend.offchain_storage(),
            transaction_pool: Some(OffchainTransactionPoolFactory::new(self.pool.clone())),
            network_provider: Arc::new(self.network.clone()),
            is_validator: self.settings.role.is_authority(),
            enable_http_requests: true,
            custom_extensions: move |_| block_bodies::extensions::<Block, _>(&client),
        })?;
        task_manager.spawn_handle().spawn(
            "offchain-workers-runner",
            "offchain-worker",
            workers.run(self.client.clone(), task_manager.spawn_handle()).boxed(),
        );
        Ok(())
    }

    /// Makes blocks in the slots of this node if it is a validator.
    pub fn start_authorship(
        &self,
        task_manager: &TaskManager,
        select_chain: SelectChain,
        block_import: GrandpaBlockImport,
        fill_percent: u8,
    ) -> Result<()> {
        if !self.settings.role.is_authority() {
            return Ok(());
        }
        let slot_duration = sc_consensus_aura::slot_duration(&*self.client)?;
        let mut proposer_factory = sc_basic_authorship::ProposerFactory::new(
            task_manager.spawn_handle(),
            self.client.clone(),
            self.pool.clone(),
            self.settings.prometheus.as_ref(),
            self.telemetry.clone(),
        );
        proposer_factory.set_default_block_size_limit(BLOCK_BYTES_MAX);
        let params = sc_consensus_aura::StartAuraParams {
            slot_duration,
            client: self.client.clone(),
            select_chain,
            block_import,
            proposer_factory: FillFor::new(proposer_factory, slot_duration.as_duration(), fill_percent),
            create_inherent_data_providers: move |_, ()| async move { Ok(inherents(slot_duration)) },
            force_authoring: self.settings.force_authoring,
            // When finality stalls, blocks become rarer instead of piling up unfinalised.
            backoff_authoring_blocks: Some(BackoffAuthoringOnFinalizedHeadLagging {
                max_interval: SLOTS_WITHOUT_FINALITY_MAX,
                ..Default::default()
            }),
            keystore: self.keystore.clone(),
            sync_oracle: self.sync.clone(),
            justification_sync_link: self.sync.clone(),
            block_proposal_slot_portion: SlotProportion::new(GIVE_UP_AFTER),
            // No lenience after missed slots: a block is bounded by its weight, and a longer one
            // would only make the next validator late too.
            max_block_proposal_slot_portion: Some(SlotProportion::new(GIVE_UP_AFTER)),
            telemetry: self.telemetry.clone(),
            compatibility_mode: Default::default(),
        };
        let aura = sc_consensus_aura::start_aura::<AuraPair, _, _, _, _, _, _, _, _, _, _>(params)?;
        // Without blocks a validator is of no use: the node ends if authorship does.
        task_manager.spawn_essential_handle().spawn_blocking("aura", Some("block-authoring"), aura);
        Ok(())
    }

    /// Votes on finality, or follows the votes where the node is no validator.
    pub fn start_voter(&self, task_manager: &TaskManager, voter: Voter) -> Result<()> {
        if !self.settings.follow_finality {
            return Ok(());
        }
        let config = sc_consensus_grandpa::Config {
            gossip_duration: GOSSIP_DURATION,
            justification_generation_period: JUSTIFICATION_PERIOD,
            name: Some(self.settings.name.clone()),
            observer_enabled: false,
            keystore: self.settings.role.is_authority().then(|| self.keystore.clone()),
            local_role: self.settings.role,
            telemetry: self.telemetry.clone(),
            protocol_name: voter.protocol,
        };
        let params = sc_consensus_grandpa::GrandpaParams {
            config,
            link: voter.link,
            network: self.network.clone(),
            sync: self.sync.clone(),
            notification_service: voter.messages,
            // The SDK's default also stays two blocks behind the best one, to be spared votes for
            // blocks that a fork replaces. With slots in turn there are few forks, and those two
            // blocks would be half of the four seconds in which a receipt is to be final.
            voting_rule: VotingRulesBuilder::new().add(ThreeQuartersOfTheUnfinalizedChain).build(),
            prometheus_registry: self.settings.prometheus.clone(),
            shared_voter_state: voter.state,
            telemetry: self.telemetry.clone(),
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(self.pool.clone()),
        };
        let grandpa = sc_consensus_grandpa::run_grandpa_voter(params)?;
        task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, grandpa);
        Ok(())
    }
}
