//! Keeps questions of strangers from the parts of the node that would answer them.
//!
//! The SDK's peer sets keep strangers out of block announcements, votes and transactions. They do
//! not cover its request protocols: whoever opens a connection may ask for blocks, state and proofs,
//! and is answered. So every request first passes here.

use sc_network::{config::IncomingRequest, Litep2pNetworkBackend, NetworkBackend, NetworkWorker};
use sc_service::SpawnTaskHandle;
use sp_core::H256;
use stipend_runtime::opaque::Block;
use substrate_prometheus_endpoint::{Counter, U64};

use super::access::Answered;

/// Where a request protocol puts requests for the part of the node that answers them.
pub type Queue = Option<async_channel::Sender<IncomingRequest>>;

/// A network backend whose request protocols can be put behind a gate.
pub trait Backend: NetworkBackend<Block, H256> {
    /// The queue of a protocol.
    fn queue(protocol: &mut Self::RequestResponseProtocolConfig) -> &mut Queue;
}

impl Backend for NetworkWorker<Block, H256> {
    fn queue(protocol: &mut Self::RequestResponseProtocolConfig) -> &mut Queue {
        &mut protocol.inbound_queue
    }
}

impl Backend for Litep2pNetworkBackend {
    fn queue(protocol: &mut Self::RequestResponseProtocolConfig) -> &mut Queue {
        &mut protocol.inbound_queue
    }
}

/// Stands before the parts of the node that answer requests.
#[derive(Clone)]
pub struct Gate {
    /// Who may pass.
    pub answered: Answered,
    /// Counts who may not.
    pub refused: Option<Counter<U64>>,
}

impl Gate {
    /// Puts the gate before a protocol.
    pub fn guard<Net: Backend>(
        &self,
        protocol: &mut Net::RequestResponseProtocolConfig,
        spawn: &SpawnTaskHandle,
    ) {
        let Some(handler) = Net::queue(protocol).take() else { return };
        let (queue, requests) = async_channel::bounded(handler.capacity().unwrap_or(1));
        *Net::queue(protocol) = Some(queue);
        spawn.spawn("request-gate", Some("networking"), self.clone().run(requests, handler));
    }

    /// Hands requests on. One that may not pass is dropped, which tells its sender that it is refused.
    async fn run(
        self,
        requests: async_channel::Receiver<IncomingRequest>,
        handler: async_channel::Sender<IncomingRequest>,
    ) {
        while let Ok(request) = requests.recv().await {
            if !self.answered.contains(&request.peer) {
                tracing::debug!(target: "stipend::network", peer = %request.peer, "a stranger's request is refused");
                if let Some(refused) = &self.refused {
                    refused.inc();
                }
            } else if handler.send(request).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::network::access::Peers;
    use futures::channel::oneshot;
    use sc_network::PeerId;

    fn request(peer: PeerId) -> (IncomingRequest, oneshot::Receiver<sc_network::config::OutgoingResponse>) {
        let (pending_response, answer) = oneshot::channel();
        (IncomingRequest { peer, payload: vec![1], pending_response }, answer)
    }

    #[tokio::test]
    async fn only_requests_of_answered_nodes_pass_and_a_change_counts_at_once() {
        let (friend, stranger) = (PeerId::random(), PeerId::random());
        let answered = Answered::new(Peers::Only([friend].into()));
        let refused = Counter::new("refused", "refused").unwrap();
        let gate = Gate { answered: answered.clone(), refused: Some(refused.clone()) };
        let (queue, requests) = async_channel::bounded(8);
        let (handler, handled) = async_channel::bounded(8);
        tokio::spawn(gate.run(requests, handler));

        let (asked, answer) = request(stranger);
        queue.send(asked).await.unwrap();
        assert!(answer.await.is_err(), "the stranger learns only that it is refused");
        assert_eq!(refused.get(), 1);

        let (asked, _answer) = request(friend);
        queue.send(asked).await.unwrap();
        assert_eq!(handled.recv().await.unwrap().peer, friend);

        answered.set(Peers::Only([stranger].into()));
        let (asked, answer) = request(friend);
        queue.send(asked).await.unwrap();
        assert!(answer.await.is_err());
        let (asked, _answer) = request(stranger);
        queue.send(asked).await.unwrap();
        assert_eq!(handled.recv().await.unwrap().peer, stranger);
    }
}
