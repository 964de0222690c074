//! Secrets, in types that cannot be printed.

use blake2::{digest::consts::U32, Blake2b, Digest};
use ed25519_dalek::{Signer, SigningKey};
use stipend_forward::{ForwardKey, Parties};
use stipend_primitives::{PublicKey, Signature};
use zeroize::Zeroizing;

/// The key that attestations are signed with.
pub struct AttestationKey(SigningKey);

impl AttestationKey {
    /// Reads a key file's text: the 32-byte seed as 64 hex digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), seed.as_mut()).ok()?;
        Some(AttestationKey(SigningKey::from_bytes(&seed)))
    }

    /// The key that `settlement.register_provider` wants.
    pub fn public(&self) -> PublicKey {
        self.0.verifying_key().to_bytes()
    }

    /// The secret of this key's owner and a gateway.
    pub(crate) fn forward_key(&self, gateway: &PublicKey, parties: &Parties) -> Option<ForwardKey> {
        ForwardKey::agree(&self.0, gateway, parties)
    }

    /// Signs. The same payload always gets the same signature.
    pub fn sign(&self, payload: &[u8; 32]) -> Signature {
        self.0.sign(payload).to_bytes()
    }
}

/// A gateway's token, as far as it must be recognised: its hash. The time that comparing hashes
/// takes tells nothing of the token.
#[derive(Clone)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Hashes a token.
    pub fn of(token: &str) -> Self {
        TokenHash(Blake2b::<U32>::digest(token).into())
    }

    /// Whether `token` is the one.
    pub fn admits(&self, token: &str) -> bool {
        self.0 == Self::of(token).0
    }
}

/// The token that the engine wants.
pub struct EngineToken(Zeroizing<String>);

impl EngineToken {
    /// Keeps a token.
    pub fn new(token: &str) -> Self {
        EngineToken(Zeroizing::new(token.to_string()))
    }

    /// The header that carries it; `None` if it has bytes that no header can carry.
    pub fn header(&self) -> Option<http::HeaderValue> {
        let text = Zeroizing::new(format!("Bearer {}", self.0.as_str()));
        let mut value = http::HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}
