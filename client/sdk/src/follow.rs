//! Finalised blocks, each once and in order, whatever happens to the connection.
//!
//! One subscription per client learns the newest finalised head; every stream fetches for itself
//! the hashes between what it has shown and that head. A finalised height never changes its hash,
//! so nothing that a lost connection swallowed is missed.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::{stream, stream::BoxStream, StreamExt};
use jsonrpsee::rpc_params;
use stipend_primitives::BlockNumber;
use stipend_runtime::Header;
use tokio::{sync::watch, time::sleep};

use crate::{
    client::{BlockRef, Client, Inner},
    rpc_error::RpcError,
};

/// Pause after a node that could not be reached at all.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Pause before a subscription that ended is made anew, so that a node which closes it at once is
/// not asked in a loop.
const RESUBSCRIBE_PAUSE: Duration = Duration::from_millis(100);

/// What is known of the newest finalised head.
type Head = Option<Result<BlockRef, RpcError>>;

/// The newest finalised head, once somebody asked for it.
#[derive(Default)]
pub(crate) struct Follower(OnceLock<watch::Receiver<Head>>);

impl Client {
    /// Every finalised block from the newest one now, in order and without a gap.
    ///
    /// The stream waits through lost connections. It ends after an error, and errs only if going on
    /// would be wrong: the node is on another chain, or lacks blocks that it finalised.
    pub fn finalised_blocks(&self) -> BoxStream<'static, Result<BlockRef, RpcError>> {
        self.follow(None)
    }

    /// Every finalised block after `number`, in order and without a gap; see
    /// [`Client::finalised_blocks`].
    pub fn finalised_blocks_after(
        &self,
        number: BlockNumber,
    ) -> BoxStream<'static, Result<BlockRef, RpcError>> {
        self.follow(number.checked_add(1))
    }

    fn follow(&self, first: Option<BlockNumber>) -> BoxStream<'static, Result<BlockRef, RpcError>> {
        let cursor = Cursor { heads: self.heads(), client: self.clone(), next: first };
        stream::unfold(Some(cursor), |cursor| async move {
            let mut cursor = cursor?;
            match cursor.advance().await {
                Ok(block) => Some((Ok(block), Some(cursor))),
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }

    fn heads(&self) -> watch::Receiver<Head> {
        let follower = &self.inner.follower.0;
        follower
            .get_or_init(|| {
                let (sender, receiver) = watch::channel(None);
                tokio::spawn(watch_heads(Arc::downgrade(&self.inner), sender));
                receiver
            })
            .clone()
    }
}

struct Cursor {
    client: Client,
    heads: watch::Receiver<Head>,
    next: Option<BlockNumber>,
}

impl Cursor {
    async fn advance(&mut self) -> Result<BlockRef, RpcError> {
        let next = self.next;
        let reached = |head: &Head| match head {
            Some(Ok(head)) => next.is_none_or(|next| head.number >= next),
            Some(Err(_)) => true,
            None => false,
        };
        let head = self.heads.wait_for(reached).await.map(|head| head.clone());
        let head = match head {
            Ok(Some(head)) => head?,
            // The task that sends heads lives as long as the client that the cursor holds, and
            // `reached` is never true of `None`.
            Ok(None) | Err(_) => return Err(RpcError::NoSuchBlock("after the last one".into())),
        };
        let block = match next {
            Some(number) if number < head.number => {
                BlockRef { number, hash: self.hash_in_the_end(number).await? }
            }
            _ => head,
        };
        self.next = block.number.checked_add(1);
        Ok(block)
    }

    async fn hash_in_the_end(&self, number: BlockNumber) -> Result<sp_core::H256, RpcError> {
        loop {
            match self.client.block_hash(number).await {
                Err(error) if error.is_transient() => sleep(RETRY_PAUSE).await,
                answer => return answer,
            }
        }
    }
}

/// Keeps `sender` at the newest finalised head until the last client is dropped.
async fn watch_heads(client: std::sync::Weak<Inner>, sender: watch::Sender<Head>) {
    while let Some(inner) = client.upgrade() {
        let subscription = inner
            .connection
            .subscribe::<Header, _>(
                "chain_subscribeFinalizedHeads",
                rpc_params![],
                "chain_unsubscribeFinalizedHeads",
            )
            .await;
        drop(inner);
        match subscription {
            Ok(mut heads) => {
                while let Some(Ok(header)) = heads.next().await {
                    raise(&sender, BlockRef { number: header.number, hash: header.hash() });
                }
                sleep(RESUBSCRIBE_PAUSE).await;
            }
            Err(error @ RpcError::OtherChain { .. }) => {
                sender.send_replace(Some(Err(error)));
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "waiting for the node");
                sleep(RETRY_PAUSE).await;
            }
        }
    }
}

/// A node that comes back may be behind for a while: what was finalised stays the newest.
fn raise(sender: &watch::Sender<Head>, found: BlockRef) {
    sender.send_if_modified(|head| {
        let newer = !matches!(head, Some(Ok(known)) if known.number >= found.number);
        if newer {
            *head = Some(Ok(found));
        }
        newer
    });
}
