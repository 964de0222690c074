//! A provider that is honest: the real attestor in front of an engine, for many gateways at once.

use std::{fs, path::Path, time::Duration};

use anyhow::{ensure, Context, Result};
use serde_json::{json, Value};
use sp_core::H256;
use stipend_primitives::{cost::Usage, Digest};
use stipend_sdk::Signer;

use super::{Charge, HostileGateway};
use crate::{
    company::{MODEL_GENERAL, MODEL_GENERAL_ID},
    process::Process,
    replay::prompt,
};

/// What the gateways show the attestor.
const TOKEN: &str = "a secret of gateways that cheat";

/// How long the attestor may take to get ready: these machines can be busy.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// An honest attestor.
pub struct HonestAttestor {
    /// The provider's account; the same key signs its attestations.
    pub signer: Signer,
    /// Where it answers.
    pub url: String,
    _process: Process,
}

impl HonestAttestor {
    /// Starts one with its files under `dir`, in front of the engine at `engine_url`.
    pub async fn start(
        dir: &Path,
        signer: Signer,
        genesis: H256,
        engine_url: &str,
        gateways: impl Iterator<Item = &HostileGateway>,
    ) -> Result<Self> {
        let home = dir.join("attestor-east");
        fs::create_dir_all(&home)?;
        signer.save(home.join("key"))?;
        fs::write(home.join("token"), TOKEN)?;
        let mut config = format!(
            "listen = \"127.0.0.1:0\"\nprovider = \"{}\"\nkey_file = \"key\"\ndata_dir = \"data\"\n\
             genesis_hash = \"{genesis:?}\"\n\n[engine]\nurl = \"{engine_url}\"\n\n\
             [[model]]\nname = \"{MODEL_GENERAL}\"\nid = {}\n",
            signer.account(),
            MODEL_GENERAL_ID.0,
        );
        for gateway in gateways {
            let account = gateway.signer.account();
            config.push_str(&format!("\n[[gateway]]\naccount = \"{account}\"\ntoken_file = \"token\"\n"));
        }
        let config_file = home.join("attestor.toml");
        fs::write(&config_file, config)?;
        let arguments = ["--config".into(), config_file];
        let mut process = Process::start("attestor-east", "stipend-attestor", arguments, &dir.join("logs"))?;
        let url = process.wait_for("listening on ", START_TIMEOUT).await?;
        Ok(HonestAttestor { signer, url, _process: process })
    }

    /// Has a request of a gateway served, with `output` tokens of answer; what was really used.
    pub async fn serve(&self, gateway: &HostileGateway, output: u32) -> Result<Charge> {
        let digest: Digest = rand::random();
        let account: [u8; 32] = gateway.signer.public();
        let body = json!({
            "model": MODEL_GENERAL,
            "messages": [{ "role": "user", "content": prompt(10 * output) }],
            "max_tokens": output,
        });
        let answer = reqwest::Client::new()
            .post(format!("{}/v1/chat/completions", self.url))
            .bearer_auth(TOKEN)
            .header("x-stipend-gateway", hex::encode(account))
            .header("x-stipend-request", hex::encode(digest))
            .json(&body)
            .send()
            .await?;
        let (status, answer): (_, Value) = (answer.status(), answer.json().await?);
        ensure!(status.is_success(), "the attestor answered {status}: {answer}");
        let count = |name: &str| answer["usage"][name].as_u64().and_then(|count| u32::try_from(count).ok());
        let usage = Usage {
            input: count("prompt_tokens").context("the answer counts no prompt")?,
            cached_input: 0,
            output: count("completion_tokens").context("the answer counts no output")?,
        };
        Ok(Charge { digest, usage })
    }
}
