//! Signing in to a service with a wallet's key.
//!
//! What is signed is text that a person can read. It begins with words that nothing else signed with such a
//! key begins with: a transaction begins with the number of a pallet, a request of Stipend's is 32 bytes. It
//! names the service's origin, so that a signature given to one service is worth nothing at another, the
//! chain, and a moment after which it is worth nothing at all.

use ed25519_dalek::{Signature as DalekSignature, VerifyingKey};
use sp_core::H256;
use stipend_primitives::{AccountId, Moment, Signature};

use crate::signer::Signer;

/// A service's question: who are you?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Scheme, host and port of the service, as a browser writes an origin: `https://wallet.example`.
    pub origin: String,
    /// Hash of the chain's first block.
    pub genesis: H256,
    /// Who signs in.
    pub account: AccountId,
    /// Random bytes that the service takes once.
    pub nonce: [u8; 32],
    /// First moment at which the answer is worth nothing (Unix time, ms).
    pub expires_at: Moment,
}

impl SignIn {
    /// The text that is signed.
    pub fn text(&self) -> String {
        let account: &[u8; 32] = self.account.as_ref();
        format!(
            "Stipend sign-in\nOrigin: {}\nChain: {:?}\nAccount: 0x{}\nNonce: {}\nExpires: {}\n",
            self.origin,
            self.genesis,
            hex::encode(account),
            hex::encode(self.nonce),
            self.expires_at
        )
    }

    /// Whether `signature` is the account's answer.
    pub fn verify(&self, signature: &Signature) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(self.account.as_ref()) else { return false };
        key.verify_strict(self.text().as_bytes(), &DalekSignature::from_bytes(signature)).is_ok()
    }
}

impl Signer {
    /// Answers a service's question, which must be about this key's account.
    pub fn sign_in(&self, question: &SignIn) -> Signature {
        self.sign_bytes(question.text().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(signer: &Signer) -> SignIn {
        SignIn {
            origin: "https://wallet.example".into(),
            genesis: H256([1; 32]),
            account: signer.account(),
            nonce: [2; 32],
            expires_at: 5,
        }
    }

    #[test]
    fn an_answer_counts_for_one_question_of_one_service_about_one_account() {
        let (signer, other) = (Signer::generate(), Signer::generate());
        let asked = question(&signer);
        let answer = signer.sign_in(&asked);
        assert!(asked.verify(&answer));
        for changed in [
            SignIn { origin: "https://wallet.example.evil".into(), ..asked.clone() },
            SignIn { genesis: H256([9; 32]), ..asked.clone() },
            SignIn { account: other.account(), ..asked.clone() },
            SignIn { nonce: [3; 32], ..asked.clone() },
            SignIn { expires_at: 6, ..asked.clone() },
        ] {
            assert!(!changed.verify(&answer), "{changed:?}");
        }
        assert!(!asked.verify(&other.sign_in(&asked)));
    }

    #[test]
    fn the_text_is_what_other_programs_have_to_sign() {
        let signer = Signer::from_seed(&[7; 32]);
        let text = question(&signer).text();
        let expected = format!(
            "Stipend sign-in\nOrigin: https://wallet.example\nChain: 0x{}\nAccount: 0x{}\nNonce: {}\nExpires: 5\n",
            "01".repeat(32),
            hex::encode(signer.public()),
            "02".repeat(32)
        );
        assert_eq!(text, expected);
    }
}
