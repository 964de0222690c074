//! The real chain, through `stipend-sdk`.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    time::Duration,
};

use futures::{stream, stream::BoxStream, StreamExt, TryStreamExt};
use sp_core::{bounded::BoundedVec, H256};
use stipend_primitives::{
    batch::SignedBatch, cost::PriceBook, evidence::ProviderEvidence, key::ApiKey, view::ClassBalance,
    view::GatewayBalance, AccountId, BlockNumber, BookVersion, ClassId, Credits, KeyHash, Moment, Role,
    Sequence,
};
use stipend_sdk::{
    pallet_entitlements, pallet_receipts, pallet_settlement, BlockRef, Client, PoolRefusal, RpcError,
    RuntimeCall, RuntimeEvent, Signer, SubmitError,
};

use super::{Answer, Chain, ChainError, Change, Evidence, PlacedBatch, Row, Submitted};

/// How long one attempt at a connection lasts before the log says that it is still going on.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// Wallets asked for at a time.
const CONCURRENT: usize = 16;

/// A reservation is finalised within seconds or something is wrong; asking again is harmless.
const CALL_WAIT_MAX: Duration = Duration::from_secs(120);

/// A chain behind a node's RPC address, for the gateway that `signer` is.
pub struct SdkChain {
    client: Client,
    signer: Signer,
}

