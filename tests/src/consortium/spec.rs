//! The chain that the validators run: `local`, closed as a company's chain is, with short sessions.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{bail, Context, Result};
use serde_json::{json, Value};

use super::validator::Validator;
use crate::process::program;

/// Blocks of a session where a test waits for several of them.
pub const SESSION_BLOCKS: u32 = 20;

/// Writes the specification to `dir` and returns its path. The validators' nodes are on the chain's
/// list; `session_blocks` is the length of a session where it is not the usual one.
pub fn write(dir: &Path, validators: &[Validator], session_blocks: Option<u32>) -> Result<PathBuf> {
    let exported = run(&["export-chain-spec", "--chain", "local"])?;
    let mut spec: Value = serde_json::from_str(&exported).context("the exported chain is no JSON")?;
    // A company's chain, so that the node behaves as it does in production.
    spec["chainType"] = json!("Live");
    spec["id"] = json!("stipend_consortium");
    spec["name"] = json!("Consortium");
    let patch = spec
        .pointer_mut("/genesis/runtimeGenesis/patch")
        .context("the exported chain has no genesis patch")?;
    if let Some(blocks) = session_blocks {
        patch["roles"]["sessionBlocks"] = json!(blocks);
    }
    let listed = |node: &Validator| json!([format!("0x{}", hex::encode(node.node_key)), node.name]);
    patch["governance"]["nodes"] = validators.iter().map(listed).collect();
    let path = dir.join("consortium.json");
    fs::write(&path, serde_json::to_vec_pretty(&spec)?)?;
    Ok(path)
}

/// Runs the node's program for one of its subcommands; returns what it prints.
pub fn run(arguments: &[&str]) -> Result<String> {
    let output = Command::new(program("stipend-node")?).args(arguments).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`stipend-node {}` failed: {}", arguments.join(" "), said.trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}
