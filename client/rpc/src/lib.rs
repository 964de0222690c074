//! Stipend's JSON-RPC methods and their JSON.
//!
//! One trait per namespace. The node implements the `…Server` traits that `jsonrpsee` derives, the
//! SDK calls the `…Client` traits: a method cannot mean one thing here and another there. Accounts
//! are SS58 strings, amounts decimal strings of micro-credits, hashes and bytes `0x…` hex.

use jsonrpsee::{core::RpcResult, core::SubscriptionResult, proc_macros::rpc};
use serde::{Deserialize, Serialize};
use sp_core::{Bytes, H256};
use stipend_primitives::{
    cost::{PriceBook, Usage},
    evidence::EvidenceStatus,
    merit::{EvaluatorUse, KindView, OutcomeId, OutcomeView, WalletMerit},
    mint::{Cosignature, MintRequest},
    policy::WalletKind,
    view::{
        BatchView, ClassBalance, ClassEnergy, EntitlementView, IssuerAllowance, Quote, Scores, Settled,
        SettlementView,
    },
    AccountId, BlockNumber, BookVersion, ClassId, Credits, EntitlementId, Moment, Sequence,
};

pub mod error;

/// A wallet twice: what can never change any more, and what the newest block says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletBalance {
    /// Figures of the newest finalised block.
    pub finalised: Vec<ClassBalance>,
    /// That block's number.
    pub finalised_at: BlockNumber,
    /// Figures of the newest block, which may still be replaced by another.
    pub pending: Vec<ClassBalance>,
    /// That block's number.
    pub pending_at: BlockNumber,
}

/// A batch and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchStatus {
    /// What the chain knows of it.
    #[serde(flatten)]
    pub batch: BatchView,
    /// Whether its block is finalised.
    pub finalised: bool,
}

/// A receipt, what it cost and why, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptView {
    /// Who metered.
    pub gateway: AccountId,
    /// Its number.
    pub sequence: Sequence,
    /// The final block that its batch came in.
    pub block: BlockNumber,
    /// Who paid.
    pub wallet: AccountId,
    /// Who served.
    pub provider: AccountId,
    /// The model's name in the price book.
    pub model: String,
    /// Names the request, in hex.
    pub digest: Bytes,
    /// What was used.
    pub usage: Usage,
    /// What that costs, coefficient by coefficient. Refunds are not taken off: see the verdict.
    pub price: Quote,
    /// How its batch was settled with its provider; `null` while it is open, and when the state has
    /// forgotten it.
    pub settled: Option<Settled>,
    /// Millijoules: its part, by cost, of what its provider attests for the batch; `null` if nobody
    /// measured.
    pub energy_mj: Option<u64>,
    /// Milligrams of CO2 equivalent, by what the provider's grid emits now; `null` if nobody knows.
    #[serde(with = "stipend_primitives::view::decimal_option")]
    pub emitted_mg: Option<u128>,
}

/// Shows that a receipt is under a commitment in a finalised header.
///
/// To check it: hash the header (`block_hash`), find in its digest the commitment of the batch, and
/// verify the SCALE-encoded `proof` for `leaf` against the commitment's root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptProof {
    /// The receipt: SCALE-encoded `ReceiptLeaf`.
    pub receipt: Bytes,
    /// SCALE-encoded `merkle::Proof`.
    pub proof: Bytes,
    /// SCALE-encoded header of the finalised block that the batch came in.
    pub header: Bytes,
    /// Hash of that header.
    pub block_hash: H256,
}

/// Data of the error `AllowanceExhausted`: what the grant takes in a class, and what is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhausted {
    /// The class.
    pub class: ClassId,
    /// Micro-credits that the grant takes.
    #[serde(with = "stipend_primitives::view::decimal")]
    pub asked: Credits,
    /// Micro-credits that the issuer can still mint in this period.
    #[serde(with = "stipend_primitives::view::decimal")]
    pub left: Credits,
    /// First moment of the next period (Unix time, ms).
    pub period_ends_at: Moment,
}

/// Data of the error `SecondIssuerNeeded`: what the second issuer signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Large {
    /// Micro-credits in one grant up to which one issuer signs alone.
    #[serde(with = "stipend_primitives::view::decimal")]
    pub large_mint: Credits,
    /// The 32 bytes to sign, the same that the first issuer signed.
    #[serde(with = "stipend_primitives::view::hex_32")]
    pub payload: [u8; 32],
}

/// `entitlements_*`: granting and looking at grants.
#[rpc(client, server, namespace = "entitlements")]
pub trait EntitlementsRpc {
    /// Carries a mint request with its issuer's detached signature (64 bytes) to the chain; returns
    /// the hash of the transaction. Sent again, it mints nothing and returns the same hash while
    /// the first is in the pool, or the error `AlreadyMinted` with the entitlements' ids.
    ///
    /// A large grant takes `cosignature`, a second issuer's signature over the same bytes; without it
    /// the error is `SecondIssuerNeeded` with [`Large`]. A grant beyond the issuer's allowance is refused
    /// with `AllowanceExhausted` and [`Exhausted`], one that the policy of the owner's kind of wallet forbids with
    /// `PolicyForbids` and the name of the pallet's error.
    #[method(name = "mint")]
    async fn mint(
        &self,
        request: MintRequest,
        signature: Bytes,
        cosignature: Option<Cosignature>,
    ) -> RpcResult<H256>;

    /// What an issuer may still mint in this period, by the newest block; `null` for an account that is
    /// no issuer.
    #[method(name = "allowance")]
    async fn allowance(&self, issuer: AccountId) -> RpcResult<Option<IssuerAllowance>>;

