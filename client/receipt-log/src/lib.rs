//! A durable append-only log with group commit.
//!
//! Records that many tasks append at the same time are written together and made durable by one
//! `fdatasync`: under load a disk that syncs a hundred times a second still takes tens of thousands
//! of records a second, and an idle log makes a lone record durable at once.
//!
//! ```no_run
//! # async fn example() -> Result<(), stipend_receipt_log::Error> {
//! use stipend_receipt_log::{Log, Options};
//!
//! let (log, replay) = Log::open("receipts", Options::default())?;
//! for entry in replay {
//!     let (position, record) = entry?;
//!     println!("{position}: {} bytes", record.len());
//! }
//! let position = log.append("a record").await?; // resolves when it is on the disk
//! log.prune_before(position).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What holds, whatever crashes:
//!
//! 1. A record whose [`Log::append`] has resolved is there after every later [`Log::open`], at the
//!    same position, until it is pruned.
//! 2. Positions count up by one from [`Options::first_position`]: no hole, no repeat.
//! 3. Only what was never acknowledged can be torn. A torn tail is cut off with a warning; every
//!    other damage is an [`Error::Corrupt`] and the log does not open.
//! 4. After a failed write the log takes no further record ([`Error::Failed`]): what a disk did with
//!    a write that it reported as failed is only known when the log is opened again.

mod error;
mod log;
mod lookup;
mod recover;
mod replay;
mod segment;
mod writer;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use log::{Log, Options};
pub use replay::Replay;
