//! Runs the commands of a page as they stand there.
//!
//! A fenced block whose first line is `sh HOST…` is run by bash on each host named, in that host's
//! network namespace and folder. Two commands stand for what a test has no two machines for: `scp`
//! copies into the other host's folder, and `systemctl` starts and stops `./start.sh`. A comment
//! `<!-- test: … -->` names something that has to hold at that point.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{bail, ensure, Context, Result};

use crate::{consortium::network::Network, process::program};

/// A step of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Commands, and on which hosts.
    Run {
        /// The hosts, in order.
        hosts: Vec<String>,
        /// What bash is to run.
        commands: String,
    },
    /// Something that has to hold: the words of the comment.
    Expect(Vec<String>),
}

/// The steps of a page, in order. Blocks without a host are for reading.
pub fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let text = line.trim_start();
        if let Some(words) = text.strip_prefix("<!-- test:").and_then(|rest| rest.strip_suffix("-->")) {
            steps.push(Step::Expect(words.split_whitespace().map(String::from).collect()));
        }
        let Some(info) = text.strip_prefix("```") else { continue };
        let indent = line.len() - text.len();
        let block: Vec<&str> = lines.by_ref().take_while(|line| line.trim_start() != "```").collect();
        let mut words = info.split_whitespace();
        let hosts: Vec<String> = match words.next() {
            Some("sh") => words.map(String::from).collect(),
            _ => Vec::new(),
        };
        if !hosts.is_empty() {
            let commands =
                block.iter().map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>();
            steps.push(Step::Run { hosts, commands: commands.join("\n") });
        }
    }
    steps
}

/// The machines that a page speaks of.
pub struct Machines {
    root: PathBuf,
    namespaces: BTreeMap<String, String>,
    /// Addresses at which this machine reaches the hosts' JSON-RPC, where they listen beyond themselves.
    pub rpc: BTreeMap<String, String>,
    path: String,
    // After the hosts' processes have ended.
    _network: Network,
}

/// What stands for the machines that a test does not have.
const PRELUDE: &str = r#"
scp() {
    local from=("${@:2:$#-2}") to="${@: -1}"
    local host=${to%%:*} path=${to#*:}
    mkdir -p "$ROOT/$host$(dirname "$path")"
    cp -a "${from[@]}" "$ROOT/$host$path"
}
systemctl() {
    case $1 in
    start) nohup ./start.sh >> node.log 2>&1 & ;;
    stop) for pid in $(pids); do kill "$pid"; done; while [ -n "$(pids)" ]; do sleep 0.1; done ;;
    esac
}
# The nodes that run on this host.
pids() {
    local pid
    for pid in $(ip netns pids "$NAMESPACE"); do
        if [ "$(cat "/proc/$pid/comm" 2> /dev/null)" = stipend-node ]; then echo "$pid"; fi
    done
}
# What one block exports, the next ones of that host know.
if [ -f "$ROOT/$HOST.env" ]; then . "$ROOT/$HOST.env"; fi
trap 'export -p > "$ROOT/$HOST.env"' EXIT
set -eu
"#;

impl Machines {
    /// The hosts of these names, with addresses in this order; `None` where there are no namespaces.
    pub fn new(root: &Path, hosts: &[&str]) -> Result<Option<Self>> {
        let mut network = Network::lay()?;
        if !network.can_part() {
            return Ok(None);
        }
        let (mut namespaces, mut rpc) = (BTreeMap::new(), BTreeMap::new());
        for (at, host) in hosts.iter().enumerate() {
            let place = network.plug_in(at)?;
            rpc.insert(host.to_string(), format!("ws://{}:9944", place.rpc_host));
            namespaces.insert(host.to_string(), place.namespace.context("a host without a namespace")?);
            fs::create_dir_all(root.join(host))?;
        }
        let programs = program("stipend-node")?.with_file_name("");
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
        Ok(Some(Machines { root: root.to_owned(), namespaces, rpc, path, _network: network }))
    }

    /// Runs commands on a host; what they printed.
    pub fn run(&self, host: &str, commands: &str, variables: &[(&str, &str)]) -> Result<String> {
        let namespace =
            self.namespaces.get(host).with_context(|| format!("the page names no host {host}"))?;
        let home =
            if host == "desk" { self.root.join(host) } else { self.root.join(host).join("opt/stipend") };
        let output = Command::new("ip")
            .args(["netns", "exec", namespace, "bash", "-c", &format!("{PRELUDE}\n{commands}")])
            .current_dir(&home)
            .env("PATH", &self.path)
            .env("ROOT", &self.root)
            .env("HOST", host)
            .env("NAMESPACE", namespace)
            .envs(variables.iter().copied())
            .output()
            .with_context(|| format!("nothing can be run on {host}, in {}", home.display()))?;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(
            output.status.success(),
            "on {host}:\n{commands}\nended with {}\n{out}\n{err}",
            output.status
        );
        Ok(out.into_owned())
    }

    /// Ends what runs on a host, as when the machine is lost.
    pub fn lose(&self, host: &str) -> Result<()> {
        let Some(namespace) = self.namespaces.get(host) else { bail!("there is no host {host}") };
        end_all_in(namespace);
        Ok(())
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        self.namespaces.values().for_each(|namespace| end_all_in(namespace));
    }
}

/// Ends the processes of a namespace, which this process made.
fn end_all_in(namespace: &str) {
    let Ok(listed) = Command::new("ip").args(["netns", "pids", namespace]).output() else { return };
    let pids = String::from_utf8_lossy(&listed.stdout).into_owned();
    for pid in pids.split_whitespace().filter_map(|pid| pid.parse().ok()) {
        if let Some(pid) = rustix::process::Pid::from_raw(pid) {
            // One that has ended meanwhile is as good.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_with_a_host_are_steps_and_the_others_are_not() {
        let page = "Text\n```sh desk\na \\\n  b\n```\n```sh\nnot run\n```\n<!-- test: final -->\n1. Item\n\n   ```sh munich oslo\n   c\n   ```\n";
        let run = |hosts: &[&str], commands: &str| Step::Run {
            hosts: hosts.iter().map(ToString::to_string).collect(),
            commands: commands.into(),
        };
        let wanted =
            [run(&["desk"], "a \\\n  b"), Step::Expect(vec!["final".into()]), run(&["munich", "oslo"], "c")];
        assert_eq!(steps(page), wanted);
    }
}
