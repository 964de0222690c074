//! The runtime APIs behind Stipend's JSON-RPC: whatever a node answers about the ledger, the
//! runtime computed.
#![cfg_attr(not(feature = "std"), no_std)]
// `decl_runtime_apis!` writes items that carry no documentation.
#![allow(missing_docs)]

extern crate alloc;

use alloc::vec::Vec;

use sp_core::H256;
use stipend_primitives::{
    cost::{PriceBook, Usage},
    council::Motion,
    evidence::EvidenceStatus,
    key::ApiKey,
    merit::{EvaluatorUse, KindView, OutcomeId, OutcomeView, WalletMerit},
    mint::Grant,
    policy::{KindId, WalletKind},
    settlement::{Item, Turnout},
    view::{
        BasketRow, BatchView, Class, ClassBalance, ClassEnergy, EntitlementView, GatewayBalance,
        IssuerAllowance, Program, Provider, Quote, Scores, SettlementView,
    },
    AccountId, BookVersion, ClassId, Credits, EntitlementId, KeyHash, ModelId, NodeKey, ProgramId, Role,
    Sequence,
};

/// One page of all wallets, summed by class: available and reserved micro-credits; and the wallet to
/// go on after, if there are more.
pub type WalletTotals = (Vec<(ClassId, Credits, Credits)>, Option<(AccountId, ClassId)>);

