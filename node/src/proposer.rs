//! When a validator stops filling its block.
//!
//! The SDK stops taking transactions at 90 % of the time that a proposal may take, and throws the
//! block away if it is not ready at 100 %. What comes after the last transaction, the state root
//! over ten thousand wallets above all, takes longer than a tenth of a one-second slot. So the two
//! limits are set apart here: a block is filled for a part of the slot and may then use the rest of
//! it to become ready.

use std::time::Duration;

use futures::{future::BoxFuture, FutureExt, TryFutureExt};
use sp_consensus::{Environment, Proposal, ProposeArgs, Proposer};
use sp_runtime::traits::Block as BlockT;

/// Part of the slot after which an unfinished block is given up: the next slot's validator has no
/// use for it any more.
pub const GIVE_UP_AFTER: f32 = 0.95;

/// Makes proposers that fill their block for a fixed time at most.
pub struct FillFor<Inner> {
    inner: Inner,
    time: Duration,
}

impl<Inner> FillFor<Inner> {
    /// Fills blocks for `percent` of a slot.
    pub fn new(inner: Inner, slot: Duration, percent: u8) -> Self {
        FillFor { inner, time: slot * u32::from(percent) / 100 }
    }
}

impl<Block: BlockT, Inner: Environment<Block>> Environment<Block> for FillFor<Inner> {
    type Proposer = FillFor<Inner::Proposer>;
    type CreateProposer = BoxFuture<'static, Result<Self::Proposer, Self::Error>>;
    type Error = Inner::Error;

    fn init(&mut self, parent_header: &Block::Header) -> Self::CreateProposer {
        let time = self.time;
        self.inner.init(parent_header).map_ok(move |inner| FillFor { inner, time }).boxed()
    }
}

impl<Block: BlockT, Inner: Proposer<Block>> Proposer<Block> for FillFor<Inner> {
    type Error = Inner::Error;
    type Proposal = BoxFuture<'static, Result<Proposal<Block>, Self::Error>>;

    fn propose(self, mut args: ProposeArgs<Block>) -> Self::Proposal {
        args.max_duration = fill_limit(self.time, args.max_duration);
        self.inner.propose(args).boxed()
    }
}

/// The duration to hand on: the SDK's proposer keeps a tenth of it back.
fn fill_limit(time: Duration, max_duration: Duration) -> Duration {
    max_duration.min(time * 10 / 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn filling_stops_after_its_part_of_the_slot() {
        let handed_on = fill_limit(450 * MS, 930 * MS);
        assert_eq!(handed_on, 500 * MS);
        assert_eq!(handed_on - handed_on / 10, 450 * MS);
    }

    #[test]
    fn filling_never_outlasts_what_is_left_of_the_slot() {
        assert_eq!(fill_limit(450 * MS, 120 * MS), 120 * MS);
    }
}
