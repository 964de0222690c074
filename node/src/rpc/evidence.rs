//! `evidence_*`: the hardware behind providers' keys, by the newest finalised block.

use jsonrpsee::core::{async_trait, RpcResult};
use sp_api::ProvideRuntimeApi;
use stipend_primitives::evidence::EvidenceStatus;
use stipend_rpc::EvidenceRpcServer;
use stipend_runtime_api::EvidenceApi;

use super::{runtime, Chain};

/// Answers `evidence_*`.
pub struct Evidence {
    chain: Chain,
}

impl Evidence {
    /// Over a chain.
    pub(super) fn new(chain: Chain) -> Self {
        Evidence { chain }
    }
}

#[async_trait]
impl EvidenceRpcServer for Evidence {
    async fn status(&self) -> RpcResult<EvidenceStatus> {
        self.chain.compute(|chain| runtime(chain.client.runtime_api().status(chain.finalised().hash))).await
    }
}
