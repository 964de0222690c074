//! The ledger as of one block.

use codec::{DecodeAll, Encode};
use frame_support::storage::storage_prefix;
use frame_system::EventRecord;
use jsonrpsee::rpc_params;
use sp_core::{Bytes, H256};
use stipend_primitives::{
    cost::{PriceBook, Usage},
    evidence::EvidenceStatus,
    key::ApiKey,
    mint::Grant,
    policy::{KindId, WalletKind},
    settlement::Item,
    view::{
        BasketRow, BatchView, Class, ClassBalance, ClassEnergy, EntitlementView, GatewayBalance,
        IssuerAllowance, Program, Provider, Quote, Scores, SettlementView,
    },
    AccountId, BookVersion, ClassId, Credits, EntitlementId, KeyHash, ModelId, ProgramId, Role, Sequence,
};
use stipend_runtime::RuntimeEvent;

use crate::{client::Client, rpc_error::RpcError};

/// API keys asked for at a time: below a megabyte of answer.
const API_KEYS_PAGE: u32 = 1_000;

/// The ledger as of one block: everything read from one snapshot belongs together.
///
/// A node keeps the state of a few hundred blocks (unless it is an archive); a snapshot older than
/// that answers with an error.
#[derive(Clone)]
pub struct Snapshot {
    client: Client,
    hash: H256,
}

impl Snapshot {
    pub(crate) fn new(client: Client, hash: H256) -> Self {
        Snapshot { client, hash }
    }

    /// Hash of the block.
    pub fn block_hash(&self) -> H256 {
        self.hash
    }

    /// Calls a runtime API at this block.
    pub async fn runtime_api<R: DecodeAll>(&self, method: &str, args: impl Encode) -> Result<R, RpcError> {
        self.client.runtime_api(method, args, Some(self.hash)).await
    }

    /// One raw storage value.
    pub async fn storage<T: DecodeAll>(&self, pallet: &str, item: &str) -> Result<Option<T>, RpcError> {
        let key = Bytes(storage_prefix(pallet.as_bytes(), item.as_bytes()).to_vec());
        let params = rpc_params![key, self.hash];
        let value: Option<Bytes> = self.client.inner.connection.request("state_getStorage", params).await?;
        value.map(|value| T::decode_all(&mut &value[..])).transpose().map_err(|error| RpcError::Unreadable {
            method: format!("state_getStorage of {pallet}.{item}"),
            cause: error.to_string(),
        })
    }

    /// The block's events, in order.
    pub async fn events(&self) -> Result<Vec<RuntimeEvent>, RpcError> {
        Ok(self.event_records().await?.into_iter().map(|record| record.event).collect())
    }

    /// The block's events with the extrinsic that each came from.
    pub async fn event_records(&self) -> Result<Vec<EventRecord<RuntimeEvent, H256>>, RpcError> {
        Ok(self.storage("System", "Events").await?.unwrap_or_default())
    }

    /// How many transactions an account has signed.
    pub async fn nonce(&self, who: &AccountId) -> Result<u32, RpcError> {
        self.runtime_api("AccountNonceApi_account_nonce", who).await
    }

    /// The validators that make blocks in this session.
    pub async fn validators(&self) -> Result<Vec<AccountId>, RpcError> {
        Ok(self.storage("Session", "Validators").await?.unwrap_or_default())
    }
}

/// Roles.
impl Snapshot {
    /// The roles of an account.
    pub async fn roles(&self, who: &AccountId) -> Result<Vec<Role>, RpcError> {
        self.runtime_api("RolesApi_roles", who).await
    }

    /// All accounts with a role.
    pub async fn members(&self, role: Role) -> Result<Vec<AccountId>, RpcError> {
        self.runtime_api("RolesApi_members", role).await
    }
}

/// Entitlements, wallets, reservations and API keys.
impl Snapshot {
    /// One entitlement.
    pub async fn entitlement(&self, id: EntitlementId) -> Result<Option<EntitlementView>, RpcError> {
        self.runtime_api("EntitlementsApi_entitlement", id).await
    }

    /// All entitlements of an owner.
    pub async fn entitlements(&self, owner: &AccountId) -> Result<Vec<EntitlementView>, RpcError> {
        self.runtime_api("EntitlementsApi_entitlements", owner).await
    }

    /// A wallet, one row per class.
    pub async fn wallet(&self, owner: &AccountId) -> Result<Vec<ClassBalance>, RpcError> {
        self.runtime_api("EntitlementsApi_wallet", owner).await
    }

    /// What a signed mint request has minted, if it was carried out.
    pub async fn minted(
        &self,
        issuer: &AccountId,
        idempotency_key: [u8; 16],
    ) -> Result<Option<Vec<EntitlementId>>, RpcError> {
        self.runtime_api("EntitlementsApi_minted", (issuer, idempotency_key)).await
    }

    /// What an issuer may still mint in this period; `None` for an account that is no issuer.
    pub async fn mint_allowance(&self, issuer: &AccountId) -> Result<Option<IssuerAllowance>, RpcError> {
        self.runtime_api("EntitlementsApi_mint_allowance", issuer).await
    }

    /// What a grant would mint now, per class; `None` if there is no such program or basket.
    pub async fn grant_totals(&self, grant: &Grant) -> Result<Option<Vec<(ClassId, Credits)>>, RpcError> {
        self.runtime_api("EntitlementsApi_grant_totals", grant).await
    }

    /// All classes.
    pub async fn classes(&self) -> Result<Vec<(ClassId, Class)>, RpcError> {
        self.runtime_api("EntitlementsApi_classes", ()).await
    }

    /// All programs.
    pub async fn programs(&self) -> Result<Vec<(ProgramId, Program)>, RpcError> {
        self.runtime_api("EntitlementsApi_programs", ()).await
    }

