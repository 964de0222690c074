//! What binds evidence to a provider and a block.

use sha2::{Digest, Sha256};
use sp_core::H256;

/// Begins the hashed bytes, so that no other hash of Stipend can pass for a nonce.
const DOMAIN: &[u8; 16] = b"stipend/nonce/1\0";

/// The nonce with which the provider of `provider_key` asks for evidence at the block `block_hash`.
///
/// SHA-256 over domain, key and hash. The key makes it this provider's, the hash makes it recent: nobody
/// can ask for it before the block was made. A block's hash is of one chain, so the nonce is too.
pub fn nonce(provider_key: &[u8; 32], block_hash: &H256) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(DOMAIN);
    hasher.update(provider_key);
    hasher.update(block_hash.as_bytes());
    hasher.finalize().into()
}
