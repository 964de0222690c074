//! The off-chain worker: asks the attestors for evidence and the issuer for its keys, and reports what it
//! found.
//!
//! Once per round and provider. It has a lock of its own, so a run that waits for a provider holds up no
//! settlement; what it asks for in one run, and the time that it verifies, are bounded.

mod answer;
mod memory;

use alloc::{boxed::Box, format, string::String, vec::Vec};

use frame_support::traits::Time;
use frame_system::offchain::SubmitTransaction;
use pallet_settlement::{
    crypto::AuthorityId,
    offchain::{
        fetch::{Done, Fetches, Limits},
        keys::{own_keys, public, sign},
    },
    Pallet as Settlement,
};
use sp_core::offchain::Duration;
use sp_io::offchain;
use sp_runtime::offchain::storage_lock::StorageLock;
use stipend_evidence_token::{KeySet, BUNDLE_LEN_MAX, JWKS_LEN_MAX};
use stipend_primitives::{view::Provider, AccountId, BlockNumber};

use crate::{
    pallet::{Call, Config, EvidenceOf, Findings, Keys, Pallet},
    rounds::Round,
    types::{Finding, SourceUrl, Subject},
    LOG_TARGET,
};

use memory::Tried;

const LOCK_KEY: &[u8] = b"stipend/evidence/lock";

/// The lock is void after this time: longer than any run, so that it only matters after a crash.
const LOCK_MS: u64 = 30_000;

/// An attestor that has to ask its GPUs and NVIDIA's service first may take longer: it has the answer when
/// it is asked again.
const LIMITS: Limits = Limits { headers_ms: 3_000, whole_ms: 5_000 };

/// Providers asked in one run: their answers together have 2 MB at most. The next run asks the next ones.
const ASKED_MAX: usize = 8;

/// How long a run verifies; one bundle at least. A token takes 13 to 20 ms in WASM, a bundle of eight GPUs
/// nine times as long.
const VERIFY_MS_MAX: u64 = 1_000;

/// Runs for the block at hand, if this node is a validator with a vote and something is trusted.
pub(crate) fn run<T: Config>() {
    let keys = own_keys::<T>();
    if keys.is_empty() {
        return;
    }
    let Some(round) = Pallet::<T>::round() else { return };
    let mut lock = StorageLock::with_deadline(LOCK_KEY, Duration::from_millis(LOCK_MS));
    // The run of an earlier block is still at it: it does not wait in line.
    let Ok(_guard) = lock.try_lock() else { return };
    Run::<T>::new(&keys, round, Pallet::<T>::now()).go();
}

/// What is asked for.
enum Purpose {
    Keys(SourceUrl),
    Evidence(AccountId, Provider),
}

impl Purpose {
    fn subject(&self) -> Subject {
        match self {
            Purpose::Keys(_) => Subject::Keys,
            Purpose::Evidence(provider, _) => Subject::Evidence(provider.clone()),
        }
    }
}

struct Run<'a, T: Config> {
    keys: &'a [AuthorityId],
    round: Round,
    /// The keys that tokens are verified with.
    trusted: Option<KeySet>,
    tried: Tried,
    fetches: Fetches<Purpose>,
    verified_ms: u64,
    _runtime: core::marker::PhantomData<T>,
}

impl<'a, T: Config> Run<'a, T> {
    fn new(keys: &'a [AuthorityId], round: Round, now: BlockNumber) -> Self {
        Run {
            keys,
            tried: Tried::load(round.hash, now),
            round,
            trusted: Keys::<T>::get().map(|record| record.keys),
            fetches: Fetches::new(LIMITS),
            verified_ms: 0,
            _runtime: core::marker::PhantomData,
        }
    }

    fn go(mut self) {
        if let Some(source) = self.round.trust.source.clone() {
            let found = Keys::<T>::get().is_some_and(|record| record.round == Some(self.round.block));
            if !found && self.is_due(&Subject::Keys) {
                let url = String::from_utf8_lossy(&source).into_owned();
                self.ask(&url, JWKS_LEN_MAX, Purpose::Keys(source));
            }
        }
        for (who, provider) in self.providers() {
            let url = evidence_url(&provider.endpoint, &self.round.nonce(&provider.key));
            self.ask(&url, BUNDLE_LEN_MAX, Purpose::Evidence(who, provider));
        }
        while let Some(done) = self.fetches.next_done() {
            self.take(done);
        }
        self.tried.save();
    }

    /// The providers whose evidence of this round is still to be found. Nobody's, without keys.
    fn providers(&self) -> Vec<(AccountId, Provider)> {
        if self.trusted.is_none() {
            return Vec::new();
        }
        let is_found = |who: &AccountId| {
            EvidenceOf::<T>::get(who).is_some_and(|record| record.round == self.round.block)
        };
        Settlement::<T>::providers()
            .into_iter()
            .filter(|(who, provider)| !provider.suspended && !is_found(who))
            .filter(|(who, _)| self.is_due(&Subject::Evidence(who.clone())))
            .filter(|(who, _)| Settlement::<T>::provider_in_office(who).is_some())
            .take(ASKED_MAX)
            .collect()
    }

