//! `stipend health`: whether a node or a service is of use. Made for containers' health checks.

use std::time::Duration;

use anyhow::{bail, Result};
use clap::Args;
use serde_json::json;
use stipend_sdk::{Client, NodeHealth};

use crate::{context::Context, failure::Failure, output::Answer};

/// A health check that takes longer is of no use to whoever runs it every few seconds.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(4);

/// Bytes shown of what a service says of itself.
const SAID_LEN_MAX: usize = 400;

/// What to ask, and how strictly.
#[derive(Args, Debug)]
pub(crate) struct Health {
    /// A node's RPC address (ws://…) or a service's health path (http://…/healthz); the node of
    /// --url if none is given.
    #[arg(env = "STIPEND_HEALTH_URL", hide_env_values = true, value_name = "URL")]
    target: Option<String>,
    /// Blocks by which a node's finality may be behind its newest block.
    #[arg(long, value_name = "BLOCKS", default_value_t = 30)]
    lag_max: u32,
}

impl Health {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        let url = self.target.as_deref().unwrap_or(&context.options.url);
        let ask = async {
            if url.starts_with("http://") {
                service(url).await
            } else {
                let client = Client::connect(url).await?;
                node(url, &client.health().await?, &format!("{:?}", client.genesis()), self.lag_max)
            }
        };
        tokio::time::timeout(ANSWER_WAIT_MAX, ask).await.unwrap_or_else(|_| {
            let seconds = ANSWER_WAIT_MAX.as_secs();
            Err(Failure::unreachable(format!("{url} did not answer within {seconds} s")).into())
        })
    }
}

fn node(url: &str, health: &NodeHealth, genesis: &str, lag_max: u32) -> Result<Answer> {
    let faults = health.faults(lag_max);
    if !faults.is_empty() {
        bail!("the node at {url} is not ready: {}", faults.join("; "));
    }
    let NodeHealth { chain, peers, best, finalised, .. } = health;
    let human = format!(
        "{chain}: block {}, finalised {}, {peers} peers\ngenesis {genesis}",
        best.number, finalised.number
    );
    let what = json!({
        "url": url,
        "chain": chain,
        "genesis_hash": genesis,
        "best": best.number,
        "finalised": finalised.number,
        "peers": peers,
    });
    Answer::new(what, human)
}

async fn service(url: &str) -> Result<Answer> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let reached = client.get(url).send().await;
    let answer = reached.map_err(|error| {
        let cause = anyhow::Error::from(error);
        Failure::unreachable(format!("the service cannot be reached, is it running? {cause:#}"))
    })?;
    let status = answer.status();
    let said: String = answer.text().await.unwrap_or_default().chars().take(SAID_LEN_MAX).collect();
    if !status.is_success() {
        bail!("{url} answers {status}: {}", said.trim());
    }
    Answer::new(json!({ "url": url, "status": status.as_u16() }), format!("{url} answers {status}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sp_core::H256;
    use stipend_sdk::BlockRef;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::failure;

    fn health(finalised: u32) -> NodeHealth {
        let block = |number| BlockRef { number, hash: H256::zero() };
        NodeHealth {
            chain: "local".into(),
            peers: 3,
            should_have_peers: true,
            is_syncing: false,
            best: block(100),
            finalised: block(finalised),
        }
    }

    /// A service that answers its first request with `status`.
    async fn answering(status: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/healthz", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await.unwrap();
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 7\r\nconnection: close\r\n\r\nthe log");
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        url
    }

    #[test]
    fn a_node_that_follows_finality_is_healthy_and_tells_its_chain() {
        let answer = node("ws://n:9944", &health(98), "0x01", 30).unwrap();
        assert_eq!(answer.json["genesis_hash"], "0x01");
        assert_eq!(answer.json["finalised"], 98);
    }

    #[test]
    fn a_node_whose_finality_stalls_is_not_healthy() {
        let error = node("ws://n:9944", &health(60), "0x01", 30).err().unwrap();
        assert_eq!(failure::exit_code(&error), failure::FAILED);
        assert!(error.to_string().contains("40 blocks behind"), "{error}");
    }

    #[tokio::test]
    async fn a_service_is_healthy_only_if_it_says_so() {
        assert!(service(&answering("200 OK").await).await.is_ok());
        let error = service(&answering("503 Service Unavailable").await).await.err().unwrap();
        assert_eq!(failure::exit_code(&error), failure::FAILED);
        assert!(error.to_string().contains("503") && error.to_string().contains("the log"), "{error}");
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_is_unreachable() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/healthz", taken.local_addr().unwrap());
        drop(taken);
        let error = service(&url).await.err().unwrap();
        assert_eq!(failure::exit_code(&error), failure::UNREACHABLE);
    }
}
