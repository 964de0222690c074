//! Starts the real programs, configured as an operator would.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use sp_core::H256;
use stipend_primitives::{AccountId, ModelId};
use stipend_sdk::Signer;

use crate::process::{free_port, Process};

/// How long a program may take to get ready: these machines can be busy.
const START_TIMEOUT: Duration = Duration::from_secs(180);

/// What a program prints before the address that it listens on.
const LISTENING: &str = "listening on ";

/// A development chain of one validator.
pub struct Node {
    /// The process.
    pub process: Process,
    /// WebSocket address of its RPC.
    pub url: String,
}

impl Node {
    /// Starts a development chain with its data under `dir`.
    pub async fn start(dir: &Path) -> Result<Self> {
        Self::start_on(dir, free_port()?, &[]).await
    }

    /// Starts it on a given port: again after it was stopped, or with further arguments.
    pub async fn start_on(dir: &Path, port: u16, more: &[&str]) -> Result<Self> {
        let base = dir.join("node");
        let mut arguments: Vec<String> =
            ["--dev", "--no-prometheus", "--no-mdns", "--port=0", "--base-path"].map(String::from).into();
        arguments.push(base.display().to_string());
        arguments.push(format!("--rpc-port={port}"));
        arguments.extend(more.iter().map(|argument| argument.to_string()));
        let mut process = Process::start("node", "stipend-node", arguments, &dir.join("logs"))?;
        process.wait_for("Running JSON-RPC server", START_TIMEOUT).await?;
        Ok(Node { process, url: format!("ws://127.0.0.1:{port}") })
    }
}

/// A service that answers HTTP.
pub struct Service {
    /// The process.
    pub process: Process,
    /// Its address, without a path.
    pub url: String,
}

/// Starts the stand-in engine for a model.
pub async fn engine(dir: &Path, name: &str, model: &str, options: &[&str]) -> Result<Service> {
    let mut arguments = vec!["--listen", "127.0.0.1:0", "--model", model];
    arguments.extend(options);
    service(name, "stipend-engine-sim", arguments, &dir.join("logs")).await
}

/// Starts a program that says where it listens.
pub(crate) async fn service<A: AsRef<std::ffi::OsStr>>(
    name: &str,
    program: &str,
    arguments: impl IntoIterator<Item = A>,
    logs: &Path,
) -> Result<Service> {
    let mut process = Process::start(name, program, arguments, logs)?;
    let url = process.wait_for(LISTENING, START_TIMEOUT).await?;
    Ok(Service { process, url })
}

/// A model as an attestor knows it.
pub struct ServedModel {
    /// What callers ask for.
    pub name: String,
    /// Its number in the price book.
    pub id: ModelId,
    /// What the engine calls it.
    pub engine_name: String,
}

/// What an attestor is started with.
pub struct AttestorSetup<'a> {
    /// Name of the service and of its folder.
    pub name: &'a str,
    /// Address; port 0 takes a free one.
    pub listen: String,
    /// Account of the provider.
    pub provider: AccountId,
    /// The key that signs attestations.
    pub key: &'a Signer,
    /// The chain's genesis hash.
    pub genesis: H256,
    /// Where the engine is.
    pub engine_url: &'a str,
    /// The gateway that may send requests.
    pub gateway: AccountId,
    /// More lines of its table `[engine]`.
    pub engine_more: &'a str,
    /// What it serves.
    pub model: ServedModel,
    /// Requests to understate, to show that it does not pay.
    pub misreport: u32,
}

