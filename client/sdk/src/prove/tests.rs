#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicU32, Ordering},
        Arc,
    },
};

use jsonrpsee::{
    server::{Server, ServerHandle},
    types::ErrorObjectOwned,
    RpcModule, SubscriptionMessage,
};
use serde_json::{json, Value};
use sp_consensus_grandpa::{ConsensusLog, ScheduledChange, GRANDPA_ENGINE_ID};
use sp_core::H256;
use sp_runtime::{traits::Header as _, DigestItem, Justifications};
use stipend_runtime::Header;

use super::{justification::JUSTIFICATION_PERIOD, *};
use crate::proof::tests::made_up::{above, justification, set, votes};

/// The set that signs everything; the chain has had others since.
const SET_ID: SetId = 3;
const NEWEST_SET_ID: SetId = 6;

/// The chain's height: all of it is final.
const HEIGHT: u32 = 1_800;

/// What a node answers when it is asked for its newest justification.
#[derive(Clone, Copy)]
enum Newest {
    /// That of its newest block.
    OfHead,
    /// One of an older block than it was asked about.
    TooOld,
    /// None: it knows of none.
    Unknown,
    /// That it cannot tell: the validators have never changed.
    Refused,
}

/// A stand-in for a node with a chain of [`HEIGHT`] blocks.
struct Node {
    chain: Vec<Header>,
    hashes: Vec<H256>,
    /// The justifications that it keeps.
    kept: BTreeMap<u32, Bytes>,
    newest: Newest,
    /// Blocks that it was asked to hand out whole.
    whole_blocks: AtomicU32,
}

impl Node {
    /// With justifications of the blocks named kept; the validators change with block `change`.
    fn new(kept: &[u32], change: Option<u32>) -> Self {
        let first = Header::new(0, H256::zero(), H256::zero(), H256::zero(), Default::default());
        let mut chain = vec![first.clone()];
        match change {
            None => chain.extend(above(&first, HEIGHT)),
            Some(number) => {
                chain.extend(above(&first, number));
                let mut changing = chain.pop().unwrap();
                changing.digest.push(change_of_set());
                chain.extend([changing.clone()]);
                chain.extend(above(&changing, HEIGHT - number));
            }
        }
        let kept = kept.iter().map(|number| (*number, signed(&chain, *number))).collect();
        let hashes = chain.iter().map(Header::hash).collect();
        Node { chain, hashes, kept, newest: Newest::OfHead, whole_blocks: AtomicU32::new(0) }
    }

    fn by_hash(&self, hash: H256) -> Option<&Header> {
        self.chain.get(self.hashes.iter().position(|known| *known == hash)?)
    }

    /// `chain_getBlock`, where the block is a word instead of megabytes.
    fn block(&self, hash: H256) -> Option<Value> {
        self.whole_blocks.fetch_add(1, Ordering::SeqCst);
        let kept = self.kept.get(&self.by_hash(hash)?.number);
        let justifications = kept.map(|bytes| Justifications::from((GRANDPA_ENGINE_ID, bytes.to_vec())));
        Some(json!({ "block": "of no interest", "justifications": justifications }))
    }

    /// `grandpa_proveFinality`.
    fn prove_finality(&self, number: u32) -> Result<Option<Bytes>, ErrorObjectOwned> {
        let above = |top: u32| self.chain[number as usize + 1..].iter().take((top - number) as usize);
        let (top, headers): (u32, Vec<&Header>) = match self.newest {
            Newest::OfHead => (HEIGHT, above(HEIGHT).collect()),
            Newest::TooOld => (number - 1, vec![]),
            Newest::Unknown => return Ok(None),
            Newest::Refused => return Err(ErrorObjectOwned::owned(1, "not covered", None::<()>)),
        };
        Ok(Some((self.hashes[top as usize], signed(&self.chain, top).0, headers).encode().into()))
    }

    /// Serves the chain on a free port.
    async fn serve(self) -> (Client, Arc<Self>, ServerHandle) {
        let node = Arc::new(self);
        let server = Server::builder().max_response_body_size(64 << 20).build("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", server.local_addr().unwrap());
        let handle = server.start(node.clone().module());
        (Client::connect(&url).await.unwrap(), node, handle)
    }

