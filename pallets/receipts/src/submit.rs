//! Taking an authorised batch into the ledger.

use alloc::vec::Vec;
use codec::Encode;
use frame_support::{defensive, traits::DefensiveTruncateFrom};
use sp_core::{bounded::BoundedVec, H256};
use sp_runtime::{DigestItem, SaturatedConversion};
use stipend_primitives::{
    batch::{Batch, DEBITS_MAX},
    leaf::{BatchCommitment, COMMITMENT_TAG},
    ledger::{Evidence, Ledger, Shortfall},
    view::ProviderTotals,
    AccountId, BlockNumber, ClassId, Credits,
};

use crate::{
    collect::{attribute, charge_all, Attribution},
    fold::{fold, Part},
    lines::Lines,
    *,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// Checks the batch, charges the wallets and remembers the totals. Returns how many debits it took.
    pub(crate) fn do_submit(batch: &Batch, batch_hash: H256) -> Result<u32, Refusal> {
        Self::check_turn(batch)?;
        batch.check_head()?;
        let lines = Lines::of::<T::Prices>(batch)?;
        let mut folded = fold(batch, &lines)?;
        let debits_count = folded.sums.iter().filter(|sum| **sum > 0).count() as u32;
        if debits_count > DEBITS_MAX {
            return Err(Refusal::TooManyDebits);
        }

        let charged = folded.parts.iter().map(|part| part.charged).sum();
        let mut charges = T::Ledger::begin_charges();
        let uncollected = charge_all::<T::Ledger>(&mut charges, batch, &lines, &mut folded.sums);
        let Attribution { per_provider, rows } =
            attribute(batch, &lines, &mut folded.sums, &mut folded.bases, uncollected);
        T::Ledger::end_charges(charges, &per_class(&lines, &folded.bases));
        let providers = totals::<T::Evidence>(&lines.providers, folded.parts, &per_provider);

        let last_seq = batch.last_seq();
        let key = SequenceKey::from(last_seq);
        if let Some(owed) = Owed::of(owed_rows(rows, &lines.providers, &providers)) {
            Owing::<T>::insert(&batch.gateway, key, owed);
        }
        let bases = base_rows(&lines, &folded.bases, &providers);
        if !bases.is_empty() {
            Bases::<T>::insert(&batch.gateway, key, BoundedVec::defensive_truncate_from(bases));
        }
        let record = BatchRecord {
            first_seq: batch.first_seq,
            submitted_at: Self::now(),
            batch_hash,
            receipts_root: folded.receipts_root,
            charged,
            uncollected,
            providers: BoundedVec::defensive_truncate_from(providers),
        };
        Self::commit(batch, &record);
        Self::remember(batch, key, record);
        Self::deposit_event(Event::BatchSubmitted {
            gateway: batch.gateway.clone(),
            first_seq: batch.first_seq,
            last_seq,
            batch_hash,
            charged,
            uncollected,
        });
        Ok(debits_count)
    }

    /// Puts the batch's root into the block's header, so that a finalised header proves every receipt.
    fn commit(batch: &Batch, record: &BatchRecord) {
        let commitment = BatchCommitment {
            gateway: batch.gateway.clone(),
            first_seq: batch.first_seq,
            last_seq: batch.last_seq(),
            root: record.receipts_root,
        };
        let item = (COMMITMENT_TAG, commitment).encode();
        frame_system::Pallet::<T>::deposit_log(DigestItem::Other(item));
    }

    fn remember(batch: &Batch, key: SequenceKey, record: BatchRecord) {
        Gateways::<T>::mutate(&batch.gateway, |progress| {
            progress.next_seq = batch.last_seq().saturating_add(1);
            progress.uncollected = progress.uncollected.saturating_add(record.uncollected);
            progress.remembered += 1;
            progress.unsettled += 1;
        });
        Open::<T>::insert(&batch.gateway, key, ());
        Batches::<T>::insert(&batch.gateway, key, record);
    }
}

/// One row for each provider that served a receipt of the batch.
fn totals<E: Evidence>(
    providers: &[AccountId],
    parts: Vec<Part>,
    uncollected: &[Credits],
) -> Vec<ProviderTotals> {
    let rows = providers.iter().zip(parts).zip(uncollected);
    let rows = rows.filter(|((_, part), _)| part.count > 0);
    rows.map(|((provider, part), missing)| ProviderTotals {
        provider: provider.clone(),
        count: part.count,
        input: part.input,
        cached_input: part.cached_input,
        output: part.output,
        collected: part.charged.checked_sub(*missing).unwrap_or_else(|| {
            defensive!("a provider's receipts lack more than they cost");
            0
        }),
        root: part.root(),
        settled: None,
        evidence: E::level(provider),
    })
    .collect()
}

/// Sums of a table of base costs, one for each class that has any.
fn per_class(lines: &Lines, bases: &[Credits]) -> Vec<(ClassId, Credits)> {
    let sum = |column: usize| bases.iter().skip(column).step_by(lines.classes.len()).sum::<Credits>();
    let sums = lines.classes.iter().enumerate().map(|(column, class)| (*class, sum(column)));
    sums.filter(|(_, sum)| *sum > 0).collect()
}

/// A table of base costs as rows of the batch's record.
fn base_rows(lines: &Lines, bases: &[Credits], totals: &[ProviderTotals]) -> Vec<BaseRow> {
    let mut rows = Vec::new();
    for (provider, of_provider) in lines.providers.iter().zip(bases.chunks_exact(lines.classes.len())) {
        let Some(place) = totals.iter().position(|part| part.provider == *provider) else { continue };
        let paid = lines.classes.iter().zip(of_provider).filter(|(_, collected)| **collected > 0);
        rows.extend(paid.map(|(class, collected)| BaseRow {
            provider: place as u8,
            class: *class,
            collected: *collected,
        }));
    }
    rows
}

/// Shortfalls of the batch's providers as rows of its record.
fn owed_rows(
    shortfalls: Vec<(usize, Shortfall)>,
    providers: &[AccountId],
    totals: &[ProviderTotals],
) -> Vec<OwedRow> {
    let place = |provider: usize| totals.iter().position(|part| part.provider == providers[provider]);
    let rows = shortfalls
        .into_iter()
        .filter_map(|(provider, shortfall)| Some(OwedRow { provider: place(provider)? as u8, shortfall }));
    rows.collect()
}
