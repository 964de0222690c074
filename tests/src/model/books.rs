//! The books that the chain is held against: made from the calls that were carried out, without any
//! of the pallets' code.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stipend_primitives::{
    settlement::{Item, VerdictKind},
    AccountId, ClassId, Credits, Sequence,
};

/// Sums over a history so far.
#[derive(Clone, Default)]
pub struct Books {
    /// Granted per owner and class.
    pub granted: BTreeMap<(AccountId, ClassId), Credits>,
    /// Priced per owner and class, covered or not.
    pub priced: BTreeMap<(AccountId, ClassId), Credits>,
    /// Every receipt that was charged.
    pub charged: BTreeSet<(AccountId, Sequence)>,
    /// Given back by settlements.
    pub refunded: Credits,
    /// Mint requests that were carried out.
    pub requests: BTreeSet<(AccountId, [u8; 16])>,
    /// The last vote of each validator on each item, as a hash of the verdict.
    pub votes: HashMap<Item, BTreeMap<[u8; 32], [u8; 32]>>,
    /// Settled items.
    pub settled: HashMap<Item, VerdictKind>,
    /// Collected per item, as the chain said when the batch came.
    pub collected: HashMap<Item, Credits>,
}

impl Books {
    /// A grant was carried out.
    pub fn grant(&mut self, owner: &AccountId, class: ClassId, amount: Credits) {
        *self.granted.entry((owner.clone(), class)).or_default() += amount;
    }

    /// A receipt was charged.
    pub fn charge(
        &mut self,
        gateway: &AccountId,
        seq: Sequence,
        owner: &AccountId,
        costs: impl IntoIterator<Item = (ClassId, Credits)>,
    ) {
        assert!(self.charged.insert((gateway.clone(), seq)), "receipt {seq} of {gateway} was charged twice");
        for (class, cost) in costs {
            *self.priced.entry((owner.clone(), class)).or_default() += cost;
        }
    }

    /// A validator voted.
    pub fn vote(&mut self, item: &Item, validator: [u8; 32], verdict_hash: [u8; 32]) {
        self.votes.entry(item.clone()).or_default().insert(validator, verdict_hash);
    }

    /// An item was settled: more than two thirds must have said the same, and no more may go back
    /// than was collected.
    pub fn settle(&mut self, item: &Item, kind: VerdictKind, refunded: Credits, validators: usize) {
        assert!(self.settled.insert(item.clone(), kind).is_none(), "{item:?} was settled twice");
        let mut counts: HashMap<[u8; 32], usize> = HashMap::new();
        for verdict in self.votes.get(item).into_iter().flat_map(|votes| votes.values()) {
            *counts.entry(*verdict).or_default() += 1;
        }
        let most = counts.values().max().copied().unwrap_or(0);
        assert!(most * 3 > validators * 2, "{item:?} was settled by {most} of {validators} votes");
        let collected = self.collected.get(item).copied().unwrap_or(0);
        assert!(refunded <= collected, "{refunded} of {collected} collected were refunded on {item:?}");
        self.refunded += refunded;
    }
}
