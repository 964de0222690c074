//! How a gateway proves to an attestor that a request is its own: see the crate's README.

use blake2::{
    digest::{consts::U32, Mac},
    Blake2bMac,
};
use ed25519_dalek::{SigningKey, VerifyingKey};
use sp_core::H256;
use stipend_primitives::{AccountId, Digest, PublicKey};
use zeroize::Zeroizing;

/// Separates these keys from whatever else is made of the shared secret.
const LABEL: &[u8; 16] = b"stipend/fwd/2\0\0\0";

/// What proves that one request is a gateway's own.
pub type Tag = [u8; 32];

/// Who proves what to whom.
pub struct Parties<'a> {
    /// The chain.
    pub genesis: &'a H256,
    /// The gateway's account.
    pub gateway: &'a AccountId,
    /// The provider's account.
    pub provider: &'a AccountId,
}

/// A secret of one gateway and one provider. It cannot be printed, and is wiped when dropped.
pub struct ForwardKey(Zeroizing<[u8; 32]>);

impl ForwardKey {
    /// The key that both sides get from their own key and the other's public one; `None` where the other's is
    /// no key, or one with which everybody gets the same.
    pub fn agree(own: &SigningKey, theirs: &PublicKey, parties: &Parties) -> Option<Self> {
        let theirs = VerifyingKey::from_bytes(theirs).ok().filter(|key| !key.is_weak())?;
        let scalar = Zeroizing::new(own.to_scalar_bytes());
        let shared = Zeroizing::new(theirs.to_montgomery().mul_clamped(*scalar).to_bytes());
        let Parties { genesis, gateway, provider } = parties;
        let parts = [&LABEL[..], genesis.as_bytes(), gateway.as_ref(), provider.as_ref()];
        Some(ForwardKey(Zeroizing::new(keyed(&shared, &parts).finalize().into_bytes().into())))
    }

    /// Proves one request.
    pub fn tag(&self, digest: &Digest) -> Tag {
        keyed(&self.0, &[digest]).finalize().into_bytes().into()
    }

    /// Whether a tag proves a request. Takes as long for a wrong one as for a right one.
    pub fn is_proved(&self, digest: &Digest, tag: &Tag) -> bool {
        keyed(&self.0, &[digest]).verify(tag.into()).is_ok()
    }
}

fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> Blake2bMac<U32> {
    let mut mac = Blake2bMac::<U32>::new_from_slice(key).expect("32 bytes are a key of BLAKE2b; qed");
    for part in parts {
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const DIGEST: Digest = [7; 16];

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn agreed(own: u8, theirs: u8, genesis: u8, gateway: u8, provider: u8) -> Option<Tag> {
        let accounts = [gateway, provider].map(|account| AccountId::new([account; 32]));
        let genesis = H256([genesis; 32]);
        let parties = Parties { genesis: &genesis, gateway: &accounts[0], provider: &accounts[1] };
        let theirs = key(theirs).verifying_key().to_bytes();
        ForwardKey::agree(&key(own), &theirs, &parties).map(|key| key.tag(&DIGEST))
    }

    #[test]
    fn both_sides_get_the_same_key_and_everybody_else_another() {
        let tag = agreed(1, 2, 9, 3, 4).unwrap();
        assert_eq!(agreed(2, 1, 9, 3, 4), Some(tag));
        for other in [(5, 2, 9, 3, 4), (1, 5, 9, 3, 4), (1, 2, 8, 3, 4), (1, 2, 9, 4, 3), (1, 2, 9, 3, 5)] {
            assert_ne!(agreed(other.0, other.1, other.2, other.3, other.4), Some(tag), "{other:?}");
        }
    }

    #[test]
    fn a_tag_proves_its_request_and_no_other() {
        let (genesis, account) = (H256([9; 32]), AccountId::new([3; 32]));
        let parties = Parties { genesis: &genesis, gateway: &account, provider: &account };
        let shared = ForwardKey::agree(&key(1), &key(2).verifying_key().to_bytes(), &parties).unwrap();
        let tag = shared.tag(&DIGEST);
        assert!(shared.is_proved(&DIGEST, &tag));
        assert!(!shared.is_proved(&[8; 16], &tag));
        for byte in 0..32 {
            let mut other = tag;
            other[byte] ^= 1;
            assert!(!shared.is_proved(&DIGEST, &other), "byte {byte} was not compared");
        }
    }

    #[test]
    fn what_is_no_key_or_a_weak_one_is_refused() {
        let (genesis, account) = (H256([9; 32]), AccountId::new([3; 32]));
        let parties = Parties { genesis: &genesis, gateway: &account, provider: &account };
        let mut neutral = [0; 32];
        neutral[0] = 1;
        // The neutral element, a point of order four, and an encoding of no point.
        let no_point =
            (0..=255u8).map(|byte| [byte; 32]).find(|bytes| VerifyingKey::from_bytes(bytes).is_err());
        for theirs in [neutral, [0; 32], no_point.unwrap()] {
            assert!(ForwardKey::agree(&key(1), &theirs, &parties).is_none(), "{theirs:?}");
        }
    }
}
