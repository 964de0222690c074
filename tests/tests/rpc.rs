//! What a node's JSON-RPC and metrics give to whom.

use anyhow::{ensure, Result};
use jsonrpsee::{
    core::client::{ClientT, Error},
    rpc_params,
    ws_client::{WsClient, WsClientBuilder},
};
use stipend_sdk::{Client, Signer};
use stipend_tests::{
    operator::wait_until,
    process::free_port,
    services::{work_dir, Node},
};

/// Methods that change the node, or its keys, or cost it much.
const UNSAFE: [&str; 10] = [
    "author_insertKey",
    "author_rotateKeys",
    "author_rotateKeysWithOwner",
    "author_hasKey",
    "author_hasSessionKeys",
    "system_addReservedPeer",
    "system_removeReservedPeer",
    "system_addLogFilter",
    "system_resetLogFilter",
    "system_peers",
];

async fn connect(port: u16) -> Result<WsClient> {
    Ok(WsClientBuilder::default().build(format!("ws://127.0.0.1:{port}")).await?)
}

/// Calls a method with parameters that change nothing of use; what it says instead of an answer.
async fn refusal(client: &WsClient, method: &str) -> Result<String> {
    match client.request::<serde_json::Value, _>(method, rpc_params!["0x", "0x", "0x"]).await {
        Err(Error::Call(refusal)) => Ok(refusal.message().to_owned()),
        Err(other) => Err(other.into()),
        Ok(answer) => anyhow::bail!("{method} answers {answer}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_others_can_ask_runs_no_unsafe_method() -> Result<()> {
    let dir = work_dir("test-rpc-external")?;
    let port = free_port()?;
    let _node = Node::start_on(&dir, port, &["--unsafe-rpc-external"]).await?;
    let client = connect(port).await?;
    for method in UNSAFE {
        let message = refusal(&client, method).await?;
        ensure!(message.contains("unsafe"), "{method}: {message}");
    }
    let health: serde_json::Value = client.request("system_health", rpc_params![]).await?;
    ensure!(health["isSyncing"] == false, "a safe method answers: {health}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_asks_too_often_has_to_wait() -> Result<()> {
    let dir = work_dir("test-rpc-limit")?;
    let port = free_port()?;
    let limit = ["--rpc-rate-limit=20", "--rpc-rate-limit-whitelisted-ips=10.0.0.0/8"];
    let _node = Node::start_on(&dir, port, &limit).await?;
    let client = connect(port).await?;
    let calls = async {
        for _ in 0..60 {
            client.request::<serde_json::Value, _>("system_health", rpc_params![]).await?;
        }
        anyhow::Ok(())
    };
    // Twenty are answered at once and the others one every three seconds: two minutes in all. A busy
    // machine only makes it longer.
    let answered = tokio::time::timeout(std::time::Duration::from_secs(15), calls).await;
    ensure!(
        !matches!(answered, Ok(Ok(()))),
        "sixty calls are answered at once, though twenty a minute are allowed"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledgers_figures_are_on_the_metrics_page() -> Result<()> {
    let dir = work_dir("test-rpc-metrics")?;
    let (port, metrics_port) = (free_port()?, free_port()?);
    let base = dir.join("node").display().to_string();
    let flags = ["--dev", "--no-mdns", "--port=0", "--base-path", &base];
    let ports = [format!("--rpc-port={port}"), format!("--prometheus-port={metrics_port}")];
    let arguments = flags.into_iter().map(String::from).chain(ports);
    let mut node =
        stipend_tests::process::Process::start("node", "stipend-node", arguments, &dir.join("logs"))?;
    node.wait_for("Running JSON-RPC server", stipend_tests::operator::PATIENCE).await?;
    let client = Client::connect(&format!("ws://127.0.0.1:{port}")).await?;
    let stranger =
        client.submit(frame_system::Call::remark { remark: vec![] }.into(), &Signer::generate()).await;
    ensure!(stranger.is_err(), "a transaction of an account without a role is taken");

    let page = || async {
        let url = format!("http://127.0.0.1:{metrics_port}/metrics");
        anyhow::Ok(reqwest::get(url).await?.text().await?)
    };
    let value = |page: &str, metric: &str| {
        let line = page.lines().find(|line| line.starts_with(metric))?;
        line.rsplit(' ').next()?.parse::<f64>().ok()
    };
    let refused = r#"stipend_transactions_refused_total{"#;
    let shown = wait_until("the figures are read", || async {
        let page = page().await?;
        Ok(page.contains("stipend_votes_missing{").then_some(page))
    })
    .await?;
    ensure!(value(&shown, "stipend_votes_missing{") == Some(0.0), "{shown}");
    ensure!(value(&shown, refused) == Some(1.0), "{shown}");
    ensure!(shown.contains(r#"reason="not_admitted""#), "{shown}");
    ensure!(value(&shown, "stipend_requests_refused_total") == Some(0.0), "{shown}");
    ensure!(shown.contains("substrate_block_height{"), "the SDK's own figures are there too");
    Ok(())
}
