//! Votes, honest and not.

use sp_core::{bounded::BoundedVec, Pair, H256};
use stipend_primitives::{
    attestation::GpuUse,
    ledger::{OpenItem, Unsettled},
    settlement::{Refund, Refunds, Verdict, Vote},
    Credits,
};
use stipend_runtime::{Receipts, RuntimeCall};

use super::world::World;

impl World {
    /// Votes of the validators named by the bits, all for one verdict.
    pub(super) fn votes(&self, item: u8, validators: u8, verdict: u8, share: u8) -> Vec<RuntimeCall> {
        let open = Receipts::open_items(64);
        let Some(open) = open.get(usize::from(item) % open.len().max(1)) else { return vec![] };
        let refunds = self.refunds(open, share);
        let verdict = match verdict % 5 {
            0..=2 => Verdict::Match,
            3 => Verdict::Adjust { provider_root: H256::repeat_byte(share), receipts: 1, refunds },
            _ => Verdict::Unattested { refunds },
        };
        let gpu = GpuUse { time_ms: None, energy_mj: Some(u64::from(share)) };
        let vote = Vote { item: open.item.clone(), batch_hash: open.batch_hash, verdict, gpu };
        // A quorum in most cases: otherwise nothing would ever be settled.
        let bits = if validators & 0x80 == 0 { validators | 0x07 } else { validators };
        (0..self.validators.len())
            .filter(|at| bits >> at & 1 == 1)
            .map(|at| {
                let validator = &self.validators[at];
                let signature = validator.sign(&vote.signing_payload(&self.genesis())).0;
                pallet_settlement::Call::vote {
                    vote: Box::new(vote.clone()),
                    validator: validator.public().0,
                    signature,
                }
                .into()
            })
            .collect()
    }

    /// A share of what was collected, in eighths, spread over the wallets that were charged.
    fn refunds(&self, open: &OpenItem, share: u8) -> Refunds {
        let mut left = open.collected * Credits::from(share) / 8;
        let mut refunds = Vec::new();
        for ((owner, class), priced) in &self.books.priced {
            let amount = left.min(*priced);
            if amount > 0 {
                refunds.push(Refund { owner: owner.clone(), class: *class, amount });
                left -= amount;
            }
        }
        BoundedVec::truncate_from(refunds)
    }
}
