//! Sending calls, and waiting until they can never be undone.
//!
//! Whether a signed transaction got in is read off the account's nonce in each finalised block: the
//! block in which the nonce passes the transaction's holds it, or another one that took its place.
//! That needs no subscription of its own, so it survives lost connections and nodes that restart; a
//! transaction that a restarting node forgot is sent again.

use std::time::Duration;

use frame_system::{EventRecord, Phase};
use futures::StreamExt;
use jsonrpsee::rpc_params;
use serde::{Deserialize, Serialize};
use sp_core::{Bytes, H256};
use sp_runtime::traits::{BlakeTwo256, Hash};
use stipend_primitives::{AccountId, BlockNumber};
use stipend_runtime::{RuntimeCall, RuntimeEvent, VERSION};
use tokio::time::{sleep, Instant};

use crate::{
    client::{BlockRef, Client},
    dispatch::DispatchFailure,
    extrinsic::{self, Binding},
    nonces::LastUsed,
    pool::{self, PoolRefusal, Pushed},
    rpc_error::RpcError,
    signer::Signer,
};

/// Finalised blocks after which a transaction that is still missing is sent again.
pub(crate) const RESEND_BLOCKS: BlockNumber = 8;

/// Times that a transaction gets a new nonce because another program signs for the account too.
const NONCE_ATTEMPTS: u32 = 5;

/// Why a call was not carried out.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SubmitError {
    /// The node could not be asked. A call that was being waited for may still happen.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The node did not take the transaction.
    #[error(transparent)]
    Refused(#[from] PoolRefusal),
    /// The call was carried out and failed: nothing of it happened.
    #[error("the call failed in block {}: {failure}", .at.number)]
    Failed {
        /// Which error of which pallet.
        failure: DispatchFailure,
        /// The finalised block that shows it.
        at: BlockRef,
    },
    /// The transaction's time is over and no finalised block holds it: it will never happen.
    #[error("no block took the transaction up to block {last_block}, so it will never happen; the chain is overloaded or stopped finalising blocks: look at the node, then send it again")]
    Expired {
        /// Last block that could have taken it.
        last_block: BlockNumber,
    },
    /// Another transaction of the account took its place: it will never happen.
    #[error("another transaction with number {nonce} of this account was carried out in block {} instead, so this one will never happen; do not use one key in two programs at once, and send it again", .at.number)]
    Replaced {
        /// The number that both had.
        nonce: u32,
        /// The block that holds the other.
        at: BlockRef,
    },
    /// The block that holds the transaction is so old that the node forgot what came of it.
    #[error("block {} holds the transaction, but the node forgot what came of it ({cause}); ask an archive node, or look at what the call should have changed", .at.number)]
    OutcomeForgotten {
        /// The block that holds the transaction.
        at: BlockRef,
        /// What the node said.
        cause: String,
    },
    /// Client and chain do not speak the same transactions.
    #[error("this client writes transactions of {} version {}, the chain reads {chain} version {version}; install the client that belongs to the chain", VERSION.spec_name, VERSION.transaction_version)]
    Version {
        /// Name of the chain's runtime.
        chain: String,
        /// Version of its transactions.
        version: u32,
    },
}

impl SubmitError {
    /// The pallet's error, if the call was carried out and failed.
    pub fn failure(&self) -> Option<&DispatchFailure> {
        match self {
            SubmitError::Failed { failure, .. } => Some(failure),
            _ => None,
        }
    }
}

/// A call that was carried out and can never be undone (unless the client does
/// [without finality](Client::without_finality)).
#[derive(Clone, Debug)]
pub struct Finalised {
    /// Hash of the block.
    pub block_hash: H256,
    /// Height of the block.
    pub block_number: BlockNumber,
    /// Hash of the transaction.
    pub extrinsic_hash: H256,
    /// What the call said while it was carried out, in order.
    pub events: Vec<RuntimeEvent>,
}

/// A signed transaction that was not sent yet.
///
/// A program that must not do a thing twice records it first and sends it then: after a crash,
/// [`Client::outcome`] of the record tells what became of it, and sends it if it is still time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// Hash of the transaction.
    pub hash: H256,
    /// Who signed.
    pub account: AccountId,
    /// The transaction's number among its account's.
    pub nonce: u32,
    /// Only blocks after this one can hold it.
    pub birth: BlockNumber,
    /// Only blocks before this one can hold it.
    pub death: BlockNumber,
    /// The transaction.
    pub bytes: Bytes,
}

