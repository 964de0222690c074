//! What the rules remember of one wallet.

use crate::{
    finding::{Examples, Rule},
    rules::{Burst, Clockwork, Extraction, FanOut, Loops, Unread},
};

#[derive(Default)]
pub(crate) struct Wallet {
    /// Unix milliseconds of its first credits, or of the first request seen.
    pub(crate) since_ms: u64,
    pub(crate) fan_out: FanOut,
    pub(crate) loops: Loops,
    pub(crate) clockwork: Clockwork,
    pub(crate) unread: Unread,
    pub(crate) burst: Burst,
    pub(crate) extraction: Extraction,
    /// When each rule last said something.
    pub(crate) told_ms: [Option<u64>; Rule::ALL.len()],
}

impl Wallet {
    /// Bytes that it points to.
    pub(crate) fn bytes(&self) -> usize {
        self.fan_out.bytes()
            + self.loops.bytes()
            + self.clockwork.bytes()
            + self.unread.bytes()
            + self.burst.bytes()
            + self.extraction.bytes()
    }

    /// Bytes that it can point to.
    pub(crate) const BYTES_MAX: usize = 2 * Examples::BYTES_MAX
        + Loops::BYTES_MAX
        + Clockwork::BYTES_MAX
        + Unread::BYTES_MAX
        + Burst::BYTES_MAX;
}
