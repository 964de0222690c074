//! The folder that goes to a host: everything its node needs, and one command to start it.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    net::IpAddr,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::Result;

use super::record::{self, cannot, Host, HOST_FILE};

/// The raw chain specification in a host's folder.
pub(crate) const SPEC_FILE: &str = "chain.json";
/// The node's identity.
pub(crate) const NODE_KEY_FILE: &str = "node.key";
/// The validator's session keys.
pub(crate) const KEYSTORE: &str = "keystore";
/// What starts the node.
pub(crate) const START_FILE: &str = "start.sh";

/// Writes the files of a host that hold no secret.
pub(crate) fn write(folder: &Path, host: &Host, network: &str, spec: &[u8]) -> Result<()> {
    file(&folder.join(SPEC_FILE), spec, 0o644)?;
    record::write(&folder.join(HOST_FILE), host)?;
    file(&folder.join(START_FILE), start(host).as_bytes(), 0o755)?;
    file(&folder.join("stipend-node.service"), unit(host, network).as_bytes(), 0o644)?;
    file(&folder.join("README.md"), readme(host, network).as_bytes(), 0o644)
}

fn file(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    written.and_then(|mut file| file.write_all(content)).map_err(|error| cannot("write", path, &error))
}

/// Where other nodes reach a host.
pub(crate) fn multiaddress(address: &str, port: u16) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => format!("/ip4/{ip}/tcp/{port}"),
        Ok(IpAddr::V6(ip)) => format!("/ip6/{ip}/tcp/{port}"),
        Err(_) => format!("/dns/{address}/tcp/{port}"),
    }
}

fn start(host: &Host) -> String {
    let Host { name, p2p_port, rpc_port, prometheus_port, .. } = host;
    let public = multiaddress(&host.address, *p2p_port);
    let role = match host.validator {
        Some(_) => "--validator",
        // Others may ask this node, by any name it has; nothing privileged is answered to them.
        None => "--rpc-external --rpc-methods safe --rpc-cors all",
    };
    format!(
        r#"#!/bin/sh
# Starts the node {name}. STIPEND_NODE names the node's program, STIPEND_DATA the folder of its
# database. Further flags are handed on.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec "${{STIPEND_NODE:-stipend-node}}" \
    --chain "$here/{SPEC_FILE}" \
    --base-path "${{STIPEND_DATA:-$here/data}}" \
    --keystore-path "$here/{KEYSTORE}" \
    --node-key-file "$here/{NODE_KEY_FILE}" \
    --name {name} {role} \
    --port {p2p_port} --public-addr {public} \
    --rpc-port {rpc_port} --prometheus-port {prometheus_port} \
    --no-mdns --no-telemetry "$@"
"#
    )
}

fn unit(host: &Host, network: &str) -> String {
    format!(
        "[Unit]
Description=Stipend node {} of {network}
Wants=network-online.target
After=network-online.target

[Service]
User=stipend
ExecStart=/opt/stipend/{START_FILE}
Restart=on-failure
RestartSec=5
# Blocks and votes go on until the database is closed.
TimeoutStopSec=60
LimitNOFILE=65536
UMask=0077
NoNewPrivileges=true
PrivateTmp=true
ProtectHome=true
ProtectSystem=strict
ReadWritePaths=/opt/stipend

[Install]
WantedBy=multi-user.target
",
        host.name
    )
}

fn readme(host: &Host, network: &str) -> String {
    let Host { name, address, p2p_port, rpc_port, prometheus_port, peer_id, .. } = host;
    let what = match &host.validator {
        Some(account) => format!("A validator. Its account is {account}; that key is not in this folder and not needed here."),
        None => "A node that follows the chain and answers JSON-RPC. It makes no blocks and holds no key of value."
            .into(),
    };
    let first = if host.in_genesis {
        "It belongs to the chain from the first block on."
    } else {
        "The council has to put its node key on the chain's list first:\n`stipend network add-node` with the peer id below."
    };
    format!(
        "# {name}, a node of {network}

{what}
{first}

Start it, with `stipend-node` on the PATH:

```sh
./start.sh
```

| | |
|---|---|
| address | {address}, port {p2p_port}: open to the other nodes, and best to nobody else |
| peer id | `{peer_id}` |
| JSON-RPC | port {rpc_port} |
| metrics | port {prometheus_port}, `/metrics` |

As a service: copy this folder to /opt/stipend and give it to a user `stipend`, copy the unit to
/etc/systemd/system, then `systemctl enable --now stipend-node`.

`{NODE_KEY_FILE}` and `{KEYSTORE}/` are secrets of this host: mode 0600, on no other host, ever. Two
nodes with one validator's keys contradict each other, and what they then sign is evidence against it.
`stipend network check .` says whether everything is in place.
"
    )
}

/// Whether a file can be run by its owner.
pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o100 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(validator: Option<&str>) -> Host {
        Host {
            name: "oslo".into(),
            address: "10.0.0.2".into(),
            p2p_port: 30333,
            rpc_port: 9944,
            prometheus_port: 9615,
            peer_id: "12D3KooW".into(),
            validator: validator.map(Into::into),
            in_genesis: true,
            spec_hash: String::new(),
        }
    }

    #[test]
    fn a_validator_answers_nobody_but_its_own_host() {
        let script = start(&host(Some("5F")));
        assert!(script.contains("--validator") && !script.contains("--rpc-external"));
        assert!(script.contains("--public-addr /ip4/10.0.0.2/tcp/30333"));
        let reader = start(&host(None));
        assert!(!reader.contains("--validator") && reader.contains("--rpc-methods safe"));
    }

    #[test]
    fn every_kind_of_address_becomes_a_multiaddress() {
        assert_eq!(multiaddress("10.0.0.2", 1), "/ip4/10.0.0.2/tcp/1");
        assert_eq!(multiaddress("2001:db8::1", 1), "/ip6/2001:db8::1/tcp/1");
        assert_eq!(multiaddress("node.example", 1), "/dns/node.example/tcp/1");
    }
}
