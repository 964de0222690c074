//! Why a proof proves nothing.

use sp_consensus_grandpa::{AuthorityWeight, SetId};
use sp_core::H256;
use stipend_primitives::{AccountId, BlockNumber, Sequence};

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A part of the proof cannot be read.
    #[error(
        "the proof's {part} cannot be read ({cause}); it was cut or changed on its way: ask for it again"
    )]
    Unreadable {
        /// Which part.
        part: &'static str,
        /// What did not fit.
        cause: String,
    },
    /// The document is of a kind or version that is not known.
    #[error("it has the format {0:?}, which this program does not know; check it with the release of stipend that made it, or a newer one")]
    UnknownFormat(String),
    /// The document is of another kind.
    #[error("this is a {found}, not a {expected}; take the verb that belongs to it, or the right file")]
    OtherDocument {
        /// What was looked for.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The header is not the finalised block's.
    #[error("the proof's header has the hash {found:?}, but the finalised block is {expected:?}; the proof is of another chain or forged")]
    OtherBlock {
        /// The finalised block that was asked about.
        expected: H256,
        /// The header in the proof.
        found: H256,
    },
    /// The block commits to no such receipt.
    #[error("block {block} commits to no batch of the gateway with receipt {seq}; ask for the receipt's own block")]
    NotCommitted {
        /// The block.
        block: BlockNumber,
        /// The receipt that was asked about.
        seq: Sequence,
    },
    /// The receipt is another one.
    #[error("the proof is of receipt {found}, not of receipt {expected}")]
    OtherReceipt {
        /// The receipt that was asked about.
        expected: Sequence,
        /// The receipt in the proof.
        found: Sequence,
    },
    /// The receipt does not lead to the committed root.
    #[error("the receipt does not lead to the root in the header; the receipt or its proof was changed")]
    NotUnderRoot,
    /// The block is not finalised.
    #[error("block {0} is not finalised yet; try again in a few seconds")]
    NotFinalised(BlockNumber),
    /// The node that was asked which blocks are finalised did not say.
    #[error("cannot tell whether the block is finalised: {0}")]
    Node(String),
    /// The proof is of another chain.
    #[error("the proof is of the chain with genesis {found:?}, and what it is held against of {expected:?}; take the validator set or the node of the proof's chain, if that is the one you trust")]
    OtherChain {
        /// Genesis of the chain of the validators or the node that are trusted.
        expected: H256,
        /// Genesis that the proof names.
        found: H256,
    },
    /// Another set of validators signed.
    #[error("the proof is signed by validator set {found}, but the set given is {expected}; get set {found} from somebody you trust (`stipend validators export --at BLOCK` at a node that keeps the state of that time), or ask for a new proof if the set has changed since")]
    OtherSet {
        /// Number of the set that is trusted.
        expected: SetId,
        /// Number of the set that the proof names.
        found: SetId,
    },
    /// The set of validators is none.
    #[error("the validator set is none: it is empty, names a key twice, or has weights that are zero or add up to too much; export it again")]
    BadSet,
    /// A header is not the child of the one before.
    #[error("header {block} is not the child of the one before it; the headers between the proven block and the signed one were changed, or are of another chain")]
    BrokenChain {
        /// Height that the header claims.
        block: BlockNumber,
    },
    /// The validators signed another block.
    #[error("the proof leads to block {led_to}, but the signatures are for block {signed} or one beside it; the justification belongs to another proof")]
    OtherBlockSigned {
        /// The last block of the proof's headers.
        led_to: BlockNumber,
        /// The block that the signatures are for.
        signed: BlockNumber,
    },
    /// Somebody signed who is not in the set.
    #[error("{0:?} signed, who is not in the validator set; the proof is forged, or of another network with the same genesis")]
    Stranger(H256),
    /// A signature is not its validator's.
    #[error("the signature of validator {0:?} does not hold; the proof was changed, or another set of validators signed it")]
    BadSignature(H256),
    /// Not more than two thirds of the set signed.
    #[error("validators with {signed} of {total} votes signed, and more than two thirds are needed: the block is not shown to be final")]
    TooFewSigned {
        /// Weight of those who signed.
        signed: AuthorityWeight,
        /// Weight of the whole set.
        total: AuthorityWeight,
    },
    /// The votes do not meet in one block.
    #[error("the signed votes do not meet in the block that they should make final; the justification was changed")]
    VotesDisagree,
    /// The entries are not in the state.
    #[error("the state's entries do not lead to the state root in the header ({0}); the proof was cut or changed: ask for it again")]
    NotInState(String),
    /// The state has another layout.
    #[error("the proven state has another layout than this program reads; check it with the release of stipend that the chain ran at that time")]
    OtherLayout,
    /// The file is not in the one form that is signed.
    #[error("the receipt is not in canonical JSON (RFC 8785) or has something in it that does not belong there; it was changed: take the gateway's answer as it came, byte for byte")]
    NotCanonical,
    /// A gateway's receipt is not signed by the gateway.
    #[error("the receipt is not signed by its gateway {0}; it was changed, or somebody else made it")]
    NotTheGateways(AccountId),
    /// What a gateway signed is not what it charged.
    #[error("the gateway signed another `{0}` than the chain has for this request: keep both files, they show that the gateway told two different things (a price book may be retired before the chain takes a receipt: fetch the receipt again if it names no batch)")]
    GatewayContradicts(&'static str),
    /// The proof leaves classes out, or names one that is not there.
    #[error("the proof is about {named} classes, the chain has {registered}; a proof of a wallet tells of every class once: ask for it again")]
    OtherClasses {
        /// Classes that the proof is about.
        named: u32,
        /// Classes on the chain.
        registered: u32,
    },
}
