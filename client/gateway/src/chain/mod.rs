//! What the gateway needs of a chain, and nothing more.
//!
//! The rest of the gateway sees only this trait, so its tests run against a chain in memory.

mod records;
mod sdk;

use std::{
    collections::{HashMap, HashSet},
    future::Future,
};

use futures::stream::BoxStream;
use sp_core::H256;
use stipend_primitives::{
    batch::SignedBatch,
    cost::PriceBook,
    evidence::EvidencePolicy,
    key::ApiKey,
    view::{GatewayBalance, Settled},
    AccountId, BlockNumber, BookVersion, ClassId, Credits, KeyHash, Moment, Sequence,
};
pub use stipend_sdk::BlockRef;

pub(crate) use records::Records;
pub use sdk::SdkChain;

/// Rows of one `reserve_many` or `release`: what the chain takes, and still a small part of a block.
pub(crate) const ROWS_MAX: usize = 4_096;

/// Why the chain could not be asked. Asking again later may help.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ChainError(pub String);

/// Something that happened in a finalised block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A key is new or has new limits.
    Key(KeyHash),
    /// A key is gone.
    KeyGone(KeyHash),
    /// An owner's credits changed, or an owner was frozen or thawed.
    Owner(AccountId),
    /// There is another price book or class.
    Prices,
    /// A provider was suspended or reinstated.
    Providers,
    /// Something about evidence: a provider's, or what classes ask for.
    Evidence,
}

/// What became of handing in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// The node has it, or the chain is past it.
    Taken,
    /// Not now; the same bytes later.
    Later(String),
    /// A price book that it names can be charged no longer.
    RetiredBook,
    /// The chain will not take it.
    Refused(String),
}

/// What the chain knows of the hardware behind the providers, and what its classes ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// First block in which a provider's evidence counts no longer. Who is missing has none.
    pub until: HashMap<AccountId, BlockNumber>,
    /// What classes ask for. One that is missing asks for nothing.
    pub asked: HashMap<ClassId, EvidencePolicy>,
}

/// A batch of this gateway on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedBatch {
    /// Sequence number of its first receipt.
    pub first_seq: Sequence,
    /// Sequence number of its last one.
    pub last_seq: Sequence,
    /// The block that it came in.
    pub block: BlockNumber,
    /// Its hash.
    pub hash: H256,
    /// Verdicts on the providers' parts, as far as there are any.
    pub settled: Vec<(AccountId, Settled)>,
}

/// Credits of one wallet and class.
pub type Row = (AccountId, ClassId, Credits);

type Answer<T> = Result<T, ChainError>;

/// A chain, as its gateway uses it. `at` names the block that answers.
pub trait Chain: Send + Sync + 'static {
    /// Hash of the first block.
    fn genesis(&self) -> H256;

    /// The newest finalised block.
    fn head(&self) -> impl Future<Output = Answer<BlockRef>> + Send;

    /// Finalised blocks after a height, each once and in order. Ends only where going on would be
    /// wrong.
    fn blocks_after(&self, number: BlockNumber) -> BoxStream<'static, Answer<BlockRef>>;

    /// What happened in a block.
    fn changes(&self, at: H256) -> impl Future<Output = Answer<Vec<Change>>> + Send;

    /// The number that this gateway's next batch begins with.
    fn next_seq(&self, at: H256) -> impl Future<Output = Answer<Sequence>> + Send;

    /// All API keys.
    fn keys(&self, at: H256) -> impl Future<Output = Answer<Vec<(KeyHash, ApiKey)>>> + Send;

    /// One API key.
    fn key(&self, at: H256, hash: KeyHash) -> impl Future<Output = Answer<Option<ApiKey>>> + Send;

    /// What this gateway has reserved of the owners' wallets, and what it could reserve.
    fn balances(
        &self,
        at: H256,
        owners: Vec<AccountId>,
    ) -> impl Future<Output = Answer<Vec<GatewayBalance>>> + Send;

    /// What other gateways have reserved of the owners' wallets, by class; one that is missing: nothing.
    fn elsewhere(
        &self,
        at: H256,
        owners: Vec<AccountId>,
    ) -> impl Future<Output = Answer<HashMap<(AccountId, ClassId), Credits>>> + Send;

    /// How many gateways there are.
    fn gateways_count(&self, at: H256) -> impl Future<Output = Answer<usize>> + Send;

    /// All price books that can be charged or will take effect.
    fn books(&self, at: H256) -> impl Future<Output = Answer<Vec<PriceBook>>> + Send;

    /// A price book, even one that can be charged no longer.
    fn old_book(
        &self,
        at: H256,
        version: BookVersion,
    ) -> impl Future<Output = Answer<Option<PriceBook>>> + Send;

    /// The batch that holds a receipt of this gateway, while the chain remembers it.
    fn batch(&self, at: H256, seq: Sequence) -> impl Future<Output = Answer<Option<PlacedBatch>>> + Send;

    /// The classes' names.
    fn class_names(&self, at: H256) -> impl Future<Output = Answer<HashMap<ClassId, String>>> + Send;

    /// The providers that are suspended: what they sign counts no longer.
    fn suspended(&self, at: H256) -> impl Future<Output = Answer<HashSet<AccountId>>> + Send;

    /// The evidence in force, and what classes ask for.
    fn evidence(&self, at: H256) -> impl Future<Output = Answer<Evidence>> + Send;

    /// Reserves credits, row by row as far as a wallet has them; resolves with the finalised block that
    /// holds the call.
    fn reserve(&self, rows: Vec<Row>, expires_at: Moment)
        -> impl Future<Output = Answer<BlockNumber>> + Send;

    /// Lets reserved credits go; resolves with the finalised block that holds the call.
    fn release(&self, rows: Vec<Row>) -> impl Future<Output = Answer<BlockNumber>> + Send;

    /// Hands in a batch. Doing so again is harmless.
    fn submit(&self, batch: SignedBatch) -> impl Future<Output = Answer<Submitted>> + Send;
}
