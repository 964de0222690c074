//! What the pallet stores besides the entries themselves.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::ConstU32;
use scale_info::TypeInfo;
use sp_core::bounded::BoundedVec;
use stipend_primitives::{BlockNumber, BookVersion};

/// Books that can be charged or are still to take effect: one a day for two months, were the grace
/// period that long. Publishing reads all of them.
pub const RECENT_MAX: u32 = 64;

/// Books that are still to take effect: a new book may have to withdraw all of them, entry by entry.
pub const PENDING_MAX: u32 = 4;

/// Versions in the order of their effect.
pub type RecentBooks = BoundedVec<BookVersion, ConstU32<RECENT_MAX>>;

/// When a book's prices hold.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct BookTerm {
    /// First block at which new requests are quoted from the book.
    pub effective_at: BlockNumber,
    /// Last block at which batches priced by the book are accepted; `None` while it is the newest.
    pub chargeable_until: Option<BlockNumber>,
}

impl BookTerm {
    /// Whether the book is in effect at `block` or was before.
    pub fn has_begun(&self, block: BlockNumber) -> bool {
        self.effective_at <= block
    }

    /// Whether the book's grace period is over at `block`.
    pub fn is_over(&self, block: BlockNumber) -> bool {
        self.chargeable_until.is_some_and(|until| until < block)
    }
}
