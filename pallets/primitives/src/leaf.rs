//! The two views of a receipt that roots commit to.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use sp_core::H256;

use crate::{
    batch::{Batch, Line, Record},
    cost::Usage,
    ids::{AccountId, BookVersion, Digest, ModelId, Sequence, DIGEST_LEN},
    merkle::RootBuilder,
};

/// Bytes of a [`UsageLeaf`].
pub const USAGE_LEAF_LEN: usize = 38;

/// What gateway and provider both know of a request: no wallet, no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct UsageLeaf {
    /// Position in the gateway's sequence.
    pub seq: Sequence,
    /// The model that was asked for.
    pub model: ModelId,
    /// What was used.
    pub usage: Usage,
    /// Names the request.
    pub digest: Digest,
}

impl UsageLeaf {
    /// The leaf's bytes, integers little-endian.
    pub fn to_bytes(&self) -> [u8; USAGE_LEAF_LEN] {
        let mut bytes = [0; USAGE_LEAF_LEN];
        bytes[0..8].copy_from_slice(&self.seq.to_le_bytes());
        bytes[8..10].copy_from_slice(&self.model.0.to_le_bytes());
        bytes[10..14].copy_from_slice(&self.usage.input.to_le_bytes());
        bytes[14..18].copy_from_slice(&self.usage.cached_input.to_le_bytes());
        bytes[18..22].copy_from_slice(&self.usage.output.to_le_bytes());
        bytes[22..].copy_from_slice(&self.digest);
        bytes
    }

    /// Reads a leaf.
    pub fn from_bytes(bytes: &[u8; USAGE_LEAF_LEN]) -> Self {
        let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let mut seq = [0; 8];
        seq.copy_from_slice(&bytes[0..8]);
        let mut digest = [0; DIGEST_LEN];
        digest.copy_from_slice(&bytes[22..]);
        UsageLeaf {
            seq: Sequence::from_le_bytes(seq),
            model: ModelId(u16::from_le_bytes([bytes[8], bytes[9]])),
            usage: Usage { input: u32_at(10), cached_input: u32_at(14), output: u32_at(18) },
            digest,
        }
    }

    /// Reads leaves that stand one after the other; `None` if the last one is torn.
    pub fn read_all(bytes: &[u8]) -> Option<Vec<UsageLeaf>> {
        let (leaves, rest) = bytes.as_chunks::<USAGE_LEAF_LEN>();
        rest.is_empty().then(|| leaves.iter().map(UsageLeaf::from_bytes).collect())
    }

    /// The root over leaves in the order given.
    pub fn root<'a>(leaves: impl IntoIterator<Item = &'a UsageLeaf>) -> H256 {
        let mut builder = RootBuilder::new(USAGE_LEAF_LEN);
        for leaf in leaves {
            builder.push(&leaf.to_bytes());
        }
        builder.finish()
    }
}

/// Bytes of a [`ReceiptLeaf`].
pub const RECEIPT_LEAF_LEN: usize = 110;

/// A whole receipt, as wallets and auditors check it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ReceiptLeaf {
    /// What the provider knows too.
    pub leaf: UsageLeaf,
    /// Who paid.
    pub wallet: AccountId,
    /// Who served.
    pub provider: AccountId,
    /// The price book that the request was quoted from.
    pub book: BookVersion,
    /// Micro-credits of Priority paid for a place in the queue.
    pub priority_fee: u32,
}

impl ReceiptLeaf {
    /// The receipt at `index` of a batch; `None` if the batch has no such receipt or its record
    /// points nowhere.
    pub fn of(batch: &Batch, index: usize) -> Option<Self> {
        let record = batch.records().nth(index)?;
        let line = batch.lines.get(usize::from(record.line))?;
        let wallet = batch.wallets.get(usize::from(record.wallet))?;
        Some(Self::new(batch.first_seq + index as u64, &record, line, wallet))
    }

    /// Puts a receipt together from what a batch says of it.
    pub fn new(seq: Sequence, record: &Record, line: &Line, wallet: &AccountId) -> Self {
        ReceiptLeaf {
            leaf: UsageLeaf { seq, model: line.model, usage: record.usage, digest: record.digest },
            wallet: wallet.clone(),
            provider: line.provider.clone(),
            book: line.book,
            priority_fee: record.priority_fee,
        }
    }

    /// The leaf's bytes: usage leaf, wallet, provider, book, fee.
    pub fn to_bytes(&self) -> [u8; RECEIPT_LEAF_LEN] {
        let mut bytes = [0; RECEIPT_LEAF_LEN];
        write_receipt_leaf(
            &mut bytes,
            &self.leaf.to_bytes(),
            &self.wallet,
            &self.provider,
            self.book,
            self.priority_fee,
        );
        bytes
    }
}

/// Writes a [`ReceiptLeaf`] from its parts without cloning an account: the fold's inner loop.
#[inline]
pub fn write_receipt_leaf(
    bytes: &mut [u8; RECEIPT_LEAF_LEN],
    usage_leaf: &[u8; USAGE_LEAF_LEN],
    wallet: &AccountId,
    provider: &AccountId,
    book: BookVersion,
    priority_fee: u32,
) {
    bytes[0..38].copy_from_slice(usage_leaf);
    bytes[38..70].copy_from_slice(wallet.as_ref());
    bytes[70..102].copy_from_slice(provider.as_ref());
    bytes[102..106].copy_from_slice(&book.to_le_bytes());
    bytes[106..110].copy_from_slice(&priority_fee.to_le_bytes());
}

/// What `submit_batch` puts into the block's header (as `DigestItem::Other` after
/// [`COMMITMENT_TAG`]), so that a finalised header proves every receipt of its block and the state
/// keeps none.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct BatchCommitment {
    /// Who metered.
    pub gateway: AccountId,
    /// First sequence number of the batch.
    pub first_seq: Sequence,
    /// Last sequence number of the batch.
    pub last_seq: Sequence,
    /// Root over the batch's [`ReceiptLeaf`]s.
    pub root: H256,
}

/// Begins the digest item of a [`BatchCommitment`].
pub const COMMITMENT_TAG: [u8; 4] = *b"STPB";
