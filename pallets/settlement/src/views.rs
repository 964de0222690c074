//! What the runtime API and JSON-RPC show.

use alloc::vec::Vec;

use sp_core::{crypto::ByteArray, H256};
use sp_runtime::traits::UniqueSaturatedInto;
use stipend_primitives::{
    ledger::{OpenItem, Unsettled},
    settlement::Item,
    view::{BatchView, Provider, SettlementView, VoteView},
    AccountId,
};

use crate::{
    pallet::{Authorities, Config, Pallet, Providers, Votes},
    quorum::quorum,
};

/// Items that one answer shows: what `settlement_pending` documents.
const PENDING_MAX: u32 = 1_000;

impl<T: Config> Pallet<T> {
    /// The settlement of each provider's part of a batch.
    pub fn status(batch: &BatchView) -> Vec<SettlementView> {
        batch
            .providers
            .iter()
            .map(|totals| {
                let item = Item {
                    gateway: batch.gateway.clone(),
                    first_seq: batch.first_seq,
                    provider: totals.provider.clone(),
                };
                SettlementView {
                    votes: Self::votes_on(&item),
                    item,
                    last_seq: batch.last_seq,
                    submitted_at: batch.submitted_at,
                    count: totals.count,
                    quorum: Self::quorum(),
                    settled: totals.settled.clone(),
                    evidence: totals.evidence,
                }
            })
            .collect()
    }

    /// Up to `limit` open items, oldest first.
    pub fn pending(limit: u32) -> Vec<SettlementView> {
        let limit = limit.min(PENDING_MAX) as usize;
        let mut open = T::Unsettled::open_items(limit);
        open.sort_by_key(|open| open.submitted_at);
        open.into_iter().map(Self::view_of).collect()
    }

    fn view_of(open: OpenItem) -> SettlementView {
        SettlementView {
            votes: Self::votes_on(&open.item),
            item: open.item,
            last_seq: open.last_seq,
            submitted_at: open.submitted_at,
            count: open.count,
            quorum: Self::quorum(),
            settled: None,
            evidence: open.evidence,
        }
    }

    fn votes_on(item: &Item) -> Vec<VoteView> {
        Votes::<T>::get(item)
            .into_iter()
            .map(|record| VoteView {
                validator: H256(record.validator),
                verdict_hash: record.verdict_hash,
                kind: record.kind,
            })
            .collect()
    }

    /// For each validator, how many of the items that were submitted more than `blocks` blocks ago it
    /// has not voted on.
    pub fn votes_missing(blocks: u32) -> Vec<u32> {
        let now: u32 = frame_system::Pallet::<T>::block_number().unique_saturated_into();
        let authorities = Authorities::<T>::get();
        let mut missing = alloc::vec![0; authorities.len()];
        let late = T::Unsettled::open_items(PENDING_MAX as usize)
            .into_iter()
            .filter(|open| now.saturating_sub(open.submitted_at) > blocks);
        for open in late {
            let votes = Votes::<T>::get(&open.item);
            for (key, missing) in authorities.iter().zip(&mut missing) {
                let voted = votes.iter().any(|vote| vote.validator[..] == *key.as_slice());
                *missing += u32::from(!voted);
            }
        }
        missing
    }

    /// Votes that one verdict needs.
    pub fn quorum() -> u32 {
        quorum(Authorities::<T>::decode_len().unwrap_or(0) as u32)
    }

    /// All providers.
    pub fn providers() -> Vec<(AccountId, Provider)> {
        Providers::<T>::iter().collect()
    }

    /// Hash of the verdict that a validator voted for on an open item.
    pub fn vote_of(item: &Item, validator: &H256) -> Option<H256> {
        Votes::<T>::get(item)
            .into_iter()
            .find(|record| record.validator == validator.0)
            .map(|record| record.verdict_hash)
    }
}
