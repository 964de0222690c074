//! The chain as the wallet service sees it.

mod read;
mod sdk;

use std::{collections::BTreeSet, future::Future};

use futures::stream::BoxStream;
use sp_core::H256;
use stipend_primitives::{
    attestation::GpuUse,
    batch::Batch,
    cost::PriceBook,
    key::ApiKey,
    settlement::{Item, Refund, VerdictKind},
    view::{Class, ClassBalance, EntitlementView, Program},
    AccountId, BlockNumber, BookVersion, ClassId, Credits, EntitlementId, KeyHash, Moment, ProgramId, Role,
    Sequence,
};
use stipend_rpc::WalletBalance;
pub use stipend_sdk::BlockRef;
use stipend_sdk::{
    grant_list::{Fault, Ledger, Row},
    Prepared, RuntimeCall, SubmitError, Unsigned,
};

pub use sdk::SdkSource;

/// Why the chain gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);

/// Result of a question to the chain.
pub type Answer<T> = Result<T, SourceError>;

/// One finalised block: what happened in it, in order.
#[derive(Clone, Debug)]
pub struct Block {
    /// Height and hash.
    pub at: BlockRef,
    /// Its time (Unix time, ms); 0 for the first block.
    pub moment: Moment,
    /// What happened.
    pub acts: Vec<Act>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Act {
    /// A batch was charged.
    Batch {
        /// The batch.
        batch: Batch,
        /// Micro-credits of it that nobody covered.
        uncollected: Credits,
    },
    /// The quorum agreed on refunds.
    Refunds(Item, Vec<Refund>),
    /// Some of an item's refunds were paid.
    Paid(Item),
    /// An item was settled.
    Settled {
        /// What.
        item: Item,
        /// How.
        verdict: VerdictKind,
        /// Micro-credits given back.
        refunded: Credits,
        /// What the provider's GPUs took.
        gpu: GpuUse,
    },
    /// Something that people are shown in a history.
    Noted(Note),
    /// A wallet that may look different now.
    Touched(AccountId),
    /// A key that was registered or has other limits.
    Key(KeyHash),
    /// A key that was revoked.
    KeyGone(KeyHash),
    /// Budgets changed.
    Programs,
    /// Classes changed.
    Classes,
    /// What a provider's grid emits, in milligrams of CO2 equivalent for a kilowatt-hour.
    Grid(AccountId, Option<u32>),
}

/// An event of entitlements and budgets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Which kind: the event's name.
    pub kind: &'static str,
    /// Whose wallet.
    pub owner: Option<AccountId>,
    /// Which entitlement.
    pub entitlement: Option<EntitlementId>,
    /// Which budget.
    pub program: Option<ProgramId>,
    /// Which class.
    pub class: Option<ClassId>,
    /// Who did it.
    pub actor: Option<AccountId>,
    /// Micro-credits.
    pub amount: Option<Credits>,
}

/// What a block's effects need to be known of the state after it.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Wallets.
    pub owners: BTreeSet<AccountId>,
    /// Keys.
    pub keys: BTreeSet<KeyHash>,
    /// Price books.
    pub books: BTreeSet<BookVersion>,
    /// Whether all budgets.
    pub programs: bool,
    /// Whether all classes.
    pub classes: bool,
}

/// The state after a block, as far as it was wanted.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Wallets with their entitlements.
    pub wallets: Vec<(AccountId, Vec<ClassBalance>, Vec<EntitlementView>)>,
    /// Keys that are there.
    pub keys: Vec<(KeyHash, ApiKey)>,
    /// Price books.
    pub books: Vec<PriceBook>,
    /// Budgets.
    pub programs: Vec<(ProgramId, Program)>,
    /// Classes.
    pub classes: Vec<(ClassId, Class)>,
}

/// Where blocks and live figures come from: a node, or a made-up chain in tests.
pub trait Source: Send + Sync + 'static {
    /// Hash of the chain's first block.
    fn genesis(&self) -> H256;

    /// The newest finalised block.
    fn finalised(&self) -> impl Future<Output = Answer<BlockRef>> + Send;

    /// Every finalised block after `number`, or from the first one on.
    fn blocks(&self, after: Option<BlockNumber>) -> BoxStream<'static, Answer<BlockRef>>;

    /// What happened in a block.
    fn block(&self, at: BlockRef) -> impl Future<Output = Answer<Block>> + Send;

    /// The state after a block.
    fn state(&self, at: BlockRef, wanted: Wanted) -> impl Future<Output = Answer<State>> + Send;

    /// A wallet now, finalised and pending.
    fn balance(&self, owner: AccountId) -> impl Future<Output = Answer<WalletBalance>> + Send;

    /// A wallet now and after every change.
    fn watch(&self, owner: AccountId) -> BoxStream<'static, Answer<WalletBalance>>;

    /// An account's roles by the newest finalised block.
    fn roles(&self, who: AccountId) -> impl Future<Output = Answer<Vec<Role>>> + Send;

    /// A transaction for an account to sign, as of a block; see [`Unsigned`].
    fn unsigned(
        &self,
        call: RuntimeCall,
        account: AccountId,
        as_of: BlockRef,
    ) -> impl Future<Output = Result<Unsigned, SubmitError>> + Send;

    /// Hands a signed transaction to the chain.
    fn send(&self, signed: &Prepared) -> impl Future<Output = Result<(), SubmitError>> + Send;

    /// Waits for the final block that decides a transaction which was sent, and returns its height; tells
    /// on the way which newest block holds it.
    fn follow(
        &self,
        signed: &Prepared,
        in_block: impl FnOnce(BlockNumber) + Send,
    ) -> impl Future<Output = Result<BlockNumber, SubmitError>> + Send;

    /// The calls that an account signed and that were carried out in a block.
    fn calls_of(
        &self,
        block: H256,
        signer: AccountId,
    ) -> impl Future<Output = Answer<Vec<RuntimeCall>>> + Send;

    /// What matters to an issuer's grants, as of a block: its allowance, all programs, all baskets.
    fn issuing(&self, issuer: AccountId, at: BlockRef) -> impl Future<Output = Answer<Ledger>> + Send;

    /// Everything for which the policies of their owners forbid rows of a list, as of a block.
    fn forbidden(&self, rows: Vec<Row>, at: BlockRef) -> impl Future<Output = Answer<Vec<Fault>>> + Send;

    /// A receipt's proof as a JSON document that holds offline.
    fn proof(
        &self,
        gateway: AccountId,
        seq: Sequence,
        block: BlockNumber,
    ) -> impl Future<Output = Answer<serde_json::Value>> + Send;
}
