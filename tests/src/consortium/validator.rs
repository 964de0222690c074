//! One validator: a node's process, its place in the network, and what it says of the chain.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use sp_core::H256;
use stipend_primitives::BlockNumber;
use stipend_sdk::{BlockRef, Client, Signer};

use super::{network::Place, spec};
use crate::process::Process;

/// How long a node may take until its JSON-RPC answers, on a machine that does other things too.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// The development keys that validators of the `local` chain have, in the order of its genesis.
/// The fourth and fifth after them belong to nobody yet.
const ACCOUNTS: [&str; 6] = ["//Alice", "//Bob", "//Charlie", "//Dave", "//Eve", "//Ferdie"];

/// Newest and newest final block of one validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Newest block; another may still replace it.
    pub best: BlockRef,
    /// Newest final block.
    pub finalised: BlockRef,
}

/// A validator, running or not.
pub struct Validator {
    /// What logs call it.
    pub name: String,
    /// The account that the validator set knows it by.
    pub account: Signer,
    /// Public key of its node in the network.
    pub node_key: [u8; 32],
    /// WebSocket address of its JSON-RPC.
    pub url: String,
    peer: String,
    place: Place,
    home: PathBuf,
    at: usize,
    process: Option<Process>,
    client: Option<Client>,
}

impl Validator {
    /// Prepares validator number `at` under `dir`; nothing runs yet.
    pub(super) fn prepare(dir: &Path, at: usize, place: Place) -> Result<Self> {
        let uri = ACCOUNTS.get(at).context("there are development keys for six validators")?;
        let name = format!("validator-{at}");
        let home = dir.join(&name);
        fs::create_dir_all(&home)?;
        let secret = ed25519_dalek::SigningKey::from_bytes(&rand::random());
        let key_file = home.join("node-key");
        fs::write(&key_file, hex::encode(secret.to_bytes()))?;
        let peer = spec::run(&["key", "inspect-node-key", "--file", &key_file.display().to_string()])?;
        Ok(Validator {
            name,
            account: Signer::from_uri(uri)?,
            node_key: secret.verifying_key().to_bytes(),
            url: format!("ws://{}:{}", place.rpc_host, place.rpc_port),
            peer: peer.trim().to_owned(),
            place,
            home,
            at,
            process: None,
            client: None,
        })
    }

    /// The address by which other validators know it.
    pub fn address(&self) -> String {
        format!("/ip4/{}/tcp/{}/p2p/{}", self.place.p2p_host, self.place.p2p_port, self.peer)
    }

    /// Starts it, on its database if it ran before. `peers` are the others' addresses; `development`
    /// gives it the session keys that the genesis of the `local` chain names.
    pub(super) async fn start(&mut self, spec: &Path, peers: &[String], development: bool) -> Result<()> {
        let Place { namespace, p2p_host, p2p_port, rpc_port, .. } = &self.place;
        let mut arguments = vec![
            format!("--chain={}", spec.display()),
            format!("--base-path={}", self.home.join("data").display()),
            format!("--node-key-file={}", self.home.join("node-key").display()),
            format!("--listen-addr=/ip4/{p2p_host}/tcp/{p2p_port}"),
            format!("--rpc-port={rpc_port}"),
        ];
        arguments.extend(peers.iter().map(|peer| format!("--reserved-nodes={peer}")));
        // Nothing but this machine reaches the address, and the tests have a node make its keys.
        let flags = ["--reserved-only", "--rpc-methods=unsafe", "--unsafe-rpc-external", "--rpc-cors=all"];
        arguments.extend(
            flags.into_iter().chain(["--no-prometheus", "--no-mdns", "--no-telemetry"]).map(String::from),
        );
        arguments.push(if development {
            ["--alice", "--bob", "--charlie", "--dave", "--eve", "--ferdie"][self.at].into()
        } else {
            "--validator".into()
        });
        let logs = self.home.join("..").join("logs");
        let mut process =
            Process::start_in(namespace.as_deref(), &self.name, "stipend-node", arguments, &logs)?;
        process.wait_for("Running JSON-RPC server", START_TIMEOUT).await?;
        self.process = Some(process);
        if self.client.is_none() {
            self.client = Some(Client::connect_within(&self.url, START_TIMEOUT).await?);
        }
        Ok(())
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Whether its process runs.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::is_running)
    }

    /// A connection to it. It outlives restarts of the node.
    pub fn client(&self) -> Result<&Client> {
        self.client.as_ref().with_context(|| format!("{} was never started", self.name))
    }

    /// Its newest blocks.
    pub async fn heads(&self) -> Result<Heads> {
        let client = self.client()?;
        let (best, finalised) = tokio::try_join!(client.best_head(), client.finalised_head())
            .with_context(|| format!("{} does not say what it knows", self.name))?;
        Ok(Heads { best, finalised })
    }

    /// Hash and state root of a height on its chain.
    pub async fn block_at(&self, number: BlockNumber) -> Result<(H256, H256)> {
        let client = self.client()?;
        let hash = client.block_hash(number).await?;
        Ok((hash, client.header(hash).await?.state_root))
    }
}