/// Starts an attestor; its bearer token is written to `<dir>/<name>/token`.
pub async fn attestor(dir: &Path, setup: &AttestorSetup<'_>) -> Result<Service> {
    let home = dir.join(setup.name);
    fs::create_dir_all(&home)?;
    let key_file = home.join("key");
    if !key_file.exists() {
        setup.key.save(&key_file)?;
        write_secret(&home.join("token"), &format!("token-of-{}-{}", setup.name, random_hex()))?;
    }
    let config = format!(
        "listen = \"{listen}\"\nprovider = \"{provider}\"\nkey_file = \"{key}\"\ndata_dir = \"{data}\"\n\
         genesis_hash = \"{genesis:?}\"\n\n[engine]\nurl = \"{engine}\"\n{engine_more}\n\
         [[gateway]]\naccount = \"{gateway}\"\ntoken_file = \"{token}\"\nsigns = true\n\n\
         [[model]]\nname = \"{model}\"\nid = {id}\nengine_name = \"{engine_name}\"\n",
        listen = setup.listen,
        provider = setup.provider,
        key = key_file.display(),
        data = home.join("data").display(),
        genesis = setup.genesis,
        engine = setup.engine_url,
        engine_more = setup.engine_more,
        gateway = setup.gateway,
        token = home.join("token").display(),
        model = setup.model.name,
        id = setup.model.id.0,
        engine_name = setup.model.engine_name,
    );
    let config_file = home.join("attestor.toml");
    fs::write(&config_file, config)?;
    let mut arguments = vec!["--config".to_string(), config_file.display().to_string()];
    if setup.misreport > 0 {
        arguments.extend(["--misreport-for-testing".into(), setup.misreport.to_string()]);
    }
    service(setup.name, "stipend-attestor", arguments, &dir.join("logs")).await
}

/// An upstream as a gateway's operator configures it.
pub struct Upstream<'a> {
    /// Name of the attestor's folder, where the token is.
    pub name: &'a str,
    /// Account of the provider.
    pub provider: AccountId,
    /// Address of its attestor.
    pub url: &'a str,
    /// The models it serves.
    pub models: Vec<String>,
    /// More lines of its table.
    pub more: &'a str,
}

/// What a gateway is started with.
pub struct GatewaySetup<'a> {
    /// Name of the service and of its folder.
    pub name: &'a str,
    /// Address; port 0 takes a free one.
    pub listen: String,
    /// WebSocket address of a node.
    pub chain: &'a str,
    /// The gateway's key.
    pub key: &'a Signer,
    /// Where requests go.
    pub upstreams: Vec<Upstream<'a>>,
    /// More lines of configuration, such as whole tables.
    pub more: &'a str,
}

/// Starts a gateway.
pub async fn gateway(dir: &Path, setup: &GatewaySetup<'_>) -> Result<Service> {
    gateway_of("stipend-gateway", dir, setup).await
}

/// Starts a gateway of another build: `program` is its full path.
pub(crate) async fn gateway_of(program: &str, dir: &Path, setup: &GatewaySetup<'_>) -> Result<Service> {
    let home = dir.join(setup.name);
    fs::create_dir_all(&home)?;
    let key_file = home.join("key");
    if !key_file.exists() {
        setup.key.save(&key_file)?;
    }
    let mut config = format!(
        "listen = \"{}\"\nchain = \"{}\"\nkey_file = \"{}\"\ndata_dir = \"{}\"\n{}\n",
        setup.listen,
        setup.chain,
        key_file.display(),
        home.join("data").display(),
        setup.more,
    );
    for upstream in &setup.upstreams {
        config.push_str(&format!(
            "\n[[upstream]]\nprovider = \"{}\"\nurl = \"{}\"\ntoken_file = \"{}\"\nmodels = {:?}\n{}",
            upstream.provider,
            upstream.url,
            dir.join(upstream.name).join("token").display(),
            upstream.models,
            upstream.more,
        ));
    }
    let config_file = home.join("gateway.toml");
    fs::write(&config_file, config)?;
    let arguments = ["--config".to_string(), config_file.display().to_string()];
    service(setup.name, program, arguments, &dir.join("logs")).await
}

/// Starts the wallet service of a configuration.
pub async fn wallet(config: &Path, logs: &Path) -> Result<Service> {
    let arguments = ["--config".to_string(), config.display().to_string()];
    service("wallet", "stipend-wallet", arguments, logs).await
}

fn write_secret(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    Ok(writeln!(file, "{text}")?)
}

fn random_hex() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

/// A fresh folder under the workspace's `target`, so that logs stay after a run.
pub fn work_dir(name: &str) -> Result<PathBuf> {
    fresh_dir(repository().join("target").join(name))
}

/// A folder without anything in it.
pub(crate) fn fresh_dir(dir: PathBuf) -> Result<PathBuf> {
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("{} could not be emptied", dir.display()))?;
    }
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// The root of the repository that this was built from.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap_or_else(|_| PathBuf::from("."))
}
