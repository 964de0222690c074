//! The wires between the validators.
//!
//! Where the machine allows it (Linux, root, `ip`), every validator has a network namespace with two
//! cables. One leads to a switch that nothing but validators is plugged into; blocks and votes
//! travel there. The other leads to this machine, for JSON-RPC and for what validators fetch from
//! attestors; its ports are isolated from each other. A partition plugs the first cables into
//! several switches, so it is exact, and packets get lost as they do when a line is dug up.
//!
//! Elsewhere all validators share the loopback interface: they can be killed, not cut off.

use std::{
    fs,
    path::Path,
    process::{self, Command},
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{bail, Context, Result};

use crate::process::free_port;

/// Port for blocks and votes, the same in every namespace.
const P2P_PORT: u16 = 30_333;

/// Port of JSON-RPC, the same in every namespace.
const RPC_PORT: u16 = 9_944;

/// First part of the addresses on the switch. They mean nothing outside of the namespaces.
const SWITCH_NET: &str = "10.77.0";

/// Networks that this process made, so that two of them never share an address.
static MADE: AtomicUsize = AtomicUsize::new(0);

/// Where a validator runs and answers.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its network namespace.
    pub namespace: Option<String>,
    /// Address for other validators.
    pub p2p_host: String,
    /// Port for other validators.
    pub p2p_port: u16,
    /// Address of its JSON-RPC.
    pub rpc_host: String,
    /// Port of its JSON-RPC.
    pub rpc_port: u16,
}

/// The wires. Dropping them takes everything away again.
pub struct Network {
    namespaces: Option<Namespaces>,
}

impl Network {
    /// Lays the wires; says aloud when there can be none.
    pub fn lay() -> Result<Self> {
        match Namespaces::new() {
            Ok(namespaces) => Ok(Network { namespaces: Some(namespaces) }),
            Err(reason) => {
                println!(
                    "NETWORK NAMESPACES CANNOT BE MADE HERE ({reason:#}). The validators share the loopback \
                     interface; nothing that needs a partition is tested."
                );
                Ok(Network { namespaces: None })
            }
        }
    }

    /// Whether validators can be cut off from each other.
    pub fn can_part(&self) -> bool {
        self.namespaces.is_some()
    }

    /// Address of this machine as the validators see it.
    pub fn host(&self) -> String {
        self.namespaces.as_ref().map_or_else(|| "127.0.0.1".into(), |network| network.machine(1))
    }

    /// Plugs in validator number `at`.
    pub fn plug_in(&mut self, at: usize) -> Result<Place> {
        match &mut self.namespaces {
            Some(namespaces) => namespaces.plug_in(at),
            None => Ok(Place {
                namespace: None,
                p2p_host: "127.0.0.1".into(),
                p2p_port: free_port()?,
                rpc_host: "127.0.0.1".into(),
                rpc_port: free_port()?,
            }),
        }
    }

    /// Parts the validators: those of one group reach each other and nobody else. A validator that
    /// no group names stays where it is.
    pub fn part(&mut self, groups: &[&[usize]]) -> Result<()> {
        let namespaces = self.namespaces.as_mut().context("there are no wires to cut on this machine")?;
        for (switch, group) in groups.iter().enumerate() {
            for at in *group {
                namespaces.plug(*at, switch)?;
            }
        }
        Ok(())
    }

    /// Pulls the cable of one validator.
    pub fn cut(&self, at: usize) -> Result<()> {
        self.link(at, "down")
    }

    /// Plugs it in again.
    pub fn restore(&self, at: usize) -> Result<()> {
        self.link(at, "up")
    }

    fn link(&self, at: usize, state: &str) -> Result<()> {
        let namespaces = self.namespaces.as_ref().context("there are no wires to cut on this machine")?;
        ip(&["-n", &namespaces.switches, "link", "set", &format!("v{at}"), state])
    }
}

/// Namespaces, cables and switches of one network.
struct Namespaces {
    /// What all names begin with: whose they are.
    prefix: String,
    /// Namespace of the switches; firewalls of this machine do not reach into it.
    switches: String,
    /// The bridge that leads to this machine.
    bridge: String,
    /// Third part of the addresses on that bridge.
    net: usize,
    /// How many switches there are.
    switches_count: usize,
}

