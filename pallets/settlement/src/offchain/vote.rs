//! Casting votes.

use alloc::boxed::Box;

use frame_system::offchain::SubmitTransaction;
use stipend_primitives::{
    attestation::GpuUse,
    ledger::OpenItem,
    settlement::{Verdict, Vote},
};

use crate::{
    crypto::AuthorityId,
    pallet::{Authorities, Call, Config, Pallet, Votes},
    quorum::Tally,
    LOG_TARGET,
};

use super::keys::{public, sign};

/// Signs a vote with each of `keys` that has not cast it before, and hands it to the pool.
pub(crate) fn cast<T: Config>(keys: &[AuthorityId], open: &OpenItem, verdict: Verdict, gpu: GpuUse) {
    let kind = verdict.kind();
    let vote = Vote { item: open.item.clone(), batch_hash: open.batch_hash, verdict, gpu };
    let payload = vote.signing_payload(&Pallet::<T>::genesis_hash());
    let verdict_hash = vote.verdict_hash();
    let (authorities, records) = (Authorities::<T>::get(), Votes::<T>::get(&open.item));
    let tally = Tally::new(&authorities, &records);
    for key in keys {
        let is_repeated =
            tally.vote_of(&public(key)).is_some_and(|record| record.verdict_hash == verdict_hash);
        if is_repeated && !tally.has_quorum(&verdict_hash) {
            continue;
        }
        let Some(signature) = sign(key, &payload) else { continue };
        let call = Call::vote { vote: Box::new(vote.clone()), validator: public(key), signature };
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
