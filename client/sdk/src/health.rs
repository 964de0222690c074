//! What a node says of its own state.

use jsonrpsee::rpc_params;

use crate::{
    client::{BlockRef, Client},
    rpc_error::RpcError,
};

/// A node's state, as it sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeHealth {
    /// Name of its chain.
    pub chain: String,
    /// Nodes that it is connected to.
    pub peers: u32,
    /// Whether it should have peers: only a lone development node should not.
    pub should_have_peers: bool,
    /// Whether it is still fetching blocks that its peers have.
    pub is_syncing: bool,
    /// Its newest block.
    pub best: BlockRef,
    /// Its newest finalised block.
    pub finalised: BlockRef,
}

/// The answer of `system_health`.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    peers: u32,
    is_syncing: bool,
    should_have_peers: bool,
}

impl NodeHealth {
    /// What keeps the node from being of use, in words; empty if nothing does. Finality may be
    /// `lag_max` blocks behind the newest block.
    pub fn faults(&self, lag_max: u32) -> Vec<String> {
        let mut faults = Vec::new();
        if self.should_have_peers && self.peers == 0 {
            faults.push("it is connected to no other node".into());
        }
        if self.is_syncing {
            faults.push(format!("it is still syncing, at block {}", self.best.number));
        }
        let lag = self.best.number.saturating_sub(self.finalised.number);
        if lag > lag_max {
            faults.push(format!("finality is {lag} blocks behind the newest block, {}", self.best.number));
        }
        faults
    }
}

impl Client {
    /// What the node says of its own state.
    pub async fn health(&self) -> Result<NodeHealth, RpcError> {
        let connection = &self.inner.connection;
        let (chain, health): (String, Health) = futures::try_join!(
            connection.request("system_chain", rpc_params![]),
            connection.request("system_health", rpc_params![]),
        )?;
        // In this order, so that finality is never ahead of the newest block.
        let finalised = self.finalised_head().await?;
        let best = self.best_head().await?;
        Ok(NodeHealth {
            chain,
            peers: health.peers,
            should_have_peers: health.should_have_peers,
            is_syncing: health.is_syncing,
            best,
            finalised,
        })
    }
}

#[cfg(test)]
mod tests {
    use sp_core::H256;

    use super::*;

    fn node() -> NodeHealth {
        let block = |number| BlockRef { number, hash: H256::zero() };
        NodeHealth {
            chain: "local".into(),
            peers: 3,
            should_have_peers: true,
            is_syncing: false,
            best: block(130),
            finalised: block(100),
        }
    }

    #[test]
    fn a_node_with_peers_and_finality_has_no_fault() {
        assert!(node().faults(30).is_empty());
    }

    #[test]
    fn each_fault_is_named() {
        assert_eq!(node().faults(29), ["finality is 30 blocks behind the newest block, 130"]);
        assert_eq!(NodeHealth { peers: 0, ..node() }.faults(30), ["it is connected to no other node"]);
        assert_eq!(
            NodeHealth { is_syncing: true, ..node() }.faults(30),
            ["it is still syncing, at block 130"]
        );
    }

    #[test]
    fn a_lone_development_node_needs_no_peers() {
        assert!(NodeHealth { peers: 0, should_have_peers: false, ..node() }.faults(30).is_empty());
    }
}
