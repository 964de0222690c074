//! Rounds: the blocks whose hashes evidence answers.

use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::traits::UniqueSaturatedInto;
use stipend_evidence_token::nonce;
use stipend_primitives::{BlockNumber, PublicKey};

use crate::{
    pallet::{Config, Pallet, TrustInForce},
    types::Trust,
};

/// The round under way.
pub(crate) struct Round {
    /// Its block: a multiple of the period.
    pub(crate) block: BlockNumber,
    /// That block's hash.
    pub(crate) hash: H256,
    /// What is trusted in it.
    pub(crate) trust: Trust,
}

impl Round {
    /// What a provider with this key has to answer in the round: the same for all validators.
    pub(crate) fn nonce(&self, provider_key: &PublicKey) -> [u8; 32] {
        nonce(provider_key, &self.hash)
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().unique_saturated_into()
    }

    /// The round of the newest block whose hash is known. None where nothing is trusted, and none that
    /// began before what is trusted now.
    pub(crate) fn round() -> Option<Round> {
        let record = TrustInForce::<T>::get()?;
        let before = Self::now().checked_sub(1)?;
        let block = before.checked_sub(before.checked_rem(record.trust.period)?)?;
        if block <= record.since {
            return None;
        }
        let hash = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(block));
        Some(Round { block, hash, trust: record.trust })
    }
}