impl Namespaces {
    fn new() -> Result<Self> {
        let (pid, number) = (process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        sweep();
        let prefix = format!("stipend-{pid}-{number}");
        let network = Namespaces {
            switches: format!("{prefix}-switch"),
            bridge: format!("st{pid}n{number}"),
            net: (pid as usize + 31 * number) % 250,
            switches_count: 0,
            prefix,
        };
        ip(&["netns", "add", &network.switches])?;
        ip(&["link", "add", &network.bridge, "type", "bridge"])?;
        ip(&["addr", "add", &format!("{}/24", network.machine(1)), "dev", &network.bridge])?;
        ip(&["link", "set", &network.bridge, "up"])?;
        Ok(network)
    }

    /// An address on the bridge to this machine.
    fn machine(&self, last: usize) -> String {
        format!("10.78.{}.{last}", self.net)
    }

    fn plug_in(&mut self, at: usize) -> Result<Place> {
        let namespace = format!("{}-{at}", self.prefix);
        let (p2p_host, rpc_host) = (format!("{SWITCH_NET}.{}", at + 10), self.machine(at + 10));
        let outside = format!("{}m{at}", self.bridge);
        ip(&["netns", "add", &namespace])?;
        ip(&["-n", &namespace, "link", "set", "lo", "up"])?;
        // As docs/operate.md says of every host.
        ip(&["netns", "exec", &namespace, "sysctl", "-qw", "net.ipv4.tcp_retries2=5"])?;

        let cable = format!("v{at}");
        ip(&[
            "-n",
            &self.switches,
            "link",
            "add",
            &cable,
            "type",
            "veth",
            "peer",
            "p2p",
            "netns",
            &namespace,
        ])?;
        ip(&["-n", &namespace, "addr", "add", &format!("{p2p_host}/24"), "dev", "p2p"])?;
        ip(&["-n", &namespace, "link", "set", "p2p", "up"])?;
        ip(&["-n", &self.switches, "link", "set", &cable, "up"])?;
        self.plug(at, 0)?;

        ip(&["link", "add", &outside, "type", "veth", "peer", "rpc", "netns", &namespace])?;
        ip(&["-n", &namespace, "addr", "add", &format!("{rpc_host}/24"), "dev", "rpc"])?;
        ip(&["-n", &namespace, "link", "set", "rpc", "up"])?;
        ip(&["link", "set", &outside, "master", &self.bridge, "up"])?;
        ip(&["link", "set", "dev", &outside, "type", "bridge_slave", "isolated", "on"])?;
        Ok(Place { namespace: Some(namespace), p2p_host, p2p_port: P2P_PORT, rpc_host, rpc_port: RPC_PORT })
    }

    /// Plugs the cable of validator `at` into a switch.
    fn plug(&mut self, at: usize, switch: usize) -> Result<()> {
        while self.switches_count <= switch {
            let name = format!("switch{}", self.switches_count);
            ip(&["-n", &self.switches, "link", "add", &name, "type", "bridge"])?;
            ip(&["-n", &self.switches, "link", "set", &name, "up"])?;
            self.switches_count += 1;
        }
        let (cable, switch) = (format!("v{at}"), format!("switch{switch}"));
        ip(&["-n", &self.switches, "link", "set", &cable, "master", &switch])
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        take_away(&self.prefix, &self.bridge);
    }
}

/// Removes namespaces and cables by the beginning of their names. What is gone already is no fault.
fn take_away(namespaces: &str, links: &str) {
    for namespace in names_in("/run/netns", namespaces) {
        let _gone = ip(&["netns", "del", &namespace]);
    }
    for link in names_in("/sys/class/net", links) {
        let _gone = ip(&["link", "del", &link]);
    }
}

/// Takes away what runs left behind that were killed.
fn sweep() {
    let owner = |name: &str| name.strip_prefix("stipend-")?.split('-').next()?.parse::<u32>().ok();
    for pid in names_in("/run/netns", "stipend-").iter().filter_map(|name| owner(name)) {
        if !Path::new(&format!("/proc/{pid}")).exists() {
            take_away(&format!("stipend-{pid}-"), &format!("st{pid}n"));
        }
    }
}

fn names_in(folder: &str, prefix: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect()
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip").args(arguments).output().context("`ip` could not be run")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`ip {}` failed: {}", arguments.join(" "), said.trim());
    }
    Ok(())
}
