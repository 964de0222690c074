//! Domains and the bytes that are signed.
//!
//! Every signature of Stipend is ed25519 over `blake2b_256(domain ++ genesis hash ++
//! blake2b_256(body))`. The domain keeps a signature from being read as one of another kind, the
//! genesis hash keeps it on its own chain.

use alloc::vec::Vec;
use sp_core::H256;

use crate::ids::{PublicKey, Signature};

/// What a signature is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// A mint request of an issuer.
    Mint,
    /// A batch of receipts of a gateway.
    Batch,
    /// A provider's statement of what it served.
    Attestation,
    /// A gateway's statement to a provider of which requests form a range.
    Claim,
    /// A validator's vote on a settlement.
    Vote,
    /// A gateway's header on a forwarded request.
    Forward,
    /// A validator's report of evidence, or of keys to verify it with.
    Finding,
}

impl Domain {
    /// The bytes that begin the signed message: 16 of them, ASCII, padded with zeros.
    pub const fn tag(self) -> &'static [u8; 16] {
        match self {
            Domain::Mint => b"stipend/mint/1\0\0",
            Domain::Batch => b"stipend/batch/1\0",
            Domain::Attestation => b"stipend/attest/1",
            Domain::Claim => b"stipend/claim/1\0",
            Domain::Vote => b"stipend/vote/1\0\0",
            Domain::Forward => b"stipend/fwd/1\0\0\0",
            Domain::Finding => b"stipend/find/1\0\0",
        }
    }
}

/// The 32 bytes to sign for `body`.
pub fn payload(domain: Domain, genesis: &H256, body: &[u8]) -> [u8; 32] {
    payload_of_hash(domain, genesis, &H256(sp_io::hashing::blake2_256(body)))
}

/// The 32 bytes to sign for a body whose BLAKE2b-256 is known already: a batch of megabytes is
/// hashed once, for its name and for its signature.
pub fn payload_of_hash(domain: Domain, genesis: &H256, body_hash: &H256) -> [u8; 32] {
    let mut message = Vec::with_capacity(16 + 32 + 32);
    message.extend_from_slice(domain.tag());
    message.extend_from_slice(genesis.as_bytes());
    message.extend_from_slice(body_hash.as_bytes());
    sp_io::hashing::blake2_256(&message)
}

/// Whether `signature` is `signer`'s over `payload`.
///
/// Natively and in the runtime this is the same host function, so a client can never accept what
/// the chain refuses.
pub fn verify(payload: &[u8; 32], signature: &Signature, signer: &PublicKey) -> bool {
    sp_io::crypto::ed25519_verify(
        &sp_core::ed25519::Signature::from_raw(*signature),
        payload,
        &sp_core::ed25519::Public::from_raw(*signer),
    )
}
