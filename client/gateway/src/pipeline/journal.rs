//! Which receipts form which batch, durable before anybody sees the batch.

use bytes::Bytes;
use codec::{Decode, DecodeAll, Encode};
use sp_core::H256;
use stipend_primitives::{BookVersion, Sequence};

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Entry {
    /// These receipts form a batch.
    #[codec(index = 0)]
    Closed {
        /// The first.
        first_seq: Sequence,
        /// The last.
        last_seq: Sequence,
        /// Hash of the batch: another version of this program that would compose other bytes shows.
        hash: H256,
    },
    /// The batch's receipts are charged by this book, because the chain takes theirs no longer.
    #[codec(index = 1)]
    Relined {
        /// Which batch.
        first_seq: Sequence,
        /// The book in place of every older one.
        book: BookVersion,
        /// Hash of the batch as it is now.
        hash: H256,
    },
    /// The batch is finalised and every provider has its claim, or will not get it.
    #[codec(index = 2)]
    Done {
        /// Which batch.
        first_seq: Sequence,
    },
}

impl Entry {
    pub(crate) fn to_bytes(&self) -> Bytes {
        self.encode().into()
    }

    /// Reads an entry; `None` if the bytes are none that this program writes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Entry::decode_all(&mut &bytes[..]).ok()
    }
}