    /// One entitlement, by the newest finalised block.
    #[method(name = "get")]
    async fn get(&self, id: EntitlementId) -> RpcResult<Option<EntitlementView>>;

    /// All entitlements of an owner, by the newest finalised block.
    #[method(name = "list")]
    async fn list(&self, owner: AccountId) -> RpcResult<Vec<EntitlementView>>;

    /// All kinds of wallets and what binds each, by the newest finalised block; employees' first.
    #[method(name = "kinds")]
    async fn kinds(&self) -> RpcResult<Vec<WalletKind>>;

    /// Of which kind an owner's wallets are, and what binds them, by the newest finalised block.
    #[method(name = "kind")]
    async fn kind(&self, owner: AccountId) -> RpcResult<WalletKind>;
}

/// `wallet_*`: balances.
#[rpc(client, server, namespace = "wallet")]
pub trait WalletRpc {
    /// Finalised and pending figures per class.
    #[method(name = "balance")]
    async fn balance(&self, owner: AccountId) -> RpcResult<WalletBalance>;

    /// The balance now, and again whenever it changed with a block.
    #[subscription(name = "subscribeBalance" => "balanceChanged", unsubscribe = "unsubscribeBalance", item = WalletBalance)]
    async fn subscribe_balance(&self, owner: AccountId) -> SubscriptionResult;
}

/// `receipts_*`: batches and proofs.
#[rpc(client, server, namespace = "receipts")]
pub trait ReceiptsRpc {
    /// Header and status of the batch that holds a receipt.
    #[method(name = "batch")]
    async fn batch(&self, gateway: AccountId, sequence: Sequence) -> RpcResult<Option<BatchStatus>>;

    /// One receipt of a finalised block with its price, verdict and energy. `at` names the block for a batch
    /// that the state has forgotten.
    #[method(name = "get")]
    async fn get(
        &self,
        gateway: AccountId,
        sequence: Sequence,
        at: Option<BlockNumber>,
    ) -> RpcResult<ReceiptView>;

    /// Proof of a receipt up to a finalised block. `at` names the block for a batch that the state
    /// has forgotten.
    #[method(name = "proof")]
    async fn proof(
        &self,
        gateway: AccountId,
        sequence: Sequence,
        at: Option<BlockNumber>,
    ) -> RpcResult<ReceiptProof>;
}

/// `settlement_*`: verdicts and votes.
#[rpc(client, server, namespace = "settlement")]
pub trait SettlementRpc {
    /// The settlement of each provider's part of the batch that holds a receipt.
    #[method(name = "status")]
    async fn status(&self, gateway: AccountId, sequence: Sequence) -> RpcResult<Vec<SettlementView>>;

    /// Open items, oldest first; 100 unless `limit` says otherwise, never more than 1,000.
    #[method(name = "pending")]
    async fn pending(&self, limit: Option<u32>) -> RpcResult<Vec<SettlementView>>;

    /// How providers and gateways fare since the first block: verdicts, refunds, energy.
    #[method(name = "scores")]
    async fn scores(&self) -> RpcResult<Scores>;
}

/// `evidence_*`: the hardware behind providers' keys.
#[rpc(client, server, namespace = "evidence")]
pub trait EvidenceRpc {
    /// Whose tokens count, what classes ask for, and each provider's level, by the newest finalised block.
    #[method(name = "status")]
    async fn status(&self) -> RpcResult<EvidenceStatus>;
}

/// `energy_*`: the energy budgets of the classes.
#[rpc(client, server, namespace = "energy")]
pub trait EnergyRpc {
    /// The budgets, and how much of each is used, held and left, by the newest finalised block; one row for each
    /// class that has one.
    #[method(name = "status")]
    async fn status(&self) -> RpcResult<Vec<ClassEnergy>>;
}

/// `merit_*`: outcomes and what they earn, by the newest finalised block.
#[rpc(client, server, namespace = "merit")]
pub trait MeritRpc {
    /// All kinds with the rule that holds and the one announced, by number.
    #[method(name = "kinds")]
    async fn kinds(&self) -> RpcResult<Vec<KindView>>;

    /// One outcome, while the chain remembers it.
    #[method(name = "outcome")]
    async fn outcome(&self, id: OutcomeId) -> RpcResult<Option<OutcomeView>>;

    /// What a wallet earned and owes per class, and its newest 1,024 outcomes, newest first.
    #[method(name = "wallet")]
    async fn wallet(&self, owner: AccountId) -> RpcResult<WalletMerit>;

    /// The remembered outcomes that an evidence was counted for: at most one of each kind.
    #[method(name = "byEvidence")]
    async fn by_evidence(&self, evidence: H256) -> RpcResult<Vec<OutcomeView>>;

    /// Contested outcomes that the council has to decide on, oldest first; 100 unless `limit` says otherwise,
    /// never more than 1,024.
    #[method(name = "contests")]
    async fn contests(&self, limit: Option<u32>) -> RpcResult<Vec<OutcomeView>>;

    /// What an evaluator's outcomes may still earn in this period: a row for each kind with a rule in force.
    #[method(name = "evaluator")]
    async fn evaluator(&self, who: AccountId) -> RpcResult<Vec<EvaluatorUse>>;
}

/// `pricing_*`: prices.
#[rpc(client, server, namespace = "pricing")]
pub trait PricingRpc {
    /// The price of a usage in the book in force, coefficient by coefficient.
    #[method(name = "quote")]
    async fn quote(
        &self,
        model: String,
        input: u32,
        cached_input: u32,
        output: u32,
        priority_fee: Option<u32>,
    ) -> RpcResult<Quote>;

    /// A price book: the one in force, or the version asked for.
    #[method(name = "book")]
    async fn book(&self, version: Option<BookVersion>) -> RpcResult<Option<PriceBook>>;
}
