//! Two blocks of one validator in one slot.

use codec::Decode;
use frame_support::pallet_prelude::{
    DispatchResult, InvalidTransaction, TransactionPriority, TransactionValidityError,
    TransactionValidityWithRefund, ValidTransaction, Weight,
};
use frame_system::pallet_prelude::{BlockNumberFor, HeaderFor};
use pallet_roles::Misconduct;
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_consensus_slots::{EquivocationProof, Slot};
use sp_runtime::{
    traits::{Header, One, Zero},
    DigestItem, RuntimeAppPublic,
};
use stipend_primitives::AccountId;

use crate::{Config, Error, LastReported, Pallet};

/// A key that blocks are sealed with.
type AuthorOf<T> = <T as pallet_aura::Config>::AuthorityId;

/// Two sealed headers of one author and one slot.
pub type TwoBlocks<T> = EquivocationProof<HeaderFor<T>, AuthorOf<T>>;

/// Above batches and votes: whoever equivocates goes on while the report waits.
const REPORT_PRIORITY: TransactionPriority = 1 << 40;

/// Blocks that a report waits in the pool.
const REPORT_LONGEVITY_BLOCKS: u64 = 64;

/// Why a report proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    NoEquivocation,
    OtherChain,
    NotAuthority,
    AlreadyReported,
    BadSeal,
}

impl From<Refusal> for TransactionValidityError {
    fn from(refusal: Refusal) -> Self {
        TransactionValidityError::Invalid(match refusal {
            Refusal::NoEquivocation => InvalidTransaction::Custom(70),
            Refusal::OtherChain => InvalidTransaction::Custom(71),
            Refusal::NotAuthority => InvalidTransaction::BadSigner,
            Refusal::AlreadyReported => InvalidTransaction::Stale,
            Refusal::BadSeal => InvalidTransaction::BadProof,
        })
    }
}

impl<T: Config> From<Refusal> for Error<T> {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoEquivocation => Error::NoEquivocation,
            Refusal::OtherChain => Error::OtherChain,
            Refusal::NotAuthority => Error::NotAuthority,
            Refusal::AlreadyReported => Error::AlreadyReported,
            Refusal::BadSeal => Error::BadSeal,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Whether the pool and a block take a report.
    pub(crate) fn authorize_report(proof: &TwoBlocks<T>) -> TransactionValidityWithRefund {
        let offender = Self::offender_of(proof)?;
        // Last, because they cost the most.
        for header in [&proof.first_header, &proof.second_header] {
            if !is_sealed_by::<T>(header, &proof.offender) {
                return Err(Refusal::BadSeal.into());
            }
        }
        let validity = ValidTransaction::with_tag_prefix("stipend/equivocation")
            .and_provides((offender, proof.slot))
            .priority(REPORT_PRIORITY)
            .longevity(REPORT_LONGEVITY_BLOCKS)
            .propagate(true)
            .build()?;
        Ok((validity, Weight::zero()))
    }

    /// Has the offender of an authorised report suspended.
    pub(crate) fn do_report(proof: &TwoBlocks<T>) -> DispatchResult {
        let offender = Self::offender_of(proof).map_err(Error::<T>::from)?;
        LastReported::<T>::insert(&offender, proof.slot);
        pallet_roles::Pallet::<T>::punish(&offender, Misconduct::TwoBlocks);
        Ok(())
    }

    /// Checks everything of a report but the seals. Answers who is reported.
    fn offender_of(proof: &TwoBlocks<T>) -> Result<AccountId, Refusal> {
        let EquivocationProof { offender, slot, first_header: first, second_header: second } = proof;
        let of_one_slot = [first, second].into_iter().all(|header| slot_of::<T>(header) == Some(*slot));
        // A slot to come would use up the reports of all slots before it.
        let is_over = *slot <= pallet_aura::CurrentSlot::<T>::get();
        if !of_one_slot || !is_over || first.hash() == second.hash() {
            return Err(Refusal::NoEquivocation);
        }
        if ![first, second].into_iter().all(builds_on_this_chain::<T>) {
            return Err(Refusal::OtherChain);
        }
        let at = pallet_aura::Authorities::<T>::get().iter().position(|author| author == offender);
        let who = at
            .and_then(|at| pallet_roles::Pallet::<T>::authorities().into_iter().nth(at))
            .ok_or(Refusal::NotAuthority)?;
        if LastReported::<T>::get(&who).is_some_and(|last| last >= *slot) {
            return Err(Refusal::AlreadyReported);
        }
        Ok(who)
    }
}

/// The slot that a header says it was made in.
fn slot_of<T: Config>(header: &HeaderFor<T>) -> Option<Slot> {
    header.digest().logs().iter().find_map(|item| match item {
        DigestItem::PreRuntime(AURA_ENGINE_ID, slot) => Slot::decode(&mut &slot[..]).ok(),
        _ => None,
    })
}

/// Whether a header's parent is a block of this chain that is not forgotten yet.
fn builds_on_this_chain<T: Config>(header: &HeaderFor<T>) -> bool {
    let number: BlockNumberFor<T> = *header.number();
    if number.is_zero() {
        return false;
    }
    let parent = frame_system::Pallet::<T>::block_hash(number - One::one());
    parent != T::Hash::default() && parent == *header.parent_hash()
}

/// Whether a header ends with its author's signature over all the rest of it.
fn is_sealed_by<T: Config>(header: &HeaderFor<T>, author: &AuthorOf<T>) -> bool {
    let mut header = header.clone();
    let Some(DigestItem::Seal(AURA_ENGINE_ID, seal)) = header.digest_mut().pop() else { return false };
    <AuthorOf<T> as RuntimeAppPublic>::Signature::decode(&mut &seal[..])
        .is_ok_and(|signature| author.verify(&header.hash(), &signature))
}
