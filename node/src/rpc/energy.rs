//! `energy_*`: the energy budgets of the classes, by the newest finalised block.

use jsonrpsee::core::{async_trait, RpcResult};
use sp_api::ProvideRuntimeApi;
use stipend_primitives::view::ClassEnergy;
use stipend_rpc::EnergyRpcServer;
use stipend_runtime_api::EnergyApi;

use super::{runtime, Chain};

/// Answers `energy_*`.
pub struct Energy {
    chain: Chain,
}

impl Energy {
    /// Over a chain.
    pub(super) fn new(chain: Chain) -> Self {
        Energy { chain }
    }
}

#[async_trait]
impl EnergyRpcServer for Energy {
    async fn status(&self) -> RpcResult<Vec<ClassEnergy>> {
        let status =
            |chain: &Chain| runtime(chain.client.runtime_api().energy_status(chain.finalised().hash));
        self.chain.compute(status).await
    }
}
