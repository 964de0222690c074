//! The answers of the runtime APIs, which are also what JSON-RPC shows.
//!
//! In JSON every amount is a decimal string (JavaScript would round a number above 2^53), every name
//! is text.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;

use crate::{
    attestation::GpuUse,
    cost::{PriceEntry, Usage},
    energy::EnergyBudget,
    evidence::EvidenceLevel,
    ids::{
        AccountId, BasketId, BlockNumber, BookVersion, ClassId, Credits, Endpoint, EntitlementId, Moment,
        Name, ProgramId, PublicKey, Sequence,
    },
    settlement::{Item, UnattestedPolicy, VerdictKind},
};

/// Where every micro-credit of an entitlement or wallet is.
///
/// `granted = available + reserved + spent + expired + revoked`, always.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    Serialize,
    Deserialize,
    codec::MaxEncodedLen,
)]
pub struct Amounts {
    /// All that was ever granted.
    #[serde(with = "decimal")]
    pub granted: Credits,
    /// Free to be reserved or charged.
    #[serde(with = "decimal")]
    pub available: Credits,
    /// Set aside for gateways.
    #[serde(with = "decimal")]
    pub reserved: Credits,
    /// Charged, refunds already taken off.
    #[serde(with = "decimal")]
    pub spent: Credits,
    /// Not used in time.
    #[serde(with = "decimal")]
    pub expired: Credits,
    /// Taken or given back to the program.
    #[serde(with = "decimal")]
    pub revoked: Credits,
}

/// One entitlement.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct EntitlementView {
    /// Its number.
    pub id: EntitlementId,
    /// Whose it is, for ever.
    pub owner: AccountId,
    /// What it buys.
    pub class: ClassId,
    /// Who granted it.
    pub issuer: AccountId,
    /// The budget that it came from.
    pub program: ProgramId,
    /// First moment of use (Unix time, ms).
    pub valid_from: Moment,
    /// First moment at which it is expired (Unix time, ms); `None`: never.
    pub valid_until: Option<Moment>,
    /// Where its credits are.
    pub amounts: Amounts,
}

/// A wallet in one class.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct ClassBalance {
    /// The class.
    pub class: ClassId,
    /// The class's name.
    #[serde(with = "text")]
    pub name: Name,
    /// Where the wallet's credits are.
    pub amounts: Amounts,
    /// What each gateway has set aside.
    pub reservations: Vec<ReservationView>,
    /// First moment at which some of what is available expires; `None`: never.
    pub expires_next: Option<Moment>,
    /// Whether the wallet is frozen: nothing new can be reserved.
    pub frozen: bool,
}

/// Credits moved aside for one gateway.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct ReservationView {
    /// The gateway.
    pub gateway: AccountId,
    /// Micro-credits still reserved.
    #[serde(with = "decimal")]
    pub amount: Credits,
    /// First moment at which they are no longer reserved (Unix time, ms).
    pub expires_at: Moment,
}

/// A reservation as its gateway sees it.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct GatewayBalance {
    /// Whose wallet.
    pub owner: AccountId,
    /// In which class.
    pub class: ClassId,
    /// Micro-credits still reserved for the gateway that asks.
    #[serde(with = "decimal")]
    pub reserved: Credits,
    /// First moment at which the reservation is over (Unix time, ms).
    pub expires_at: Moment,
    /// Micro-credits of the wallet that nobody has reserved; fewer where the class's energy budget does not
    /// cover all of them.
    #[serde(with = "decimal")]
    pub available: Credits,
    /// Whether the wallet is frozen: nothing new can be reserved, and gateways admit nothing new.
    pub frozen: bool,
    /// Whether more were available if the class's energy budget covered it.
    pub energy_bound: bool,
}

/// A class as registered.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    Serialize,
    Deserialize,
    codec::MaxEncodedLen,
)]
pub struct Class {
    /// Its name.
    #[serde(with = "text")]
    pub name: Name,
    /// What becomes of charges that a provider does not attest.
    pub unattested: UnattestedPolicy,
}