    /// All baskets.
    pub async fn baskets(&self) -> Result<Vec<BasketRow>, RpcError> {
        self.runtime_api("EntitlementsApi_baskets", ()).await
    }

    /// All kinds of wallets and what binds each, employees' first.
    pub async fn wallet_kinds(&self) -> Result<Vec<WalletKind>, RpcError> {
        self.runtime_api("PoliciesApi_kinds", ()).await
    }

    /// Of which kind the wallets of each of these owners are, in the same order.
    pub async fn kinds_of(&self, owners: &[AccountId]) -> Result<Vec<KindId>, RpcError> {
        self.runtime_api("PoliciesApi_kinds_of", owners).await
    }

    /// One API key.
    pub async fn api_key(&self, hash: KeyHash) -> Result<Option<ApiKey>, RpcError> {
        self.runtime_api("EntitlementsApi_api_key", hash).await
    }

    /// Up to `limit` API keys in storage order, after `after`.
    pub async fn api_keys(
        &self,
        after: Option<KeyHash>,
        limit: u32,
    ) -> Result<Vec<(KeyHash, ApiKey)>, RpcError> {
        self.runtime_api("EntitlementsApi_api_keys", (after, limit)).await
    }

    /// All API keys of the chain, page by page.
    pub async fn all_api_keys(&self) -> Result<Vec<(KeyHash, ApiKey)>, RpcError> {
        let mut keys = Vec::new();
        loop {
            let after = keys.last().map(|(hash, _)| *hash);
            let page = self.api_keys(after, API_KEYS_PAGE).await?;
            if page.is_empty() {
                return Ok(keys);
            }
            keys.extend(page);
        }
    }

    /// The hashes of an owner's API keys.
    pub async fn api_keys_of(&self, owner: &AccountId) -> Result<Vec<KeyHash>, RpcError> {
        self.runtime_api("EntitlementsApi_api_keys_of", owner).await
    }

    /// What a gateway can charge each owner, and what it could still reserve: one row for each class
    /// that an owner holds.
    pub async fn gateway_balances(
        &self,
        gateway: &AccountId,
        owners: &[AccountId],
    ) -> Result<Vec<GatewayBalance>, RpcError> {
        self.runtime_api("EntitlementsApi_gateway_balances", (gateway, owners)).await
    }
}

/// Prices.
impl Snapshot {
    /// The book that new requests are quoted from.
    pub async fn current_book(&self) -> Result<Option<PriceBook>, RpcError> {
        self.runtime_api("PricingApi_current_book", ()).await
    }

    /// All books that can still be charged or will take effect.
    pub async fn books(&self) -> Result<Vec<PriceBook>, RpcError> {
        self.runtime_api("PricingApi_books", ()).await
    }

    /// One book.
    pub async fn book(&self, version: BookVersion) -> Result<Option<PriceBook>, RpcError> {
        self.runtime_api("PricingApi_book", version).await
    }

    /// The price of a usage in the book in force.
    pub async fn quote(
        &self,
        model: ModelId,
        usage: Usage,
        priority_fee: u32,
    ) -> Result<Option<Quote>, RpcError> {
        self.runtime_api("PricingApi_quote", (model, usage, priority_fee)).await
    }
}

/// Receipts and their settlement.
impl Snapshot {
    /// The number that a gateway's next batch begins with.
    pub async fn next_seq(&self, gateway: &AccountId) -> Result<Sequence, RpcError> {
        self.runtime_api("ReceiptsApi_next_seq", gateway).await
    }

    /// The batch that holds a receipt, while the chain remembers it.
    pub async fn batch(&self, gateway: &AccountId, seq: Sequence) -> Result<Option<BatchView>, RpcError> {
        self.runtime_api("ReceiptsApi_batch", (gateway, seq)).await
    }

    /// Micro-credits that a gateway let through and nobody covered.
    pub async fn uncollected(&self, gateway: &AccountId) -> Result<Credits, RpcError> {
        self.runtime_api("ReceiptsApi_uncollected", gateway).await
    }

    /// The settlement of each provider's part of the batch that holds a receipt.
    pub async fn settlement_status(
        &self,
        gateway: &AccountId,
        seq: Sequence,
    ) -> Result<Vec<SettlementView>, RpcError> {
        self.runtime_api("SettlementApi_status", (gateway, seq)).await
    }

    /// Up to `limit` open items, oldest first.
    pub async fn settlement_pending(&self, limit: u32) -> Result<Vec<SettlementView>, RpcError> {
        self.runtime_api("SettlementApi_pending", limit).await
    }

    /// All providers.
    pub async fn providers(&self) -> Result<Vec<(AccountId, Provider)>, RpcError> {
        self.runtime_api("SettlementApi_providers", ()).await
    }

    /// How providers and gateways fare since the first block.
    pub async fn scores(&self) -> Result<Scores, RpcError> {
        self.runtime_api("SettlementApi_scores", ()).await
    }

    /// Whose attestation tokens count, what classes ask for, and each provider's level.
    pub async fn evidence(&self) -> Result<EvidenceStatus, RpcError> {
        self.runtime_api("EvidenceApi_status", ()).await
    }

    /// The energy budgets of the classes that have one, and how much of each is left.
    pub async fn energy(&self) -> Result<Vec<ClassEnergy>, RpcError> {
        self.runtime_api("EnergyApi_energy_status", ()).await
    }

    /// Hash of the verdict that a validator's settlement key voted for on an open item.
    pub async fn vote_of(&self, item: &Item, validator: H256) -> Result<Option<H256>, RpcError> {
        self.runtime_api("SettlementApi_vote_of", (item, validator)).await
    }
}
