//! Votes: who may cast which, and what the last one of a quorum does.

use frame_support::{
    pallet_prelude::{
        DispatchError, DispatchResultWithPostInfo, InvalidTransaction, TransactionValidityError,
        TransactionValidityWithRefund, ValidTransaction, Weight,
    },
    sp_runtime::transaction_validity::TransactionPriority,
};
use sp_core::H256;
use stipend_primitives::{
    ledger::{OpenItem, Unsettled},
    settlement::{VerdictKind, Vote},
    signing, PublicKey, Signature,
};

use crate::{
    crypto::AuthorityId,
    pallet::{Authorities, Config, Error, Event, Pallet, RefundQueue, Votes},
    quorum::{is_authority, Tally},
    refunds::{are_canonical, total},
    types::{VoteRecord, VoteRecords, VOTE_CHANGES_MAX},
    WeightInfo,
};

/// Above everything else that queues for a block: batches wait for settlements, and not the other
/// way round, when a gateway has as many unsettled batches as it may have. Votes on one item stand in
/// an order above it, see [`place_in_line`].
const VOTE_PRIORITY: TransactionPriority = 1 << 32;

/// Blocks that a vote waits in the pool. One that got lost is cast again by the worker.
const VOTE_LONGEVITY_BLOCKS: u64 = 64;

/// Why a vote does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotOpen,
    OtherBatch,
    NotAuthority,
    RefundsNotCanonical,
    RefundsTooHigh,
    AlreadyVoted,
    TooManyChanges,
    BadSignature,
}

impl From<Refusal> for TransactionValidityError {
    fn from(refusal: Refusal) -> Self {
        let invalid = match refusal {
            // A vote that comes late or twice harms nothing: the pool just forgets it.
            Refusal::NotOpen | Refusal::AlreadyVoted => InvalidTransaction::Stale,
            Refusal::NotAuthority => InvalidTransaction::BadSigner,
            Refusal::BadSignature => InvalidTransaction::BadProof,
            Refusal::OtherBatch => InvalidTransaction::Custom(60),
            Refusal::RefundsNotCanonical => InvalidTransaction::Custom(61),
            Refusal::RefundsTooHigh => InvalidTransaction::Custom(62),
            Refusal::TooManyChanges => InvalidTransaction::Custom(63),
        };
        TransactionValidityError::Invalid(invalid)
    }
}

impl<T: Config> From<Refusal> for Error<T> {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotOpen => Error::NotOpen,
            Refusal::OtherBatch => Error::OtherBatch,
            Refusal::NotAuthority => Error::NotAuthority,
            Refusal::RefundsNotCanonical => Error::RefundsNotCanonical,
            Refusal::RefundsTooHigh => Error::RefundsTooHigh,
            Refusal::AlreadyVoted => Error::AlreadyVoted,
            Refusal::TooManyChanges => Error::TooManyChanges,
            Refusal::BadSignature => Error::BadVoteSignature,
        }
    }
}

/// Where a validator's vote stands among those on the same item: another place with each batch. So it
/// is not always the same validator whose vote comes when the quorum is there already.
fn place_in_line(vote: &Vote, validator: &PublicKey, authorities: &[AuthorityId]) -> u64 {
    let index =
        authorities.iter().position(|authority| AsRef::<[u8]>::as_ref(authority) == validator.as_slice());
    let turn = u64::from(vote.batch_hash.0[31]) % (authorities.len().max(1) as u64);
    (index.unwrap_or_default() as u64 + turn) % (authorities.len().max(1) as u64)
}

/// Whether a validator may change its vote to one of `kind`: a few times, and to give up once more.
///
/// A vote bears no number, so somebody who kept an older one can cast it again and use up the changes.
/// Without the last one, a validator could be held to a vote that keeps an item open for good.
fn may_change(record: &VoteRecord, kind: VerdictKind) -> bool {
    let gives_up = kind == VerdictKind::Unattested && record.kind != VerdictKind::Unattested;
    record.changes < VOTE_CHANGES_MAX || gives_up
}

/// A vote that counts.
struct Counted {
    open: OpenItem,
    /// All votes on the item by authorities of now, this one among them.
    records: VoteRecords,
    verdict_hash: H256,
    /// Whether it completes the quorum.
    has_quorum: bool,
}

