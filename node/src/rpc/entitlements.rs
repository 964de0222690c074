//! `entitlements_*`: carries signed mint requests to the chain and shows entitlements.

use std::sync::Arc;

use jsonrpsee::core::{async_trait, RpcResult};
use sc_transaction_pool_api::{
    error::{Error as PoolError, IntoPoolError},
    TransactionPool, TransactionSource,
};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::{Bytes, H256};
use sp_runtime::OpaqueExtrinsic;
use stipend_primitives::{
    mint::{Cosignature, MintRequest},
    policy::WalletKind,
    view::{EntitlementView, IssuerAllowance},
    AccountId, EntitlementId, Role, Signature,
};
use stipend_rpc::EntitlementsRpcServer;
use stipend_runtime_api::{EntitlementsApi, PoliciesApi, RolesApi};

use self::refusal::{already_minted, check_signatures, not_issuer, read_signature};
use super::{internal, runtime, Answer, Chain};
use crate::service::Pool;

mod refusal;

/// Answers `entitlements_*`.
pub struct Entitlements {
    chain: Chain,
    pool: Arc<Pool>,
}

/// A mint request with all that was signed under it.
#[derive(Clone)]
struct Signed {
    request: MintRequest,
    signature: Signature,
    cosignature: Option<Cosignature>,
}

impl Entitlements {
    /// Over a chain and the pool that mint requests go to.
    pub(super) fn new(chain: Chain, pool: Arc<Pool>) -> Self {
        Entitlements { chain, pool }
    }
}

#[async_trait]
impl EntitlementsRpcServer for Entitlements {
    async fn mint(
        &self,
        request: MintRequest,
        signature: Bytes,
        cosignature: Option<Cosignature>,
    ) -> RpcResult<H256> {
        let signed = Signed { request, signature: read_signature(&signature)?, cosignature };
        self.check(&signed).await?;
        let Signed { request, signature, cosignature } = signed.clone();
        let call = pallet_entitlements::Call::mint_signed { request, signature, cosignature };
        let transaction = OpaqueExtrinsic::from(stipend_runtime::authorized_extrinsic(call.into()));
        let hash = self.pool.hash_of(&transaction);
        let best = self.chain.best().hash;
        let refusal = match self.pool.submit_one(best, TransactionSource::External, transaction).await {
            Ok(hash) => return Ok(hash),
            Err(fault) => fault.into_pool_error().map_err(internal)?,
        };
        if matches!(refusal, PoolError::AlreadyImported(_)) {
            return Ok(hash);
        }
        // A block may have come in between: what the first look could not see, this one names.
        self.check(&signed).await?;
        self.chain.compute(move |chain| Err(refusal::explain(chain, &signed, &refusal)?)).await
    }

    async fn allowance(&self, issuer: AccountId) -> RpcResult<Option<IssuerAllowance>> {
        self.chain
            .compute(move |chain| {
                runtime(chain.client.runtime_api().mint_allowance(chain.best().hash, issuer))
            })
            .await
    }

    async fn get(&self, id: EntitlementId) -> RpcResult<Option<EntitlementView>> {
        self.chain
            .compute(move |chain| runtime(chain.client.runtime_api().entitlement(chain.finalised().hash, id)))
            .await
    }

    async fn list(&self, owner: AccountId) -> RpcResult<Vec<EntitlementView>> {
        self.chain
            .compute(move |chain| {
                runtime(chain.client.runtime_api().entitlements(chain.finalised().hash, owner))
            })
            .await
    }

    async fn kinds(&self) -> RpcResult<Vec<WalletKind>> {
        self.chain.compute(|chain| runtime(chain.client.runtime_api().kinds(chain.finalised().hash))).await
    }

    async fn kind(&self, owner: AccountId) -> RpcResult<WalletKind> {
        self.chain
            .compute(move |chain| {
                let (at, api) = (chain.finalised().hash, chain.client.runtime_api());
                let of = runtime(api.kinds_of(at, vec![owner]))?.pop();
                let kinds = runtime(api.kinds(at))?;
                let found = kinds.into_iter().find(|row| Some(row.kind) == of);
                found.ok_or_else(|| internal("the runtime knows no kind of this wallet"))
            })
            .await
    }
}

impl Entitlements {
    /// Refuses with all details what the pool could only refuse with a number.
    async fn check(&self, signed: &Signed) -> Answer<()> {
        let signed = signed.clone();
        self.chain
            .compute(move |chain| {
                check_signatures(&signed, &chain.client.info().genesis_hash)?;
                let (best, api) = (chain.best().hash, chain.client.runtime_api());
                let issuers = [&signed.request.issuer].into_iter();
                for who in issuers.chain(signed.cosignature.as_ref().map(|second| &second.issuer)) {
                    if !runtime(api.roles(best, who.clone()))?.contains(&Role::Issuer) {
                        return Err(not_issuer(who));
                    }
                }
                let request = &signed.request;
                match runtime(api.minted(best, request.issuer.clone(), request.idempotency_key))? {
                    Some(entitlements) => Err(already_minted(request, entitlements)),
                    None => Ok(()),
                }
            })
            .await
    }
}