impl SdkChain {
    /// Connects, and waits for the node for as long as it takes.
    pub async fn connect(url: &str, signer: Signer) -> Self {
        loop {
            match Client::connect_within(url, CONNECT_PATIENCE).await {
                Ok(client) => return SdkChain { client, signer },
                Err(error) => {
                    tracing::warn!(%error, "waiting for the node");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    async fn call(
        &self,
        call: pallet_entitlements::Call<stipend_sdk::runtime::Runtime>,
    ) -> Answer<BlockNumber> {
        let submitted = self.client.submit_finalised(RuntimeCall::Entitlements(call), &self.signer);
        match tokio::time::timeout(CALL_WAIT_MAX, submitted).await {
            Ok(done) => done.map(|done| done.block_number).map_err(|error| ChainError(error.to_string())),
            Err(_) => Err(ChainError("no block with the call was finalised in two minutes".into())),
        }
    }
}

impl From<RpcError> for ChainError {
    fn from(error: RpcError) -> Self {
        ChainError(error.to_string())
    }
}

/// What an event means to this gateway.
fn change(event: RuntimeEvent) -> Vec<Change> {
    use pallet_entitlements::Event;
    match event {
        RuntimeEvent::Pricing(_) => vec![Change::Prices],
        RuntimeEvent::Settlement(
            pallet_settlement::Event::ProviderSuspended { .. }
            | pallet_settlement::Event::ProviderReinstated { .. },
        ) => vec![Change::Providers],
        RuntimeEvent::Evidence(_) => vec![Change::Evidence],
        RuntimeEvent::Entitlements(event) => match event {
            Event::KeyRegistered { owner, hash } => vec![Change::Key(hash), Change::Owner(owner)],
            Event::LimitsSet { hash } => vec![Change::Key(hash)],
            Event::KeyRevoked { hash } => vec![Change::KeyGone(hash)],
            Event::Minted { owner, .. }
            | Event::Revoked { owner, .. }
            | Event::GivenBack { owner, .. }
            | Event::Frozen { owner, .. }
            | Event::Offboarded { owner } => vec![Change::Owner(owner)],
            Event::ClassRegistered { .. } => vec![Change::Prices],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn submitted(result: Result<H256, SubmitError>) -> Answer<Submitted> {
    let retired = pallet_receipts::Refusal::RetiredBook.code();
    Ok(match result {
        Ok(_) => Submitted::Taken,
        // The chain is past it: the next finalised block shows it.
        Err(SubmitError::Refused(PoolRefusal::Stale)) => Submitted::Taken,
        Err(SubmitError::Refused(PoolRefusal::Custom { code, .. })) if code == retired => {
            Submitted::RetiredBook
        }
        Err(SubmitError::Refused(
            refusal @ (PoolRefusal::Full
            | PoolRefusal::Unknown(_)
            | PoolRefusal::Banned
            | PoolRefusal::NonceTaken),
        )) => Submitted::Later(refusal.to_string()),
        Err(SubmitError::Refused(refusal)) => Submitted::Refused(refusal.to_string()),
        Err(error) => return Err(ChainError(error.to_string())),
    })
}

impl Chain for SdkChain {
    fn genesis(&self) -> H256 {
        self.client.genesis()
    }

    async fn head(&self) -> Answer<BlockRef> {
        Ok(self.client.finalised_head().await?)
    }

    fn blocks_after(&self, number: BlockNumber) -> BoxStream<'static, Answer<BlockRef>> {
        self.client.finalised_blocks_after(number).map(|block| block.map_err(ChainError::from)).boxed()
    }

    async fn changes(&self, at: H256) -> Answer<Vec<Change>> {
        let events = self.client.at(at).events().await?;
        Ok(events.into_iter().flat_map(change).collect())
    }

    async fn next_seq(&self, at: H256) -> Answer<Sequence> {
        Ok(self.client.at(at).next_seq(&self.signer.account()).await?)
    }

    async fn keys(&self, at: H256) -> Answer<Vec<(KeyHash, ApiKey)>> {
        Ok(self.client.at(at).all_api_keys().await?)
    }

    async fn key(&self, at: H256, hash: KeyHash) -> Answer<Option<ApiKey>> {
        Ok(self.client.at(at).api_key(hash).await?)
    }

    async fn balances(&self, at: H256, owners: Vec<AccountId>) -> Answer<Vec<GatewayBalance>> {
        Ok(self.client.at(at).gateway_balances(&self.signer.account(), &owners).await?)
    }

    async fn elsewhere(
        &self,
        at: H256,
        owners: Vec<AccountId>,
    ) -> Answer<HashMap<(AccountId, ClassId), Credits>> {
        let (snapshot, this) = (self.client.at(at), self.signer.account());
        let sums = stream::iter(owners).map(|owner| {
            let (snapshot, this) = (snapshot.clone(), this.clone());
            async move {
                let wallet = snapshot.wallet(&owner).await?;
                let sum = |class: ClassBalance| {
                    let others = class.reservations.iter().filter(|reservation| reservation.gateway != this);
                    ((owner.clone(), class.class), others.map(|reservation| reservation.amount).sum())
                };
                Ok::<Vec<((AccountId, ClassId), Credits)>, ChainError>(wallet.into_iter().map(sum).collect())
            }
        });
        let sums: Vec<_> = sums.buffer_unordered(CONCURRENT).try_collect().await?;
        Ok(sums.into_iter().flatten().collect())
    }

    async fn gateways_count(&self, at: H256) -> Answer<usize> {
        Ok(self.client.at(at).members(Role::Gateway).await?.len())
    }

    async fn books(&self, at: H256) -> Answer<Vec<PriceBook>> {
        Ok(self.client.at(at).books().await?)
    }

    async fn old_book(&self, at: H256, version: BookVersion) -> Answer<Option<PriceBook>> {
        Ok(self.client.at(at).book(version).await?)
    }

    async fn batch(&self, at: H256, seq: Sequence) -> Answer<Option<PlacedBatch>> {
        let batch = self.client.at(at).batch(&self.signer.account(), seq).await?;
        Ok(batch.map(|batch| PlacedBatch {
            first_seq: batch.first_seq,
            last_seq: batch.last_seq,
            block: batch.submitted_at,
            hash: batch.batch_hash,
            settled: batch
                .providers
                .into_iter()
                .filter_map(|part| Some((part.provider, part.settled?)))
                .collect(),
        }))
    }

    async fn class_names(&self, at: H256) -> Answer<HashMap<ClassId, String>> {
        let classes = self.client.at(at).classes().await?;
        let named = |(id, class): (ClassId, stipend_primitives::view::Class)| {
            (id, String::from_utf8_lossy(&class.name).into_owned())
        };
        Ok(classes.into_iter().map(named).collect())
    }

    async fn suspended(&self, at: H256) -> Answer<HashSet<AccountId>> {
        let providers = self.client.at(at).providers().await?;
        let suspended = providers.into_iter().filter(|(_, provider)| provider.suspended);
        Ok(suspended.map(|(account, _)| account).collect())
    }

    async fn evidence(&self, at: H256) -> Answer<Evidence> {
        let status = self.client.at(at).evidence().await?;
        let until = |known: ProviderEvidence| Some((known.provider, known.evidence?.until));
        Ok(Evidence {
            until: status.providers.into_iter().filter_map(until).collect(),
            asked: status.classes.into_iter().map(|class| (class.class, class.policy)).collect(),
        })
    }

    fn reserve(
        &self,
        rows: Vec<Row>,
        expires_at: Moment,
    ) -> impl Future<Output = Answer<BlockNumber>> + Send {
        let rows = BoundedVec::truncate_from(rows);
        self.call(pallet_entitlements::Call::reserve_many { rows, expires_at })
    }

    fn release(&self, rows: Vec<Row>) -> impl Future<Output = Answer<BlockNumber>> + Send {
        let rows = BoundedVec::truncate_from(rows);
        self.call(pallet_entitlements::Call::release { rows })
    }

    async fn submit(&self, batch: SignedBatch) -> Answer<Submitted> {
        submitted(self.client.submit_batch(batch).await)
    }
}