impl<T: Config> Pallet<T> {
    /// Checks everything of a vote but its signature, and counts it in.
    fn count_vote(vote: &Vote, validator: &PublicKey) -> Result<Counted, Refusal> {
        let open = T::Unsettled::open_item(&vote.item).ok_or(Refusal::NotOpen)?;
        if RefundQueue::<T>::contains_key(&vote.item) {
            return Err(Refusal::NotOpen);
        }
        if open.batch_hash != vote.batch_hash {
            return Err(Refusal::OtherBatch);
        }
        let authorities = Authorities::<T>::get();
        if !is_authority(&authorities, validator) {
            return Err(Refusal::NotAuthority);
        }
        let refunds = vote.verdict.refunds();
        if !are_canonical(refunds) {
            return Err(Refusal::RefundsNotCanonical);
        }
        if total(refunds).is_none_or(|total| total > open.collected) {
            return Err(Refusal::RefundsTooHigh);
        }

        let verdict_hash = vote.verdict_hash();
        let mut records = Votes::<T>::get(&vote.item);
        records.retain(|record| is_authority(&authorities, &record.validator));
        let kind = vote.verdict.kind();
        let mut repeated = false;
        match records.iter_mut().find(|record| record.validator == *validator) {
            Some(record) if record.verdict_hash == verdict_hash => repeated = true,
            Some(record) if !may_change(record, kind) => return Err(Refusal::TooManyChanges),
            Some(record) => {
                let changes = record.changes.saturating_add(1);
                *record = VoteRecord { validator: *validator, verdict_hash, kind, changes };
            }
            None => records
                .try_push(VoteRecord { validator: *validator, verdict_hash, kind, changes: 0 })
                // There is one record per authority, and `Authorities` has the bound of `VoteRecords`.
                .map_err(|_| Refusal::NotAuthority)?,
        }
        let has_quorum = Tally::new(&authorities, &records).has_quorum(&verdict_hash);
        // When validators leave, the votes that remain can be a quorum with nobody left to vote.
        // Then, and only then, a vote may be cast again: to have the verdict applied.
        if repeated && !has_quorum {
            return Err(Refusal::AlreadyVoted);
        }
        Ok(Counted { open, records, verdict_hash, has_quorum })
    }

    /// Whether the pool and a block take a vote.
    pub(crate) fn authorize_vote(
        vote: &Vote,
        validator: &PublicKey,
        signature: &Signature,
    ) -> TransactionValidityWithRefund {
        Self::count_vote(vote, validator)?;
        // Last, because it costs the most.
        if !signing::verify(&vote.signing_payload(&Self::genesis_hash()), signature, validator) {
            return Err(Refusal::BadSignature.into());
        }
        // One vote of a validator on an item waits in the pool: one that changes its mind all the
        // time fills no pool.
        let validity = ValidTransaction::with_tag_prefix("stipend/vote")
            .and_provides((&vote.item, validator))
            .priority(VOTE_PRIORITY + place_in_line(vote, validator, &Authorities::<T>::get()))
            .longevity(VOTE_LONGEVITY_BLOCKS)
            .propagate(true)
            .build()?;
        Ok((validity, Weight::zero()))
    }

    /// Counts an authorised vote and applies the verdict if it completes the quorum.
    pub(crate) fn do_vote(vote: Vote, validator: PublicKey) -> DispatchResultWithPostInfo {
        let counted = Self::count_vote(&vote, &validator)
            .map_err(|refusal| DispatchError::from(Error::<T>::from(refusal)))?;
        Self::deposit_event(Event::Voted {
            item: vote.item.clone(),
            validator,
            verdict_hash: counted.verdict_hash,
            kind: vote.verdict.kind(),
        });
        if counted.has_quorum {
            Votes::<T>::remove(&vote.item);
            Self::count_turnout(&counted.records);
            Self::settle(counted.open.item, vote.verdict, vote.gpu);
            Ok(None.into())
        } else {
            Votes::<T>::insert(&vote.item, counted.records);
            let refunds_count = vote.verdict.refunds().len() as u32;
            Ok(Some(T::WeightInfo::vote_without_quorum(refunds_count)).into())
        }
    }
}
