//! Findings: who may report what, and what the last one of a quorum does.

use frame_support::{
    pallet_prelude::{
        DispatchError, DispatchResult, InvalidTransaction, TransactionValidityError,
        TransactionValidityWithRefund, ValidTransaction, Weight,
    },
    sp_runtime::transaction_validity::TransactionPriority,
};
use pallet_settlement::{
    quorum::{is_authority, quorum},
    Authorities, Pallet as Settlement,
};
use sp_core::H256;
use stipend_primitives::{signing, AccountId, PublicKey, Signature};

use crate::{
    pallet::{Config, DeviceOwners, Error, Event, EvidenceOf, Findings, Keys, Pallet},
    rounds::Round,
    types::{EvidenceRecord, Finding, FindingVote, FindingVotes, KeysRecord, ROUNDS_IN_FORCE},
};

/// Below votes on settlements, which gateways wait for, and above batches.
const FINDING_PRIORITY: TransactionPriority = 1 << 31;

/// Blocks that a finding waits in the pool: the worker reports again what got lost.
const FINDING_LONGEVITY_BLOCKS: u64 = 32;

/// Why a finding does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoTrust,
    OldRound,
    FutureRound,
    NotAuthority,
    NotInOffice,
    OtherNonce,
    NotCanonical,
    DeviceTaken,
    OtherSource,
    BadKeys,
    AlreadyReported,
    AlreadyFound,
    BadSignature,
}

impl From<Refusal> for TransactionValidityError {
    fn from(refusal: Refusal) -> Self {
        let invalid = match refusal {
            // A finding that comes late or twice harms nothing: the pool just forgets it.
            Refusal::NoTrust | Refusal::OldRound | Refusal::AlreadyReported | Refusal::AlreadyFound => {
                InvalidTransaction::Stale
            }
            Refusal::FutureRound => InvalidTransaction::Future,
            Refusal::NotAuthority => InvalidTransaction::BadSigner,
            Refusal::BadSignature => InvalidTransaction::BadProof,
            Refusal::NotInOffice => InvalidTransaction::Custom(80),
            Refusal::OtherNonce => InvalidTransaction::Custom(81),
            Refusal::NotCanonical => InvalidTransaction::Custom(82),
            Refusal::DeviceTaken => InvalidTransaction::Custom(83),
            Refusal::OtherSource => InvalidTransaction::Custom(84),
            Refusal::BadKeys => InvalidTransaction::Custom(85),
        };
        TransactionValidityError::Invalid(invalid)
    }
}

impl<T: Config> From<Refusal> for Error<T> {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoTrust => Error::NoTrust,
            Refusal::OldRound => Error::OldRound,
            Refusal::FutureRound => Error::FutureRound,
            Refusal::NotAuthority => Error::NotAuthority,
            Refusal::NotInOffice => Error::NotInOffice,
            Refusal::OtherNonce => Error::OtherNonce,
            Refusal::NotCanonical => Error::NotCanonical,
            Refusal::DeviceTaken => Error::DeviceTaken,
            Refusal::OtherSource => Error::OtherSource,
            Refusal::BadKeys => Error::BadKeys,
            Refusal::AlreadyReported => Error::AlreadyReported,
            Refusal::AlreadyFound => Error::AlreadyFound,
            Refusal::BadSignature => Error::BadFindingSignature,
        }
    }
}

/// A finding that counts.
struct Counted {
    round: Round,
    /// All votes on the subject in this round by authorities of now, this one among them.
    votes: FindingVotes,
    finding_hash: H256,
    /// Whether it completes the quorum.
    has_quorum: bool,
}

impl<T: Config> Pallet<T> {
    /// Checks what a finding says against the state, whoever reports it; returns the round that it is of.
    pub(crate) fn check_finding(finding: &Finding) -> Result<Round, Refusal> {
        let round = Self::round().ok_or(Refusal::NoTrust)?;
        if finding.round() < round.block {
            return Err(Refusal::OldRound);
        }
        if finding.round() > round.block {
            return Err(Refusal::FutureRound);
        }
        match finding {
            Finding::Evidence { provider, nonce, devices, .. } => {
                Self::check_evidence(&round, provider, nonce, devices)?;
            }
            Finding::Keys { source, .. } => {
                if round.trust.source.as_ref() != Some(source) {
                    return Err(Refusal::OtherSource);
                }
                if Keys::<T>::get().is_some_and(|record| record.round == Some(round.block)) {
                    return Err(Refusal::AlreadyFound);
                }
            }
        }
        Ok(round)
    }

