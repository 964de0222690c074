//! What an earlier run left on the disk.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use sp_core::H256;
use stipend_primitives::{
    batch::RECEIPTS_MAX, cost::PriceBook, AccountId, BookVersion, ClassId, Credits, KeyHash, Moment, Sequence,
};
use stipend_receipt_log::Replay;

use crate::{
    caps::{Use, DAY_MS},
    clock::now_ms,
    kept::{Kept, Relined},
    pipeline::{
        batcher::Recorded,
        compose::{ClosedBatch, OpenBatch, Pen},
        journal::Entry,
        reline::reline,
    },
    receipt::{Details, Receipt},
    start::StartError,
};

/// What the journal says.
#[derive(Default)]
pub(crate) struct Journalled {
    /// Closed batches that are not done, by their first number.
    open: BTreeMap<Sequence, Closed>,
    /// Where the next batch begins, if one was ever closed.
    next_first: Option<Sequence>,
    /// Where the journal says which batch was closed last.
    pub(crate) last_entry: u64,
    /// Finalised blocks have every receipt before this one.
    pub(crate) final_before: Sequence,
    /// Batches that are charged by another book than their receipts name, done or not.
    pub(crate) relined: Vec<Relined>,
}

struct Closed {
    last_seq: Sequence,
    hash: H256,
    entry: u64,
    relined: Option<(BookVersion, H256)>,
}

impl Journalled {
    pub(crate) fn read(replay: Replay) -> Result<Self, StartError> {
        let mut journalled = Journalled::default();
        for record in replay {
            let (position, bytes) = record?;
            let entry = Entry::from_bytes(&bytes).ok_or_else(|| {
                StartError::Contradiction(format!(
                    "entry {position} of the journal is not one of this version"
                ))
            })?;
            journalled.take(position, entry)?;
        }
        Ok(journalled)
    }

    fn take(&mut self, position: u64, entry: Entry) -> Result<(), StartError> {
        match entry {
            Entry::Closed { first_seq, last_seq, hash } => {
                if self.next_first.is_some_and(|next| next != first_seq) || last_seq < first_seq {
                    return Err(StartError::Contradiction(format!(
                        "the journal closes a batch from {first_seq} to {last_seq}, which does not follow the one \
                         before it"
                    )));
                }
                self.open.insert(first_seq, Closed { last_seq, hash, entry: position, relined: None });
                self.next_first = Some(last_seq + 1);
                self.last_entry = position;
            }
            Entry::Relined { first_seq, book, hash } => {
                if let Some(closed) = self.open.get_mut(&first_seq) {
                    closed.relined = Some((book, hash));
                    let (last_seq, entry) = (closed.last_seq, closed.entry);
                    self.relined.push(Relined { first_seq, last_seq, book, entry });
                }
            }
            Entry::Done { first_seq } => {
                if let Some(closed) = self.open.remove(&first_seq) {
                    self.final_before = self.final_before.max(closed.last_seq + 1);
                }
            }
        }
        Ok(())
    }
}

/// A batch of an earlier run that is not done.
pub(crate) struct Resumed {
    pub(crate) batch: Arc<ClosedBatch>,
    pub(crate) entry: u64,
}

/// What the tasks go on with.
pub(crate) struct Restored {
    pub(crate) resumed: Vec<Resumed>,
    /// Where the next batch begins.
    pub(crate) open_first: Sequence,
    /// Receipts that no batch has yet.
    pub(crate) open: Vec<Recorded>,
    /// What API keys were charged today, as far as the log reaches back.
    pub(crate) used_today: HashMap<KeyHash, Arc<Use>>,
    /// Charges that no finalised block has.
    pub(crate) unfinalised: HashMap<(AccountId, ClassId), Credits>,
}

/// What restoring needs to know of the chain, as of one finalised block.
pub(crate) struct Known<'a> {
    pub(crate) next_seq: Sequence,
    pub(crate) books: &'a [PriceBook],
    pub(crate) pen: &'a Pen,
    /// Takes in which receipts can be looked up.
    pub(crate) kept: &'a Kept,
}

