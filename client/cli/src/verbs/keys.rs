//! `stipend keys`: keys that sign, and nodes' identities.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Subcommand;
use libp2p::identity::Keypair;
use rand::RngCore;
use serde_json::json;
use stipend_sdk::Signer;
use zeroize::Zeroizing;

use crate::{context::Context, failure::Failure, output::Answer};

/// Keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a new key and write it to a file that only you can read.
    New {
        /// The file; it must not exist.
        file: PathBuf,
    },
    /// Show the address and public key of --key or --dev-key.
    Show,
    /// Make a node's network key, or read it, and show its peer id (for --reserved-nodes).
    Node {
        /// The file (for the node's --node-key-file); made if it does not exist.
        file: PathBuf,
    },
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::New { file } => {
                context.would(json!({ "file": file }), || {
                    format!("a new key would be written to {}", file.display())
                })?;
                new(&file)
            }
            Verb::Show => {
                let signer = context.signer()?;
                let (address, public) = (signer.address(), hex::encode(signer.public()));
                let human = format!("address     {address}\npublic key  0x{public}");
                Answer::new(json!({ "address": address, "public_key": format!("0x{public}") }), human)
            }
            Verb::Node { file } => {
                if !file.exists() {
                    let human = || format!("a new node key would be written to {}", file.display());
                    context.would(json!({ "file": file }), human)?;
                }
                node(&file)
            }
        }
    }
}

fn new(file: &Path) -> Result<Answer> {
    let signer = Signer::generate();
    signer.save(file)?;
    let (address, public) = (signer.address(), hex::encode(signer.public()));
    let human = format!(
        "address     {address}\npublic key  0x{public}\nThe key is in {} and nowhere else: keep a copy in a safe place.",
        file.display()
    );
    Answer::new(json!({ "address": address, "public_key": format!("0x{public}"), "file": file }), human)
}

fn node(file: &Path) -> Result<Answer> {
    let mut seed = if file.exists() { read_seed(file)? } else { make_seed(file)? };
    let keypair = Keypair::ed25519_from_bytes(seed.as_mut_slice()).map_err(|error| {
        Failure::bad_input(format!("{} does not hold a node key: {error}", file.display()))
    })?;
    let peer_id = keypair.public().to_peer_id().to_string();
    let human = format!("peer id  {peer_id}\nNode key in {}.", file.display());
    Answer::new(json!({ "peer_id": peer_id, "file": file }), human)
}

/// Reads a node key as the node does: 64 hex digits, or 32 bytes.
pub(crate) fn read_seed(file: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let wrong =
        |cause: &str| Failure::bad_input(format!("cannot use the node key file {}: {cause}", file.display()));
    let content = Zeroizing::new(std::fs::read(file).map_err(|error| wrong(&error.to_string()))?);
    if content.len() == 32 {
        return Ok(content);
    }
    let seed = hex::decode(content.trim_ascii())
        .map_err(|_| wrong("it holds neither 64 hex digits nor 32 bytes"))?;
    Ok(Zeroizing::new(seed))
}

fn make_seed(file: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let mut seed = Zeroizing::new(vec![0; 32]);
    rand::rngs::OsRng.fill_bytes(&mut seed);
    let text = Zeroizing::new(hex::encode(&*seed));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        Failure::bad_input(format!("cannot write the node key file {}: {error}", file.display()))
    })?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_node_key_is_made_once_and_keeps_its_peer_id() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("node.key");
        let made = node(&file).unwrap();
        assert!(made.json["peer_id"].as_str().unwrap().starts_with("12D3KooW"));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(node(&file).unwrap().json, made.json);
    }

    #[test]
    fn a_known_node_key_has_its_known_peer_id() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("node.key");
        std::fs::write(&file, format!("{:064x}\n", 1)).unwrap();
        let peer_id = node(&file).unwrap().json["peer_id"].clone();
        assert_eq!(peer_id, "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp");
    }

    #[test]
    fn a_file_without_a_node_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("node.key");
        std::fs::write(&file, "hello").unwrap();
        assert!(node(&file).is_err());
    }

    #[test]
    fn a_new_key_shows_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hr.key");
        let answer = new(&file).unwrap();
        let secret = std::fs::read_to_string(&file).unwrap();
        assert!(!answer.human.contains(secret.trim()) && !answer.json.to_string().contains(secret.trim()));
        assert!(new(&file).is_err());
    }
}
