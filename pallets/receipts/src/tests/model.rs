//! The fold against the simplest thing that could be right: one receipt after the other.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stipend_primitives::{
    attestation::GpuUse,
    batch::Record,
    cost::Usage,
    ledger::{Ledger, Prices, Unsettled},
    settlement::{Item, VerdictKind},
    AccountId, ClassId, Credits,
};

use super::dispatch;
use crate::mock::*;

const WALLETS: u16 = 6;
const LINES: [(u16, u32, u16); 5] = [(2, 1, 0), (0, 1, 1), (1, 1, 2), (0, 1, 3), (2, 2, 4)];

fn records() -> impl Strategy<Value = Vec<Record>> {
    let fee = prop_oneof![3 => Just(0u32), 1 => 1..2_000u32];
    let usage = (0..3_000u32, 0..3_000u32, 0..800u32);
    let record = (0..WALLETS, 0..LINES.len() as u16, usage, fee, any::<[u8; 16]>()).prop_map(
        |(wallet, line, (input, cached_input, output), priority_fee, digest)| Record {
            wallet,
            line,
            usage: Usage { input, cached_input, output },
            priority_fee,
            digest,
        },
    );
    prop::collection::vec(record, 1..400)
}

/// What each wallet holds in each class: sometimes nothing, sometimes plenty.
fn holdings() -> impl Strategy<Value = Vec<Credits>> {
    prop::collection::vec(prop_oneof![Just(0u128), 1..100_000u128, Just(1 << 60)], usize::from(WALLETS) * 4)
}

/// What each provider's receipts collected, and of their base costs by class.
#[derive(Default)]
struct Collected {
    all: BTreeMap<AccountId, Credits>,
    bases: BTreeMap<AccountId, BTreeMap<ClassId, Credits>>,
}

/// Charges receipt by receipt.
fn charge_one_by_one(records: &[Record], wallets: &mut BTreeMap<(AccountId, ClassId), Credits>) -> Collected {
    let mut collected = Collected::default();
    for record in records {
        let (provider_number, book, model) = LINES[usize::from(record.line)];
        let entry = StandIn::entry(book, stipend_primitives::ModelId(model)).unwrap();
        let charges = [
            (entry.class, entry.cost(&record.usage), true),
            (ClassId::PRIORITY, Credits::from(record.priority_fee), false),
        ];
        for (class, charge, is_base) in charges {
            let held = wallets.entry((owner(record.wallet), class)).or_default();
            let paid = charge.min(*held);
            *held -= paid;
            *collected.all.entry(provider(provider_number)).or_default() += paid;
            let bases = collected.bases.entry(provider(provider_number)).or_default();
            if is_base && paid > 0 {
                *bases.entry(class).or_default() += paid;
            }
        }
    }
    collected
}

proptest! {
    #[test]
    fn a_batch_charges_what_its_receipts_charge_one_after_the_other(
        batches in prop::collection::vec(records(), 1..4),
        holdings in holdings(),
        settled in any::<bool>(),
    ) {
        run(|| {
            // Coefficients that need more than 64 bits, beside the ordinary ones of book 1.
            let wide = stipend_primitives::cost::PriceEntry {
                c_input: 1 << 40, c_output: 1 << 31, ..entry(4, ClassId::INNOVATION)
            };
            publish(vec![wide]);
            let mut wallets = BTreeMap::new();
            for (index, amount) in holdings.into_iter().enumerate() {
                let (wallet, class) = (owner(index as u16 / 4), ClassId(index as u16 % 4));
                StandIn::endow(&wallet, class, amount);
                wallets.insert((wallet, class), amount);
            }

            let mut first_seq = 0;
            for records in batches {
                let expected = charge_one_by_one(&records, &mut wallets);
                dispatch(batch(0, first_seq, WALLETS, &LINES, &records)).unwrap();
                for ((wallet, class), amount) in &wallets {
                    prop_assert_eq!(held(wallet, *class), *amount);
                }
                let view = Receipts::batch(&gateway(0), first_seq).unwrap();
                for part in &view.providers {
                    prop_assert_eq!(part.collected, expected.all[&part.provider]);
                    if settled {
                        let item = Item { gateway: gateway(0), first_seq, provider: part.provider.clone() };
                        let gpu = GpuUse { energy_mj: Some(first_seq), ..GpuUse::default() };
                        Receipts::close_item(&item, VerdictKind::Match, 0, gpu);
                        let (mut paid, energy_mj) = measured().pop().unwrap();
                        paid.sort_unstable();
                        let bases: Vec<_> = expected.bases[&part.provider].clone().into_iter().collect();
                        prop_assert_eq!((paid, energy_mj), (bases, Some(first_seq)));
                    }
                }
                Receipts::do_try_state().unwrap();
                first_seq += records.len() as u64;
            }
            prop_assert_eq!(Receipts::next_seq(&gateway(0)), first_seq);
            Ok(())
        })?;
    }
}
