//! The wallet service as an operator runs it.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{ensure, Context, Result};
use serde_json::{json, Value};
use stipend_primitives::BlockNumber;
use stipend_sdk::{SignIn, Signer};

use crate::{
    process::{self, free_port},
    services::{self, Service},
};

/// A wallet service over a node.
pub struct WalletService {
    /// The process and its address.
    pub service: Service,
    config: std::path::PathBuf,
    logs: std::path::PathBuf,
}

impl WalletService {
    /// Starts one with its tables under `dir`.
    pub async fn start(dir: &Path, chain: &str) -> Result<Self> {
        let home = dir.join("wallet");
        fs::create_dir_all(&home)?;
        let config = home.join("wallet.toml");
        let port = free_port()?;
        fs::write(
            &config,
            format!("listen = \"127.0.0.1:{port}\"\nchain = \"{chain}\"\ndatabase = \"sqlite:wallet.db\"\n"),
        )?;
        let logs = dir.join("logs");
        let service = services::wallet(&config, &logs).await?;
        Ok(WalletService { service, config, logs })
    }

    /// Kills it as a power cut would, and starts it again.
    pub async fn kill_and_restart(&mut self) -> Result<()> {
        self.service.process.kill();
        self.service = services::wallet(&self.config, &self.logs).await?;
        Ok(())
    }

    /// What a verb such as `dump` prints.
    pub fn verb(&self, verb: &[&str]) -> Result<Vec<u8>> {
        let program = process::program("stipend-wallet")?;
        let output = Command::new(program).arg("--config").arg(&self.config).args(verb).output()?;
        ensure!(output.status.success(), "{verb:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    }

    /// Waits until it has taken in a block.
    pub async fn wait_for_block(&self, block: BlockNumber) -> Result<()> {
        for _ in 0..1_200 {
            let answer = reqwest::get(format!("{}/readyz", self.service.url)).await;
            if let Ok(answer) = answer {
                let ready: Value = answer.json().await?;
                if ready["block"].as_u64().is_some_and(|known| known >= block.into()) {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the wallet service did not reach block {block}")
    }

    /// Signs in as a program does; returns the token.
    pub async fn sign_in(&self, signer: &Signer) -> Result<String> {
        let (http, url) = (reqwest::Client::new(), &self.service.url);
        let asked = http.post(format!("{url}/api/v1/sign-in/challenge")).send().await?;
        let challenge: Value = asked.json().await?;
        let text = |name: &str| challenge[name].as_str().with_context(|| format!("no {name}"));
        let mut nonce = [0; 32];
        hex::decode_to_slice(text("nonce")?, &mut nonce)?;
        let question = SignIn {
            origin: url.clone(),
            genesis: text("genesis")?.parse()?,
            account: signer.account(),
            nonce,
            expires_at: challenge["expires_at"].as_u64().context("no end")?,
        };
        let body = json!({
            "account": signer.address(),
            "nonce": challenge["nonce"],
            "signature": hex::encode(signer.sign_in(&question)),
        });
        let answer = http.post(format!("{url}/api/v1/sign-in")).json(&body).send().await?;
        let answer: Value = answer.error_for_status()?.json().await?;
        Ok(answer["token"].as_str().context("no token")?.to_owned())
    }

    /// What it answers, as text.
    pub async fn get(&self, path: &str, token: &str) -> Result<String> {
        let url = format!("{}{path}", self.service.url);
        let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }
}
