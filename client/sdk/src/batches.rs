//! Carrying batches of receipts to the chain.
//!
//! A batch authorises itself by its gateway's signature and its place in the sequence, so it has no
//! nonce: that the chain has it shows in the gateway's next sequence number.

use futures::StreamExt;
use sp_core::{Bytes, H256};
use stipend_primitives::batch::SignedBatch;
use stipend_runtime::RuntimeCall;

use crate::{
    client::{BlockRef, Client},
    extrinsic,
    pool::PoolRefusal,
    rpc_error::RpcError,
    submit::{SubmitError, RESEND_BLOCKS},
};

impl Client {
    /// Hands a batch to the node; returns the transaction's hash once the pool has it. Handing in
    /// the same batch again is harmless.
    pub async fn submit_batch(&self, signed: SignedBatch) -> Result<H256, SubmitError> {
        self.push(&transaction(signed)).await
    }

    /// Hands a batch to the node and waits until a finalised block shows it; returns that block. A
    /// batch that is on the chain already is not sent. Waits as long as it takes.
    pub async fn submit_batch_finalised(&self, signed: SignedBatch) -> Result<BlockRef, SubmitError> {
        let (gateway, last_seq) = (signed.batch.gateway.clone(), signed.batch.last_seq());
        let head = self.finalised_head().await?;
        if self.at(head.hash).next_seq(&gateway).await? > last_seq {
            return Ok(head);
        }
        let bytes = transaction(signed);
        self.push(&bytes).await?;
        let mut blocks = self.finalised_blocks_after(head.number);
        while let Some(block) = blocks.next().await {
            let block = block?;
            if self.at(block.hash).next_seq(&gateway).await? > last_seq {
                return Ok(block);
            }
            if (block.number - head.number).is_multiple_of(RESEND_BLOCKS) {
                match self.push(&bytes).await {
                    // A block that is not finalised yet has it, or the node is away for a while.
                    Ok(_)
                    | Err(SubmitError::Rpc(_))
                    | Err(SubmitError::Refused(PoolRefusal::Banned | PoolRefusal::Stale)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Err(RpcError::NoSuchBlock("after the last one".into()).into())
    }
}

fn transaction(signed: SignedBatch) -> Bytes {
    let call = pallet_receipts::Call::submit_batch { signed: Box::new(signed) };
    Bytes(extrinsic::authorized(RuntimeCall::Receipts(call)))
}
