//! A receipt as people read it: with names, price, verdict and energy.

use std::collections::BTreeMap;

use stipend_primitives::{
    batch::{Batch, Line},
    cost::{PriceBook, PriceEntry, Usage},
    energy::{emitted_mg, part_of},
    leaf::ReceiptLeaf,
    view::Settled,
    BlockNumber, BookVersion, Credits,
};
use stipend_rpc::ReceiptView;

/// Puts together what is known of `receipt`, one of `batch`. `books` are the price books of the batch's
/// lines; `None` if they do not have the receipt's model.
pub(super) fn receipt(
    batch: &Batch,
    block: BlockNumber,
    receipt: &ReceiptLeaf,
    books: &BTreeMap<BookVersion, PriceBook>,
    settled: Option<Settled>,
    grid_mg_per_kwh: Option<u32>,
) -> Option<ReceiptView> {
    let entry_of = |line: &Line| books.get(&line.book)?.entry(line.model);
    let entry = books.get(&receipt.book)?.entry(receipt.leaf.model)?;
    let energy_mj = match settled.as_ref().and_then(|settled| settled.gpu.energy_mj) {
        Some(total) => Some(part(total, batch, receipt, entry_of)?),
        None => None,
    };
    Some(ReceiptView {
        gateway: batch.gateway.clone(),
        sequence: receipt.leaf.seq,
        block,
        wallet: receipt.wallet.clone(),
        provider: receipt.provider.clone(),
        model: String::from_utf8_lossy(&entry.name).into_owned(),
        digest: receipt.leaf.digest.to_vec().into(),
        usage: receipt.leaf.usage,
        price: entry.quote(receipt.book, &receipt.leaf.usage, receipt.priority_fee),
        settled,
        energy_mj,
        emitted_mg: energy_mj
            .zip(grid_mg_per_kwh)
            .map(|(energy, intensity)| emitted_mg(energy.into(), intensity)),
    })
}

/// The receipt's part of what its provider took for the batch.
fn part<'a>(
    total: u64,
    batch: &'a Batch,
    receipt: &ReceiptLeaf,
    entry_of: impl Fn(&'a Line) -> Option<&'a PriceEntry>,
) -> Option<u64> {
    let cost = |line: &'a Line, usage: &Usage| entry_of(line).map(|entry| entry.cost(usage));
    let (mut before, mut own, mut all): (Credits, Credits, Credits) = (0, 0, 0);
    for (seq, record) in (batch.first_seq..).zip(batch.records()) {
        let line = batch.lines.get(usize::from(record.line))?;
        if line.provider != receipt.provider {
            continue;
        }
        let cost = cost(line, &record.usage)?;
        // A cost is below 2^98, and a batch has fewer than 2^17 receipts.
        all += cost;
        match seq.cmp(&receipt.leaf.seq) {
            std::cmp::Ordering::Less => before += cost,
            std::cmp::Ordering::Equal => own = cost,
            std::cmp::Ordering::Greater => {}
        }
    }
    Some(part_of(total, before, own, all))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_primitives::{
        attestation::GpuUse, batch::Record, cost::PriceEntries, settlement::VerdictKind, AccountId, ClassId,
        ModelId, Name,
    };

    fn account(name: u8) -> AccountId {
        AccountId::new([name; 32])
    }

    fn books() -> BTreeMap<BookVersion, PriceBook> {
        let entry = |number: u16| PriceEntry {
            model: ModelId(number),
            name: Name::truncate_from(format!("model-{number}").into_bytes()),
            class: ClassId::INNOVATION,
            premium: false,
            c_input: 1,
            c_cached: 1,
            c_output: 10 * u64::from(number + 1),
            c_model: 3,
            weight: 1,
            reference_input: 0,
            reference_output: 0,
        };
        let entries = PriceEntries::truncate_from(vec![entry(0), entry(1)]);
        [(7, PriceBook { version: 7, effective_at: 0, chargeable_until: None, entries })].into()
    }

    /// Receipts of two providers in turn, and of two models.
    fn batch() -> Batch {
        let line = |provider, model| Line { provider: account(provider), book: 7, model: ModelId(model) };
        let record = |at: u32| Record {
            wallet: 0,
            line: (at % 3) as u16,
            usage: Usage { input: 5 * at, cached_input: at, output: 11 + at },
            priority_fee: 2,
            digest: [at as u8; 16],
        };
        Batch {
            gateway: account(1),
            first_seq: 100,
            wallets: vec![account(9)].try_into().unwrap(),
            lines: vec![line(20, 0), line(21, 0), line(20, 1)].try_into().unwrap(),
            records: (0..30).flat_map(|at| record(at).to_bytes()).collect::<Vec<u8>>().try_into().unwrap(),
        }
    }

    fn settled(energy_mj: Option<u64>) -> Option<Settled> {
        let gpu = GpuUse { time_ms: Some(1), energy_mj };
        Some(Settled { verdict: VerdictKind::Match, refunded: 0, gpu, at: 3 })
    }

    fn view(index: usize, settled: Option<Settled>, grid: Option<u32>) -> ReceiptView {
        let batch = batch();
        receipt(&batch, 2, &ReceiptLeaf::of(&batch, index).unwrap(), &books(), settled, grid).unwrap()
    }

    #[test]
    fn the_parts_of_a_providers_receipts_are_what_it_attested() {
        for (provider, total) in [(20, 1_000_003), (21, 7)] {
            let views = (0..30).map(|index| view(index, settled(Some(total)), None));
            let of_it: Vec<u64> = views
                .filter(|view| view.provider == account(provider))
                .map(|view| view.energy_mj.unwrap())
                .collect();
            assert_eq!(of_it.iter().sum::<u64>(), total);
            assert!(of_it.len() >= 10);
        }
    }

    #[test]
    fn energy_that_nobody_measured_stays_unknown() {
        for unknown in [None, settled(None)] {
            let view = view(4, unknown, Some(400_000));
            assert_eq!((view.energy_mj, view.emitted_mg), (None, None));
        }
        assert_eq!(view(4, settled(Some(9_000)), None).emitted_mg, None);
        assert!(view(4, settled(Some(36_000_000_000)), Some(400_000)).emitted_mg.unwrap() > 0);
    }

    #[test]
    fn the_price_is_told_coefficient_by_coefficient() {
        let view = view(5, None, None);
        assert_eq!((view.sequence, view.model.as_str(), view.price.book), (105, "model-1", 7));
        assert_eq!((view.price.input, view.price.cached_input), (25, 5));
        assert_eq!((view.price.output, view.price.model), (16 * 20, 3));
        assert_eq!(view.price.cost, 25 + 5 + 16 * 20 + 3);
        assert_eq!(view.price.priority_fee, 2);
        assert_eq!(view.digest.0, [5; 16]);
    }
}
