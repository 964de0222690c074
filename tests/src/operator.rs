//! What an operator does: runs the command line and the hosts' own start scripts.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use stipend_sdk::Client;

use crate::process::{program, Process};

/// How long something may take that certainly happens, on a machine that does other things too.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Runs a program of this workspace to its end; what it printed.
pub fn run<A: AsRef<std::ffi::OsStr>>(
    program_name: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<String> {
    let output = Command::new(program(program_name)?).args(arguments).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program_name} failed ({}): {said}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs the `stipend` command; its answer in JSON.
pub fn stipend<A: AsRef<str>>(arguments: impl IntoIterator<Item = A>) -> Result<Value> {
    let mut all: Vec<String> = arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
    all.push("--json".into());
    Ok(serde_json::from_str(&run("stipend", all)?)?)
}

/// A host whose node runs.
pub struct Host {
    /// Its node.
    pub process: Process,
    /// JSON-RPC of its node.
    pub url: String,
    /// Connected to it.
    pub client: Client,
    /// Its folder, as `stipend network init` made it.
    pub folder: PathBuf,
}

impl Host {
    /// Starts the node of a host by its own script, with more flags.
    pub async fn start(folder: &Path, more: &[&str]) -> Result<Self> {
        let facts = Facts::read(folder)?;
        let mut command = Command::new(folder.join("start.sh"));
        command.args(more).env("STIPEND_NODE", program("stipend-node")?);
        let logs = folder.join("..").join("..").join("..").join("logs");
        let mut process = Process::spawn(&facts.name, "start.sh", command, &logs)?;
        process.wait_for("Running JSON-RPC server", PATIENCE).await?;
        let url = format!("ws://127.0.0.1:{}", facts.rpc_port);
        let client = Client::connect(&url).await?;
        Ok(Host { process, url, client, folder: folder.to_owned() })
    }

    /// Waits until it calls a block of this height final.
    pub async fn wait_for_height(&self, height: u32) -> Result<u32> {
        wait_until(&format!("block {height} is final"), || async {
            let reached = self.client.finalised_head().await?.number;
            Ok((reached >= height).then_some(reached))
        })
        .await
    }
}

/// What a host's folder says of it.
pub struct Facts {
    /// Its name.
    pub name: String,
    /// Port of its JSON-RPC.
    pub rpc_port: u16,
    /// Port for other nodes.
    pub p2p_port: u16,
    /// Its node's identity.
    pub peer_id: String,
}

impl Facts {
    /// Reads `host.toml`.
    pub fn read(folder: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(folder.join("host.toml"))?;
        let value = |field: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_prefix("= "));
            line.map(|value| value.trim_matches('"').to_owned()).with_context(|| format!("no {field}"))
        };
        Ok(Facts {
            name: value("name")?,
            rpc_port: value("rpc_port")?.parse()?,
            p2p_port: value("p2p_port")?.parse()?,
            peer_id: value("peer_id")?,
        })
    }
}

/// Looks until there is something to see.
pub async fn wait_until<T, F>(what: &str, mut look: impl FnMut() -> F) -> Result<T>
where
    F: std::future::Future<Output = Result<Option<T>>>,
{
    let started = Instant::now();
    loop {
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        ensure!(started.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
