//! What goes back to whom: an item's receipts, priced again by the smaller claim.
//!
//! Everything here is a pure function of the batch, the provider's leaves, the price books, the
//! shortfalls and the classes' policies, so that all validators come to one list.

use alloc::{collections::BTreeMap, vec::Vec};

use stipend_primitives::{
    batch::{Batch, Record},
    cost::{PriceEntry, Usage},
    leaf::UsageLeaf,
    ledger::Shortfall,
    settlement::{Refund, Refunds},
    AccountId, BookVersion, ClassId, Credits, ModelId, Sequence,
};

/// Why refunds cannot be computed. But for the first, none can happen with a batch that the chain
/// accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The provider's leaves have other sequence numbers than the gateway's receipts.
    OtherSequence,
    /// A record points outside the batch's tables.
    BrokenRecord,
    /// No book has the price of a line.
    NoPrice,
    /// A sum does not fit.
    Overflow,
    /// The refunds exceed what was collected.
    AboveCollected,
}

/// One provider's receipts in a batch.
pub(crate) struct ProviderReceipts<'a> {
    batch: &'a Batch,
    /// Per line of the batch its price, for the provider's lines.
    prices: Vec<Option<PriceEntry>>,
    /// Credits to give back per wallet of the batch and class.
    refunds: BTreeMap<(u16, ClassId), Credits>,
}

impl<'a> ProviderReceipts<'a> {
    /// Finds the provider's lines in `batch` and their prices.
    pub(crate) fn new(
        batch: &'a Batch,
        provider: &AccountId,
        price: impl Fn(BookVersion, ModelId) -> Option<PriceEntry>,
    ) -> Result<Self, Fault> {
        let mut prices = Vec::with_capacity(batch.lines.len());
        for line in batch.lines.iter() {
            prices.push(if line.provider == *provider {
                Some(price(line.book, line.model).ok_or(Fault::NoPrice)?)
            } else {
                None
            });
        }
        Ok(ProviderReceipts { batch, prices, refunds: BTreeMap::new() })
    }

