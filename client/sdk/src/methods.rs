//! Stipend's own JSON-RPC methods, typed, over the connection that mends itself.

use std::time::Duration;

use futures::{stream, stream::BoxStream, StreamExt};
use jsonrpsee::core::client::Subscription;
use stipend_primitives::{
    cost::{PriceBook, Usage},
    evidence::EvidenceStatus,
    policy::WalletKind,
    view::{ClassEnergy, Quote, SettlementView},
    AccountId, BlockNumber, BookVersion, Sequence,
};
use stipend_rpc::{
    BatchStatus, EnergyRpcClient, EntitlementsRpcClient, EvidenceRpcClient, PricingRpcClient, ReceiptProof,
    ReceiptView, ReceiptsRpcClient, SettlementRpcClient, WalletBalance, WalletRpcClient,
};
use tokio::time::sleep;

use crate::{
    client::Client,
    proof::{self, ProofError, VerifiedReceipt},
    rpc_error::RpcError,
};

/// Pause after a node that could not be reached at all.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Wallets.
impl Client {
    /// A wallet's finalised and pending figures per class.
    pub async fn wallet_balance(&self, owner: &AccountId) -> Result<WalletBalance, RpcError> {
        let ask = self.inner.connection.call("wallet_balance", |client| {
            let owner = owner.clone();
            async move { WalletRpcClient::balance(&*client, owner).await }
        });
        ask.await
    }

