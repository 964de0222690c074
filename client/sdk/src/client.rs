//! The client: a cheap handle on one chain, through one node.

use std::{sync::Arc, time::Duration};

use codec::{DecodeAll, Encode};
use jsonrpsee::rpc_params;
use sp_core::{Bytes, H256};
use sp_version::RuntimeVersion;
use stipend_primitives::{AccountId, BlockNumber};
use stipend_runtime::{Header, SessionKeys};

use crate::{
    connection::Connection, follow::Follower, nonces::Nonces, rpc_error::RpcError, snapshot::Snapshot,
};

/// A block by number and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct BlockRef {
    /// Height.
    pub number: BlockNumber,
    /// Hash of the header.
    pub hash: H256,
}

/// Session keys that a node made: the arguments of `session.set_keys`.
#[derive(Clone, Debug)]
pub struct NewSessionKeys {
    /// The public keys as bytes.
    pub public: Bytes,
    /// The public keys.
    pub keys: SessionKeys,
    /// That their node lets their owner publish them.
    pub proof: Vec<u8>,
}

/// A connection to a node, and with it to a chain. Clones share the connection.
///
/// The connection mends itself: a request that meets a broken one waits up to half a minute for a
/// new one, and streams go on where they were. The chain stays the same for the client's life; a
/// node that turns up on another chain is refused.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    /// Whether the newest block is good enough where otherwise a finalised one is waited for.
    pub(crate) without_finality: bool,
}

impl std::fmt::Debug for Client {
    // No address: it may carry credentials.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Client(genesis {:?})", self.genesis())
    }
}

pub(crate) struct Inner {
    pub(crate) connection: Connection,
    pub(crate) nonces: Nonces,
    pub(crate) follower: Follower,
}

impl Client {
    /// Connects to a node's RPC address, `ws://…` or `wss://…`.
    pub async fn connect(url: &str) -> Result<Self, RpcError> {
        Self::connect_within(url, Duration::ZERO).await
    }

    /// Connects, and keeps trying for `patience`: for services that start next to their node.
    pub async fn connect_within(url: &str, patience: Duration) -> Result<Self, RpcError> {
        let connection = Connection::open(url, patience).await?;
        let inner = Inner { connection, nonces: Nonces::default(), follower: Follower::default() };
        Ok(Client { inner: Arc::new(inner), without_finality: false })
    }

    /// The same connection for the day when nothing becomes final any more: transactions are waited for
    /// until the newest block's chain holds them, and [`Self::latest`] is the newest block. What it
    /// answers can still be undone.
    pub fn without_finality(&self) -> Client {
        Client { without_finality: true, ..self.clone() }
    }

    /// Hash of the chain's first block, part of everything that is signed.
    pub fn genesis(&self) -> H256 {
        self.inner.connection.genesis()
    }

    /// The version of the runtime at the newest block.
    pub async fn runtime_version(&self) -> Result<RuntimeVersion, RpcError> {
        self.inner.connection.request("state_getRuntimeVersion", rpc_params![]).await
    }

    /// The newest finalised block.
    pub async fn finalised_head(&self) -> Result<BlockRef, RpcError> {
        let hash: H256 = self.inner.connection.request("chain_getFinalizedHead", rpc_params![]).await?;
        Ok(BlockRef { number: self.header(hash).await?.number, hash })
    }

    /// The newest block, which may still be replaced by another.
    pub async fn best_head(&self) -> Result<BlockRef, RpcError> {
        let hash: H256 = self.inner.connection.request("chain_getBlockHash", rpc_params![]).await?;
        Ok(BlockRef { number: self.header(hash).await?.number, hash })
    }

    /// The newest block that this client relies on: the newest finalised one, unless it does
    /// [without finality](Self::without_finality).
    pub(crate) async fn head(&self) -> Result<BlockRef, RpcError> {
        if self.without_finality {
            self.best_head().await
        } else {
            self.finalised_head().await
        }
    }

    /// The hash of the block of a height, on the best chain.
    pub async fn block_hash(&self, number: BlockNumber) -> Result<H256, RpcError> {
        let hash: Option<H256> =
            self.inner.connection.request("chain_getBlockHash", rpc_params![number]).await?;
        hash.ok_or_else(|| RpcError::NoSuchBlock(number.to_string()))
    }

    /// A block's header.
    pub async fn header(&self, hash: H256) -> Result<Header, RpcError> {
        let header: Option<Header> =
            self.inner.connection.request("chain_getHeader", rpc_params![hash]).await?;
        header.ok_or_else(|| RpcError::NoSuchBlock(format!("{hash:?}")))
    }

    /// The ledger as of one block.
    pub fn at(&self, block_hash: H256) -> Snapshot {
        Snapshot::new(self.clone(), block_hash)
    }

    /// The ledger as of the newest finalised block.
    pub async fn finalised(&self) -> Result<Snapshot, RpcError> {
        let hash: H256 = self.inner.connection.request("chain_getFinalizedHead", rpc_params![]).await?;
        Ok(self.at(hash))
    }

    /// The ledger as of the newest block that this client relies on: the newest finalised one, unless it
    /// does [without finality](Self::without_finality).
    pub async fn latest(&self) -> Result<Snapshot, RpcError> {
        Ok(self.at(self.head().await?.hash))
    }

    /// Has the node make new session keys, with the proof that `owner` may publish them. Works only on
    /// a connection that the node trusts with unsafe methods, such as one from its own machine.
    pub async fn new_session_keys(&self, owner: &AccountId) -> Result<NewSessionKeys, RpcError> {
        const METHOD: &str = "author_rotateKeysWithOwner";
        #[derive(serde::Deserialize)]
        struct Made {
            keys: Bytes,
            proof: Option<Bytes>,
        }
        let params = rpc_params![Bytes(owner.encode())];
        let made: Made = self.inner.connection.request(METHOD, params).await?;
        let unreadable = |cause: String| RpcError::Unreadable { method: METHOD.into(), cause };
        let keys =
            SessionKeys::decode_all(&mut &made.keys[..]).map_err(|error| unreadable(error.to_string()))?;
        let proof = made.proof.ok_or_else(|| unreadable("the proof of ownership is missing".into()))?;
        Ok(NewSessionKeys { public: made.keys, keys, proof: proof.0 })
    }

    /// Calls a runtime API: `method` is `Trait_function`, `args` the tuple of its arguments, `at` the
    /// block (`None`: the newest, which may still be replaced).
    pub async fn runtime_api<R: DecodeAll>(
        &self,
        method: &str,
        args: impl Encode,
        at: Option<H256>,
    ) -> Result<R, RpcError> {
        let params = rpc_params![method, Bytes(args.encode()), at];
        let answer: Bytes = self.inner.connection.request("state_call", params).await?;
        R::decode_all(&mut &answer[..])
            .map_err(|error| RpcError::Unreadable { method: method.to_owned(), cause: error.to_string() })
    }
}
