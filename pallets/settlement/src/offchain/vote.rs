//! Casting votes.

use alloc::{boxed::Box, vec::Vec};

use frame_system::offchain::SubmitTransaction;
use sp_application_crypto::RuntimeAppPublic;
use stipend_primitives::{
    ledger::OpenItem,
    settlement::{Verdict, Vote},
    PublicKey, Signature,
};

use crate::{
    crypto::{AuthorityId, AuthoritySignature},
    pallet::{Authorities, Call, Config, Pallet, Votes},
    quorum::Tally,
    LOG_TARGET,
};

/// The settlement keys in this node's keystore that are authorities now: one on a validator, none
/// elsewhere.
pub(crate) fn own_keys<T: Config>() -> Vec<AuthorityId> {
    let authorities = Authorities::<T>::get();
    AuthorityId::all().into_iter().filter(|key| authorities.contains(key)).collect()
}

/// A key's bytes, as votes carry them.
pub(crate) fn public(key: &AuthorityId) -> PublicKey {
    key.clone().into_inner().0
}

fn raw(signature: AuthoritySignature) -> Signature {
    signature.into_inner().0
}

/// Signs a vote with each of `keys` that has not cast it before, and hands it to the pool.
pub(crate) fn cast<T: Config>(keys: &[AuthorityId], open: &OpenItem, verdict: Verdict) {
    let kind = verdict.kind();
    let vote = Vote { item: open.item.clone(), batch_hash: open.batch_hash, verdict };
    let payload = vote.signing_payload(&Pallet::<T>::genesis_hash());
    let verdict_hash = vote.verdict.hash();
    let (authorities, records) = (Authorities::<T>::get(), Votes::<T>::get(&open.item));
    let tally = Tally::new(&authorities, &records);
    for key in keys {
        let is_repeated =
            tally.vote_of(&public(key)).is_some_and(|record| record.verdict_hash == verdict_hash);
        if is_repeated && !tally.has_quorum(&verdict_hash) {
            continue;
        }
        let Some(signature) = key.sign(&payload) else {
            log::error!(
                target: LOG_TARGET,
                "the keystore has the settlement key {key:?} but does not sign with it: this validator's \
                 votes are missing; check the keystore",
            );
            continue;
        };
        let call =
            Call::vote { vote: Box::new(vote.clone()), validator: public(key), signature: raw(signature) };
        let transaction = T::create_authorized_transaction(call.into());
        match SubmitTransaction::<T, Call<T>>::submit_transaction(transaction) {
            Ok(()) => log::debug!(target: LOG_TARGET, "voted {kind:?} on {:?}", open.item),
            // The item may be settled by now, or an earlier vote still waits: the next run sees.
            Err(()) => {
                log::debug!(target: LOG_TARGET, "the pool did not take a vote {kind:?} on {:?}", open.item)
            }
        }
    }
}
