//! API keys before the chain knows them.

use rand::RngCore;
use stipend_primitives::{key, KeyHash};
use zeroize::Zeroizing;

/// The text of an API key: 256 random bits after the prefix that secret scanners look for.
///
/// The chain and the gateways know a key only by its hash, so the text exists once. It cannot be
/// printed by accident, and is wiped when dropped.
pub struct ApiKeySecret(Zeroizing<String>);

impl ApiKeySecret {
    /// A new key from the system's random source.
    pub fn generate() -> Self {
        let mut random = Zeroizing::new([0; 32]);
        rand::rngs::OsRng.fill_bytes(random.as_mut());
        ApiKeySecret(Zeroizing::new(key::text(&random)))
    }

    /// The text, for the one time that it is shown.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The hash by which the chain knows the key.
    pub fn hash(&self) -> KeyHash {
        key::hash(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_256_fresh_bits_behind_the_prefix() {
        let (one, other) = (ApiKeySecret::generate(), ApiKeySecret::generate());
        let digits = one.expose().strip_prefix(key::KEY_PREFIX).expect("the prefix begins every key");
        assert_eq!(digits.len(), 64);
        assert!(digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        assert_ne!(one.hash(), other.hash());
        assert_eq!(one.hash(), key::hash(one.expose()));
    }
}
