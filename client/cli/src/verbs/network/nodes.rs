//! The chain's list of nodes.

use std::path::Path;

use anyhow::Result;
use libp2p::PeerId;
use serde_json::json;
use sp_core::H256;
use stipend_sdk::{
    pallet_governance::Call,
    primitives::{Name, PublicKey},
};

use super::{
    keys,
    record::{self, Host, HOST_FILE},
};
use crate::{
    context::Context,
    failure::Failure,
    output::{Answer, Rows},
    parse,
};

/// A node as it is named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its ed25519 key.
    key: PublicKey,
    /// What its host is called, where that is known.
    name: Option<String>,
}

/// Reads a peer id, a public key in hex, or what the folder of a host says.
pub(crate) fn node(text: &str) -> Result<Node, String> {
    let file = Path::new(text).join(HOST_FILE);
    if file.is_file() {
        let host: Host = record::read(&file).map_err(|why| why.to_string())?;
        return Ok(Node { name: Some(host.name), ..node(&host.peer_id)? });
    }
    let key = match text.parse::<PeerId>() {
        Ok(peer) => keys::node_key(&peer).ok_or_else(|| {
            format!("\"{text}\" is a peer id of another kind: the chain lists ed25519 keys, whose peer ids begin with 12D3KooW")
        })?,
        Err(_) => parse::bytes(text).map_err(|_| {
            format!("\"{text}\" is not a node: write its peer id (12D3KooW…), which the node prints when it starts, its public key (64 hex digits), or the folder of its host")
        })?,
    };
    Ok(Node { key, name: None })
}

fn peer_id(key: &PublicKey) -> String {
    keys::peer_id(key).map(|peer| peer.to_string()).unwrap_or_else(|| hex::encode(key))
}

pub(crate) async fn list(context: &Context) -> Result<Answer> {
    let nodes = context.ledger().await?.nodes().await?;
    let mut rows = Rows::new(
        &["name", "peer id"],
        "the chain lists no node: it is open, or confined to the nodes that each was told of",
    );
    let mut json = Vec::new();
    for (H256(key), name) in nodes {
        let (name, peer_id) = (parse::text(&name), peer_id(&key));
        json.push(json!({ "name": name, "peer_id": peer_id, "key": format!("0x{}", hex::encode(key)) }));
        rows.push([name, peer_id]);
    }
    Answer::new(json, rows.finish())
}

pub(crate) async fn add(context: &Context, node: Node, name: Option<Name>) -> Result<Answer> {
    let name = match (name, node.name) {
        (Some(name), _) => name,
        (None, Some(name)) => parse::name(&name).map_err(Failure::usage)?,
        (None, None) => {
            return Err(Failure::usage("what do people call the node? Give a name after it").into())
        }
    };
    let peer_id = peer_id(&node.key);
    let what = json!({ "peer_id": peer_id, "name": parse::text(&name) });
    let human = format!("{peer_id} is on the list: the nodes talk to it");
    context.council(Call::add_node { node: H256(node.key), name }, what, human).await
}

pub(crate) async fn remove(context: &Context, node: Node) -> Result<Answer> {
    let peer_id = peer_id(&node.key);
    let human = format!("{peer_id} is off the list: the nodes part from it");
    context.council(Call::remove_node { node: H256(node.key) }, json!({ "peer_id": peer_id }), human).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const PEER: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

    #[test]
    fn a_node_is_named_by_peer_id_by_key_or_by_its_hosts_folder() {
        let named = node(PEER).unwrap();
        assert_eq!(peer_id(&named.key), PEER);
        assert_eq!(node(&hex::encode(named.key)).unwrap(), named);
        assert!(node("munich").is_err());
        // A peer id that hashes an RSA key.
        assert!(node("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N").is_err());

        let folder = tempfile::tempdir().unwrap();
        let host = Host {
            name: "munich".into(),
            address: "10.0.0.1".into(),
            p2p_port: 1,
            rpc_port: 2,
            prometheus_port: 3,
            peer_id: PEER.into(),
            validator: None,
            in_genesis: false,
            spec_hash: String::new(),
        };
        record::write(&folder.path().join(HOST_FILE), &host).unwrap();
        let of_host = node(folder.path().to_str().unwrap()).unwrap();
        assert_eq!((of_host.key, of_host.name.as_deref()), (named.key, Some("munich")));
    }
}
