//! `settlement_*`: verdicts and votes, by the newest finalised block.

use jsonrpsee::core::{async_trait, RpcResult};
use sp_api::ProvideRuntimeApi;
use stipend_primitives::{
    view::{Scores, SettlementView},
    AccountId, Sequence,
};
use stipend_rpc::{
    error::{error, Code},
    SettlementRpcServer,
};
use stipend_runtime_api::SettlementApi;

use super::{runtime, Answer, Chain};

/// Open items in one answer unless the caller says otherwise.
const PENDING_DEFAULT: u32 = 100;

/// Open items in one answer at most: the runtime walks all of them.
const PENDING_MAX: u32 = 1_000;

/// Answers `settlement_*`.
pub struct Settlement {
    chain: Chain,
}

impl Settlement {
    /// Over a chain.
    pub(super) fn new(chain: Chain) -> Self {
        Settlement { chain }
    }
}

#[async_trait]
impl SettlementRpcServer for Settlement {
    async fn status(&self, gateway: AccountId, sequence: Sequence) -> RpcResult<Vec<SettlementView>> {
        self.chain
            .compute(move |chain| {
                runtime(chain.client.runtime_api().status(chain.finalised().hash, gateway, sequence))
            })
            .await
    }

    async fn pending(&self, limit: Option<u32>) -> RpcResult<Vec<SettlementView>> {
        let limit = read_limit(limit)?;
        self.chain
            .compute(move |chain| runtime(chain.client.runtime_api().pending(chain.finalised().hash, limit)))
            .await
    }

    async fn scores(&self) -> RpcResult<Scores> {
        self.chain.compute(|chain| runtime(chain.client.runtime_api().scores(chain.finalised().hash))).await
    }
}

fn read_limit(limit: Option<u32>) -> Answer<u32> {
    match limit.unwrap_or(PENDING_DEFAULT) {
        limit @ 1..=PENDING_MAX => Ok(limit),
        limit => Err(error(
            Code::InvalidParameter,
            format!("The limit is {limit}; ask for 1 to {PENDING_MAX} open items."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_outside_its_bounds_is_refused_and_none_is_a_hundred() {
        assert_eq!(read_limit(None), Ok(100));
        assert_eq!(read_limit(Some(1_000)), Ok(1_000));
        for limit in [0, 1_001] {
            let refusal = read_limit(Some(limit)).expect_err("outside the bounds");
            assert_eq!(refusal.code(), Code::InvalidParameter as i32);
            assert!(refusal.message().contains(&limit.to_string()));
        }
    }
}
