//! What stands in the log.

use codec::{Decode, Encode};
use stipend_primitives::{
    attestation::SignedAttestation, cost::Usage, AccountId, Digest, ModelId, Moment, Sequence,
};

/// One record of the log. The order of the log is the order in which things became true.
#[derive(Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Record {
    /// A request was served.
    #[codec(index = 0)]
    Metered {
        /// For whom.
        gateway: AccountId,
        /// Which request.
        digest: Digest,
        /// The model that was asked for.
        model: ModelId,
        /// What was used.
        usage: Usage,
        /// When it ended.
        at_ms: Moment,
    },
    /// A gateway claimed a range. What was answered stands here in full and is never computed
    /// again: not even another key or a lost record can make a second attestation of the range.
    #[codec(index = 1)]
    Range {
        /// The answer.
        signed: Box<SignedAttestation>,
        /// Its leaves, one after the other.
        leaves: Vec<u8>,
        /// When it was claimed.
        at_ms: Moment,
    },
    /// A gateway's ranges that begin before a number are forgotten and are not taken again.
    #[codec(index = 2)]
    Watermark {
        /// Whose ranges.
        gateway: AccountId,
        /// First number that a new range may begin with.
        before: Sequence,
    },
}
