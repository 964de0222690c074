//! The price book and the one function that prices a receipt.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{bounded::BoundedVec, ConstU32};

use crate::ids::{BlockNumber, BookVersion, ClassId, Credits, ModelId, Name};

/// Token counts of one request.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct Usage {
    /// Prompt tokens that the engine had to compute: OpenAI's `prompt_tokens` less
    /// `prompt_tokens_details.cached_tokens`.
    pub input: u32,
    /// Prompt tokens that the engine took from its cache.
    pub cached_input: u32,
    /// Generated tokens, reasoning tokens included: OpenAI's `completion_tokens`.
    pub output: u32,
}

impl Usage {
    /// The smaller claim of two, count by count.
    pub fn min(self, other: Usage) -> Usage {
        Usage {
            input: self.input.min(other.input),
            cached_input: self.cached_input.min(other.cached_input),
            output: self.output.min(other.output),
        }
    }
}

/// What a model costs, and in which class.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct PriceEntry {
    /// Number of the model; entries of a book are sorted by it.
    pub model: ModelId,
    /// The name that callers put into `"model"`.
    #[serde(with = "crate::view::text")]
    pub name: Name,
    /// Class that pays the base cost.
    pub class: ClassId,
    /// A premium model is served only to wallets that hold a Priority entitlement.
    pub premium: bool,
    /// Micro-credits per computed prompt token.
    pub c_input: u64,
    /// Micro-credits per cached prompt token.
    pub c_cached: u64,
    /// Micro-credits per generated token.
    pub c_output: u64,
    /// Micro-credits per unit of weight and request.
    pub c_model: u64,
    /// Weight of the model: how much of a fixed share one request costs.
    pub weight: u32,
    /// Price of a million prompt tokens outside, in micro-USD; informative.
    pub reference_input: u64,
    /// Price of a million generated tokens outside, in micro-USD; informative.
    pub reference_output: u64,
}

impl PriceEntry {
    /// Base cost of `usage`, in micro-credits of [`PriceEntry::class`].
    pub fn cost(&self, usage: &Usage) -> Credits {
        self.coefficients().cost(usage)
    }

    /// The entry made ready to price many receipts.
    pub fn coefficients(&self) -> Coefficients {
        let fixed = Credits::from(self.weight) * Credits::from(self.c_model);
        let tokens_max = self.c_input.max(self.c_cached).max(self.c_output);
        Coefficients {
            c_input: self.c_input,
            c_cached: self.c_cached,
            c_output: self.c_output,
            fixed,
            narrow: tokens_max <= Coefficients::NARROW_TOKEN_MAX && fixed < Coefficients::NARROW_FIXED_END,
        }
    }
}

/// What prices a receipt: the one cost function of Stipend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coefficients {
    c_input: u64,
    c_cached: u64,
    c_output: u64,
    fixed: Credits,
    narrow: bool,
}

impl Coefficients {
    /// Three products of a `u32` and at most this much are below 2^62 each.
    const NARROW_TOKEN_MAX: u64 = 1 << 30;

    /// What is added to those products stays below this, so that the sum stays below 2^64.
    const NARROW_FIXED_END: Credits = 1 << 62;

    /// Base cost of `usage`, in micro-credits.
    ///
    /// Cannot overflow: four products of a `u32` and a `u64` are each below 2^96. A price below
    /// 1,073 credits a token, which is every real one, is computed in 64 bits: 128-bit products are
    /// calls of a library function in WASM.
    #[inline]
    pub fn cost(&self, usage: &Usage) -> Credits {
        if self.narrow {
            let cost = u64::from(usage.input) * self.c_input
                + u64::from(usage.cached_input) * self.c_cached
                + u64::from(usage.output) * self.c_output
                + self.fixed as u64;
            return Credits::from(cost);
        }
        Credits::from(usage.input) * Credits::from(self.c_input)
            + Credits::from(usage.cached_input) * Credits::from(self.c_cached)
            + Credits::from(usage.output) * Credits::from(self.c_output)
            + self.fixed
    }
}

/// Models in one book: a company offers tens, and a book is read whole for every batch.
pub const BOOK_ENTRIES_MAX: u32 = 256;

/// The entries of a price book.
pub type PriceEntries = BoundedVec<PriceEntry, ConstU32<BOOK_ENTRIES_MAX>>;

/// All prices from one block on.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct PriceBook {
    /// Version, counted up from 1.
    pub version: BookVersion,
    /// First block at which new requests are quoted from this book.
    pub effective_at: BlockNumber,
    /// Last block at which batches priced by this book are accepted; `None` while it is the newest.
    pub chargeable_until: Option<BlockNumber>,
    /// One entry per model, sorted by [`PriceEntry::model`], no model and no name twice.
    pub entries: PriceEntries,
}

impl PriceBook {
    /// The entry of a model.
    pub fn entry(&self, model: ModelId) -> Option<&PriceEntry> {
        self.entries.binary_search_by_key(&model, |entry| entry.model).ok().map(|at| &self.entries[at])
    }

    /// The entry of a model, by name.
    pub fn entry_named(&self, name: &str) -> Option<&PriceEntry> {
        self.entries.iter().find(|entry| entry.name.as_slice() == name.as_bytes())
    }
}

/// Checks that entries are sorted by model, no model and no name twice, and that every name is
/// text that is not empty.
pub fn entries_are_canonical(entries: &[PriceEntry]) -> bool {
    let sorted = entries.windows(2).all(|pair| pair[0].model < pair[1].model);
    let mut names: Vec<&[u8]> = entries.iter().map(|entry| entry.name.as_slice()).collect();
    names.sort_unstable();
    sorted
        && names.windows(2).all(|pair| pair[0] != pair[1])
        && names.iter().all(|name| !name.is_empty() && core::str::from_utf8(name).is_ok())
}
