//! What is known of a provider now.

use alloc::vec::Vec;

use stipend_primitives::{
    evidence::{EvidenceLevel, EvidencePolicy},
    ledger::Evidence,
    AccountId, BlockNumber, ClassId,
};

use crate::{
    pallet::{Classes, Config, DeviceOwners, Event, EvidenceOf, Findings, Pallet, TrustInForce},
    types::{EvidenceRecord, Subject},
};

impl<T: Config> Pallet<T> {
    /// The provider's evidence, if it counts in the block at hand.
    pub(crate) fn in_force(provider: &AccountId) -> Option<EvidenceRecord> {
        let record = EvidenceOf::<T>::get(provider).filter(|record| Self::now() < record.until)?;
        let trust = TrustInForce::<T>::get()?;
        (record.round > trust.since).then_some(record)
    }

    /// Keeps what was found of a provider. GPUs that stand in evidence which counts no longer are its own
    /// now, and whoever showed them before shows new evidence.
    pub(crate) fn put_evidence(provider: &AccountId, record: EvidenceRecord) {
        Self::drop_evidence(provider);
        for device in &record.devices {
            if let Some(former) = DeviceOwners::<T>::get(device) {
                Self::drop_evidence(&former);
                Self::deposit_event(Event::EvidenceLost { provider: former });
            }
            DeviceOwners::<T>::insert(device, provider);
        }
        EvidenceOf::<T>::insert(provider, record);
    }

    /// Whether there was something to drop.
    fn drop_evidence(provider: &AccountId) -> bool {
        let Some(record) = EvidenceOf::<T>::take(provider) else { return false };
        for device in &record.devices {
            DeviceOwners::<T>::remove(device);
        }
        true
    }
}

impl<T: Config> Evidence for Pallet<T> {
    fn level(provider: &AccountId) -> EvidenceLevel {
        match Self::in_force(provider) {
            Some(_) => EvidenceLevel::Hardware,
            None => EvidenceLevel::Software,
        }
    }

    fn required(at: BlockNumber) -> Vec<ClassId> {
        let rules = Classes::<T>::get();
        let required = rules.iter().filter(|rule| rule.policy_at(at) == EvidencePolicy::Required);
        required.map(|rule| rule.class).collect()
    }

    fn forget(provider: &AccountId) {
        // A validator has one vote in a round, and may need it for the new key.
        Findings::<T>::remove(Subject::Evidence(provider.clone()));
        if Self::drop_evidence(provider) {
            Self::deposit_event(Event::EvidenceLost { provider: provider.clone() });
        }
    }
}
