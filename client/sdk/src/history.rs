//! The chain as of a moment: what needs a node that keeps old state.

use stipend_primitives::{BlockNumber, Moment};

use crate::{
    client::{BlockRef, Client},
    rpc_error::RpcError,
    snapshot::Snapshot,
};

impl Snapshot {
    /// The block's time (Unix time, ms); 0 in the first block, which has none.
    pub async fn time(&self) -> Result<Moment, RpcError> {
        Ok(self.storage("Timestamp", "Now").await?.unwrap_or_default())
    }
}

impl Client {
    /// The newest finalised block whose time is before `moment`; the chain's first block if there is none.
    ///
    /// Asks for the state of about twenty blocks around it, so for a moment that is further back than the
    /// node remembers (a few hundred blocks, unless it is an archive) this is an error.
    pub async fn last_block_before(&self, moment: Moment) -> Result<BlockRef, RpcError> {
        let head = self.finalised_head().await?;
        if self.at(head.hash).time().await? < moment {
            return Ok(head);
        }
        // Doubling steps back first: a node without an archive answers for what is near its head.
        let (mut after, mut step): (BlockNumber, BlockNumber) = (head.number, 1);
        let mut before = loop {
            let number = after.saturating_sub(step);
            if number == 0 || self.time_of(number).await? < moment {
                break number;
            }
            (after, step) = (number, step.saturating_mul(2));
        };
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            if self.time_of(middle).await? < moment {
                before = middle;
            } else {
                after = middle;
            }
        }
        Ok(BlockRef { number: before, hash: self.block_hash(before).await? })
    }

    async fn time_of(&self, number: BlockNumber) -> Result<Moment, RpcError> {
        self.at(self.block_hash(number).await?).time().await
    }
}