sp_api::decl_runtime_apis! {
    /// Roles.
    pub trait RolesApi {
        /// The roles of an account.
        fn roles(who: AccountId) -> Vec<Role>;
        /// All accounts with a role.
        fn members(role: Role) -> Vec<AccountId>;
        /// The validators that may make no blocks until the council reinstates them.
        fn suspended_validators() -> Vec<AccountId>;
    }

    /// The council.
    pub trait CouncilApi {
        /// The accounts with a seat, sorted.
        fn seats() -> Vec<AccountId>;
        /// What is being voted on, oldest first.
        fn motions() -> Vec<Motion>;
    }

    /// The node list.
    pub trait NodesApi {
        /// Network key and name of each node of the network, sorted; none: everybody may take part.
        fn nodes() -> Vec<(NodeKey, Vec<u8>)>;
    }

    /// Entitlements, wallets, reservations and API keys.
    pub trait EntitlementsApi {
        /// One entitlement.
        fn entitlement(id: EntitlementId) -> Option<EntitlementView>;
        /// All entitlements of an owner.
        fn entitlements(owner: AccountId) -> Vec<EntitlementView>;
        /// A wallet, one row per class; expiry up to this block's time is taken in.
        fn wallet(owner: AccountId) -> Vec<ClassBalance>;
        /// Whether a mint request with this key was carried out already.
        fn minted(issuer: AccountId, idempotency_key: [u8; 16]) -> Option<Vec<EntitlementId>>;
        /// What an issuer may still mint in this period; `None` for an account that is no issuer.
        fn mint_allowance(issuer: AccountId) -> Option<IssuerAllowance>;
        /// What a grant would mint now, per class; `None` if there is no such program or basket.
        fn grant_totals(grant: Grant) -> Option<Vec<(ClassId, Credits)>>;
        /// All classes.
        fn classes() -> Vec<(ClassId, Class)>;
        /// All programs.
        fn programs() -> Vec<(ProgramId, Program)>;
        /// All baskets.
        fn baskets() -> Vec<BasketRow>;
        /// One API key.
        fn api_key(hash: KeyHash) -> Option<ApiKey>;
        /// Up to `limit` API keys in storage order, after `after`.
        fn api_keys(after: Option<KeyHash>, limit: u32) -> Vec<(KeyHash, ApiKey)>;
        /// The hashes of an owner's keys.
        fn api_keys_of(owner: AccountId) -> Vec<KeyHash>;
        /// What a gateway can charge the owners named, and what it could still reserve: one row for
        /// each class that an owner holds.
        fn gateway_balances(gateway: AccountId, owners: Vec<AccountId>) -> Vec<GatewayBalance>;
    }

    /// Energy budgets of the classes.
    pub trait EnergyApi {
        /// The budgets, and how much of each is used, held and left; one row for each class that has one.
        fn energy_status() -> Vec<ClassEnergy>;
    }

    /// Kinds of wallets and their policies.
    pub trait PoliciesApi {
        /// All kinds by number, employees' first, with what binds each.
        fn kinds() -> Vec<WalletKind>;
        /// Of which kind the wallets of each of these owners are, in the same order.
        fn kinds_of(owners: Vec<AccountId>) -> Vec<KindId>;
    }

    /// Prices.
    pub trait PricingApi {
        /// The book that new requests are quoted from.
        fn current_book() -> Option<PriceBook>;
        /// All books that can still be charged or will take effect.
        fn books() -> Vec<PriceBook>;
        /// One book.
        fn book(version: BookVersion) -> Option<PriceBook>;
        /// The price of a usage in the book in force.
        fn quote(model: ModelId, usage: Usage, priority_fee: u32) -> Option<Quote>;
    }

    /// Receipts.
    pub trait ReceiptsApi {
        /// The number that a gateway's next batch begins with.
        fn next_seq(gateway: AccountId) -> Sequence;
        /// The batch that holds a receipt, while the chain remembers it.
        fn batch(gateway: AccountId, seq: Sequence) -> Option<BatchView>;
        /// Micro-credits that a gateway let through and nobody covered.
        fn uncollected(gateway: AccountId) -> u128;
    }

    /// Settlement.
    pub trait SettlementApi {
        /// The settlement of each provider's part of the batch that holds a receipt.
        fn status(gateway: AccountId, seq: Sequence) -> Vec<SettlementView>;
        /// Up to `limit` open items, oldest first.
        fn pending(limit: u32) -> Vec<SettlementView>;
        /// All providers.
        fn providers() -> Vec<(AccountId, Provider)>;
        /// One open item's hash of the verdict by a validator, if it voted.
        fn vote_of(item: Item, validator: H256) -> Option<H256>;
        /// Who votes in the session under way.
        fn turnout() -> Turnout;
        /// How providers and gateways fare since the first block.
        fn scores() -> Scores;
    }

    /// Evidence of the providers' hardware.
    pub trait EvidenceApi {
        /// Whose tokens count, what classes ask for, and each provider's level.
        fn status() -> EvidenceStatus;
    }

    /// Outcomes and what they earn.
    pub trait MeritApi {
        /// All kinds with the rule that holds and the one announced, by number.
        fn kinds() -> Vec<KindView>;
        /// One outcome, while the chain remembers it.
        fn outcome(id: OutcomeId) -> Option<OutcomeView>;
        /// The remembered outcomes that an evidence was counted for: at most one of each kind.
        fn outcomes_of_evidence(evidence: H256) -> Vec<OutcomeView>;
        /// What a wallet earned and owes, and its newest outcomes.
        fn wallet_merit(owner: AccountId) -> WalletMerit;
        /// Up to `limit` outcomes that the council has to decide on, oldest first.
        fn open_contests(limit: u32) -> Vec<OutcomeView>;
        /// What an evaluator's outcomes may still earn in this period: a row for each kind with a rule in force.
        fn evaluator_uses(who: AccountId) -> Vec<EvaluatorUse>;
    }

    /// Figures that nodes report to Prometheus.
    pub trait MetricsApi {
        /// Each gateway's batches with an open item.
        fn unsettled() -> Vec<(AccountId, u32)>;
        /// How many of the items that were submitted more than `blocks` blocks ago each validator has
        /// not voted on.
        fn votes_missing(blocks: u32) -> Vec<(AccountId, u32)>;
        /// Up to `limit` wallets in storage order, after `after`, summed by class.
        fn wallet_totals(after: Option<(AccountId, ClassId)>, limit: u32) -> WalletTotals;
    }
}
