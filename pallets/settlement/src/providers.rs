//! Providers: registration, endpoints, suspension.

use frame_support::{ensure, pallet_prelude::DispatchResult};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::traits::Zero;
use stipend_primitives::{
    attestation::{Attestation, SignedAttestation},
    energy::GRID_MG_PER_KWH_MAX,
    ledger::{Evidence, Roles},
    view::Provider,
    AccountId, Endpoint, PublicKey, Role,
};

use crate::pallet::{BurntKeys, Config, Error, Event, GridIntensities, Pallet, Providers};

impl<T: Config> Pallet<T> {
    /// Hash of the first block: signatures are for one chain.
    pub fn genesis_hash() -> H256 {
        frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
    }

    /// Whether the off-chain worker can ask at `endpoint`: `http://` or `https://`, a host, perhaps a
    /// port, and nothing that would change where a path behind it leads.
    pub fn is_endpoint(endpoint: &[u8]) -> bool {
        core::str::from_utf8(endpoint)
            .ok()
            .and_then(|text| text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")))
            .is_some_and(is_host_and_port)
    }

    /// The provider's registration, if its attestations may count: registered and with the role.
    pub fn provider_in_office(who: &AccountId) -> Option<Provider> {
        Providers::<T>::get(who).filter(|_| T::Roles::has(who, Role::Provider))
    }

    pub(crate) fn do_register_provider(who: AccountId, key: PublicKey, endpoint: Endpoint) -> DispatchResult {
        ensure!(T::Roles::has(&who, Role::Provider), Error::<T>::NotProvider);
        ensure!(Self::is_endpoint(&endpoint), Error::<T>::BadEndpoint);
        ensure!(!BurntKeys::<T>::contains_key(&who, key), Error::<T>::BurntKey);
        let before = Providers::<T>::get(&who);
        let suspended = before.as_ref().is_some_and(|provider| provider.suspended);
        if before.is_some_and(|provider| provider.key != key) {
            // It was about the other key.
            T::Evidence::forget(&who);
        }
        Providers::<T>::insert(&who, Provider { key, endpoint, suspended });
        Self::deposit_event(Event::ProviderRegistered { provider: who });
        Ok(())
    }

    pub(crate) fn do_set_endpoint(who: AccountId, endpoint: Endpoint) -> DispatchResult {
        let mut provider = Self::provider_in_office(&who).ok_or(Error::<T>::UnknownProvider)?;
        ensure!(Self::is_endpoint(&endpoint), Error::<T>::BadEndpoint);
        provider.endpoint = endpoint;
        Providers::<T>::insert(&who, provider);
        Self::deposit_event(Event::EndpointSet { provider: who });
        Ok(())
    }

    pub(crate) fn do_report_equivocation(a: &SignedAttestation, b: &SignedAttestation) -> DispatchResult {
        let who = &a.attestation.provider;
        let mut provider = Providers::<T>::get(who).ok_or(Error::<T>::UnknownProvider)?;
        ensure!(!provider.suspended, Error::<T>::AlreadySuspended);
        ensure!(range(&a.attestation) == range(&b.attestation), Error::<T>::NotOneRange);
        ensure!(a.attestation != b.attestation, Error::<T>::NoEquivocation);
        let genesis = Self::genesis_hash();
        for signed in [a, b] {
            ensure!(signed.verifies(&genesis, &provider.key), Error::<T>::BadAttestationSignature);
        }
        provider.suspended = true;
        BurntKeys::<T>::insert(who, provider.key, ());
        Providers::<T>::insert(who, provider);
        T::Evidence::forget(who);
        Self::deposit_event(Event::ProviderSuspended { provider: who.clone() });
        Ok(())
    }

    pub(crate) fn do_reinstate_provider(who: AccountId) -> DispatchResult {
        let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::UnknownProvider)?;
        ensure!(provider.suspended, Error::<T>::NotSuspended);
        // The proof holds for ever: with this key, anybody could suspend the provider again.
        ensure!(!BurntKeys::<T>::contains_key(&who, provider.key), Error::<T>::BurntKey);
        provider.suspended = false;
        Providers::<T>::insert(&who, provider);
        Self::deposit_event(Event::ProviderReinstated { provider: who });
        Ok(())
    }

    /// Sets what the grid that feeds a provider emits, or forgets it.
    pub(crate) fn do_set_grid_intensity(who: AccountId, mg_per_kwh: Option<u32>) -> DispatchResult {
        ensure!(Providers::<T>::contains_key(&who), Error::<T>::UnknownProvider);
        ensure!(
            mg_per_kwh.is_none_or(|intensity| intensity <= GRID_MG_PER_KWH_MAX),
            Error::<T>::BadGridIntensity
        );
        GridIntensities::<T>::set(&who, mg_per_kwh);
        Self::deposit_event(Event::GridIntensitySet { provider: who, mg_per_kwh });
        Ok(())
    }
}

fn is_host_and_port(text: &str) -> bool {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        // An IPv6 address stands in brackets, because it has colons of its own.
        let is_address = host.contains(':')
            && host.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
        return is_address && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port != 0)
}

/// What an attestation is about.
fn range(attestation: &Attestation) -> (&AccountId, &AccountId, u64, u64) {
    (&attestation.provider, &attestation.gateway, attestation.first_seq, attestation.last_seq)
}
