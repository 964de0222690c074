//! Stipend's JSON-RPC methods, one file per namespace, merged with the SDK's own.
//!
//! Every answer about the ledger is the runtime's; what is here chooses the block, finds the words
//! for what went wrong, and puts proofs together from what the database holds.

use std::sync::Arc;

use jsonrpsee::{types::ErrorObjectOwned, RpcModule};
use sc_consensus_grandpa::{
    FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sp_api::ApiError;
use sp_blockchain::HeaderBackend;
use sp_core::{traits::SpawnNamed, H256};
use stipend_primitives::{AccountId, BlockNumber};
use stipend_rpc::{
    error::{error, Code},
    EnergyRpcServer, EntitlementsRpcServer, EvidenceRpcServer, MeritRpcServer, PricingRpcServer,
    ReceiptsRpcServer, SettlementRpcServer, WalletRpcServer,
};
use stipend_runtime::{opaque::Block, Nonce};
use substrate_frame_rpc_system::{System, SystemApiServer};

use crate::service::{FullBackend, FullClient, Pool};

mod energy;
mod entitlements;
mod evidence;
mod merit;
mod pricing;
mod proof;
mod receipts;
mod settlement;
mod view;
mod wallet;

/// An answer or the error that the caller sees.
type Answer<T> = Result<T, ErrorObjectOwned>;

/// What `grandpa_*` reports on.
pub struct GrandpaParts {
    /// Who may vote.
    pub authority_set: SharedAuthoritySet<H256, BlockNumber>,
    /// The rounds under way.
    pub voter_state: SharedVoterState,
    /// Justifications as they are made.
    pub justifications: GrandpaJustificationStream<Block>,
    /// Where old justifications are kept.
    pub backend: Arc<FullBackend>,
}

/// All methods that the node adds to the SDK's.
pub fn module(
    client: Arc<FullClient>,
    pool: Arc<Pool>,
    grandpa: &GrandpaParts,
    executor: Arc<dyn SpawnNamed>,
) -> Result<RpcModule<()>, sc_service::Error> {
    let chain = Chain { client: client.clone() };
    let grandpa = Grandpa::new(
        executor,
        grandpa.authority_set.clone(),
        grandpa.voter_state.clone(),
        grandpa.justifications.clone(),
        FinalityProofProvider::new_for_service(grandpa.backend.clone(), Some(grandpa.authority_set.clone())),
    );
    let system =
        SystemApiServer::<H256, AccountId, Nonce>::into_rpc(System::<_, _, Block>::new(client, pool.clone()));
    let parts = [
        system.remove_context(),
        grandpa.into_rpc().remove_context(),
        entitlements::Entitlements::new(chain.clone(), pool).into_rpc().remove_context(),
        wallet::Wallet::new(chain.clone()).into_rpc().remove_context(),
        receipts::Receipts::new(chain.clone()).into_rpc().remove_context(),
        settlement::Settlement::new(chain.clone()).into_rpc().remove_context(),
        evidence::Evidence::new(chain.clone()).into_rpc().remove_context(),
        energy::Energy::new(chain.clone()).into_rpc().remove_context(),
        merit::Merit::new(chain.clone()).into_rpc().remove_context(),
        pricing::Pricing::new(chain).into_rpc().remove_context(),
    ];
    let mut module = RpcModule::new(());
    for part in parts {
        module.merge(part).map_err(|error| sc_service::Error::Application(error.into()))?;
    }
    Ok(module)
}

/// A block that questions are asked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    hash: H256,
    number: BlockNumber,
}

/// The chain as the methods see it.
#[derive(Clone)]
struct Chain {
    client: Arc<FullClient>,
}

impl Chain {
    /// The newest block; another may still replace it.
    fn best(&self) -> Head {
        let info = self.client.info();
        Head { hash: info.best_hash, number: info.best_number }
    }

    /// The newest block that nothing can replace.
    fn finalised(&self) -> Head {
        let info = self.client.info();
        Head { hash: info.finalized_hash, number: info.finalized_number }
    }

    /// Computes an answer on a thread that may block: the ones that serve connections must not wait
    /// for the runtime.
    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Chain) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let chain = self.clone();
        match tokio::task::spawn_blocking(move || work(&chain)).await {
            Ok(answer) => answer,
            Err(fault) => Err(internal(fault)),
        }
    }
}

/// Takes the runtime's answer out of what calling it returned.
fn runtime<T>(result: Result<T, ApiError>) -> Answer<T> {
    result.map_err(internal)
}

/// The error for what should not happen.
fn internal(fault: impl std::fmt::Display) -> ErrorObjectOwned {
    error(
        Code::Internal,
        format!(
            "The node could not compute the answer: {fault}. Ask again; if it stays, ask another node and \
             look into this node's log."
        ),
    )
}