/// A basket: its number, the issuer who set it and mints it, its name, and per line the budget, the
/// micro-credits and for how many milliseconds they last (`None`: for ever).
pub type BasketRow = (BasketId, AccountId, Vec<u8>, Vec<(ProgramId, Credits, Option<Moment>)>);

/// A budget pool: `budget = unminted + granted + delegated`.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    Serialize,
    Deserialize,
    codec::MaxEncodedLen,
)]
pub struct Program {
    /// Who may mint from it besides every issuer with the council's trust: its owner.
    pub owner: AccountId,
    /// Its name.
    #[serde(with = "text")]
    pub name: Name,
    /// The class of everything minted from it.
    pub class: ClassId,
    /// The program that its budget came from.
    pub parent: Option<ProgramId>,
    /// Micro-credits in all.
    #[serde(with = "decimal")]
    pub budget: Credits,
    /// Micro-credits not minted yet.
    #[serde(with = "decimal")]
    pub unminted: Credits,
    /// Micro-credits minted, less what was revoked or given back.
    #[serde(with = "decimal")]
    pub granted: Credits,
    /// Micro-credits handed to programs below.
    #[serde(with = "decimal")]
    pub delegated: Credits,
}

/// What an issuer may still mint in the current period.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct IssuerAllowance {
    /// First moment of the next period (Unix time, ms), when all of it can be minted again.
    pub period_ends_at: Moment,
    /// Micro-credits in one grant, all its lines together, above which a second issuer must sign too.
    #[serde(with = "decimal")]
    pub large_mint: Credits,
    /// One row per class, by number.
    pub classes: Vec<ClassAllowance>,
}

/// An issuer's allowance in one class.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct ClassAllowance {
    /// The class.
    pub class: ClassId,
    /// The class's name.
    #[serde(with = "text")]
    pub name: Name,
    /// Micro-credits that the issuer may mint in a period.
    #[serde(with = "decimal")]
    pub allowance: Credits,
    /// Micro-credits minted in this period; what was revoked or given back since still counts.
    #[serde(with = "decimal")]
    pub minted: Credits,
    /// Micro-credits that can still be minted in this period.
    #[serde(with = "decimal")]
    pub left: Credits,
}

/// A class's energy budget and how much of it is taken.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct ClassEnergy {
    /// The class.
    pub class: ClassId,
    /// The class's name.
    #[serde(with = "text")]
    pub name: Name,
    /// What the council set.
    pub budget: EnergyBudget,
    /// Millijoules used in this period, rounded up.
    #[serde(with = "decimal")]
    pub used_mj: u128,
    /// Millijoules held for credits that are reserved, or charged in batches that are not settled; rounded up.
    #[serde(with = "decimal")]
    pub held_mj: u128,
    /// Millijoules that can still be held in this period, rounded down.
    #[serde(with = "decimal")]
    pub left_mj: u128,
    /// First moment of the next period (Unix time, ms), which begins with nothing used; what is held stays held.
    pub period_ends_at: Moment,
}

/// What one provider served of a batch, by the gateway's count.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    Serialize,
    Deserialize,
    codec::MaxEncodedLen,
)]
pub struct ProviderTotals {
    /// Who served.
    pub provider: AccountId,
    /// Receipts.
    pub count: u32,
    /// Sum of computed prompt tokens.
    pub input: u64,
    /// Sum of cached prompt tokens.
    pub cached_input: u64,
    /// Sum of generated tokens.
    pub output: u64,
    /// Micro-credits collected, all classes together.
    #[serde(with = "decimal")]
    pub collected: Credits,
    /// Root over the usage leaves.
    pub root: H256,
    /// How it was settled; `None` while it is open.
    pub settled: Option<Settled>,
    /// The provider's level in the block that the batch came in.
    pub evidence: EvidenceLevel,
}

/// How an item was settled.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    Serialize,
    Deserialize,
    codec::MaxEncodedLen,
)]
pub struct Settled {
    /// The verdict of the quorum.
    pub verdict: VerdictKind,
    /// Micro-credits given back.
    #[serde(with = "decimal")]
    pub refunded: Credits,
    /// What the provider's GPUs took, by its attestation.
    pub gpu: GpuUse,
    /// Block in which the quorum was reached.
    pub at: BlockNumber,
}

