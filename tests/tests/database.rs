//! The node's subcommands, on a real database.

use std::path::Path;

use anyhow::{ensure, Context, Result};
use stipend_sdk::{Client, RuntimeCall, Signer};
use stipend_tests::{
    operator::{run, wait_until},
    process::{free_port, Process},
    services::{work_dir, Node},
};

/// The last block that is exported.
const TO: u32 = 12;

fn node(arguments: &[&str]) -> Result<String> {
    run("stipend-node", arguments)
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_were_exported_make_the_same_state_in_an_empty_database() -> Result<()> {
    if std::env::var_os("STIPEND_TEST_LONG").is_none() {
        println!("NOT RUN: moving a database is part of `make test-long`");
        return Ok(());
    }
    let dir = work_dir("test-database")?;
    let base = dir.join("node").display().to_string();
    let on_chain = ["--chain=dev", "--base-path", &base];
    let with = |arguments: &[&str]| node(&[arguments, &on_chain].concat());
    let known = make_blocks(&dir).await?;

    let file = dir.join("blocks").display().to_string();
    with(&["export-blocks", "--binary", "--to", &TO.to_string(), &file])?;
    ensure!(std::fs::metadata(&file)?.len() > 1_000, "blocks were exported");
    with(&["check-block", "7"])?;
    let state = with(&["export-state", "7"])?;
    ensure!(state.contains("\"raw\""), "the state of a block is a raw specification");

    with(&["purge-chain", "-y"])?;
    let empty = heights(&dir).await?;
    ensure!(empty.best == 0, "the database is not empty after purge-chain: block {}", empty.best);

    with(&["import-blocks", "--binary", &file])?;
    let imported = heights(&dir).await?;
    ensure!(imported.best == TO, "{TO} blocks were imported, the best is {}", imported.best);
    ensure!(imported.roots == known[..=TO as usize], "the same blocks made other states");

    with(&["revert", "3"])?;
    let reverted = heights(&dir).await?;
    ensure!(reverted.best < TO && reverted.best >= TO - 3, "after a revert the best is {}", reverted.best);
    with(&["import-blocks", "--binary", &file])?;
    let again = heights(&dir).await?;
    ensure!(again.best == TO && again.roots == known[..=TO as usize], "blocks come back after a revert");
    Ok(())
}

/// Has a development chain make blocks with something in them; the state roots by height.
async fn make_blocks(dir: &Path) -> Result<Vec<sp_core::H256>> {
    let mut running = Node::start(dir).await?;
    let client = Client::connect(&running.url).await?;
    let alice = Signer::from_uri("//Alice")?;
    for number in 0..5_u8 {
        let remark: RuntimeCall = frame_system::Call::remark { remark: vec![number; 100] }.into();
        client.submit_finalised(remark, &alice).await?;
    }
    wait_until("enough blocks are final", || async {
        Ok((client.finalised_head().await?.number > TO + 2).then_some(()))
    })
    .await?;
    let roots = roots(&client, TO).await?;
    ensure!(running.process.stop(stipend_tests::operator::PATIENCE), "the node ends when it is told to");
    Ok(roots)
}

async fn roots(client: &Client, to: u32) -> Result<Vec<sp_core::H256>> {
    let mut roots = Vec::new();
    for number in 0..=to {
        let hash = client.block_hash(number).await?;
        roots.push(client.header(hash).await?.state_root);
    }
    Ok(roots)
}

/// What a database holds.
struct Held {
    best: u32,
    roots: Vec<sp_core::H256>,
}

/// Asks a node that makes no blocks what its database holds.
async fn heights(dir: &Path) -> Result<Held> {
    let port = free_port()?;
    let base = dir.join("node").display().to_string();
    let rpc = format!("--rpc-port={port}");
    let flags = ["--chain=dev", "--base-path", &base, "--port=0", "--no-mdns", "--no-prometheus", &rpc];
    let mut process = Process::start("reader", "stipend-node", flags, &dir.join("logs"))?;
    process.wait_for("Running JSON-RPC server", stipend_tests::operator::PATIENCE).await?;
    let client = Client::connect(&format!("ws://127.0.0.1:{port}")).await?;
    let best = client.best_head().await?.number;
    let held = Held { best, roots: roots(&client, best).await? };
    ensure!(process.stop(stipend_tests::operator::PATIENCE), "the node ends when it is told to");
    Ok(held)
}

#[test]
fn keys_are_made_inspected_and_inserted() -> Result<()> {
    let dir = work_dir("test-keys")?;
    let file = dir.join("node.key").display().to_string();
    let base = dir.join("base").display().to_string();
    node(&["key", "generate-node-key", "--file", &file])?;
    let peer_id = node(&["key", "inspect-node-key", "--file", &file])?;
    ensure!(peer_id.starts_with("12D3KooW"), "{peer_id}");

    let made = node(&["key", "generate", "--scheme", "ed25519", "--output-type", "json"])?;
    let made: serde_json::Value = serde_json::from_str(&made)?;
    let secret = made["secretPhrase"].as_str().context("no phrase")?;
    let insert = ["key", "insert", "--chain=local", "--base-path", &base, "--key-type=stlm"];
    node(&[&insert[..], &["--scheme=ed25519", "--suri", secret]].concat())?;
    let public = made["publicKey"].as_str().context("no public key")?.trim_start_matches("0x").to_owned();
    let name = hex::encode("stlm") + &public;
    let keystore = dir.join("base/chains/local/keystore").join(name);
    ensure!(keystore.is_file(), "the key is not in the keystore: {}", keystore.display());
    Ok(())
}

#[test]
fn a_specification_is_exported_plain_and_raw() -> Result<()> {
    let dir = work_dir("test-export-spec")?;
    let file = dir.join("plain.json").display().to_string();
    std::fs::write(&file, node(&["export-chain-spec", "--chain", "local"])?)?;
    let raw: serde_json::Value =
        serde_json::from_str(&node(&["export-chain-spec", "--chain", &file, "--raw"])?)?;
    ensure!(raw.pointer("/genesis/raw/top/0x3a636f6465").is_some(), "the raw state holds the runtime's code");
    Ok(())
}
