//! Lists of grants: one reading, one set of checks and one cut into calls, for everything that grants to
//! many.
//!
//! A list is a CSV file, or is made of a plan. It is checked whole, by itself ([`read`]) and against the
//! chain ([`Ledger::faults`], [`forbidden`]), before anything of it is sent: either every row is in order, or every fault
//! is named with its place. Then it is cut into [chunks](chunks()) that the chain carries out wholly or not at
//! all.

mod check;
mod chunks;
mod fault;
mod ledger;
mod policies;
mod rows;

pub use check::over;
pub use chunks::{call, chunks, lines_max};
pub use fault::{ranges, Fault};
pub use ledger::{Held, Ledger};
pub use policies::forbidden;
pub use rows::{read, ReadAccount, Row, COLUMNS};
