//! Getting a signed receipt from a gateway.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{bail, Context as _, Result};
use clap::Args;
use serde_json::json;
use stipend_sdk::proof::SignedReceipt;

use super::signed;
use crate::{context::Context, failure::Failure, output::Answer, parse};

/// Bytes of an answer that are read: a receipt has about 1,500.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// Which receipt, from where, whereto.
#[derive(Debug, Args)]
pub(crate) struct Fetch {
    /// The request's id: the header `x-stipend-request-id` of its answer.
    id: String,
    /// Address of the gateway, such as http://127.0.0.1:8080; with or without /v1.
    #[arg(long, env = "STIPEND_GATEWAY_URL", hide_env_values = true, value_name = "URL")]
    gateway: String,
    /// The file to write; it must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The file with an API key of the wallet that paid; without it, the variable STIPEND_API_KEY.
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
}

impl Fetch {
    pub(super) async fn run(self, context: &Context) -> Result<Answer> {
        let id = parse::bytes::<16>(&self.id).map_err(|_| {
            Failure::usage("an id has 32 hex digits: it is the answer's header x-stipend-request-id")
        })?;
        let bytes = self.ask(&hex::encode(id)).await?;
        // What the gateway says is believed no more than a file would be.
        let receipt = SignedReceipt::read(&bytes)?;
        if receipt.receipt().id != id {
            bail!("the gateway answered with the receipt of another request; report it to whoever runs it");
        }
        let out = self.out.display();
        context.would(json!({ "file": self.out }), || {
            format!("the gateway's receipt would be written to {out}")
        })?;
        write_new(&self.out, &bytes)?;
        let mut answer = signed::answer(&receipt, None)?;
        answer.json["file"] = json!(self.out);
        Ok(answer)
    }

    async fn ask(&self, id: &str) -> Result<Vec<u8>> {
        let gateway = self.gateway.trim_end_matches('/');
        let url = format!("{}/v1/aci/receipts/{id}", gateway.strip_suffix("/v1").unwrap_or(gateway));
        let client =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        let reached = client.get(&url).bearer_auth(self.api_key()?.trim()).send().await;
        let answer = reached.map_err(|error| {
            let cause = anyhow::Error::from(error);
            Failure::unreachable(format!(
                "the gateway cannot be reached (this command speaks http only; of an https address save the answer of \
                 GET {url} with curl, byte for byte): {cause:#}"
            ))
        })?;
        let status = answer.status();
        let bytes = answer.bytes().await.context("the gateway broke off; try again")?;
        match status.as_u16() {
            200 if bytes.len() <= ANSWER_BYTES_MAX => Ok(bytes.to_vec()),
            200 => bail!("the gateway answered with {} bytes; no receipt is that long", bytes.len()),
            404 => Err(Failure::not_found(message(&bytes)).into()),
            _ => bail!("the gateway answers {status}: {}", message(&bytes)),
        }
    }

    fn api_key(&self) -> Result<String> {
        if let Some(file) = &self.api_key_file {
            return std::fs::read_to_string(file).map_err(|error| {
                Failure::bad_input(format!("cannot read {}: {error}", file.display())).into()
            });
        }
        // Not an argument: other users of the machine see those.
        std::env::var("STIPEND_API_KEY").map_err(|_| {
            let what =
                "name a file with an API key of the wallet (--api-key-file FILE), or set STIPEND_API_KEY";
            Failure::usage(format!("whose receipt? {what}")).into()
        })
    }
}

/// What an error in OpenAI's form says.
fn message(body: &[u8]) -> String {
    let said = serde_json::from_slice::<serde_json::Value>(body).ok();
    let said = said.and_then(|body| Some(body["error"]["message"].as_str()?.to_owned()));
    said.unwrap_or_else(|| "it does not say why".into()).chars().take(400).collect()
}

/// Byte for byte, into a file that is not there yet.
fn write_new(file: &Path, bytes: &[u8]) -> Result<()> {
    let written = std::fs::File::create_new(file)
        .and_then(|mut new| new.write_all(bytes).and_then(|()| new.sync_all()));
    written.map_err(|error| {
        let what = "name a file that does not exist yet, in a folder that does";
        Failure::bad_input(format!("cannot make {}: {error}; {what}", file.display())).into()
    })
}
