//! The key that a validator signs its votes with: ed25519, kept in the node's keystore.

use sp_core::crypto::KeyTypeId;

/// Marks settlement keys in the keystore.
pub const KEY_TYPE: KeyTypeId = KeyTypeId(*b"stlm");

mod app {
    use sp_application_crypto::{app_crypto, ed25519};

    app_crypto!(ed25519, super::KEY_TYPE);
}

sp_application_crypto::with_pair! {
    /// A validator's settlement key pair.
    pub type AuthorityPair = app::Pair;
}

/// A validator's settlement signature.
pub type AuthoritySignature = app::Signature;

/// A validator's settlement key: one of its session keys.
pub type AuthorityId = app::Public;