/// Reads the receipts back and composes the batches that are under way.
pub(crate) fn restore(
    replay: Replay,
    journalled: &Journalled,
    known: &Known,
) -> Result<Restored, StartError> {
    let (log_first, log_end) = (replay.position(), replay.end_position());
    let open_first = journalled.next_first.unwrap_or(log_first);
    let oldest = journalled.open.keys().next().copied().unwrap_or(open_first);
    check_bounds(known.next_seq, open_first, oldest, log_first, log_end)?;
    let mut restored = Restored {
        resumed: Vec::new(),
        open_first,
        open: Vec::new(),
        used_today: HashMap::new(),
        unfinalised: HashMap::new(),
    };
    let now = now_ms();
    let mut composing: Option<OpenBatch> = None;
    for record in replay {
        let (seq, bytes) = record?;
        let receipt = read(seq, &bytes)?;
        known.kept.add(seq, &receipt, now);
        restored.count_today(&receipt, now);
        if seq < oldest {
            continue;
        }
        if seq >= open_first {
            restored.add_unfinalised(seq, known.next_seq, receipt.charges(), &receipt.wallet);
            restored.open.push((seq, bytes));
            continue;
        }
        if composing.is_none() && !journalled.open.contains_key(&seq) {
            // Part of a batch that is done, behind an older one that is not.
            continue;
        }
        let batch = composing.get_or_insert_with(|| OpenBatch::new(seq, RECEIPTS_MAX));
        batch.push(&receipt).map_err(|_| differs(batch.first_seq()))?;
        let closed = journalled.open.get(&batch.first_seq()).ok_or_else(|| differs(batch.first_seq()))?;
        if seq == closed.last_seq {
            let batch = composing.take().map(|batch| batch.close(known.pen));
            restored.resume(batch, closed, known)?;
        }
    }
    Ok(restored)
}

fn check_bounds(
    next_seq: Sequence,
    open_first: Sequence,
    oldest: Sequence,
    log_first: Sequence,
    log_end: Sequence,
) -> Result<(), StartError> {
    if log_end < next_seq || open_first < next_seq {
        return Err(StartError::BehindChain { next_seq, log_end: log_end.min(open_first) });
    }
    if log_end < open_first || log_first > oldest {
        return Err(StartError::Contradiction(format!(
            "the journal has batches of receipts {oldest} to {open_first}, the log has receipts {log_first} to \
             {log_end}: the two folders in data_dir are not of the same time; restore both from one copy"
        )));
    }
    Ok(())
}

fn read(seq: Sequence, bytes: &Bytes) -> Result<Receipt, StartError> {
    Receipt::from_bytes(bytes).ok_or_else(|| {
        StartError::Contradiction(format!("receipt {seq} in the log is not one of this version"))
    })
}

fn differs(first_seq: Sequence) -> StartError {
    StartError::Contradiction(format!(
        "the batch from {first_seq} on would be composed to other bytes than those handed in before; start the \
         version of this program that closed it, until the batch is finalised"
    ))
}

impl Restored {
    /// Counts a receipt of this day for its key.
    fn count_today(&mut self, receipt: &Receipt, now: Moment) {
        let Some(Details { at_ms, key: Some(key), .. }) = &receipt.details else { return };
        if at_ms / DAY_MS == now / DAY_MS {
            let paid: Credits = receipt.charges().iter().map(|(_, amount)| *amount).sum();
            self.used_today.entry(*key).or_default().restore(receipt.model, paid, now);
        }
    }

    fn add_unfinalised(
        &mut self,
        seq: Sequence,
        next_seq: Sequence,
        charges: impl IntoIterator<Item = (ClassId, Credits)>,
        owner: &AccountId,
    ) {
        if seq < next_seq {
            return;
        }
        for (class, amount) in charges.into_iter().filter(|(_, amount)| *amount > 0) {
            *self.unfinalised.entry((owner.clone(), class)).or_default() += amount;
        }
    }

    fn resume(
        &mut self,
        batch: Option<ClosedBatch>,
        closed: &Closed,
        known: &Known,
    ) -> Result<(), StartError> {
        let Some(mut batch) = batch else { return Ok(()) };
        if batch.hash != closed.hash || batch.last_seq != closed.last_seq {
            return Err(differs(batch.first_seq));
        }
        if let Some((version, hash)) = closed.relined {
            let book = known.books.iter().find(|book| book.version == version);
            // A book that is retired by now: the batch as it is will be refused and moved once more.
            if let Some(relined) = book.and_then(|book| reline(&batch, book, known.pen)) {
                if relined.hash != hash {
                    return Err(differs(batch.first_seq));
                }
                batch = relined;
            }
        }
        for (owner, class, amount) in &batch.charges {
            self.add_unfinalised(batch.first_seq, known.next_seq, [(*class, *amount)], owner);
        }
        self.resumed.push(Resumed { batch: Arc::new(batch), entry: closed.entry });
        Ok(())
    }
}
