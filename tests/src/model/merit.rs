//! What evaluators record, who contests it, and what the council decides.

use pallet_merit::Call;
use sp_core::{bounded::BoundedVec, H256};
use stipend_primitives::{
    merit::{Record, Rule, Source},
    Credits,
};
use stipend_runtime::{Merit, Runtime, RuntimeCall};

use super::world::World;
use crate::company::name;

/// The program of the class Priority in the setting.
const PROGRAM: u32 = 2;

/// Milliseconds for which a rule is announced on the local chain.
const NOTICE: u64 = 4_000;

fn now() -> u64 {
    pallet_timestamp::Now::<Runtime>::get()
}

/// A rule whose caps are met after a few outcomes.
fn rule(award: Credits) -> Rule {
    Rule {
        program: PROGRAM,
        award,
        wallet_cap: 20 * award,
        evaluator_cap: 50 * award,
        period_ms: 3_600_000,
        window_ms: 30_000,
        lasts_ms: 60_000,
        sunset: u64::MAX,
    }
}

impl World {
    /// Registers the kind that outcomes are recorded of.
    pub(super) fn first_kind(&self) -> RuntimeCall {
        let name = name("Commit").expect("six bytes fit");
        Call::register_kind { name, rule: rule(5_000), from: now() + NOTICE }.into()
    }

    pub(super) fn merit(&mut self, what: u8, who: u8, id: u8, weight: u8) {
        let evaluator = World::account(&self.evaluators[usize::from(who) % 2]);
        let other = World::account(&self.evaluators[usize::from(who + 1) % 2]);
        let council = World::account(&self.council);
        let newest = pallet_merit::NextOutcomeId::<Runtime>::get();
        // One of the last few: older ones were decided on long ago.
        let outcome = newest.saturating_sub(1 + u64::from(id) % 4);
        let (signer, call) = match what {
            0..=4 => (evaluator, Call::record { record: self.said(id, weight) }),
            5 => {
                let rows = (0..3).map(|more| self.said(id.wrapping_add(more), weight)).collect();
                (evaluator, Call::record_many { records: BoundedVec::truncate_from(rows) })
            }
            6 | 7 => (evaluator, Call::withdraw { outcome }),
            8..=10 => (other, Call::contest { outcome, reason: H256::repeat_byte(id) }),
            11..=13 => {
                let open = Merit::open_contests(4).into_iter().map(|view| view.id).collect();
                (council, Call::decide { outcomes: BoundedVec::truncate_from(open), stand: what == 11 })
            }
            14 => {
                let rule = rule(Credits::from(weight) * 1_000);
                (council, Call::announce_rule { kind: 0, rule, from: now() + NOTICE })
            }
            _ => {
                let name = name(&format!("Kind {id}")).expect("few bytes fit");
                (council, Call::register_kind { name, rule: rule(1), from: now() + NOTICE })
            }
        };
        let _ = self.dispatch(Some(signer), call.into());
    }

    /// An outcome of one of the owners; evidence repeats now and then, and receipts do.
    fn said(&self, id: u8, weight: u8) -> Record {
        let wallet = World::account(&self.owners[usize::from(id) % self.owners.len()]);
        let source = match id % 3 {
            0 => Source::of_receipts(vec![[id / 2; 32], [id / 2 + 1; 32]]),
            1 => Source::of_receipts((0..20).map(|at| [(id / 2).wrapping_add(at); 32]).collect()),
            _ => None,
        };
        Record {
            kind: 0,
            wallet,
            weight: weight.into(),
            evidence: H256::repeat_byte(id),
            source: source.unwrap_or_else(|| Source::of_purpose("thesis")),
        }
    }
}
