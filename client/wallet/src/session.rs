//! Challenges, one-time links and sessions: in memory, short-lived, bounded.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use stipend_primitives::AccountId;
use stipend_sdk::SignIn;

use crate::project::now_ms;

/// How long a challenge or a link may wait.
const WAIT_MS: u64 = 120_000;

/// Challenges, links or sessions kept at a time: some megabytes. A flood of challenges makes others sign in
/// again; it opens no door.
const KEPT_MAX: usize = 50_000;

/// Secrets of 256 random bits by their hash, each with what it stands for and when it ends.
struct Kept<T>(Mutex<HashMap<[u8; 32], (T, u64)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Kept(Mutex::default())
    }
}

impl<T: Clone> Kept<T> {
    fn put(&self, value: T, lifetime_ms: u64) -> (String, u64) {
        let secret: [u8; 32] = rand::random();
        let ends_at = now_ms().saturating_add(lifetime_ms);
        let mut kept = self.0.lock();
        if kept.len() >= KEPT_MAX {
            let now = now_ms();
            kept.retain(|_, (_, ends_at)| *ends_at > now);
            if kept.len() >= KEPT_MAX {
                kept.clear();
            }
        }
        kept.insert(sp_crypto_hashing::blake2_256(&secret), (value, ends_at));
        (hex::encode(secret), ends_at)
    }

    fn name(secret: &str) -> Option<[u8; 32]> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(secret, &mut bytes).ok()?;
        Some(sp_crypto_hashing::blake2_256(&bytes))
    }

    fn get(&self, secret: &str) -> Option<T> {
        let kept = self.0.lock();
        let (value, ends_at) = kept.get(&Self::name(secret)?)?;
        (*ends_at > now_ms()).then(|| value.clone())
    }

    fn take(&self, secret: &str) -> Option<(T, u64)> {
        let taken = self.0.lock().remove(&Self::name(secret)?)?;
        (taken.1 > now_ms()).then_some(taken)
    }
}

/// Everybody who is signing in or signed in.
#[derive(Default)]
pub struct Sessions {
    challenges: Kept<()>,
    links: Kept<AccountId>,
    sessions: Kept<AccountId>,
    lifetime_ms: u64,
}

/// A session that begins.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The secret that its holder shows.
    pub token: String,
    /// Whose it is.
    pub account: AccountId,
    /// When it ends (Unix time, ms).
    pub ends_at: u64,
}

impl Sessions {
    /// Sessions that end after `lifetime`.
    pub fn new(lifetime: Duration) -> Self {
        let lifetime_ms = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        Sessions { lifetime_ms, ..Sessions::default() }
    }

    /// A new challenge: its nonce in hex, and when it ends.
    pub fn challenge(&self) -> (String, u64) {
        self.challenges.put((), WAIT_MS)
    }

    /// Takes the answer to a challenge, once. `asked` makes the question from the challenge's end.
    pub fn answer(
        &self,
        nonce: &str,
        signature: &[u8; 64],
        asked: impl FnOnce([u8; 32], u64) -> SignIn,
    ) -> Option<AccountId> {
        let ((), ends_at) = self.challenges.take(nonce)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(nonce, &mut bytes).ok()?;
        let asked = asked(bytes, ends_at);
        asked.verify(signature).then_some(asked.account)
    }

    /// A link that signs its first visitor in.
    pub fn link(&self, account: AccountId) -> String {
        self.links.put(account, WAIT_MS).0
    }

    /// Whom a link would sign in.
    pub fn link_of(&self, token: &str) -> Option<AccountId> {
        self.links.get(token)
    }

    /// Uses a link up.
    pub fn follow(&self, token: &str) -> Option<Begun> {
        self.links.take(token).map(|(account, _)| self.begin(account))
    }

    /// Begins a session.
    pub fn begin(&self, account: AccountId) -> Begun {
        let (token, ends_at) = self.sessions.put(account.clone(), self.lifetime_ms);
        Begun { token, account, ends_at }
    }

    /// Whose session a token is of.
    pub fn account(&self, token: &str) -> Option<AccountId> {
        self.sessions.get(token)
    }

    /// Ends a session.
    pub fn end(&self, token: &str) {
        self.sessions.take(token);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sp_core::H256;
    use stipend_sdk::Signer;

    fn asked(account: &AccountId) -> impl Fn([u8; 32], u64) -> SignIn + '_ {
        move |nonce, expires_at| SignIn {
            origin: "http://127.0.0.1:1".into(),
            genesis: H256([1; 32]),
            account: account.clone(),
            nonce,
            expires_at,
        }
    }

    fn answer(sessions: &Sessions, signer: &Signer) -> (String, [u8; 64]) {
        let (nonce, ends_at) = sessions.challenge();
        let mut bytes = [0; 32];
        hex::decode_to_slice(&nonce, &mut bytes).unwrap();
        let signature = signer.sign_in(&asked(&signer.account())(bytes, ends_at));
        (nonce, signature)
    }

    #[test]
    fn a_challenge_is_answered_once_and_by_its_account_only() {
        let sessions = Sessions::new(Duration::from_secs(60));
        let (signer, other) = (Signer::generate(), Signer::generate());
        let (nonce, signature) = answer(&sessions, &signer);
        assert_eq!(sessions.answer(&nonce, &signature, asked(&signer.account())), Some(signer.account()));
        assert_eq!(sessions.answer(&nonce, &signature, asked(&signer.account())), None);
        let (nonce, signature) = answer(&sessions, &signer);
        assert_eq!(sessions.answer(&nonce, &signature, asked(&other.account())), None);
        assert_eq!(sessions.answer(&"00".repeat(32), &signature, asked(&signer.account())), None);
    }

    #[test]
    fn a_session_ends_and_a_link_is_used_once() {
        let account = Signer::generate().account();
        let over = Sessions::new(Duration::ZERO);
        assert_eq!(over.account(&over.begin(account.clone()).token), None);
        let sessions = Sessions::new(Duration::from_secs(60));
        let link = sessions.link(account.clone());
        assert_eq!(sessions.link_of(&link), Some(account.clone()));
        let begun = sessions.follow(&link).unwrap();
        assert!(sessions.follow(&link).is_none());
        assert_eq!(sessions.account(&begun.token), Some(account));
        sessions.end(&begun.token);
        assert_eq!(sessions.account(&begun.token), None);
        assert_eq!(sessions.account("not hex"), None);
    }
}
