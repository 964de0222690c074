//! What a raw chain specification says of keys.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Result;
use codec::Decode;
use serde::Deserialize;
use sp_crypto_hashing::{blake2_256, twox_128};
use stipend_sdk::primitives::{AccountId, PublicKey};

use super::{keys::SessionKeys, record::cannot};
use crate::failure::Failure;

/// A raw chain specification, as far as it concerns keys.
#[derive(Debug)]
pub(crate) struct Genesis {
    /// BLAKE2b-256 of the file, in hex.
    pub(crate) hash: String,
    /// The session keys of each validator of the first session.
    pub(crate) session_keys: BTreeMap<AccountId, SessionKeys>,
    /// The nodes on the list, with their names.
    pub(crate) nodes: BTreeMap<PublicKey, String>,
    /// Who sits on the council.
    pub(crate) council: BTreeSet<AccountId>,
}

#[derive(Deserialize)]
struct Spec {
    genesis: Content,
}

#[derive(Deserialize)]
struct Content {
    raw: Option<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    top: BTreeMap<String, String>,
}

impl Genesis {
    /// Reads a file.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let bytes = std::fs::read(file).map_err(|error| cannot("read", file, &error))?;
        Self::parse(&bytes).map_err(|why| Failure::bad_input(format!("{} {why}", file.display())).into())
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let spec: Spec = serde_json::from_slice(bytes)
            .map_err(|error| format!("is not a chain specification: {error}"))?;
        let top = spec.genesis.raw.ok_or(
            "is not a raw chain specification: each node would compute its own genesis from it; make the raw one with `stipend-node export-chain-spec --raw`",
        )?.top;
        Ok(Genesis {
            hash: hex::encode(blake2_256(bytes)),
            session_keys: session_keys(&top)?,
            nodes: nodes(&top)?,
            council: value::<BTreeSet<AccountId>>(&top, "Council", "Members")?.unwrap_or_default(),
        })
    }
}

fn nodes(top: &BTreeMap<String, String>) -> Result<BTreeMap<PublicKey, String>, String> {
    map::<16, Vec<u8>>(top, "Governance", "Nodes")
        .map(|entry| entry.map(|(key, name)| (key, String::from_utf8_lossy(&name).into_owned())))
        .collect()
}

fn session_keys(top: &BTreeMap<String, String>) -> Result<BTreeMap<AccountId, SessionKeys>, String> {
    map::<8, [PublicKey; 3]>(top, "Session", "NextKeys")
        .map(|entry| {
            let (account, [aura, grandpa, settlement]) = entry?;
            Ok((AccountId::new(account), SessionKeys { aura, grandpa, settlement }))
        })
        .collect()
}

/// The entries of a map whose keys are 32 bytes after a hash of `HASH` bytes.
fn map<'a, const HASH: usize, T: Decode>(
    top: &'a BTreeMap<String, String>,
    pallet: &'a str,
    item: &'a str,
) -> impl Iterator<Item = Result<(PublicKey, T), String>> + 'a {
    let prefix = prefix(pallet, item);
    let length = prefix.len();
    let entries = top.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix));
    entries.map(move |(key, value)| {
        let wrong = || {
            format!("holds an entry of {pallet}.{item} that this version of the command does not understand")
        };
        let hashed = key.get(length + 2 * HASH..).ok_or_else(wrong)?;
        let value = T::decode(&mut &hex_bytes(value)?[..]).map_err(|_| wrong())?;
        Ok((bytes(hashed).map_err(|_| wrong())?, value))
    })
}

/// The key of a value in the state, in hex.
fn prefix(pallet: &str, item: &str) -> String {
    format!("0x{}{}", hex::encode(twox_128(pallet.as_bytes())), hex::encode(twox_128(item.as_bytes())))
}

fn value<T: Decode>(top: &BTreeMap<String, String>, pallet: &str, item: &str) -> Result<Option<T>, String> {
    let Some(value) = top.get(&prefix(pallet, item)) else { return Ok(None) };
    T::decode(&mut &hex_bytes(value)?[..])
        .map(Some)
        .map_err(|_| format!("holds a {pallet}.{item} that this version of the command does not understand"))
}

fn hex_bytes(text: &str) -> Result<Vec<u8>, String> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|_| "holds something that is not hex".into())
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], Vec<u8>> {
    hex::decode(text).unwrap_or_default().try_into()
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use codec::Encode;

    /// A raw specification that says this of keys and nothing else.
    pub(crate) fn spec(
        session_keys: &BTreeMap<AccountId, SessionKeys>,
        nodes: &BTreeMap<PublicKey, String>,
        council: &BTreeSet<AccountId>,
    ) -> String {
        let hex = |bytes: Vec<u8>| format!("0x{}", hex::encode(bytes));
        let mut top = serde_json::Map::new();
        for (account, keys) in session_keys {
            let key = format!(
                "{}{}{}",
                prefix("Session", "NextKeys"),
                hex::encode(sp_crypto_hashing::twox_64(account.as_ref())),
                hex::encode(<AccountId as AsRef<[u8]>>::as_ref(account)),
            );
            top.insert(key, hex([keys.aura, keys.grandpa, keys.settlement].encode()).into());
        }
        for (node, name) in nodes {
            let hash = hex::encode(sp_crypto_hashing::blake2_128(node));
            let key = format!("{}{hash}{}", prefix("Governance", "Nodes"), hex::encode(node));
            top.insert(key, hex(name.encode()).into());
        }
        top.insert(prefix("Council", "Members"), hex(council.encode()).into());
        serde_json::json!({ "name": "Test", "genesis": { "raw": { "top": top, "childrenDefault": {} } } })
            .to_string()
    }

    #[test]
    fn keys_nodes_and_council_are_found() {
        let account = AccountId::new([1; 32]);
        let keys = SessionKeys { aura: [2; 32], grandpa: [3; 32], settlement: [4; 32] };
        let session_keys = BTreeMap::from([(account.clone(), keys)]);
        let nodes = BTreeMap::from([([5; 32], "munich".to_string())]);
        let council = BTreeSet::from([account]);
        let text = spec(&session_keys, &nodes, &council);
        let genesis = Genesis::parse(text.as_bytes()).unwrap();
        assert_eq!((genesis.session_keys, genesis.nodes, genesis.council), (session_keys, nodes, council));
        assert_eq!(genesis.hash, hex::encode(blake2_256(text.as_bytes())));
    }

    #[test]
    fn a_specification_that_is_not_raw_is_refused() {
        let plain = r#"{ "genesis": { "runtimeGenesis": { "patch": {} } } }"#;
        assert!(Genesis::parse(plain.as_bytes()).unwrap_err().contains("not a raw"));
        assert!(Genesis::parse(b"hello").is_err());
    }
}
