//! What the runtime API and JSON-RPC show.

use alloc::string::String;

use pallet_settlement::Pallet as Settlement;
use stipend_primitives::{
    evidence::{
        ClassEvidence, EvidenceInForce, EvidenceLevel, EvidencePolicy, EvidenceStatus, ProviderEvidence,
        TrustView,
    },
    AccountId,
};

use crate::{
    pallet::{Classes, Config, Keys, Pallet, TrustInForce},
    types::TrustRecord,
};

impl<T: Config> Pallet<T> {
    /// Everything that is known of evidence in the block at hand.
    pub fn status() -> EvidenceStatus {
        // What the next batches are judged by.
        let next = Self::now().saturating_add(1);
        let classes = Classes::<T>::get()
            .into_iter()
            .map(|rule| ClassEvidence { class: rule.class, policy: rule.policy_at(next) })
            .filter(|row| row.policy != EvidencePolicy::None)
            .collect();
        let mut providers: alloc::vec::Vec<ProviderEvidence> =
            Settlement::<T>::providers().into_iter().map(|(who, _)| Self::view_of(who)).collect();
        providers.sort_by(|a, b| a.provider.cmp(&b.provider));
        EvidenceStatus { trust: TrustInForce::<T>::get().map(Self::trust_view), classes, providers }
    }

    fn trust_view(record: TrustRecord) -> TrustView {
        let keys = Keys::<T>::get();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        TrustView {
            issuer: text(&record.trust.policy.issuer),
            source: record.trust.source.as_ref().map(|source| text(source)),
            period: record.trust.period,
            keys: keys.as_ref().map_or(0, |keys| keys.keys.keys().len() as u32),
            keys_of_round: keys.and_then(|keys| keys.round),
        }
    }

    fn view_of(provider: AccountId) -> ProviderEvidence {
        let evidence = Self::in_force(&provider).map(|record| EvidenceInForce {
            round: record.round,
            until: record.until,
            devices: record.devices.len() as u32,
            digest: record.digest,
        });
        let level = if evidence.is_some() { EvidenceLevel::Hardware } else { EvidenceLevel::Software };
        ProviderEvidence { provider, level, evidence }
    }
}
