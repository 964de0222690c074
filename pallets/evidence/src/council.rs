//! What the council decides: whose tokens count, with which keys, and what classes ask for.

use frame_support::{ensure, pallet_prelude::DispatchResult};
use pallet_settlement::Pallet as Settlement;
use stipend_evidence_token::KeySet;
use stipend_primitives::{evidence::EvidencePolicy, ClassId};

use crate::{
    pallet::{Classes, Config, Error, Event, Findings, Keys, Pallet, TrustInForce},
    types::{ClassRule, KeysRecord, Subject, Trust, TrustRecord, PERIOD_MAX, PERIOD_MIN},
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_trust(trust: Option<Trust>) -> DispatchResult {
        if let Some(trust) = &trust {
            let issuer = &trust.policy.issuer;
            ensure!(!issuer.is_empty() && core::str::from_utf8(issuer).is_ok(), Error::<T>::BadIssuer);
            ensure!(Self::has_good_source(trust), Error::<T>::BadSource);
            ensure!((PERIOD_MIN..=PERIOD_MAX).contains(&trust.period), Error::<T>::BadPeriod);
        }
        let before = TrustInForce::<T>::get();
        let keeps_keys = match (&before, &trust) {
            (Some(before), Some(trust)) => {
                before.trust.policy.issuer == trust.policy.issuer && before.trust.source == trust.source
            }
            _ => false,
        };
        if !keeps_keys {
            Keys::<T>::kill();
        }
        // Votes for keys from the source of before.
        Findings::<T>::remove(Subject::Keys);
        let period = trust.as_ref().map(|trust| trust.period);
        match trust {
            Some(trust) => {
                let since = before.filter(|before| before.trust.policy == trust.policy);
                let since = since.map_or_else(Self::now, |before| before.since);
                TrustInForce::<T>::put(TrustRecord { trust, since });
            }
            None => TrustInForce::<T>::kill(),
        }
        Self::deposit_event(Event::TrustSet { period });
        Ok(())
    }

    pub(crate) fn do_set_keys(keys: KeySet) -> DispatchResult {
        ensure!(TrustInForce::<T>::exists(), Error::<T>::NoTrust);
        ensure!(keys.check().is_ok(), Error::<T>::BadKeys);
        Self::put_keys(KeysRecord { keys, round: None });
        Ok(())
    }

    pub(crate) fn put_keys(record: KeysRecord) {
        let (keys, round) = (record.keys.keys().len() as u32, record.round);
        Keys::<T>::put(record);
        Self::deposit_event(Event::KeysSet { keys, round });
    }

    pub(crate) fn do_set_class_policy(class: ClassId, policy: EvidencePolicy) -> DispatchResult {
        let now = Self::now();
        // Batches of this block may stand before this act or after it.
        let since = now.saturating_add(1);
        let mut rules = Classes::<T>::get();
        match rules.iter_mut().find(|rule| rule.class == class) {
            Some(rule) => {
                let before = rule.policy_at(now);
                *rule = ClassRule { class, policy, since, before };
            }
            None => rules
                .try_push(ClassRule { class, policy, since, before: EvidencePolicy::None })
                .map_err(|_| Error::<T>::TooManyClasses)?,
        }
        rules.sort_by_key(|rule| rule.class);
        Classes::<T>::put(rules);
        Self::deposit_event(Event::ClassPolicySet { class, policy, since });
        Ok(())
    }

    /// Whether the trust names no source, or one that keys can be found at.
    pub(crate) fn has_good_source(trust: &Trust) -> bool {
        trust.source.as_ref().is_none_or(|source| Self::is_source(source))
    }

    /// Whether a worker can find keys at `source`: `https://`, because whoever can change the answer on
    /// its way can issue tokens, a host, perhaps a port, and a path.
    fn is_source(source: &[u8]) -> bool {
        const SCHEME: &[u8] = b"https://";
        let Some(rest) = source.strip_prefix(SCHEME) else { return false };
        let host_len = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'#';
        Settlement::<T>::is_endpoint(&source[..SCHEME.len() + host_len])
            && rest[host_len..].iter().all(is_plain)
    }
}
