//! `merit_*`: outcomes and what they earn, by the newest finalised block.

use jsonrpsee::core::{async_trait, RpcResult};
use sp_api::ProvideRuntimeApi;
use sp_core::H256;
use stipend_primitives::{
    merit::{EvaluatorUse, KindView, OutcomeId, OutcomeView, WalletMerit},
    AccountId,
};
use stipend_rpc::MeritRpcServer;
use stipend_runtime_api::MeritApi;

use super::{runtime, Chain};

/// Contests in one answer unless the caller says otherwise.
const CONTESTS_DEFAULT: u32 = 100;

/// Answers `merit_*`.
pub struct Merit {
    chain: Chain,
}

impl Merit {
    /// Over a chain.
    pub(super) fn new(chain: Chain) -> Self {
        Merit { chain }
    }
}

#[async_trait]
impl MeritRpcServer for Merit {
    async fn kinds(&self) -> RpcResult<Vec<KindView>> {
        self.chain.compute(|chain| runtime(chain.client.runtime_api().kinds(chain.finalised().hash))).await
    }

    async fn outcome(&self, id: OutcomeId) -> RpcResult<Option<OutcomeView>> {
        self.chain
            .compute(move |chain| runtime(chain.client.runtime_api().outcome(chain.finalised().hash, id)))
            .await
    }

    async fn wallet(&self, owner: AccountId) -> RpcResult<WalletMerit> {
        self.chain
            .compute(move |chain| {
                runtime(chain.client.runtime_api().wallet_merit(chain.finalised().hash, owner))
            })
            .await
    }

    async fn by_evidence(&self, evidence: H256) -> RpcResult<Vec<OutcomeView>> {
        self.chain
            .compute(move |chain| {
                runtime(chain.client.runtime_api().outcomes_of_evidence(chain.finalised().hash, evidence))
            })
            .await
    }

    async fn contests(&self, limit: Option<u32>) -> RpcResult<Vec<OutcomeView>> {
        let limit = limit.unwrap_or(CONTESTS_DEFAULT);
        self.chain
            .compute(move |chain| {
                runtime(chain.client.runtime_api().open_contests(chain.finalised().hash, limit))
            })
            .await
    }

    async fn evaluator(&self, who: AccountId) -> RpcResult<Vec<EvaluatorUse>> {
        self.chain
            .compute(move |chain| {
                runtime(chain.client.runtime_api().evaluator_uses(chain.finalised().hash, who))
            })
            .await
    }
}