    fn check_evidence(
        round: &Round,
        provider: &AccountId,
        nonce: &[u8; 32],
        devices: &[H256],
    ) -> Result<(), Refusal> {
        let registered = Settlement::<T>::provider_in_office(provider)
            .filter(|registered| !registered.suspended)
            .ok_or(Refusal::NotInOffice)?;
        if round.nonce(&registered.key) != *nonce {
            return Err(Refusal::OtherNonce);
        }
        if devices.is_empty() || devices.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Refusal::NotCanonical);
        }
        if EvidenceOf::<T>::get(provider).is_some_and(|record| record.round == round.block) {
            return Err(Refusal::AlreadyFound);
        }
        let is_taken = |device: &H256| {
            let owner = DeviceOwners::<T>::get(device).filter(|owner| owner != provider);
            owner.is_some_and(|owner| Self::in_force(&owner).is_some())
        };
        if devices.iter().any(is_taken) {
            return Err(Refusal::DeviceTaken);
        }
        Ok(())
    }

    /// Checks everything of a report but its signature and its keys, and counts it in.
    fn count_finding(finding: &Finding, validator: &PublicKey) -> Result<Counted, Refusal> {
        let authorities = Authorities::<T>::get();
        if !is_authority(&authorities, validator) {
            return Err(Refusal::NotAuthority);
        }
        let round = Self::check_finding(finding)?;
        let stored = Findings::<T>::get(finding.subject()).filter(|stored| stored.round == round.block);
        let mut votes =
            stored.unwrap_or_else(|| FindingVotes { round: round.block, votes: Default::default() });
        votes.votes.retain(|vote| is_authority(&authorities, &vote.validator));
        if votes.votes.iter().any(|vote| vote.validator == *validator) {
            return Err(Refusal::AlreadyReported);
        }
        let finding_hash = finding.hash();
        votes
            .votes
            .try_push(FindingVote { validator: *validator, finding_hash })
            // There is one vote per authority, and `Authorities` has the bound of the votes.
            .map_err(|_| Refusal::NotAuthority)?;
        let agreeing = votes.votes.iter().filter(|vote| vote.finding_hash == finding_hash).count();
        let has_quorum = agreeing as u32 >= quorum(authorities.len() as u32);
        Ok(Counted { round, votes, finding_hash, has_quorum })
    }

    /// Whether the pool and a block take a report.
    pub(crate) fn authorize_report(
        finding: &Finding,
        validator: &PublicKey,
        signature: &Signature,
    ) -> TransactionValidityWithRefund {
        Self::count_finding(finding, validator)?;
        let payload = finding.signing_payload(&Settlement::<T>::genesis_hash());
        if !signing::verify(&payload, signature, validator) {
            return Err(Refusal::BadSignature.into());
        }
        // Last, because a set of keys costs the most.
        if let Finding::Keys { keys, .. } = finding {
            keys.check().map_err(|_| Refusal::BadKeys)?;
        }
        let validity = ValidTransaction::with_tag_prefix("stipend/finding")
            .and_provides((finding.subject(), finding.round(), validator))
            .priority(FINDING_PRIORITY)
            .longevity(FINDING_LONGEVITY_BLOCKS)
            .propagate(true)
            .build()?;
        Ok((validity, Weight::zero()))
    }

    /// Counts an authorised report and puts the finding in force if it completes the quorum.
    pub(crate) fn do_report(finding: Finding, validator: PublicKey) -> DispatchResult {
        let counted = Self::count_finding(&finding, &validator)
            .map_err(|refusal| DispatchError::from(Error::<T>::from(refusal)))?;
        let subject = finding.subject();
        Self::deposit_event(Event::Reported {
            subject: subject.clone(),
            validator,
            finding_hash: counted.finding_hash,
        });
        if counted.has_quorum {
            Findings::<T>::remove(subject);
            Self::put_in_force(finding, &counted.round);
        } else {
            Findings::<T>::insert(subject, counted.votes);
        }
        Ok(())
    }

    fn put_in_force(finding: Finding, round: &Round) {
        match finding {
            Finding::Evidence { provider, digest, devices, .. } => {
                let lasts = round.trust.period.saturating_mul(ROUNDS_IN_FORCE);
                let until = round.block.saturating_add(lasts);
                let count = devices.len() as u32;
                let record = EvidenceRecord { round: round.block, until, digest, devices };
                Self::put_evidence(&provider, record);
                Self::deposit_event(Event::EvidenceFound {
                    provider,
                    round: round.block,
                    until,
                    devices: count,
                    digest,
                });
            }
            Finding::Keys { keys, .. } => Self::put_keys(KeysRecord { keys, round: Some(round.block) }),
        }
    }
}
