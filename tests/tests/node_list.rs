//! A stranger's node learns nothing of a company's chain, until the council lists it and after it
//! takes it off the list.

use std::path::Path;

use anyhow::{ensure, Result};
use stipend_tests::{
    operator::{stipend, wait_until, Facts, Host, PATIENCE},
    process::free_port,
    services::work_dir,
    stranger::{ask_for_block, ask_for_proof, Answer},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_learns_nothing_until_it_is_listed_over_libp2p() -> Result<()> {
    a_stranger_learns_nothing_until_it_is_listed("libp2p", false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_learns_nothing_until_it_is_listed_over_litep2p() -> Result<()> {
    a_stranger_learns_nothing_until_it_is_listed("litep2p", true).await
}

/// Over litep2p, a node that was refused before tries in vain until it is started again.
async fn a_stranger_learns_nothing_until_it_is_listed(backend: &str, restart: bool) -> Result<()> {
    let acme = work_dir(&format!("test-node-list-{backend}"))?.join("acme");
    found(&acme)?;
    let flags = ["--network-backend", backend];
    let munich = Host::start(&acme.join("hosts/munich"), &flags).await?;
    let mut stranger = Host::start(&acme.join("hosts/stranger"), &flags).await?;
    let height = munich.wait_for_height(15).await?;

    ensure!(stranger.client.best_head().await?.number == 0, "the stranger has blocks");
    let asked = ask(&munich, "stranger").await?;
    ensure!(asked == Answer::Refused, "a stranger's question for a block is answered: {asked:?}");
    match ask(&munich, "reader").await? {
        Answer::Given(block) => ensure!(block.len() > 100, "a listed node gets no block: {block:?}"),
        Answer::Refused => anyhow::bail!("a listed node's question is refused"),
    }

    let folder = acme.join("hosts/stranger").display().to_string();
    let key = acme.join("keys/council/ada.key").display().to_string();
    let council = ["--key", &key, "--url", &munich.url];
    stipend(["network", "add-node", &folder].into_iter().chain(council))?;
    if restart {
        ensure!(stranger.process.stop(PATIENCE), "the stranger's node ends when it is told to");
        stranger = Host::start(&acme.join("hosts/stranger"), &flags).await?;
    }
    stranger.wait_for_height(height).await?;

    let peer_id = Facts::read(&stranger.folder)?.peer_id;
    stipend(["network", "remove-node", &peer_id].into_iter().chain(council))?;
    wait_until("the nodes part", || async {
        let health = stranger.client.health().await?;
        Ok((health.peers == 0).then_some(()))
    })
    .await?;
    let known = stranger.client.best_head().await?.number;
    munich.wait_for_height(known + 10).await?;
    let now = stranger.client.best_head().await?.number;
    ensure!(now <= known + 1, "the stranger still learns blocks: {known}, then {now}");
    Ok(())
}

/// A network of one validator and a node that is listed and never runs, and a folder for a stranger.
fn found(acme: &Path) -> Result<()> {
    let at = |name: &str| Ok::<_, anyhow::Error>(format!("{name}=127.0.0.1:{}", free_port()?));
    let folder = acme.display().to_string();
    let ports = || {
        Ok::<_, anyhow::Error>([
            format!("--rpc-port={}", free_port()?),
            format!("--prometheus-port={}", free_port()?),
        ])
    };
    let (munich, reader, stranger) = (at("munich")?, at("reader")?, at("stranger")?);
    let init = ["network", "init", &folder, "--name=Acme", "--council=ada"];
    let hosts = ["--validator", &munich, "--node", &reader];
    let flags = ports()?;
    stipend(init.into_iter().chain(hosts).chain(flags.iter().map(String::as_str)))?;
    let flags = ports()?;
    let add = ["network", "add-host", &folder, "--node", &stranger];
    stipend(add.into_iter().chain(flags.iter().map(String::as_str)))?;
    stipend(["network", "check", &folder])?;
    Ok(())
}

/// Asks a node for a block and for a proof of state with the identity of a host of the network. No
/// proof is given to anybody.
async fn ask(node: &Host, with_key_of: &str) -> Result<Answer> {
    let address = format!("/ip4/127.0.0.1/tcp/{}", Facts::read(&node.folder)?.p2p_port);
    let file = node.folder.with_file_name(with_key_of).join("node.key");
    let mut secret = [0; 32];
    hex::decode_to_slice(std::fs::read_to_string(file)?.trim(), &mut secret)?;
    let genesis = node.client.genesis();
    // A response of the kind that was asked for, without a proof in it.
    let nothing = Answer::Given(vec![0x0a, 0]);
    let proof = ask_for_proof(&address, genesis, secret).await?;
    ensure!(proof == nothing, "the node proves its state to a light client: {proof:?}");
    ask_for_block(&address, genesis, secret, 5).await
}
