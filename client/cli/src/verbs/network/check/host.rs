//! The folder of one host.

use std::{fs, path::Path};

use stipend_sdk::primitives::AccountId;

use super::{check_private, Findings};
use crate::verbs::network::{
    genesis::Genesis,
    host::{is_executable, KEYSTORE, NODE_KEY_FILE, SPEC_FILE, START_FILE},
    keys::{self, Kind, SessionKeys, SESSION_KEYS},
    record::{self, Host, HOST_FILE},
};

/// What the network's check wants to know of a host besides what is wrong with it.
pub(super) struct Seen {
    pub(super) host: Host,
    pub(super) genesis: Option<Genesis>,
    /// The session keys in its keystore.
    pub(super) session_keys: Vec<(Kind, [u8; 32])>,
}

/// Checks a host's folder; `None` if it does not say what it is.
pub(super) fn check(folder: &Path, findings: &mut Findings) -> Option<Seen> {
    let file = folder.join(HOST_FILE);
    let host: Host = match record::read(&file) {
        Ok(host) => host,
        Err(why) => {
            findings.add(&file, why.to_string(), "copy the host's folder again");
            return None;
        }
    };
    let genesis = check_spec(folder, &host, findings);
    check_node_key(folder, &host, genesis.as_ref(), findings);
    let session_keys = check_keystore(folder, &host, genesis.as_ref(), findings);
    let start = folder.join(START_FILE);
    if !is_executable(&start) {
        findings.add(&start, "it is missing, or its owner cannot run it", "copy it again, or chmod 755");
    }
    Some(Seen { host, genesis, session_keys })
}

fn check_spec(folder: &Path, host: &Host, findings: &mut Findings) -> Option<Genesis> {
    let file = folder.join(SPEC_FILE);
    let genesis = match Genesis::read(&file) {
        Ok(genesis) => genesis,
        Err(why) => {
            findings.add(&file, why.to_string(), "copy the network's chain specification to this host again");
            return None;
        }
    };
    if genesis.hash != host.spec_hash {
        findings.add(
            &file,
            "it is not the chain specification that this host was made for: it would be on a chain of its own",
            "copy the network's chain specification to this host again",
        );
    }
    Some(genesis)
}

fn check_node_key(folder: &Path, host: &Host, genesis: Option<&Genesis>, findings: &mut Findings) {
    let file = folder.join(NODE_KEY_FILE);
    check_private(&file, findings);
    let peer = match keys::read_node_key(&file) {
        Ok(peer) => peer,
        Err(why) => {
            findings.add(
                &file,
                why.to_string(),
                "bring this host's node.key back from where the network was made",
            );
            return;
        }
    };
    if peer.to_string() != host.peer_id {
        findings.add(
            &file,
            format!("it is the key of another node, {peer}"),
            "bring this host's own node.key back; no two hosts may share one",
        );
    }
    let listed =
        |genesis: &Genesis| keys::node_key(&peer).is_some_and(|key| genesis.nodes.contains_key(&key));
    if host.in_genesis && genesis.is_some_and(|genesis| !listed(genesis)) {
        findings.add(
            &file,
            format!("{peer} is not on the chain's list of nodes: the others will not talk to it"),
            "bring this host's own node.key back, or have the council add the new one (add-node)",
        );
    }
}

fn check_keystore(
    folder: &Path,
    host: &Host,
    genesis: Option<&Genesis>,
    findings: &mut Findings,
) -> Vec<(Kind, [u8; 32])> {
    let keystore = folder.join(KEYSTORE);
    check_private(&keystore, findings);
    let entries = match fs::read_dir(&keystore) {
        Ok(entries) => entries.filter_map(Result::ok),
        Err(why) => {
            findings.add(&keystore, format!("it cannot be read: {why}"), "copy the host's folder again");
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for file in entries.map(|entry| entry.path()) {
        check_private(&file, findings);
        let name = file.file_name().and_then(|name| name.to_str()).and_then(keys::parse_keystore_name);
        match name {
            None => findings.add(&file, "it is not a session key", "remove it from the keystore"),
            Some((kind, public)) if keys::read_session_key(&file, kind) != Some(public) => findings.add(
                &file,
                format!("it does not hold the {} key that its name says", kind.name()),
                "bring it back from where the network was made, or remove it and publish new keys",
            ),
            Some(key) => found.push(key),
        }
    }
    check_against_genesis(&keystore, host, genesis, &found, findings);
    found
}

/// A validator of the first session needs exactly the keys that the chain expects of it, and others
/// need none: theirs are made by the running node.
fn check_against_genesis(
    keystore: &Path,
    host: &Host,
    genesis: Option<&Genesis>,
    found: &[(Kind, [u8; 32])],
    findings: &mut Findings,
) {
    let Some(genesis) = genesis else { return };
    let expected = match expected(host, genesis) {
        Ok(expected) => expected,
        Err(what) => {
            findings.add(keystore, what, "found the network anew, or bring this host's folder back");
            return;
        }
    };
    let owner = |key: &(Kind, [u8; 32])| {
        genesis.session_keys.iter().find(|(_, keys)| keys.of(key.0) == key.1).map(|(account, _)| account)
    };
    for (kind, _) in SESSION_KEYS.into_iter().filter(|_| host.in_genesis) {
        let Some(key) = expected.map(|keys| (kind, keys.of(kind))) else { continue };
        if !found.contains(&key) {
            findings.add(
                keystore,
                format!("the {} key that the chain expects of this validator is missing", kind.name()),
                "bring the keystore back from where the network was made; without it this validator makes no blocks or does not vote",
            );
        }
    }
    for key in found {
        let is_own = expected.is_some_and(|keys| keys.of(key.0) == key.1);
        if !is_own && owner(key).is_some() {
            findings.add(
                keystore,
                format!("it holds the {} key of another validator", key.0.name()),
                "remove it: two nodes with one validator's keys contradict each other",
            );
        } else if !is_own && host.in_genesis {
            findings.add(
                keystore,
                format!("it holds a {} key that the chain does not know at genesis", key.0.name()),
                "remove it, unless the validator published it since",
            );
        }
    }
}

/// The keys that the chain expects of a host's validator in the first session.
fn expected<'a>(host: &Host, genesis: &'a Genesis) -> Result<Option<&'a SessionKeys>, String> {
    let Some(address) = &host.validator else { return Ok(None) };
    let account: AccountId = crate::parse::account(address)?;
    let keys = genesis.session_keys.get(&account);
    if host.in_genesis && keys.is_none() {
        return Err(format!("{address} is not a validator of the chain's first session"));
    }
    Ok(keys)
}
