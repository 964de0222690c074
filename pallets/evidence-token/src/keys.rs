//! The keys whose signatures count.

use alloc::vec::Vec;
use core::fmt;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use p384::{ecdsa::VerifyingKey, EncodedPoint};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};

/// Bytes of a key's id: NVIDIA's have 70.
pub const KEY_ID_LEN_MAX: u32 = 128;

/// Keys in a set: NVIDIA publishes 32 at a time, and a set may keep those of two days.
pub const KEYS_MAX: u32 = 64;

/// A key's id (`kid`).
pub type KeyId = BoundedVec<u8, ConstU32<KEY_ID_LEN_MAX>>;

/// A public key on the curve P-384.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct TrustedKey {
    /// The id by which tokens name it.
    pub id: KeyId,
    /// First coordinate, big-endian.
    pub x: [u8; 48],
    /// Second coordinate, big-endian.
    pub y: [u8; 48],
    /// First moment at which it counts (Unix time, ms); `None`: always.
    pub valid_from_ms: Option<u64>,
    /// First moment at which it counts no longer (Unix time, ms); `None`: never.
    pub valid_until_ms: Option<u64>,
}

impl TrustedKey {
    pub(crate) fn is_valid_at(&self, now_ms: u64) -> bool {
        self.valid_from_ms.is_none_or(|from| from <= now_ms)
            && self.valid_until_ms.is_none_or(|until| now_ms < until)
    }

    /// The key to verify with, if the coordinates are those of a point on the curve.
    pub(crate) fn verifying_key(&self) -> Option<VerifyingKey> {
        let point = EncodedPoint::from_affine_coordinates(&self.x.into(), &self.y.into(), false);
        VerifyingKey::from_encoded_point(&point).ok()
    }
}

/// The keys whose signatures count, each by its id. Made by [`new`](Self::new) or
/// [`from_jwks`](Self::from_jwks); one that was decoded from a stranger's bytes must pass
/// [`check`](Self::check) before it is stored.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct KeySet {
    keys: BoundedVec<TrustedKey, ConstU32<KEYS_MAX>>,
}

impl KeySet {
    /// A set of these keys.
    pub fn new(keys: Vec<TrustedKey>) -> Result<Self, KeyFault> {
        let keys = BoundedVec::try_from(keys).map_err(|_| KeyFault::TooManyKeys)?;
        let set = KeySet { keys };
        set.check()?;
        Ok(set)
    }

    /// Whether there is a key, every key is a point on the curve, and no two have one id.
    pub fn check(&self) -> Result<(), KeyFault> {
        if self.keys.is_empty() {
            return Err(KeyFault::NoKey);
        }
        for (index, key) in self.keys.iter().enumerate() {
            if key.id.is_empty() {
                return Err(KeyFault::BadId);
            }
            if self.keys[..index].iter().any(|other| other.id == key.id) {
                return Err(KeyFault::SameIdTwice);
            }
            if key.verifying_key().is_none() {
                return Err(KeyFault::BadPoint);
            }
        }
        Ok(())
    }

    /// The keys.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// The same keys, each valid from one moment until just before the other (Unix time, ms).
    pub fn valid(mut self, from_ms: u64, until_ms: u64) -> Self {
        for key in self.keys.iter_mut() {
            key.valid_from_ms = Some(from_ms);
            key.valid_until_ms = Some(until_ms);
        }
        self
    }

    pub(crate) fn get(&self, id: &str) -> Option<&TrustedKey> {
        self.keys.iter().find(|key| key.id.as_slice() == id.as_bytes())
    }
}

/// Why keys do not make a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// Bytes that are not a JSON Web Key Set.
    NotJwks,
    /// More bytes than [`JWKS_LEN_MAX`](crate::JWKS_LEN_MAX).
    TooLong,
    /// No key that could verify ES384.
    NoKey,
    /// More keys than [`KEYS_MAX`].
    TooManyKeys,
    /// A key without an id, or with one longer than [`KEY_ID_LEN_MAX`].
    BadId,
    /// Two keys with one id.
    SameIdTwice,
    /// A key that is no point on the curve.
    BadPoint,
    /// A private key.
    PrivateKey,
}

impl fmt::Display for KeyFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            KeyFault::NotJwks => "not a JSON Web Key Set; pass what /.well-known/jwks.json answers",
            KeyFault::TooLong => "the key set is longer than 256 KiB; pass one issuer's keys",
            KeyFault::NoKey => {
                "the key set has no P-384 key for signatures, so no token would count; add one"
            }
            KeyFault::TooManyKeys => "the key set has more than 64 keys; leave out those no longer valid",
            KeyFault::BadId => "a key has no id (kid) or one longer than 128 bytes; tokens could not name it",
            KeyFault::SameIdTwice => "two keys have one id (kid), so a token's key is ambiguous; keep one",
            KeyFault::BadPoint => "a key is no point on the curve P-384; copy its x and y again",
            KeyFault::PrivateKey => {
                "the key set has a private key (d), and whoever reads it can issue tokens; replace that key \
                 everywhere, and pass public keys only"
            }
        })
    }
}

impl core::error::Error for KeyFault {}
