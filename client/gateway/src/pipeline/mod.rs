//! From durable receipts to finalised batches.
//!
//! ```text
//! receipt log ─▶ batcher ─▶ journal (which receipts form which batch) ─▶ work ─▶ submitter ─▶ chain
//!                                                                          └───▶ claims ───▶ attestors
//! ```
//! Nothing leaves the gateway before the log or the journal has it, and what they have is enough to
//! do the same again, to the byte.

pub(crate) mod batcher;
pub(crate) mod claims;
pub(crate) mod compose;
pub(crate) mod journal;
pub(crate) mod reline;
pub(crate) mod submit;
pub(crate) mod work;