    /// The provider's records with their sequence numbers.
    fn records(&self) -> impl Iterator<Item = (Sequence, Record)> + 'a {
        let is_own: Vec<bool> = self.prices.iter().map(Option::is_some).collect();
        (self.batch.first_seq..)
            .zip(self.batch.records())
            .filter(move |(_, record)| is_own.get(usize::from(record.line)).copied().unwrap_or(false))
    }

    /// The provider's leaves as the gateway claims them.
    pub(crate) fn leaves(&self) -> Result<Vec<UsageLeaf>, Fault> {
        self.records().map(|(seq, record)| self.leaf(seq, &record)).collect()
    }

    fn leaf(&self, seq: Sequence, record: &Record) -> Result<UsageLeaf, Fault> {
        let line = self.batch.lines.get(usize::from(record.line)).ok_or(Fault::BrokenRecord)?;
        Ok(UsageLeaf { seq, model: line.model, usage: record.usage, digest: record.digest })
    }

    fn add(&mut self, wallet: u16, class: ClassId, amount: Credits) -> Result<(), Fault> {
        if amount > 0 {
            let sum = self.refunds.entry((wallet, class)).or_default();
            *sum = sum.checked_add(amount).ok_or(Fault::Overflow)?;
        }
        Ok(())
    }

    /// Gives back, per receipt, what the gateway charged above the smaller of the two claims, and all of
    /// what it charged in a class that `lacks_evidence`. Returns how many receipts that concerns, and the
    /// refunds.
    ///
    /// Of a receipt that the provider does not acknowledge (its leaf has another digest or model, as
    /// it has where the attestor never saw the request) everything goes back, the priority fee too.
    pub(crate) fn adjusted(
        mut self,
        leaves: &[UsageLeaf],
        lacks_evidence: impl Fn(ClassId) -> bool,
        shortfalls: Option<&[Shortfall]>,
    ) -> Result<(u32, Refunds), Fault> {
        let mut leaves = leaves.iter();
        let mut concerned_count = 0;
        for (seq, record) in self.records() {
            let theirs = leaves.next().filter(|leaf| leaf.seq == seq).ok_or(Fault::OtherSequence)?;
            let ours = self.leaf(seq, &record)?;
            let class = self.price_of(&record)?.class;
            let base_goes = lacks_evidence(class);
            let fee_goes = record.priority_fee > 0 && lacks_evidence(ClassId::PRIORITY);
            if ours == *theirs && !base_goes && !fee_goes {
                continue;
            }
            concerned_count += 1;
            if theirs.digest != ours.digest || theirs.model != ours.model {
                self.give_back_all(&record, |_| true)?;
                continue;
            }
            if !base_goes {
                self.give_back_down_to(&record, theirs.usage)?;
            }
            self.give_back_all(&record, &lacks_evidence)?;
        }
        if leaves.next().is_some() {
            return Err(Fault::OtherSequence);
        }
        Ok((concerned_count, self.into_refunds(shortfalls)?))
    }

    /// Gives back everything that nobody attests and that was charged in a class which `goes_back`.
    pub(crate) fn unattested(
        mut self,
        goes_back: impl Fn(ClassId) -> bool,
        shortfalls: Option<&[Shortfall]>,
    ) -> Result<Refunds, Fault> {
        for (_, record) in self.records() {
            self.give_back_all(&record, &goes_back)?;
        }
        self.into_refunds(shortfalls)
    }

    fn price_of(&self, record: &Record) -> Result<&PriceEntry, Fault> {
        self.prices.get(usize::from(record.line)).and_then(Option::as_ref).ok_or(Fault::BrokenRecord)
    }

    fn give_back_down_to(&mut self, record: &Record, claim: Usage) -> Result<(), Fault> {
        let price = self.price_of(record)?;
        let charged = price.cost(&record.usage);
        let due = price.cost(&record.usage.min(claim));
        let class = price.class;
        // `due` is the cost of a usage that is smaller in every count.
        self.add(record.wallet, class, charged.saturating_sub(due))
    }

    /// Gives back what the receipt was charged in each class that `goes_back`: its cost, its priority fee.
    fn give_back_all(&mut self, record: &Record, goes_back: impl Fn(ClassId) -> bool) -> Result<(), Fault> {
        let price = self.price_of(record)?;
        let (class, cost) = (price.class, price.cost(&record.usage));
        for (class, amount) in [(class, cost), (ClassId::PRIORITY, Credits::from(record.priority_fee))] {
            if amount > 0 && goes_back(class) {
                self.add(record.wallet, class, amount)?;
            }
        }
        Ok(())
    }

    /// Sets refunds off against what a wallet owes the batch and puts them into canonical form.
    fn into_refunds(self, shortfalls: Option<&[Shortfall]>) -> Result<Refunds, Fault> {
        // Too many wallets owe the batch something to know which: nobody gets back what another
        // paid.
        let Some(shortfalls) = shortfalls else { return Ok(Refunds::default()) };
        let mut owed: BTreeMap<(&AccountId, ClassId), Credits> = BTreeMap::new();
        for shortfall in shortfalls {
            let sum = owed.entry((&shortfall.owner, shortfall.class)).or_default();
            *sum = sum.checked_add(shortfall.amount).ok_or(Fault::Overflow)?;
        }
        let mut refunds = Vec::with_capacity(self.refunds.len());
        for ((wallet, class), amount) in self.refunds {
            let owner = self.batch.wallets.get(usize::from(wallet)).ok_or(Fault::BrokenRecord)?;
            let amount = amount.saturating_sub(owed.get(&(owner, class)).copied().unwrap_or(0));
            if amount > 0 {
                refunds.push(Refund { owner: owner.clone(), class, amount });
            }
        }
        refunds.sort_unstable_by(|a, b| (&a.owner, a.class).cmp(&(&b.owner, b.class)));
        Refunds::try_from(refunds).map_err(|_| Fault::Overflow)
    }
}