    /// A wallet's figures now and after every change, through lost connections. Ends after an error,
    /// which means that going on would be in vain.
    pub fn watch_wallet(&self, owner: AccountId) -> BoxStream<'static, Result<WalletBalance, RpcError>> {
        let watch = Some(WalletWatch { client: self.clone(), owner, feed: None, last: None });
        stream::unfold(watch, |watch| async move {
            let mut watch = watch?;
            match watch.advance().await {
                Ok(balance) => Some((Ok(balance), Some(watch))),
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }
}

struct WalletWatch {
    client: Client,
    owner: AccountId,
    feed: Option<Subscription<WalletBalance>>,
    last: Option<WalletBalance>,
}

impl WalletWatch {
    async fn advance(&mut self) -> Result<WalletBalance, RpcError> {
        loop {
            let next = match &mut self.feed {
                Some(feed) => feed.next().await,
                None => {
                    self.feed = self.subscribe().await?;
                    continue;
                }
            };
            match next {
                // A new subscription begins with the figures of now, which may be known already.
                Some(Ok(balance)) if self.last.as_ref() != Some(&balance) => {
                    self.last = Some(balance.clone());
                    return Ok(balance);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => self.feed = None,
            }
        }
    }

    async fn subscribe(&self) -> Result<Option<Subscription<WalletBalance>>, RpcError> {
        let subscribe = self.client.inner.connection.call("wallet_subscribeBalance", |client| {
            let owner = self.owner.clone();
            async move { WalletRpcClient::subscribe_balance(&*client, owner).await }
        });
        match subscribe.await {
            Ok(feed) => Ok(Some(feed)),
            Err(error) if error.is_transient() => {
                sleep(RETRY_PAUSE).await;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Receipts and their settlement.
impl Client {
    /// The batch that holds a receipt, and whether its block is finalised.
    pub async fn batch_status(
        &self,
        gateway: &AccountId,
        seq: Sequence,
    ) -> Result<Option<BatchStatus>, RpcError> {
        let ask = self.inner.connection.call("receipts_batch", |client| {
            let gateway = gateway.clone();
            async move { ReceiptsRpcClient::batch(&*client, gateway, seq).await }
        });
        ask.await
    }

    /// A receipt with its price, verdict and energy, by a finalised block. `at` names the block of a batch
    /// that the state has forgotten.
    pub async fn receipt(
        &self,
        gateway: &AccountId,
        seq: Sequence,
        at: Option<BlockNumber>,
    ) -> Result<ReceiptView, RpcError> {
        let ask = self.inner.connection.call("receipts_get", |client| {
            let gateway = gateway.clone();
            async move { ReceiptsRpcClient::get(&*client, gateway, seq, at).await }
        });
        ask.await
    }

    /// A receipt with the proof that it is on the chain. `at` names the block of a batch that the
    /// state has forgotten.
    pub async fn receipt_proof(
        &self,
        gateway: &AccountId,
        seq: Sequence,
        at: Option<BlockNumber>,
    ) -> Result<ReceiptProof, RpcError> {
        let ask = self.inner.connection.call("receipts_proof", |client| {
            let gateway = gateway.clone();
            async move { ReceiptsRpcClient::proof(&*client, gateway, seq, at).await }
        });
        ask.await
    }

    /// Checks a proof from anywhere, believing this client's node only about which blocks are
    /// finalised.
    pub async fn verify_receipt(
        &self,
        receipt: &ReceiptProof,
        gateway: &AccountId,
        seq: Sequence,
    ) -> Result<VerifiedReceipt, ProofError> {
        let node = |error: RpcError| ProofError::Node(error.to_string());
        let number = proof::header(receipt)?.number;
        if number > self.finalised_head().await.map_err(node)?.number {
            return Err(ProofError::NotFinalised(number));
        }
        let finalised = self.block_hash(number).await.map_err(node)?;
        proof::verify(receipt, finalised, gateway, seq)
    }

    /// The settlement of each provider's part of the batch that holds a receipt.
    pub async fn settlement_status(
        &self,
        gateway: &AccountId,
        seq: Sequence,
    ) -> Result<Vec<SettlementView>, RpcError> {
        let ask = self.inner.connection.call("settlement_status", |client| {
            let gateway = gateway.clone();
            async move { SettlementRpcClient::status(&*client, gateway, seq).await }
        });
        ask.await
    }

    /// Open items, oldest first.
    pub async fn settlement_pending(&self, limit: Option<u32>) -> Result<Vec<SettlementView>, RpcError> {
        let ask = self.inner.connection.call("settlement_pending", |client| async move {
            SettlementRpcClient::pending(&*client, limit).await
        });
        ask.await
    }
}

/// Evidence.
impl Client {
    /// Whose attestation tokens count, what classes ask for, and each provider's level.
    pub async fn evidence_status(&self) -> Result<EvidenceStatus, RpcError> {
        let ask = self
            .inner
            .connection
            .call("evidence_status", |client| async move { EvidenceRpcClient::status(&*client).await });
        ask.await
    }
}

/// Energy.
impl Client {
    /// The energy budgets of the classes that have one, and how much of each is left.
    pub async fn energy_status(&self) -> Result<Vec<ClassEnergy>, RpcError> {
        let ask = self
            .inner
            .connection
            .call("energy_status", |client| async move { EnergyRpcClient::status(&*client).await });
        ask.await
    }
}

/// Kinds of wallets.
impl Client {
    /// All kinds of wallets and what binds each, employees' first.
    pub async fn wallet_kinds(&self) -> Result<Vec<WalletKind>, RpcError> {
        let ask = self
            .inner
            .connection
            .call("entitlements_kinds", |client| async move { EntitlementsRpcClient::kinds(&*client).await });
        ask.await
    }

    /// Of which kind an owner's wallets are, and what binds them.
    pub async fn wallet_kind(&self, owner: &AccountId) -> Result<WalletKind, RpcError> {
        let ask = self.inner.connection.call("entitlements_kind", |client| {
            let owner = owner.clone();
            async move { EntitlementsRpcClient::kind(&*client, owner).await }
        });
        ask.await
    }
}

/// Prices.
impl Client {
    /// What a request to a model costs, by the book in force.
    pub async fn quote(&self, model: &str, usage: Usage, priority_fee: u32) -> Result<Quote, RpcError> {
        let ask = self.inner.connection.call("pricing_quote", |client| {
            let model = model.to_owned();
            async move {
                let Usage { input, cached_input, output } = usage;
                PricingRpcClient::quote(&*client, model, input, cached_input, output, Some(priority_fee))
                    .await
            }
        });
        ask.await
    }

    /// A price book: the one in force, or the version asked for.
    pub async fn price_book(&self, version: Option<BookVersion>) -> Result<Option<PriceBook>, RpcError> {
        let ask = self
            .inner
            .connection
            .call("pricing_book", |client| async move { PricingRpcClient::book(&*client, version).await });
        ask.await
    }
}