/// How the items of one provider, or of one gateway, were settled since the first block. No figure of it
/// ever falls.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    Serialize,
    Deserialize,
    codec::MaxEncodedLen,
)]
pub struct Score {
    /// Items settled as match.
    pub matched: u64,
    /// Items settled as adjust.
    pub adjusted: u64,
    /// Items settled as unattested.
    pub unattested: u64,
    /// Receipts of all these items.
    pub receipts: u64,
    /// Micro-credits that were collected for them.
    #[serde(with = "decimal")]
    pub collected: Credits,
    /// Micro-credits of these that went back.
    #[serde(with = "decimal")]
    pub refunded: Credits,
    /// Milliseconds of GPU time, over the items whose attestations say so.
    pub gpu_time_ms: u64,
    /// Receipts of the items whose attestations say what energy they took.
    pub receipts_with_energy: u64,
    /// Millijoules that these took.
    #[serde(with = "decimal")]
    pub energy_mj: u128,
}

/// How one provider fares.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct ProviderScore {
    /// The provider.
    pub provider: AccountId,
    /// How its items were settled.
    #[serde(flatten)]
    pub score: Score,
    /// Milligrams of CO2 equivalent that its grid emits for a kilowatt-hour; `None` if nobody said.
    pub grid_mg_per_kwh: Option<u32>,
    /// Milligrams of CO2 equivalent that its energy emitted, by what the grid emits now.
    #[serde(with = "decimal_option")]
    pub emitted_mg: Option<u128>,
}

/// How one gateway fares.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct GatewayScore {
    /// The gateway.
    pub gateway: AccountId,
    /// How its items were settled.
    #[serde(flatten)]
    pub score: Score,
}

/// How everybody fares whom settlement is about.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct Scores {
    /// The providers that served something that is settled.
    pub providers: Vec<ProviderScore>,
    /// The gateways that metered it.
    pub gateways: Vec<GatewayScore>,
}

/// A batch as the chain remembers it.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct BatchView {
    /// Who metered.
    pub gateway: AccountId,
    /// First sequence number.
    pub first_seq: Sequence,
    /// Last sequence number.
    pub last_seq: Sequence,
    /// Block that the batch came in.
    pub submitted_at: BlockNumber,
    /// Hash of the batch.
    pub batch_hash: H256,
    /// Root over the receipts; also in the block's header.
    pub receipts_root: H256,
    /// Micro-credits charged by price, all classes together.
    #[serde(with = "decimal")]
    pub charged: Credits,
    /// Micro-credits of it that no reservation and no wallet covered.
    #[serde(with = "decimal")]
    pub uncollected: Credits,
    /// One row per provider.
    pub providers: Vec<ProviderTotals>,
}

/// Votes on an open item, or its verdict.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct SettlementView {
    /// What is settled.
    pub item: Item,
    /// Last sequence number of the batch.
    pub last_seq: Sequence,
    /// Block that the batch came in.
    pub submitted_at: BlockNumber,
    /// Receipts of this provider.
    pub count: u32,
    /// Votes so far: who, for which verdict's hash.
    pub votes: Vec<VoteView>,
    /// Votes that one verdict needs.
    pub quorum: u32,
    /// The verdict; `None` while the item is open.
    pub settled: Option<Settled>,
    /// The provider's level in the block that the batch came in.
    pub evidence: EvidenceLevel,
}

/// One vote.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct VoteView {
    /// The validator's settlement key.
    pub validator: H256,
    /// Hash of the verdict it voted for.
    pub verdict_hash: H256,
    /// Which kind of verdict that is.
    pub kind: VerdictKind,
}

/// A provider as registered for settlement.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    Serialize,
    Deserialize,
    codec::MaxEncodedLen,
)]
pub struct Provider {
    /// The key that its attestations are signed with.
    #[serde(with = "hex_32")]
    pub key: PublicKey,
    /// Where its attestor answers.
    #[serde(with = "text")]
    pub endpoint: Endpoint,
    /// Whether it is suspended: its attestations count no longer.
    pub suspended: bool,
}

