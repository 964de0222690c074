//! This node's settlement keys.

use alloc::vec::Vec;

use sp_application_crypto::RuntimeAppPublic;
use stipend_primitives::{PublicKey, Signature};

use crate::{
    crypto::AuthorityId,
    pallet::{Authorities, Config},
    LOG_TARGET,
};

/// The settlement keys in this node's keystore that are authorities now: one on a validator, none
/// elsewhere.
pub fn own_keys<T: Config>() -> Vec<AuthorityId> {
    let authorities = Authorities::<T>::get();
    AuthorityId::all().into_iter().filter(|key| authorities.contains(key)).collect()
}

/// A key's bytes, as votes carry them.
pub fn public(key: &AuthorityId) -> PublicKey {
    key.clone().into_inner().0
}

/// Signs with a key of this node's keystore; `None` if the keystore does not, which it says in the log.
pub fn sign(key: &AuthorityId, payload: &[u8; 32]) -> Option<Signature> {
    let signature = key.sign(payload);
    if signature.is_none() {
        log::error!(
            target: LOG_TARGET,
            "the keystore has the settlement key {key:?} but does not sign with it: this validator's \
             votes are missing; check the keystore",
        );
    }
    signature.map(|signature| signature.into_inner().0)
}
