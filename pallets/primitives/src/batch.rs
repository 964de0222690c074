//! Batches: consecutive receipts of one gateway as fixed-size records under one signature.
//!
//! A record refers to its wallet and to its line (provider, price book, model) by index into two
//! tables that stand at the head of the batch, which keeps a receipt at [`RECORD_LEN`] bytes.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32, H256};

use crate::{
    cost::Usage,
    ids::{AccountId, BookVersion, Digest, ModelId, Sequence, Signature, DIGEST_LEN},
    signing,
};

/// Bytes of one record.
pub const RECORD_LEN: usize = 36;

/// Receipts in one batch: 3.6 MB of records. A batch costs by its wallets more than by its receipts, so
/// a busy gateway's are large.
pub const RECEIPTS_MAX: u32 = 100_000;

/// Wallets in one batch: each costs a storage read and a write, and a block has time for these.
pub const WALLETS_MAX: u32 = 16_384;

/// Lines in one batch: providers times models that one gateway serves.
pub const LINES_MAX: u32 = 256;

/// Providers in one batch: each has a root and a settlement of its own.
pub const PROVIDERS_MAX: u32 = 16;

/// Debits in one batch, that is pairs of wallet and class that it charges: each costs a storage read and
/// write, and these many take most of a block.
pub const DEBITS_MAX: u32 = 22_528;

/// Classes that one batch charges, Priority among them: what the fold's table of sums has room for.
pub const CLASSES_MAX: usize = 8;

/// What a record's line index stands for.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
// Accounts are hashable only off-chain.
#[cfg_attr(feature = "std", derive(Hash))]
pub struct Line {
    /// Who served the request.
    pub provider: AccountId,
    /// The price book that the request was quoted from.
    pub book: BookVersion,
    /// The model that was asked for.
    pub model: ModelId,
}

/// One receipt inside its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Index into [`Batch::wallets`].
    pub wallet: u16,
    /// Index into [`Batch::lines`].
    pub line: u16,
    /// What was used.
    pub usage: Usage,
    /// Micro-credits of Priority paid for a place in the queue: at most 4,294 credits a request.
    pub priority_fee: u32,
    /// Names the request.
    pub digest: Digest,
}

impl Record {
    /// The record's bytes, integers little-endian.
    pub fn to_bytes(&self) -> [u8; RECORD_LEN] {
        let mut bytes = [0; RECORD_LEN];
        bytes[0..2].copy_from_slice(&self.wallet.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.line.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.usage.input.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.usage.cached_input.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.usage.output.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.priority_fee.to_le_bytes());
        bytes[20..36].copy_from_slice(&self.digest);
        bytes
    }

    /// Reads a record. Every value of the bytes is a record; whether its indices exist is for
    /// [`Batch::check`].
    #[inline]
    pub fn from_bytes(bytes: &[u8; RECORD_LEN]) -> Self {
        let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let mut digest = [0; DIGEST_LEN];
        digest.copy_from_slice(&bytes[20..36]);
        Record {
            wallet: u16_at(0),
            line: u16_at(2),
            usage: Usage { input: u32_at(4), cached_input: u32_at(8), output: u32_at(12) },
            priority_fee: u32_at(16),
            digest,
        }
    }
}

/// A batch before it is signed. Its SCALE encoding is canonical.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Batch {
    /// Who metered.
    pub gateway: AccountId,
    /// Sequence number of the first record; the others follow without a gap.
    pub first_seq: Sequence,
    /// The wallets that records point to, each once, each used.
    pub wallets: BoundedVec<AccountId, ConstU32<WALLETS_MAX>>,
    /// The lines that records point to, each once.
    pub lines: BoundedVec<Line, ConstU32<LINES_MAX>>,
    /// The records, one after the other: a multiple of [`RECORD_LEN`] bytes, at least one record.
    pub records: BoundedVec<u8, ConstU32<{ RECEIPTS_MAX * RECORD_LEN as u32 }>>,
}

/// Why a batch is not well formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// There is no record in it.
    Empty,
    /// The records' length is not a multiple of [`RECORD_LEN`].
    TornRecord,
    /// A record points outside the wallet table.
    UnknownWallet,
    /// A record points outside the line table.
    UnknownLine,
    /// The lines name more than [`PROVIDERS_MAX`] providers.
    TooManyProviders,
    /// The last sequence number would not fit.
    SequenceOverflow,
}

impl Batch {
    /// How many receipts there are.
    pub fn receipts_count(&self) -> u32 {
        (self.records.len() / RECORD_LEN) as u32
    }

    /// Sequence number of the last record; only meaningful for a batch that passes
    /// [`Batch::check`].
    pub fn last_seq(&self) -> Sequence {
        self.first_seq.saturating_add(u64::from(self.receipts_count())).saturating_sub(1)
    }

    /// The records in order.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = Record> + ExactSizeIterator + '_ {
        self.records.as_slice().as_chunks::<RECORD_LEN>().0.iter().map(Record::from_bytes)
    }

    /// The providers named by the lines, sorted, each once.
    pub fn providers(&self) -> Vec<AccountId> {
        let mut providers: Vec<AccountId> = self.lines.iter().map(|line| line.provider.clone()).collect();
        providers.sort_unstable();
        providers.dedup();
        providers
    }

    /// Checks the batch's form. Does not look at its signature, sequence or prices.
    pub fn check(&self) -> Result<(), Malformed> {
        self.check_head()?;
        for record in self.records() {
            if usize::from(record.wallet) >= self.wallets.len() {
                return Err(Malformed::UnknownWallet);
            }
            if usize::from(record.line) >= self.lines.len() {
                return Err(Malformed::UnknownLine);
            }
        }
        Ok(())
    }

    /// Checks everything about the batch's form except where its records point to: for who walks
    /// the records anyway.
    pub fn check_head(&self) -> Result<(), Malformed> {
        if self.records.is_empty() {
            return Err(Malformed::Empty);
        }
        if !self.records.len().is_multiple_of(RECORD_LEN) {
            return Err(Malformed::TornRecord);
        }
        if self.first_seq.checked_add(u64::from(self.receipts_count())).is_none() {
            return Err(Malformed::SequenceOverflow);
        }
        if self.providers().len() > PROVIDERS_MAX as usize {
            return Err(Malformed::TooManyProviders);
        }
        Ok(())
    }

    /// BLAKE2b-256 of the canonical encoding: the batch's name.
    pub fn hash(&self) -> H256 {
        H256(sp_io::hashing::blake2_256(&self.encode()))
    }

    /// The 32 bytes that the gateway signs, from the batch's [`hash`](Batch::hash).
    pub fn signing_payload_of_hash(genesis: &H256, hash: &H256) -> [u8; 32] {
        signing::payload_of_hash(signing::Domain::Batch, genesis, hash)
    }

    /// The 32 bytes that the gateway signs.
    pub fn signing_payload(&self, genesis: &H256) -> [u8; 32] {
        Self::signing_payload_of_hash(genesis, &self.hash())
    }
}

/// A batch and its gateway's signature: the argument of `receipts.submit_batch`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SignedBatch {
    /// What is signed.
    pub batch: Batch,
    /// The gateway's ed25519 signature over [`Batch::signing_payload`].
    pub signature: Signature,
}
