//! What must hold after every block.

use alloc::collections::BTreeSet;

use frame_support::ensure;
use sp_runtime::TryRuntimeError;
use stipend_primitives::BlockNumber;

use crate::{
    pallet::{Classes, Config, DeviceOwners, EvidenceOf, Findings, Keys, Pallet, TrustInForce},
    types::{PERIOD_MAX, PERIOD_MIN, ROUNDS_IN_FORCE},
};

impl<T: Config> Pallet<T> {
    /// Checks the pallet's invariants over the whole state; the README lists them.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_trust()?;
        Self::check_evidence_of()?;
        Self::check_findings()?;
        let rules = Classes::<T>::get();
        ensure!(
            rules.windows(2).all(|pair| pair[0].class < pair[1].class),
            "evidence: a class has two policies, or they are not sorted"
        );
        Ok(())
    }

    fn check_trust() -> Result<(), TryRuntimeError> {
        let Some(record) = TrustInForce::<T>::get() else {
            ensure!(!Keys::<T>::exists(), "evidence: there are keys that nobody trusts");
            return Ok(());
        };
        ensure!(
            (PERIOD_MIN..=PERIOD_MAX).contains(&record.trust.period),
            "evidence: the period is out of its bounds"
        );
        ensure!(Self::has_good_source(&record.trust), "evidence: keys cannot be found at their source");
        if let Some(keys) = Keys::<T>::get() {
            ensure!(keys.keys.check().is_ok(), "evidence: the keys in force make no set");
        }
        Ok(())
    }

    fn check_evidence_of() -> Result<(), TryRuntimeError> {
        let (now, mut devices_count) = (Self::now(), 0);
        for (provider, record) in EvidenceOf::<T>::iter() {
            ensure!(record.round < now, "evidence: found before its round");
            let lasts: BlockNumber = record.until.saturating_sub(record.round);
            ensure!(
                lasts <= PERIOD_MAX * ROUNDS_IN_FORCE && lasts > 0,
                "evidence: it lasts longer than it may, or not at all"
            );
            ensure!(!record.devices.is_empty(), "evidence: it attests nothing");
            for device in &record.devices {
                ensure!(
                    DeviceOwners::<T>::get(device).as_ref() == Some(&provider),
                    "evidence: a GPU in it is another provider's"
                );
            }
            devices_count += record.devices.len();
        }
        ensure!(
            DeviceOwners::<T>::iter_keys().count() == devices_count,
            "evidence: a GPU has an owner who does not show it"
        );
        Ok(())
    }

    fn check_findings() -> Result<(), TryRuntimeError> {
        for (_, votes) in Findings::<T>::iter() {
            ensure!(!votes.votes.is_empty(), "evidence: a subject without votes takes room");
            ensure!(votes.round < Self::now(), "evidence: votes came before their round");
            let validators: BTreeSet<_> = votes.votes.iter().map(|vote| vote.validator).collect();
            ensure!(validators.len() == votes.votes.len(), "evidence: a validator has two votes in a round");
        }
        Ok(())
    }
}
