//! Who may put a batch into the pool and into a block: who signed it as a gateway.

use frame_support::pallet_prelude::{
    TransactionSource, TransactionValidityWithRefund, ValidTransaction, Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use stipend_primitives::{
    batch::{Batch, SignedBatch},
    ledger::Roles,
    signing, PublicKey, Role,
};

use crate::{lines::Lines, *};

impl<T: Config> Pallet<T> {
    /// The `authorize` of `submit_batch`: runs at submission, at each of the pool's revalidations and
    /// in the block, so it is ordered from the cheapest check to the dearest.
    pub(crate) fn authorize_batch(
        source: TransactionSource,
        signed: &SignedBatch,
    ) -> TransactionValidityWithRefund {
        let batch = &signed.batch;
        let in_block = source == TransactionSource::InBlock;
        let hash = Self::judge(signed, in_block)?;
        if in_block {
            // The call that follows at once needs the hash too.
            Authorised::<T>::put((&batch.gateway, batch.first_seq, hash));
        }

        // Priority 0 and no expiry put megabytes behind the mints and votes of the same block.
        let next_seq = Gateways::<T>::get(&batch.gateway).next_seq;
        let mut valid = ValidTransaction::with_tag_prefix("stipend-batch")
            .and_provides((&batch.gateway, batch.last_seq().saturating_add(1)));
        if batch.first_seq > next_seq {
            valid = valid.and_requires((&batch.gateway, batch.first_seq));
        }
        Ok((valid.into(), Weight::zero()))
    }

    /// Refuses a batch or returns its hash.
    fn judge(signed: &SignedBatch, in_block: bool) -> Result<H256, Refusal> {
        let batch = &signed.batch;
        if !T::Roles::has(&batch.gateway, Role::Gateway) {
            return Err(Refusal::NotGateway);
        }
        match Self::check_turn(batch) {
            // In the pool a batch may wait for those before it, and for settlements.
            Err(Refusal::Gap | Refusal::TooManyUnsettled) if !in_block => {}
            turn => turn?,
        }
        batch.check_head()?;
        Lines::of::<T::Prices>(batch)?.check_records(batch)?;
        Self::check_signature(signed)
    }

    /// Whether the batch is the gateway's next one and the gateway may submit one.
    pub(crate) fn check_turn(batch: &Batch) -> Result<(), Refusal> {
        let progress = Gateways::<T>::get(&batch.gateway);
        if batch.first_seq < progress.next_seq {
            return Err(Refusal::Repeat);
        }
        if batch.first_seq > progress.next_seq {
            return Err(Refusal::Gap);
        }
        if progress.unsettled >= UNSETTLED_MAX {
            return Err(Refusal::TooManyUnsettled);
        }
        Ok(())
    }

    fn check_signature(signed: &SignedBatch) -> Result<H256, Refusal> {
        let hash = signed.batch.hash();
        // The genesis hash is the one block hash that is never forgotten.
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(0u32));
        let payload = Batch::signing_payload_of_hash(&genesis, &hash);
        let key: &PublicKey = signed.batch.gateway.as_ref();
        if !signing::verify(&payload, &signed.signature, key) {
            return Err(Refusal::WrongSignature);
        }
        Ok(hash)
    }
}
