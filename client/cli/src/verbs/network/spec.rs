//! The chain specification: the runtime's own, from the node's program, with the company's keys in it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use serde_json::{json, Value};
use stipend_sdk::primitives::{AccountId, PublicKey};

use super::keys::SessionKeys;
use crate::{failure::Failure, parse};

/// A validator of the first session.
pub(crate) struct Validator {
    pub(crate) account: AccountId,
    pub(crate) keys: SessionKeys,
}

/// What goes into the specification.
pub(crate) struct Content {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) validators: Vec<Validator>,
    pub(crate) council: Vec<AccountId>,
    pub(crate) issuers: Vec<AccountId>,
    /// Node keys with the names of their hosts.
    pub(crate) nodes: Vec<(PublicKey, String)>,
    /// Where the nodes are, with their peer ids.
    pub(crate) addresses: Vec<String>,
    pub(crate) session_blocks: Option<u32>,
}

/// The node's program: the one named, the one beside this program, or the one that the shell finds.
pub(crate) fn node_program(named: Option<PathBuf>) -> PathBuf {
    const NAME: &str = "stipend-node";
    let beside = || {
        let here = std::env::current_exe().ok()?.with_file_name(NAME);
        here.is_file().then_some(here)
    };
    named.or_else(beside).unwrap_or_else(|| NAME.into())
}

/// Has the node's program write a specification: one that it knows by name, or a file's.
pub(crate) fn export(program: &Path, chain: &str, raw: bool) -> Result<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(["export-chain-spec", "--chain", chain]);
    if raw {
        command.arg("--raw");
    }
    let output = command.output().map_err(|error| {
        Failure::bad_input(format!(
            "{} cannot be run: {error}; the chain specification is made by the node's program: install it beside this command, or name it with --node-program",
            program.display()
        ))
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::bad_input(format!(
            "{} could not make the chain specification: {}",
            program.display(),
            said.trim()
        ))
        .into());
    }
    Ok(output.stdout)
}

/// Puts a company's keys into a specification that the node knows by name.
pub(crate) fn fill(base: &[u8], content: &Content) -> Result<String> {
    let mut spec: Value = serde_json::from_slice(base)?;
    spec["name"] = json!(content.name);
    spec["id"] = json!(content.id);
    spec["protocolId"] = json!(content.id);
    spec["chainType"] = json!("Live");
    spec["bootNodes"] = json!(content.addresses);
    let patch = spec.pointer_mut("/genesis/runtimeGenesis/patch").ok_or_else(|| {
        Failure::bad_input(
            "the node's program writes a specification of another form; use one of this version",
        )
    })?;
    let classes = patch["entitlements"]["classes"].clone();
    *patch = genesis(content, &classes);
    Ok(serde_json::to_string_pretty(&spec)?)
}

fn genesis(content: &Content, classes: &Value) -> Value {
    let addresses = |accounts: &[AccountId]| accounts.iter().map(parse::address).collect::<Vec<_>>();
    let validators: Vec<AccountId> =
        content.validators.iter().map(|validator| validator.account.clone()).collect();
    let session_keys: Vec<Value> = content
        .validators
        .iter()
        .map(|Validator { account, keys }| {
            let account = parse::address(account);
            let key = |key: PublicKey| parse::address(&AccountId::new(key));
            let keys = json!({
                "aura": key(keys.aura), "grandpa": key(keys.grandpa), "settlement": key(keys.settlement),
            });
            json!([account, account, keys])
        })
        .collect();
    let members: Vec<Value> =
        content.issuers.iter().map(|issuer| json!([parse::address(issuer), "issuer", null])).collect();
    let nodes: Vec<Value> =
        content.nodes.iter().map(|(key, name)| json!([format!("0x{}", hex::encode(key)), name])).collect();
    let mut roles = json!({
        "council": addresses(&content.council), "validators": addresses(&validators), "members": members,
    });
    if let Some(blocks) = content.session_blocks {
        roles["sessionBlocks"] = json!(blocks);
    }
    json!({
        "roles": roles,
        "session": { "keys": session_keys },
        "entitlements": { "classes": classes },
        "governance": { "nodes": nodes },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn content() -> Content {
        let account = AccountId::new([1; 32]);
        Content {
            name: "Acme".into(),
            id: "acme".into(),
            validators: vec![Validator {
                account: account.clone(),
                keys: SessionKeys { aura: [2; 32], grandpa: [3; 32], settlement: [4; 32] },
            }],
            council: vec![account.clone()],
            issuers: vec![account],
            nodes: vec![([5; 32], "munich".into())],
            addresses: vec!["/ip4/10.0.0.1/tcp/30333/p2p/12D3KooW".into()],
            session_blocks: Some(20),
        }
    }

    #[test]
    fn nothing_of_the_development_chain_but_its_classes_stays() {
        let base = json!({
            "name": "Stipend Local Testnet", "id": "local", "chainType": "Local",
            "genesis": { "runtimeGenesis": { "code": "0x00", "patch": {
                "entitlements": { "classes": [{ "id": 0 }], "programs": [1] },
                "roles": { "council": ["Alice"] },
                "settlement": { "providers": [1] },
            } } },
        });
        let spec: Value =
            serde_json::from_str(&fill(base.to_string().as_bytes(), &content()).unwrap()).unwrap();
        assert_eq!((&spec["id"], &spec["chainType"]), (&json!("acme"), &json!("Live")));
        assert_eq!(spec["genesis"]["runtimeGenesis"]["code"], "0x00");
        let patch = &spec["genesis"]["runtimeGenesis"]["patch"];
        assert_eq!(patch["entitlements"], json!({ "classes": [{ "id": 0 }] }));
        assert_eq!(patch["settlement"], Value::Null);
        assert_eq!(patch["roles"]["council"], json!([parse::address(&AccountId::new([1; 32]))]));
        assert_eq!(patch["roles"]["sessionBlocks"], 20);
        assert_eq!(patch["governance"]["nodes"][0][1], "munich");
        assert!(!spec.to_string().contains("Alice"));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = export(Path::new("/nowhere/stipend-node"), "local", false).unwrap_err();
        assert!(error.to_string().contains("/nowhere/stipend-node"));
    }
}