/// A price, coefficient by coefficient.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct Quote {
    /// Version of the book.
    pub book: BookVersion,
    /// Class that pays the base cost.
    pub class: ClassId,
    /// Whether a Priority entitlement is needed.
    pub premium: bool,
    /// Micro-credits for computed prompt tokens.
    #[serde(with = "decimal")]
    pub input: Credits,
    /// Micro-credits for cached prompt tokens.
    #[serde(with = "decimal")]
    pub cached_input: Credits,
    /// Micro-credits for generated tokens.
    #[serde(with = "decimal")]
    pub output: Credits,
    /// Micro-credits for the model's weight.
    #[serde(with = "decimal")]
    pub model: Credits,
    /// Their sum: the base cost.
    #[serde(with = "decimal")]
    pub cost: Credits,
    /// Micro-credits of Priority.
    #[serde(with = "decimal")]
    pub priority_fee: Credits,
}

impl PriceEntry {
    /// What `usage` costs by this entry of a book, coefficient by coefficient.
    pub fn quote(&self, book: BookVersion, usage: &Usage, priority_fee: u32) -> Quote {
        let product = |count: u32, coefficient: u64| Credits::from(count) * Credits::from(coefficient);
        Quote {
            book,
            class: self.class,
            premium: self.premium,
            input: product(usage.input, self.c_input),
            cached_input: product(usage.cached_input, self.c_cached),
            output: product(usage.output, self.c_output),
            model: product(self.weight, self.c_model),
            cost: self.cost(usage),
            priority_fee: priority_fee.into(),
        }
    }
}

/// Amounts in JSON: decimal strings.
pub mod decimal {
    use super::*;
    use alloc::string::{String, ToString};

    /// Writes an amount.
    pub fn serialize<S: serde::Serializer>(value: &Credits, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.to_string())
    }

    /// Reads an amount.
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Credits, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| {
            serde::de::Error::custom(
                "an amount is a decimal string of micro-credits without sign, such as \"1500000\"",
            )
        })
    }
}

/// Optional amounts in JSON.
pub mod decimal_option {
    use super::*;

    /// Writes an amount or `null`.
    pub fn serialize<S: serde::Serializer>(
        value: &Option<Credits>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::decimal::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads an amount or `null`.
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Credits>, D::Error> {
        #[derive(Deserialize)]
        struct Amount(#[serde(with = "super::decimal")] Credits);
        Ok(Option::<Amount>::deserialize(deserializer)?.map(|amount| amount.0))
    }
}

/// Names and addresses in JSON: text.
pub mod text {
    use super::*;
    use alloc::string::String;
    use sp_core::{bounded::BoundedVec, Get};

    /// Writes the text; bytes that are no UTF-8 are shown as replacement characters.
    pub fn serialize<B: Get<u32>, S: serde::Serializer>(
        value: &BoundedVec<u8, B>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(value))
    }

    /// Reads a text of at most `B` bytes.
    pub fn deserialize<'de, B: Get<u32>, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BoundedVec<u8, B>, D::Error> {
        BoundedVec::try_from(String::deserialize(deserializer)?.into_bytes()).map_err(|bytes| {
            serde::de::Error::custom(alloc::format!(
                "a text of {} bytes is too long here: at most {} fit",
                bytes.len(),
                B::get()
            ))
        })
    }
}

macro_rules! hex_array {
    ($name:ident, $len:literal) => {
        #[doc = concat!(stringify!($len), " bytes in JSON: `0x` and hex digits.")]
        pub mod $name {
            /// Writes the bytes.
            pub fn serialize<S: serde::Serializer>(
                value: &[u8; $len],
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                sp_core::bytes::serialize(value, serializer)
            }

            /// Reads the bytes; the `0x` may be left out.
            pub fn deserialize<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<[u8; $len], D::Error> {
                let mut bytes = [0; $len];
                let expected = sp_core::bytes::ExpectedLen::Exact(&mut bytes);
                sp_core::bytes::deserialize_check_len(deserializer, expected)?;
                Ok(bytes)
            }
        }
    };
}

hex_array!(hex_16, 16);
hex_array!(hex_32, 32);
hex_array!(hex_64, 64);
