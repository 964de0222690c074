//! Finding the signatures that made a block final, at a node that may have several of them or none.

use std::{ops::Range, time::Duration};

use codec::DecodeAll;
use futures::{stream, Stream, StreamExt, TryStreamExt};
use jsonrpsee::rpc_params;
use sp_consensus_grandpa::{ConsensusLog, SetId, GRANDPA_ENGINE_ID};
use sp_core::{Bytes, Encode, H256};
use sp_runtime::{Digest, DigestItem, Justifications};
use stipend_primitives::BlockNumber;
use stipend_runtime::Header;
use tokio::time::{timeout_at, Instant};

use super::{unreadable, ProveError};
use crate::{
    client::Client,
    proof::finality::{self, Finality},
    rpc_error::RpcError,
};

/// Blocks from one justification that a node keeps to the next, or at most a few more. A node with
/// another figure costs questions, not a wrong proof.
pub(super) const JUSTIFICATION_PERIOD: BlockNumber = 512;

/// Headers that a proof leads over at most: two periods are about 300 kB.
pub(super) const HEADERS_MAX: BlockNumber = 2 * JUSTIFICATION_PERIOD;

/// Headers asked for at a time.
const HEADERS_AT_ONCE: usize = 32;

/// How long the next justification is waited for; they follow each other within seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What `grandpa_proveFinality` answers: the signed block, its justification, and the headers between
/// the block asked about and that one.
type NodesProof = (H256, Vec<u8>, Vec<Header>);

/// A justification, and the headers that lead to its block.
struct Signed {
    headers: Vec<Header>,
    justification: Vec<u8>,
}

impl Client {
    /// The signatures that make a finalised block final, and the headers up to the block they are for.
    pub(super) async fn finality(&self, header: &Header) -> Result<Finality, ProveError> {
        let head = self.finalised_head().await?;
        let signed = if head.number.saturating_sub(header.number) > JUSTIFICATION_PERIOD {
            // The newest justification would lead over all headers since, which may be millions.
            self.kept_justification(header).await?
        } else {
            match self.newest_justification(header).await? {
                Some(signed) => signed,
                None => self.coming_justification(header).await?,
            }
        };
        let justification = finality::justification(&signed.justification)
            .map_err(|error| unreadable("the question for a justification", error))?;
        let newest: SetId = self.finalised().await?.runtime_api("GrandpaApi_current_set_id", ()).await?;
        let set_id = finality::signed_under(&justification, newest)
            .ok_or_else(|| unreadable("the question for a justification", "nobody signed it"))?;
        let headers = signed.headers.into_iter().map(|header| header.encode().into()).collect();
        Ok(Finality { set_id, headers, justification: signed.justification.into() })
    }

    /// The newest justification that a node has. It has none for a block if it learned what is final from
    /// others, and it refuses to look for one until the validators have changed for the first time.
    async fn newest_justification(&self, header: &Header) -> Result<Option<Signed>, RpcError> {
        const METHOD: &str = "grandpa_proveFinality";
        let answer: Option<Bytes> =
            match self.inner.connection.request(METHOD, rpc_params![header.number]).await {
                Err(RpcError::Call { .. }) => None,
                answer => answer?,
            };
        let Some(answer) = answer else { return Ok(None) };
        let (block, justification, headers) =
            NodesProof::decode_all(&mut &answer[..]).map_err(|error| unreadable(METHOD, error))?;
        let leads_there = headers.last().unwrap_or(header).hash() == block;
        Ok(leads_there.then_some(Signed { headers, justification }))
    }

    /// The next justification that the validators make.
    async fn coming_justification(&self, header: &Header) -> Result<Signed, ProveError> {
        const METHOD: &str = "grandpa_subscribeJustifications";
        let deadline = Instant::now() + PATIENCE;
        let mut made = self
            .inner
            .connection
            .subscribe::<Bytes, _>(METHOD, rpc_params![], "grandpa_unsubscribeJustifications")
            .await?;
        while let Ok(Some(Ok(justification))) = timeout_at(deadline, made.next()).await {
            let read = finality::justification(&justification).map_err(|error| unreadable(METHOD, error))?;
            if read.commit.target_number < header.number {
                continue;
            }
            let above = header.number.saturating_add(1)..read.commit.target_number.saturating_add(1);
            let headers: Vec<Header> =
                self.headers(above).await?.map_ok(|(_, header)| header).try_collect().await?;
            if headers.last().unwrap_or(header).hash() == read.commit.target_hash {
                return Ok(Signed { headers, justification: justification.0 });
            }
        }
        Err(ProveError::NothingSigned(header.number))
    }

    /// The next justification that a node keeps with its blocks, of this block or of one above it.
    async fn kept_justification(&self, header: &Header) -> Result<Signed, ProveError> {
        let numbers = header.number..header.number.saturating_add(HEADERS_MAX);
        let mut found = std::pin::pin!(self.headers(numbers).await?);
        let (mut headers, mut is_due) = (Vec::new(), false);
        while let Some((hash, next)) = found.try_next().await? {
            is_due |= next.number.is_multiple_of(JUSTIFICATION_PERIOD);
            let may_have_one = is_due || changes_set(&next.digest);
            if next.number > header.number {
                headers.push(next);
            }
            if may_have_one {
                if let Some(justification) = self.justification_of(hash).await? {
                    return Ok(Signed { headers, justification });
                }
            }
        }
        Err(ProveError::NotJustified(header.number))
    }

    /// Headers of the best chain with their hashes, in order.
    async fn headers(
        &self,
        numbers: Range<BlockNumber>,
    ) -> Result<impl Stream<Item = Result<(H256, Header), RpcError>> + '_, RpcError> {
        let numbers: Vec<BlockNumber> = numbers.collect();
        let params = rpc_params![&numbers];
        let hashes: Vec<Option<H256>> = self.inner.connection.request("chain_getBlockHash", params).await?;
        Ok(stream::iter(hashes.into_iter().flatten())
            .map(move |hash| async move { Ok((hash, self.header(hash).await?)) })
            .buffered(HEADERS_AT_ONCE))
    }

    /// The justification that a node keeps with a block.
    async fn justification_of(&self, hash: H256) -> Result<Option<Vec<u8>>, RpcError> {
        #[derive(serde::Deserialize)]
        struct SignedBlock {
            justifications: Option<Justifications>,
        }
        let params = rpc_params![hash];
        let block: Option<SignedBlock> = self.inner.connection.request("chain_getBlock", params).await?;
        Ok(block.and_then(|block| block.justifications?.into_justification(GRANDPA_ENGINE_ID)))
    }
}

/// Whether the validators change with a block: of such a block every node keeps the justification.
fn changes_set(digest: &Digest) -> bool {
    digest.logs().iter().any(|item| {
        let DigestItem::Consensus(GRANDPA_ENGINE_ID, log) = item else { return false };
        matches!(ConsensusLog::decode_all(&mut &log[..]), Ok(ConsensusLog::<BlockNumber>::ScheduledChange(_)))
    })
}
