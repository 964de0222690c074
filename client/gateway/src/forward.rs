//! Proving to a provider that a request is this gateway's own.
//!
//! The first request carries a signature. The answer names the provider's key, and from then on a keyed hash
//! does, under a secret that only the two can compute: a hundredth of a signature's cost. Whoever puts a
//! wrong key into an answer on the way gains nothing: what is proved under it is proved to nobody else.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use stipend_forward::{ForwardKey, Parties};
use stipend_primitives::{AccountId, Digest, PublicKey};

use crate::pipeline::compose::Pen;

/// Where a provider's answers name its key: 64 hex digits.
const X_KEY: HeaderName = HeaderName::from_static("x-stipend-key");

/// What one provider and this gateway have agreed on.
#[derive(Default)]
pub(crate) struct Proof(ArcSwapOption<Agreed>);

struct Agreed {
    theirs: PublicKey,
    key: ForwardKey,
}

impl Proof {
    /// The value of `x-stipend-signature`.
    pub(crate) fn of(&self, pen: &Pen, provider: &AccountId, digest: &Digest) -> HeaderValue {
        match self.0.load().as_ref() {
            Some(agreed) => digits(&agreed.key.tag(digest)),
            None => digits(&pen.forward(provider, digest)),
        }
    }

    /// Takes in what an answer says of the provider's key.
    pub(crate) fn learn(&self, pen: &Pen, provider: &AccountId, status: StatusCode, headers: &HeaderMap) {
        let mut theirs = PublicKey::default();
        let is_named =
            headers.get(X_KEY).is_some_and(|value| hex::decode_to_slice(value, &mut theirs).is_ok());
        if status == StatusCode::UNAUTHORIZED || !is_named {
            // It has another key now, or knows nothing of this: signatures it takes always.
            if self.0.load().is_some() {
                self.0.store(None);
            }
            return;
        }
        if self.0.load().as_ref().is_none_or(|agreed| agreed.theirs != theirs) {
            let key = pen.agree(provider, &theirs);
            self.0.store(key.map(|key| Arc::new(Agreed { theirs, key })));
        }
    }
}

fn digits(bytes: &[u8]) -> HeaderValue {
    HeaderValue::from_str(&hex::encode(bytes)).expect("hex digits are a header's value; qed")
}

impl Pen {
    /// The secret of this gateway and a provider.
    fn agree(&self, provider: &AccountId, theirs: &PublicKey) -> Option<ForwardKey> {
        let gateway = self.signer.account();
        self.signer.forward_key(theirs, &Parties { genesis: &self.genesis, gateway: &gateway, provider })
    }
}
