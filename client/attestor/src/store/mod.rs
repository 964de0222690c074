//! What was metered and what was attested: on the disk first, then in memory.
//!
//! The memory is what reading the log from its beginning gives. A range's answer stands in the log
//! as it was given, so a restart, a pruned log or another key can never make a different one.

mod book;
mod claim;
mod identity;
mod record;
mod sweep;
mod types;

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    sync::{atomic::AtomicU64, Arc},
    time::{SystemTime, UNIX_EPOCH},
};

use codec::{DecodeAll, Encode};
use sp_core::H256;
use stipend_primitives::{cost::Usage, AccountId, ModelId, Moment, Sequence};
use stipend_receipt_log::Log;

pub(crate) use book::{Book, Ticket};
pub(crate) use claim::{ClaimError, Claimed};
pub(crate) use types::{CannotBegin, Metered, Range};

use self::record::Record;
use crate::{config::Limits, gpu::Share, secret::AttestationKey, Config};

/// Bytes of the largest record: a range of a full batch.
const RECORD_BYTES_MAX: usize = 8 << 20;

/// Why the store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log does not open.
    #[error(transparent)]
    Log(#[from] stipend_receipt_log::Error),
    /// A record is not of this program's making.
    #[error(
        "record {position} of the log in the data folder cannot be read: it is of another program or version"
    )]
    Record {
        /// Its position.
        position: u64,
    },
    /// The folder cannot be used.
    #[error("cannot use the data folder {path}: {source}")]
    Folder {
        /// The folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The folder belongs to another attestor.
    #[error(
        "the data folder is that of {found}, and the configuration is that of {wanted}: \
         what was metered for one must not be attested for the other. Name another data_dir"
    )]
    Foreign {
        /// Provider and chain that the folder was made for.
        found: String,
        /// Provider and chain of the configuration.
        wanted: String,
    },
}

/// Ranges of a gateway that can still be asked for, however many leaves they have: the chain keeps up to 256 of its
/// batches unsettled (`UNSETTLED_MAX` of pallet-receipts), and up to 16 more are on their way to it (`AHEAD_MAX` of
/// the gateway).
const RANGES_OPEN_MAX: usize = 256 + 16;

/// How coarsely the log is let go of, and what is never let go of for its size.
pub(crate) struct Grain {
    /// Bytes of one file of the log.
    segment_bytes_max: usize,
    /// Records that a few unclaimed requests may hold back; beyond that they are written again at
    /// the log's end.
    held_back_max: u64,
    /// Records that must have become useless before the log is pruned again: an idle log stays idle.
    pruned_min: u64,
    /// Newest ranges that are kept whatever the number of their leaves.
    ranges_open_max: usize,
}

impl Default for Grain {
    fn default() -> Self {
        Grain {
            segment_bytes_max: 64 << 20,
            held_back_max: 1_000_000,
            pruned_min: 10_000,
            ranges_open_max: RANGES_OPEN_MAX,
        }
    }
}

/// Everything that must survive.
pub(crate) struct Store {
    log: Log,
    books: HashMap<AccountId, Arc<Book>>,
    /// Gateways that may claim; books of others are kept for what they hold.
    configured: HashSet<AccountId>,
    key: AttestationKey,
    provider: AccountId,
    genesis: H256,
    limits: Limits,
    grain: Grain,
    /// Where the log was pruned last.
    pruned_before: AtomicU64,
}

impl Store {
    /// Opens the store and reads what it holds. Blocks for as long as the disk takes.
    pub(crate) fn open(config: Config) -> Result<Store, OpenError> {
        Self::open_with(config, Grain::default())
    }

    fn open_with(config: Config, grain: Grain) -> Result<Store, OpenError> {
        identity::check(&config.data_dir, &config.provider, &config.genesis)?;
        let options = stipend_receipt_log::Options {
            record_bytes_max: RECORD_BYTES_MAX,
            segment_bytes_max: grain.segment_bytes_max,
            ..Default::default()
        };
        let (log, replay) = Log::open(config.data_dir.join("log"), options)?;
        let configured: HashSet<AccountId> =
            config.gateways.iter().map(|gateway| gateway.account.clone()).collect();
        let books = configured.iter().map(|account| (account.clone(), new_book(account))).collect();
        let mut store = Store {
            log,
            books,
            configured,
            key: config.key,
            provider: config.provider,
            genesis: config.genesis,
            limits: config.limits,
            grain,
            pruned_before: AtomicU64::new(0),
        };
        for entry in replay {
            let (position, bytes) = entry?;
            let record =
                Record::decode_all(&mut bytes.as_ref()).map_err(|_| OpenError::Record { position })?;
            store.take_in(position, record);
        }
        Ok(store)
    }

    fn take_in(&mut self, position: u64, record: Record) {
        match record {
            Record::Metered { gateway, digest, model, usage, at_ms } => {
                self.book_mut(&gateway)
                    .metered(digest, Metered { model, usage, at_ms, position, gpu: Share::UNKNOWN });
            }
            Record::Range { signed, leaves, at_ms } => {
                let gateway = signed.attestation.gateway.clone();
                self.book_mut(&gateway).insert(Range {
                    signed: *signed,
                    leaves: leaves.into(),
                    at_ms,
                    position,
                });
            }
            Record::Watermark { gateway, before } => self.book_mut(&gateway).forget_before(before),
        }
    }

    fn book_mut(&mut self, gateway: &AccountId) -> &Arc<Book> {
        self.books.entry(gateway.clone()).or_insert_with(|| new_book(gateway))
    }

    /// Begins a request of a configured gateway.
    pub(crate) fn begin(
        &self,
        gateway: &AccountId,
        digest: stipend_primitives::Digest,
    ) -> Result<Ticket, CannotBegin> {
        let book = self.books.get(gateway).ok_or(CannotBegin::Full)?;
        book.begin(digest, self.log.next_position(), self.limits.unclaimed_max)
    }

    /// Makes durable what a request used.
    pub(crate) async fn meter(
        &self,
        ticket: Ticket,
        model: ModelId,
        usage: Usage,
    ) -> Result<(), stipend_receipt_log::Error> {
        let at_ms = now_ms();
        let gateway = ticket.book.account.clone();
        let record = Record::Metered { gateway, digest: ticket.digest, model, usage, at_ms };
        let position = self.log.append(record.encode()).await?;
        let metered = Metered { model, usage, at_ms, position, gpu: Share::UNKNOWN };
        ticket.book.metered(ticket.digest, metered);
        Ok(())
    }

    /// The answer to a claim, if the range was claimed exactly so.
    pub(crate) fn range(
        &self,
        gateway: &AccountId,
        first_seq: Sequence,
        last_seq: Sequence,
    ) -> Option<Arc<Range>> {
        self.books.get(gateway)?.range(first_seq, last_seq)
    }

    /// Why nothing more can be metered; `None` while all is well.
    pub(crate) fn failure(&self) -> Option<stipend_receipt_log::Error> {
        self.log.failure()
    }

    /// Requests served or waiting to be claimed, ranges, and leaves in them.
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        self.books
            .values()
            .map(|book| book.sizes())
            .fold((0, 0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1, sum.2 + size.2))
    }
}

fn new_book(account: &AccountId) -> Arc<Book> {
    Arc::new(Book::new(account.clone()))
}

/// Unix time. A clock before 1970 reads as 1970: ages then are too large, and too much is forgotten
/// rather than too little.
pub(crate) fn now_ms() -> Moment {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Moment)
}
