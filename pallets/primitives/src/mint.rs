//! Mint requests that any HR system with an ed25519 library can sign.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;

use crate::{
    ids::{AccountId, BasketId, Credits, Moment, ProgramId, Signature},
    signing,
};

/// What is granted.
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
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// One entitlement of the program's class.
    #[codec(index = 0)]
    One {
        /// The budget that pays, which fixes the class.
        program: ProgramId,
        /// Micro-credits.
        #[serde(with = "crate::view::decimal")]
        amount: Credits,
        /// First moment of use (Unix time, ms); `None`: at once.
        valid_from: Option<Moment>,
        /// First moment at which it is expired (Unix time, ms); `None`: never.
        valid_until: Option<Moment>,
    },
    /// All lines of a basket; their validity counts from the block of the mint.
    #[codec(index = 1)]
    Basket {
        /// The template.
        basket: BasketId,
    },
}

/// A mint that an issuer signs off-chain and anyone may carry to the chain, once.
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
pub struct MintRequest {
    /// Account of the issuer: its ed25519 public key.
    pub issuer: AccountId,
    /// 16 bytes that the issuer never uses twice: a request sent again mints nothing.
    #[serde(with = "crate::view::hex_16")]
    pub idempotency_key: [u8; 16],
    /// Who receives.
    pub owner: AccountId,
    /// What is granted.
    pub grant: Grant,
}

impl MintRequest {
    /// The 32 bytes that the issuer signs, and a second issuer too where one is needed.
    pub fn signing_payload(&self, genesis: &H256) -> [u8; 32] {
        signing::payload(signing::Domain::Mint, genesis, &self.encode())
    }
}

/// A second issuer's signature under a mint request: over the same bytes as the first.
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
pub struct Cosignature {
    /// Account of the second issuer: its ed25519 public key. Never the request's own issuer.
    pub issuer: AccountId,
    /// Its signature over [`MintRequest::signing_payload`].
    #[serde(with = "crate::view::hex_64")]
    pub signature: Signature,
}
