//! The public facts of a network and of its hosts, kept in TOML files beside what they describe.

use std::{fs, path::Path};

use anyhow::Result;
use serde::{de::DeserializeOwned, Deserialize, Serialize};

use super::plan::Ports;
use crate::failure::Failure;

/// The file of a network's facts.
pub(crate) const NETWORK_FILE: &str = "network.toml";
/// The file of a host's facts.
pub(crate) const HOST_FILE: &str = "host.toml";

/// A network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    /// What people call it.
    pub(crate) name: String,
    /// Its identifier in the chain specification.
    pub(crate) id: String,
    /// BLAKE2b-256 of the raw chain specification, in hex.
    pub(crate) spec_hash: String,
    /// Who sits on the council.
    #[serde(default)]
    pub(crate) council: Vec<Member>,
    /// Who may mint.
    #[serde(default)]
    pub(crate) issuer: Vec<Member>,
    /// The hosts.
    #[serde(default)]
    pub(crate) host: Vec<Host>,
}

/// Somebody with a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Their address.
    pub(crate) account: String,
    /// Whether the key was made with the network and is in its folder.
    pub(crate) key_here: bool,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Host {
    pub(crate) name: String,
    /// IP address or DNS name at which the other nodes reach it.
    pub(crate) address: String,
    pub(crate) p2p_port: u16,
    pub(crate) rpc_port: u16,
    pub(crate) prometheus_port: u16,
    /// The node's identity.
    pub(crate) peer_id: String,
    /// The validator's address; `None` for a node that makes no blocks.
    pub(crate) validator: Option<String>,
    /// Whether it is there from the first block on: then the specification lists its node key, and a
    /// validator's session keys.
    pub(crate) in_genesis: bool,
    /// BLAKE2b-256 of the raw chain specification that it starts with, in hex.
    pub(crate) spec_hash: String,
}

impl Host {
    pub(crate) fn ports(&self) -> Ports {
        Ports { p2p: self.p2p_port, rpc: self.rpc_port, prometheus: self.prometheus_port }
    }
}

/// Writes facts.
pub(crate) fn write(file: &Path, facts: &impl Serialize) -> Result<()> {
    let text = toml::to_string_pretty(facts)?;
    fs::write(file, text).map_err(|error| cannot("write", file, &error))
}

/// Reads facts.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let text = fs::read_to_string(file).map_err(|error| cannot("read", file, &error))?;
    toml::from_str(&text).map_err(|error| {
        Failure::bad_input(format!("{} cannot be understood: {error}", file.display())).into()
    })
}

/// The error of a file that cannot be used.
pub(crate) fn cannot(what: &str, file: &Path, error: &std::io::Error) -> anyhow::Error {
    Failure::bad_input(format!("cannot {what} {}: {error}", file.display())).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn facts_are_read_as_they_were_written() {
        let host = Host {
            name: "oslo".into(),
            address: "10.0.0.2".into(),
            p2p_port: 1,
            rpc_port: 2,
            prometheus_port: 3,
            peer_id: "12D3KooW".into(),
            validator: None,
            in_genesis: true,
            spec_hash: "ab".into(),
        };
        let member = Member { name: "ada".into(), account: "5F".into(), key_here: true };
        let network = Network {
            name: "Acme".into(),
            id: "acme".into(),
            spec_hash: "ab".into(),
            council: vec![member],
            issuer: vec![],
            host: vec![host],
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(NETWORK_FILE);
        write(&file, &network).unwrap();
        assert_eq!(read::<Network>(&file).unwrap(), network);
    }
}
