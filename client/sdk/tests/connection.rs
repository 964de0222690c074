//! The connection to a node that goes away and comes back.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    net::SocketAddr,
    sync::{
        atomic::{AtomicU32, Ordering},
        Arc,
    },
    time::Duration,
};

use futures::StreamExt;
use jsonrpsee::{
    server::{Server, ServerHandle},
    RpcModule, SubscriptionMessage,
};
use sp_core::H256;
use sp_runtime::traits::Header as _;
use stipend_sdk::{runtime::Header, Client, RpcError};
use tokio::time::{sleep, timeout};

/// A stand-in for a node: it finalises a block whenever the test says so.
struct Node {
    handle: ServerHandle,
    address: SocketAddr,
    head: Arc<AtomicU32>,
    chain: u8,
}

fn header(chain: u8, number: u32) -> Header {
    Header::new(number, H256([chain; 32]), H256::zero(), H256::zero(), Default::default())
}

fn module(chain: u8, head: Arc<AtomicU32>) -> RpcModule<Arc<AtomicU32>> {
    let mut module = RpcModule::new(head);
    module
        .register_method("chain_getBlockHash", move |params, head, _| {
            let number: u32 = params.one().unwrap();
            (number <= head.load(Ordering::SeqCst)).then(|| header(chain, number).hash())
        })
        .unwrap();
    module
        .register_subscription(
            "chain_subscribeFinalizedHeads",
            "chain_finalizedHead",
            "chain_unsubscribeFinalizedHeads",
            move |_, pending, head, _| async move {
                let sink = pending.accept().await.unwrap();
                let mut shown = None;
                loop {
                    let number = head.load(Ordering::SeqCst);
                    if shown != Some(number) {
                        let message = SubscriptionMessage::from_json(&header(chain, number)).unwrap();
                        if sink.send(message).await.is_err() {
                            return;
                        }
                        shown = Some(number);
                    }
                    sleep(Duration::from_millis(5)).await;
                }
            },
        )
        .unwrap();
    module
}

impl Node {
    async fn start(chain: u8, address: SocketAddr, head: u32) -> Self {
        let server = loop {
            // The port of a node that just went away may be busy for a moment.
            match Server::builder().build(address).await {
                Ok(server) => break server,
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        };
        let address = server.local_addr().unwrap();
        let head = Arc::new(AtomicU32::new(head));
        let handle = server.start(module(chain, head.clone()));
        Node { handle, address, head, chain }
    }

    async fn new(chain: u8, head: u32) -> Self {
        Self::start(chain, ([127, 0, 0, 1], 0).into(), head).await
    }

    fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    fn finalise(&self, number: u32) {
        self.head.store(number, Ordering::SeqCst);
    }

    /// Goes away, and comes back on `chain` at `head`.
    async fn restart(self, chain: u8, head: u32) -> Self {
        let address = self.address;
        self.handle.stop().unwrap();
        self.handle.stopped().await;
        Node::start(chain, address, head).await
    }

    fn hash(&self, number: u32) -> H256 {
        header(self.chain, number).hash()
    }
}

/// What a test waits for comes within this, or never.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn every_finalised_block_comes_once_and_in_order_across_a_restart() {
    let node = Node::new(1, 3).await;
    let client = Client::connect(&node.url()).await.unwrap();
    let mut blocks = client.finalised_blocks_after(0);
    for number in 1..=3 {
        let block = timeout(SOON, blocks.next()).await.unwrap().unwrap().unwrap();
        assert_eq!((block.number, block.hash), (number, node.hash(number)));
    }
    let node = node.restart(1, 9).await;
    for number in 4..=9 {
        let block = timeout(SOON, blocks.next()).await.unwrap().unwrap().unwrap();
        assert_eq!((block.number, block.hash), (number, node.hash(number)));
    }
    node.finalise(12);
    for number in 10..=12 {
        assert_eq!(timeout(SOON, blocks.next()).await.unwrap().unwrap().unwrap().number, number);
    }
}

#[tokio::test]
async fn a_node_that_comes_back_behind_repeats_nothing() {
    let node = Node::new(1, 8).await;
    let client = Client::connect(&node.url()).await.unwrap();
    let mut blocks = client.finalised_blocks();
    assert_eq!(timeout(SOON, blocks.next()).await.unwrap().unwrap().unwrap().number, 8);
    let node = node.restart(1, 5).await;
    assert!(timeout(Duration::from_millis(500), blocks.next()).await.is_err());
    node.finalise(9);
    assert_eq!(timeout(SOON, blocks.next()).await.unwrap().unwrap().unwrap().number, 9);
}

#[tokio::test]
async fn a_request_waits_for_the_node_to_come_back() {
    let node = Node::new(1, 3).await;
    let client = Client::connect(&node.url()).await.unwrap();
    let (address, expected) = (node.address, node.hash(2));
    node.handle.stop().unwrap();
    node.handle.stopped().await;
    let asked = tokio::spawn(async move { client.block_hash(2).await });
    sleep(Duration::from_millis(300)).await;
    let _node = Node::start(1, address, 3).await;
    assert_eq!(timeout(SOON, asked).await.unwrap().unwrap().unwrap(), expected);
}

#[tokio::test]
async fn a_node_that_comes_back_on_another_chain_is_refused() {
    let node = Node::new(1, 3).await;
    let client = Client::connect(&node.url()).await.unwrap();
    let mut blocks = client.finalised_blocks();
    assert!(timeout(SOON, blocks.next()).await.unwrap().unwrap().is_ok());
    let _node = node.restart(2, 9).await;
    let error = timeout(SOON, blocks.next()).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, RpcError::OtherChain { .. }), "{error}");
    assert!(timeout(SOON, blocks.next()).await.unwrap().is_none());
    assert!(matches!(client.block_hash(1).await, Err(RpcError::OtherChain { .. })));
}

#[tokio::test]
async fn a_node_that_is_not_there_is_reported_at_once() {
    let node = Node::new(1, 0).await;
    let url = node.url();
    node.handle.stop().unwrap();
    node.handle.stopped().await;
    let error = timeout(SOON, Client::connect(&url)).await.unwrap().unwrap_err();
    assert!(matches!(error, RpcError::Unreachable { .. }), "{error}");
    assert!(matches!(Client::connect("127.0.0.1:9944").await, Err(RpcError::BadUrl { .. })));
}

#[tokio::test]
async fn a_client_can_wait_for_a_node_that_starts_later() {
    let node = Node::new(1, 0).await;
    let (url, address) = (node.url(), node.address);
    node.handle.stop().unwrap();
    node.handle.stopped().await;
    let connecting = tokio::spawn(async move { Client::connect_within(&url, SOON).await });
    sleep(Duration::from_millis(300)).await;
    let node = Node::start(1, address, 0).await;
    let client = timeout(SOON, connecting).await.unwrap().unwrap().unwrap();
    assert_eq!(client.genesis(), node.hash(0));
}