    /// Whether one of this node's validators has not reported yet, and nobody asked in the last few blocks.
    fn is_due(&self, subject: &Subject) -> bool {
        !self.tried.has(subject) && self.keys.iter().any(|key| !self.has_reported(subject, key))
    }

    fn has_reported(&self, subject: &Subject, key: &AuthorityId) -> bool {
        Findings::<T>::get(subject).is_some_and(|votes| {
            votes.round == self.round.block && votes.votes.iter().any(|vote| vote.validator == public(key))
        })
    }

    fn ask(&mut self, url: &str, len_max: usize, purpose: Purpose) {
        self.tried.add(&purpose.subject());
        self.fetches.start(url, len_max, purpose);
    }

    /// Takes in one answer.
    fn take(&mut self, done: Done<Purpose>) {
        let Done { purpose, result, .. } = done;
        let body = result.map_err(|fault| format!("there is no answer: {fault:?}"));
        let found = match &purpose {
            Purpose::Keys(source) => body.and_then(|body| self.keys_in(&body, source)),
            Purpose::Evidence(who, provider) => body.and_then(|body| self.evidence_in(&body, who, provider)),
        };
        match found {
            Ok(Some(finding)) => self.report(&finding),
            Ok(None) => (),
            Err(why) => match purpose {
                Purpose::Keys(source) => log::warn!(
                    target: LOG_TARGET,
                    "no keys of this round from {}: {why}; those in force stay, and new tokens may be refused",
                    String::from_utf8_lossy(&source),
                ),
                Purpose::Evidence(who, _) => log::warn!(
                    target: LOG_TARGET,
                    "no evidence of {who:?} in the round of block {}: {why}",
                    self.round.block,
                ),
            },
        }
    }

    /// The keys in the source's answer; none, if they are in force already.
    fn keys_in(&self, body: &[u8], source: &SourceUrl) -> Result<Option<Finding>, String> {
        let keys = answer::keys(body).map_err(|fault| format!("{fault}"))?;
        if self.trusted.as_ref() == Some(&keys) {
            return Ok(None);
        }
        Ok(Some(Finding::Keys { round: self.round.block, source: source.clone(), keys }))
    }

    /// The evidence in an attestor's answer; none, if it says that it has none.
    fn evidence_in(
        &mut self,
        body: &[u8],
        who: &AccountId,
        provider: &Provider,
    ) -> Result<Option<Finding>, String> {
        if answer::is_software(body) {
            return Ok(None);
        }
        let Some(trusted) = &self.trusted else { return Ok(None) };
        if self.verified_ms >= VERIFY_MS_MAX {
            // The next run asks again.
            self.tried.remove(&Subject::Evidence(who.clone()));
            return Ok(None);
        }
        let started = offchain::timestamp();
        let nonce = self.round.nonce(&provider.key);
        let now_ms = <T as Config>::Time::now();
        let found = answer::evidence(body, trusted, &nonce, now_ms, &self.round.trust.policy);
        self.verified_ms += offchain::timestamp().diff(&started).millis();
        let (devices, digest) = found.map_err(|refusal| format!("{refusal}"))?;
        let finding =
            Finding::Evidence { provider: who.clone(), round: self.round.block, nonce, digest, devices };
        match Pallet::<T>::check_finding(&finding) {
            Ok(_) => Ok(Some(finding)),
            Err(refusal) => Err(format!("it is genuine, but the chain would refuse it: {refusal:?}")),
        }
    }

    /// Signs a finding with each key that has not reported on its subject, and hands it to the pool.
    fn report(&self, finding: &Finding) {
        let subject = finding.subject();
        let payload = finding.signing_payload(&Settlement::<T>::genesis_hash());
        for key in self.keys.iter().filter(|key| !self.has_reported(&subject, key)) {
            let Some(signature) = sign(key, &payload) else { continue };
            let call = Call::report { finding: Box::new(finding.clone()), validator: public(key), signature };
            let transaction =
                <T as frame_system::offchain::CreateAuthorizedTransaction<Call<T>>>::create_authorized_transaction(
                    call.into(),
                );
            match SubmitTransaction::<T, Call<T>>::submit_transaction(transaction) {
                Ok(()) => log::debug!(target: LOG_TARGET, "reported on {subject:?}"),
                // The quorum may be there by now: the next run sees.
                Err(()) => log::debug!(target: LOG_TARGET, "the pool did not take a report on {subject:?}"),
            }
        }
    }
}

/// Where a provider's evidence for a nonce is asked for.
fn evidence_url(endpoint: &[u8], nonce: &[u8; 32]) -> String {
    // Only UTF-8 is registered.
    let endpoint = core::str::from_utf8(endpoint).unwrap_or_default();
    format!("{endpoint}/v1/evidence?nonce={}", hex::encode(nonce))
}