    fn module(self: Arc<Self>) -> RpcModule<Arc<Self>> {
        let mut module = RpcModule::new(self);
        let hash_of = |node: &Node, number: u32| node.hashes.get(number as usize).copied();
        module
            .register_method("chain_getBlockHash", move |params, node, _| match params.one::<Value>()? {
                Value::Array(numbers) => {
                    let number = |value: &Value| value.as_u64().unwrap() as u32;
                    let hashes: Vec<_> = numbers.iter().map(|value| hash_of(node, number(value))).collect();
                    Ok::<_, ErrorObjectOwned>(json!(hashes))
                }
                number => Ok(json!(hash_of(node, number.as_u64().unwrap() as u32))),
            })
            .unwrap();
        module.register_method("chain_getFinalizedHead", |_, node, _| node.hashes.last().copied()).unwrap();
        module
            .register_method("chain_getHeader", |params, node, _| {
                Ok::<_, ErrorObjectOwned>(node.by_hash(params.one()?).cloned())
            })
            .unwrap();
        module
            .register_method("chain_getBlock", |params, node, _| {
                Ok::<_, ErrorObjectOwned>(node.block(params.one()?))
            })
            .unwrap();
        module
            .register_method("grandpa_proveFinality", |params, node, _| node.prove_finality(params.one()?))
            .unwrap();
        module
            .register_subscription(
                "grandpa_subscribeJustifications",
                "grandpa_justifications",
                "grandpa_unsubscribeJustifications",
                |_, pending, node, _| async move {
                    let sink = pending.accept().await.unwrap();
                    // The first ones may be of blocks that were signed before.
                    for number in [HEIGHT - 5, HEIGHT - 2] {
                        let message = SubscriptionMessage::from_json(&signed(&node.chain, number)).unwrap();
                        sink.send(message).await.unwrap();
                    }
                },
            )
            .unwrap();
        module
            .register_method("state_call", |params, _, _| {
                let (method, ..): (String, Bytes, H256) = params.parse()?;
                assert_eq!(method, "GrandpaApi_current_set_id");
                Ok::<_, ErrorObjectOwned>(Bytes(NEWEST_SET_ID.encode()))
            })
            .unwrap();
        module
    }
}

/// The digest item that says that the validators change.
fn change_of_set() -> DigestItem {
    let change = ScheduledChange { next_authorities: vec![], delay: 0u32 };
    DigestItem::Consensus(GRANDPA_ENGINE_ID, ConsensusLog::ScheduledChange(change).encode())
}

fn signed(chain: &[Header], number: u32) -> Bytes {
    let block = &chain[number as usize];
    justification(block, votes(3, block, SET_ID), vec![])
}

/// What the proof of a block leads to, once it was verified.
async fn proven(client: &Client, node: &Node, number: u32) -> u32 {
    let header = &node.chain[number as usize];
    let finality = client.finality(header).await.unwrap();
    finality.verify(header, &set(SET_ID, 4)).unwrap();
    number + finality.headers.len() as u32
}

#[tokio::test]
async fn a_new_block_is_proven_by_the_newest_justification() {
    let (client, node, _handle) = Node::new(&[], None).serve().await;
    for number in [HEIGHT, HEIGHT - 1, HEIGHT - JUSTIFICATION_PERIOD] {
        assert_eq!(proven(&client, &node, number).await, HEIGHT);
    }
    assert_eq!(node.whole_blocks.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn where_the_newest_justification_does_not_help_the_next_one_is_waited_for() {
    for newest in [Newest::TooOld, Newest::Unknown, Newest::Refused] {
        let node = Node { newest, ..Node::new(&[], None) };
        let (client, node, _handle) = node.serve().await;
        assert_eq!(proven(&client, &node, HEIGHT - 5).await, HEIGHT - 5);
        assert_eq!(proven(&client, &node, HEIGHT - 4).await, HEIGHT - 2);
        assert_eq!(proven(&client, &node, HEIGHT - JUSTIFICATION_PERIOD).await, HEIGHT - 5);
    }
}

#[tokio::test]
async fn an_old_block_is_proven_by_the_next_justification_that_is_kept() {
    let (client, node, _handle) = Node::new(&[3, 514, 1_025], None).serve().await;
    assert_eq!(proven(&client, &node, 4).await, 514);
    assert_eq!(proven(&client, &node, 512).await, 514);
    assert_eq!(proven(&client, &node, 514).await, 1_025);
    assert_eq!(proven(&client, &node, 515).await, 1_025);
    assert!(node.whole_blocks.load(Ordering::SeqCst) < 12, "whole blocks are megabytes");
}

#[tokio::test]
async fn an_old_block_is_proven_by_the_validators_of_its_time() {
    let (client, node, _handle) = Node::new(&[200, 514], Some(200)).serve().await;
    assert_eq!(proven(&client, &node, 4).await, 200);
    assert_eq!(proven(&client, &node, 200).await, 200);
    assert_eq!(proven(&client, &node, 201).await, 514);
}

#[tokio::test]
async fn a_node_without_justifications_is_said_to_have_none() {
    let (client, node, _handle) = Node::new(&[1_500], None).serve().await;
    let error = client.finality(&node.chain[4]).await.unwrap_err();
    assert!(matches!(error, ProveError::NotJustified(4)), "{error}");
}
