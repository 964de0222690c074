//! Other gateways and proxies, as `scripts/bench-peers.sh` installs them or the machine has them.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use stipend_http_load::target::Target;

use super::{
    cores::{move_to, Cores},
    options::Options,
    side::{Side, CHAT},
};
use crate::{
    process::{free_port, Process},
    services::repository,
};

/// How long one that chooses its port itself may take to say it.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// One that others wrote.
struct Peer {
    name: &'static str,
    does: &'static str,
    /// The program, below the folder of the peer in `target/bench-peers`.
    installed: &'static str,
    /// Its name where the machine has it by itself.
    on_path: Option<&'static str>,
    path: &'static str,
    model: &'static str,
    /// What stands before its address in its output, where it chooses its port itself.
    announces: Option<&'static str>,
    command: fn(&Start) -> Result<Command>,
}

/// What one is started with.
struct Start<'a> {
    program: &'a Path,
    /// A folder of its own.
    home: &'a Path,
    port: u16,
    upstream: SocketAddr,
}

static PEERS: [Peer; 6] = [
    Peer {
        name: "nginx",
        does: "passes bytes on",
        installed: "root/usr/sbin/nginx",
        on_path: Some("nginx"),
        path: CHAT,
        model: "mock",
        announces: None,
        command: nginx,
    },
    Peer {
        name: "envoy",
        does: "passes requests on",
        installed: "venv/bin/envoy",
        on_path: Some("envoy"),
        path: CHAT,
        model: "mock",
        announces: None,
        command: envoy,
    },
    Peer {
        name: "vllm-router",
        does: "chooses an engine; no keys, no budgets",
        installed: "venv/bin/vllm-router",
        on_path: Some("vllm-router"),
        path: CHAT,
        model: "mock",
        announces: None,
        command: vllm_router,
    },
    Peer {
        name: "tensorzero",
        does: "translates; no keys, no budgets, no database",
        installed: "venv/bin/python",
        on_path: None,
        path: "/openai/v1/chat/completions",
        model: "tensorzero::model_name::mock",
        announces: Some("listening on "),
        command: tensorzero,
    },
    Peer {
        name: "litellm",
        does: "translates; no keys, no budgets, no database",
        installed: "venv/bin/litellm",
        on_path: Some("litellm"),
        path: CHAT,
        model: "mock",
        announces: None,
        command: litellm,
    },
    Peer {
        name: "litellm-rs",
        does: "translates; no keys, no budgets, no database",
        installed: "bin/gateway",
        on_path: None,
        path: CHAT,
        model: "mock",
        announces: None,
        command: litellm_rs,
    },
];

/// Their names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PEERS.iter().map(|peer| peer.name)
}

/// Starts those that are wanted and there, and waits until they pass requests on. Says aloud which are missing, and
/// which failed and why.
pub(super) async fn start(
    dir: &Path,
    upstream: SocketAddr,
    cores: &Cores,
    options: &Options,
) -> Result<Vec<Side>> {
    let mut sides = Vec::new();
    for peer in PEERS.iter().filter(|peer| options.wants(peer.name)) {
        let Some(program) = peer.program() else {
            println!("ABSENT: {}; scripts/bench-peers.sh installs it", peer.name);
            continue;
        };
        move_to(cores.side)?;
        let side = peer.start(&program, dir, upstream).await;
        move_to(cores.load)?;
        let ready = match side {
            Ok(mut side) => side.ready().await.map(|()| side),
            Err(error) => Err(error),
        };
        match ready {
            Ok(side) => sides.push(side),
            Err(error) => println!("FAILED, not measured: {}: {error:#}", peer.name),
        }
    }
    Ok(sides)
}

impl Peer {
    fn program(&self) -> Option<PathBuf> {
        let installed = repository().join("target/bench-peers").join(self.name).join(self.installed);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = self.on_path.into_iter().flat_map(|name| {
            std::env::split_paths(&path).map(move |folder| folder.join(name)).collect::<Vec<_>>()
        });
        std::iter::once(installed).chain(on_path).find(|program| program.is_file())
    }

    async fn start(&self, program: &Path, dir: &Path, upstream: SocketAddr) -> Result<Side> {
        let home = dir.join(self.name);
        fs::create_dir_all(&home)?;
        let start = Start { program, home: &home, port: free_port()?, upstream };
        let command = (self.command)(&start)?;
        let mut process = Process::spawn(self.name, self.name, command, &dir.join("logs"))?;
        let port = match self.announces {
            None => start.port,
            Some(mark) => {
                let url = process.wait_for(mark, START_TIMEOUT).await?;
                let host = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
                host.parse::<SocketAddr>().with_context(|| format!("it listens on {url}"))?.port()
            }
        };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let target = Target::new(address, self.path, self.model, Vec::new());
        Ok(Side { name: self.name, does: self.does, target, process: Some(process) })
    }
}

impl Start<'_> {
    /// Writes a configuration with its places filled in.
    fn write(&self, name: &str, template: &str) -> Result<PathBuf> {
        let text = template
            .replace("LISTEN_PORT", &self.port.to_string())
            .replace("UPSTREAM_HOST", &self.upstream.ip().to_string())
            .replace("UPSTREAM_PORT", &self.upstream.port().to_string());
        let file = self.home.join(name);
        fs::write(&file, text)?;
        Ok(file)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.current_dir(self.home);
        command
    }
}

fn nginx(start: &Start) -> Result<Command> {
    let config = start.write("nginx.conf", include_str!("../../peers/nginx.conf"))?;
    let mut command = start.command();
    command.arg("-p").arg(start.home).arg("-c").arg(config);
    Ok(command)
}

fn envoy(start: &Start) -> Result<Command> {
    let config = start.write("envoy.yaml", include_str!("../../peers/envoy.yaml"))?;
    let mut command = start.command();
    command.arg("--config-path").arg(config);
    command.args(["--concurrency", "1", "--use-dynamic-base-id", "--log-level", "warn"]);
    Ok(command)
}

fn vllm_router(start: &Start) -> Result<Command> {
    let mut command = start.command();
    command.args(["--host", "127.0.0.1", "--policy", "round_robin", "--log-level", "warning"]);
    command.args(["--port", &start.port.to_string()]);
    command.args(["--prometheus-port", &free_port()?.to_string()]);
    command.args(["--worker-urls", &format!("http://{}", start.upstream)]);
    Ok(command)
}

fn tensorzero(start: &Start) -> Result<Command> {
    let config = start.write("tensorzero.toml", include_str!("../../peers/tensorzero.toml"))?;
    // Under its own name Python would take it for the package.
    let script = start.write("start.py", include_str!("../../peers/tensorzero.py"))?;
    let mut command = start.command();
    command.env("TENSORZERO_DISABLE_PSEUDONYMOUS_USAGE_ANALYTICS", "1").arg(script).arg(config);
    Ok(command)
}

fn litellm(start: &Start) -> Result<Command> {
    let config = start.write("litellm.yaml", include_str!("../../peers/litellm.yaml"))?;
    let mut command = start.command();
    command.env("LITELLM_LOG", "ERROR").env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
    command.arg("--config").arg(config);
    command.args(["--host", "127.0.0.1", "--num_workers", "1", "--telemetry", "False"]);
    command.args(["--port", &start.port.to_string()]);
    Ok(command)
}

fn litellm_rs(start: &Start) -> Result<Command> {
    // It reads this file below the folder that it is started in.
    fs::create_dir_all(start.home.join("config"))?;
    start.write("config/gateway.yaml", include_str!("../../peers/litellm-rs.yaml"))?;
    Ok(start.command())
}