impl Client {
    /// Signs a call and hands it to the node; returns the transaction's hash once the pool has it.
    ///
    /// Calls of one signer through one client never get in each other's way.
    pub async fn submit(&self, call: RuntimeCall, signer: &Signer) -> Result<H256, SubmitError> {
        Ok(self.send_new(call, signer).await?.hash)
    }

    /// Signs a call, hands it to the node, and waits until a finalised block holds it.
    pub async fn submit_finalised(
        &self,
        call: RuntimeCall,
        signer: &Signer,
    ) -> Result<Finalised, SubmitError> {
        let sent = self.send_new(call, signer).await?;
        self.watch(&sent).await
    }

    /// Signs a call without sending it. It takes the signer's next number, so send it soon, and
    /// before anything that is prepared later.
    pub async fn prepare(&self, call: RuntimeCall, signer: &Signer) -> Result<Prepared, SubmitError> {
        let turn = self.inner.nonces.of(&signer.account());
        let mut last = turn.lock().await;
        let prepared = self.sign(call, signer, &last).await?;
        last.set(prepared.nonce);
        Ok(prepared)
    }

    /// Hands a prepared transaction to the node. Doing so again is harmless.
    pub async fn send(&self, prepared: &Prepared) -> Result<H256, SubmitError> {
        self.push(&prepared.bytes).await
    }

    /// Sends a prepared transaction if it is still time, and waits for what becomes of it. Works any
    /// time later, too: blocks do not forget the transactions that they hold.
    pub async fn outcome(&self, prepared: &Prepared) -> Result<Finalised, SubmitError> {
        if self.finalised_head().await?.number < prepared.death {
            if let Err(error) = self.push(&prepared.bytes).await {
                tracing::debug!(%error, "the node did not take the transaction; it may hold it already");
            }
        }
        self.watch(prepared).await
    }

