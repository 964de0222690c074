//! What the hosts have to agree on, and the keys of people.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::Result;
use stipend_sdk::Signer;

use super::{
    host::{self, Seen},
    Findings,
};
use crate::{
    parse,
    verbs::network::{
        genesis::Genesis,
        host::{NODE_KEY_FILE, SPEC_FILE},
        init::{HOSTS, KEYS},
        keys,
        plan::machine,
        record::{self, Member, Network, NETWORK_FILE},
    },
};

/// Checks a network's folder; the number of its hosts.
pub(super) fn check(folder: &Path, findings: &mut Findings) -> Result<usize> {
    let network: Network = record::read(&folder.join(NETWORK_FILE))?;
    let hosts = folder.join(HOSTS);
    let mut seen = Vec::new();
    for host in &network.host {
        let home = hosts.join(&host.name);
        if !home.is_dir() {
            findings.add(&home, "the host's folder is missing", "bring it back, or check it where it is");
            continue;
        }
        let Some(found) = host::check(&home, findings) else { continue };
        if found.host != *host {
            let remedy = "bring both files back from where the network was made";
            findings.add(&home, format!("host.toml and {NETWORK_FILE} describe different hosts"), remedy);
        }
        seen.push(found);
    }
    check_strangers(&hosts, &network, findings);
    check_specs(&hosts, &network, &seen, findings);
    check_duplicates(&hosts, &seen, findings);
    check_ports(&hosts, &network, findings);
    check_genesis(folder, &network, &seen, findings);
    check_people(folder, &network, findings);
    Ok(network.host.len())
}

fn check_strangers(hosts: &Path, network: &Network, findings: &mut Findings) {
    for entry in fs::read_dir(hosts).into_iter().flatten().filter_map(Result::ok) {
        let known = network.host.iter().any(|host| *host.name == *entry.file_name());
        if !known {
            findings.add(
                &entry.path(),
                format!("it belongs to no host of {NETWORK_FILE}"),
                "remove it; `stipend network add-host` makes folders of further hosts",
            );
        }
    }
}

fn check_specs(hosts: &Path, network: &Network, seen: &[Seen], findings: &mut Findings) {
    for Seen { host, genesis, .. } in seen {
        if genesis.as_ref().is_some_and(|genesis| genesis.hash != network.spec_hash) {
            findings.add(
                &hosts.join(&host.name).join(SPEC_FILE),
                "it differs from the other hosts' chain specification",
                "copy another host's; two that differ are two chains",
            );
        }
    }
}

fn check_duplicates(hosts: &Path, seen: &[Seen], findings: &mut Findings) {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for Seen { host, session_keys, .. } in seen {
        let name = host.name.as_str();
        // The identity in the file, which need not be the one on record.
        let node_key = keys::read_node_key(&hosts.join(name).join(NODE_KEY_FILE));
        let node_key = node_key.ok().map(|peer| (peer.to_string(), "node key"));
        let session_keys =
            session_keys.iter().map(|(kind, key)| (keys::keystore_name(*kind, key), kind.key_name()));
        let account = host.validator.clone().map(|account| (account, "validator account"));
        for (key, what) in node_key.into_iter().chain(session_keys).chain(account) {
            if let Some(other) = owners.insert(key, name) {
                findings.add(
                    &hosts.join(name),
                    format!("it has the same {what} as {other}"),
                    "give each host keys of its own: two nodes that share one contradict each other",
                );
            }
        }
    }
}

fn check_ports(hosts: &Path, network: &Network, findings: &mut Findings) {
    let mut owners: BTreeMap<(String, u16), (&str, &str)> = BTreeMap::new();
    for host in &network.host {
        let ports = [(host.p2p_port, "p2p"), (host.rpc_port, "JSON-RPC"), (host.prometheus_port, "metrics")];
        for (port, what) in ports {
            let owner = owners.insert((machine(&host.address), port), (&host.name, what));
            if let Some((other, use_there)) = owner {
                findings.add(
                    &hosts.join(&host.name),
                    format!("port {port} ({what}) on {} is taken by {other} ({use_there})", host.address),
                    "change one of them in start.sh, host.toml and network.toml",
                );
            }
        }
    }
}

/// The first session's validators, the listed nodes and the council have to be the network's.
fn check_genesis(folder: &Path, network: &Network, seen: &[Seen], findings: &mut Findings) {
    let right = |seen: &&Genesis| seen.hash == network.spec_hash;
    let Some(genesis) = seen.iter().filter_map(|seen| seen.genesis.as_ref()).find(right) else { return };
    let file = folder.join(NETWORK_FILE);
    let validators: BTreeSet<&str> =
        network.host.iter().filter_map(|host| host.validator.as_deref()).collect();
    for account in genesis.session_keys.keys().map(parse::address) {
        if !validators.contains(account.as_str()) {
            let what =
                format!("the chain begins with the validator {account}, which is on no host of the network");
            findings.add(&file, what, "found the network anew: a stranger would make its blocks");
        }
    }
    let peers: BTreeSet<&str> = network.host.iter().map(|host| host.peer_id.as_str()).collect();
    for (key, name) in &genesis.nodes {
        let peer = keys::peer_id(key).map(|peer| peer.to_string()).unwrap_or_else(|| hex::encode(key));
        if !peers.contains(peer.as_str()) {
            let what = format!(
                "the chain's list begins with the node {peer} ({name}), which is no host of the network"
            );
            findings.add(&file, what, "found the network anew, or have the council remove that node first");
        }
    }
    let recorded: BTreeSet<&str> = network.council.iter().map(|member| member.account.as_str()).collect();
    let council: Vec<String> = genesis.council.iter().map(parse::address).collect();
    if !council.is_empty() && council.iter().map(String::as_str).collect::<BTreeSet<_>>() != recorded {
        let remedy = "found the network anew: whoever sits on the council governs it";
        findings.add(&file, "the council that the chain begins with is not the one on record", remedy);
    }
}

fn check_people(folder: &Path, network: &Network, findings: &mut Findings) {
    let validators: Vec<Member> = network
        .host
        .iter()
        .filter_map(|host| {
            let account = host.validator.clone()?;
            Some(Member { name: host.name.clone(), account, key_here: true })
        })
        .collect();
    for (kind, members) in
        [("council", &network.council), ("issuers", &network.issuer), ("validators", &validators)]
    {
        for member in members.iter().filter(|member| member.key_here) {
            check_member(
                &folder.join(KEYS).join(kind).join(format!("{}.key", member.name)),
                member,
                findings,
            );
        }
    }
}

/// A key that is not here any more was given to its owner, as it should be.
fn check_member(file: &Path, member: &Member, findings: &mut Findings) {
    if !file.exists() {
        return;
    }
    match Signer::from_file(file) {
        Ok(signer) if signer.address() != member.account => findings.add(
            file,
            format!("it is the key of {}, not of {}", signer.address(), member.account),
            "bring the right key back: the chain knows the one on record",
        ),
        Ok(_) => {}
        Err(why) => findings.add(file, why.to_string(), "see what is said of it"),
    }
}