    /// Signs a call and hands it to the node; what was signed can be watched.
    pub(crate) async fn send_new(&self, call: RuntimeCall, signer: &Signer) -> Result<Prepared, SubmitError> {
        let turn = self.inner.nonces.of(&signer.account());
        let mut last = turn.lock().await;
        let mut attempt = 1;
        loop {
            let prepared = self.sign(call.clone(), signer, &last).await?;
            match self.push(&prepared.bytes).await {
                Ok(_) => {
                    last.set(prepared.nonce);
                    return Ok(prepared);
                }
                Err(SubmitError::Refused(PoolRefusal::NonceTaken | PoolRefusal::Stale))
                    if attempt < NONCE_ATTEMPTS =>
                {
                    last.forget();
                    sleep(Duration::from_millis(100) * attempt).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn sign(
        &self,
        call: RuntimeCall,
        signer: &Signer,
        last: &LastUsed,
    ) -> Result<Prepared, SubmitError> {
        let account = signer.account();
        let (version, birth, next) = tokio::try_join!(
            self.runtime_version(),
            self.head(),
            self.inner.connection.request::<u32, _>("system_accountNextIndex", rpc_params![&account]),
        )?;
        if version.spec_name != VERSION.spec_name
            || version.transaction_version != VERSION.transaction_version
        {
            let chain = version.spec_name.to_string();
            return Err(SubmitError::Version { chain, version: version.transaction_version });
        }
        let binding = Binding {
            genesis: self.genesis(),
            spec_version: version.spec_version,
            transaction_version: version.transaction_version,
            nonce: last.after(next, Instant::now()),
            birth,
        };
        let bytes = Bytes(extrinsic::signed(call, signer, &binding));
        Ok(Prepared {
            hash: BlakeTwo256::hash(&bytes[..]),
            account,
            nonce: binding.nonce,
            birth: birth.number,
            death: binding.death(),
            bytes,
        })
    }

    /// Hands bytes to the pool; a transaction that is there already is as good as a new one.
    pub(crate) async fn push(&self, bytes: &Bytes) -> Result<H256, SubmitError> {
        let answer: Result<H256, RpcError> =
            self.inner.connection.request("author_submitExtrinsic", rpc_params![bytes]).await;
        match answer.map_err(pool::read) {
            Ok(hash) => Ok(hash),
            Err(Pushed::AlreadyThere) => Ok(BlakeTwo256::hash(&bytes[..])),
            Err(Pushed::Refused(refusal)) => Err(refusal.into()),
            Err(Pushed::Failed(error)) => Err(error.into()),
        }
    }

    /// Waits for the block that decides a transaction.
    pub(crate) async fn watch(&self, sent: &Prepared) -> Result<Finalised, SubmitError> {
        if self.without_finality {
            return self.watch_newest(sent).await;
        }
        let mut blocks = self.finalised_blocks_after(sent.birth);
        while let Some(block) = blocks.next().await {
            let block = block?;
            if block.number >= sent.death {
                break;
            }
            let decided = match self.at(block.hash).nonce(&sent.account).await {
                Ok(nonce) => nonce > sent.nonce,
                // The node has forgotten the state of so old a block, but not what is in it.
                Err(RpcError::Call { .. }) => self.index_in(block.hash, sent.hash).await?.is_some(),
                Err(error) => return Err(error.into()),
            };
            if decided {
                return self.outcome_in(block, sent).await;
            }
            if (block.number - sent.birth).is_multiple_of(RESEND_BLOCKS) {
                if let Err(error) = self.push(&sent.bytes).await {
                    tracing::debug!(%error, "sent the transaction again, in vain");
                }
            }
        }
        Err(SubmitError::Expired { last_block: sent.death.saturating_sub(1) })
    }

    pub(crate) async fn outcome_in(&self, at: BlockRef, sent: &Prepared) -> Result<Finalised, SubmitError> {
        let Some(index) = self.index_in(at.hash, sent.hash).await? else {
            return Err(SubmitError::Replaced { nonce: sent.nonce, at });
        };
        let records = match self.at(at.hash).event_records().await {
            Err(error @ RpcError::Call { .. }) => {
                return Err(SubmitError::OutcomeForgotten { at, cause: error.to_string() })
            }
            records => records?,
        };
        let events = events_of(records, index);
        for event in &events {
            if let RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { dispatch_error, .. }) = event {
                return Err(SubmitError::Failed { failure: (*dispatch_error).into(), at });
            }
        }
        Ok(Finalised { block_hash: at.hash, block_number: at.number, extrinsic_hash: sent.hash, events })
    }

    /// Where in a block a transaction is.
    pub(crate) async fn index_in(&self, block: H256, transaction: H256) -> Result<Option<usize>, RpcError> {
        let body = self.block_body(block).await?;
        Ok(body.iter().position(|bytes| BlakeTwo256::hash(&bytes[..]) == transaction))
    }

    /// The encoded transactions of a block, in order.
    pub async fn block_body(&self, hash: H256) -> Result<Vec<Bytes>, RpcError> {
        #[derive(Deserialize)]
        struct Block {
            extrinsics: Vec<Bytes>,
        }
        #[derive(Deserialize)]
        struct SignedBlock {
            block: Block,
        }
        let block: Option<SignedBlock> =
            self.inner.connection.request("chain_getBlock", rpc_params![hash]).await?;
        block.map(|block| block.block.extrinsics).ok_or_else(|| RpcError::NoSuchBlock(format!("{hash:?}")))
    }
}

fn events_of(records: Vec<EventRecord<RuntimeEvent, H256>>, index: usize) -> Vec<RuntimeEvent> {
    let phase = u32::try_from(index).map_or(Phase::Finalization, Phase::ApplyExtrinsic);
    records.into_iter().filter(|record| record.phase == phase).map(|record| record.event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_transactions_own_events_are_its_events() {
        let event = || {
            let account = AccountId::new([1; 32]);
            RuntimeEvent::System(frame_system::Event::NewAccount { account })
        };
        let record = |phase| EventRecord { phase, event: event(), topics: vec![] };
        let records = vec![
            record(Phase::Initialization),
            record(Phase::ApplyExtrinsic(1)),
            record(Phase::ApplyExtrinsic(2)),
            record(Phase::ApplyExtrinsic(2)),
            record(Phase::Finalization),
        ];
        assert_eq!(events_of(records, 2).len(), 2);
    }
}
