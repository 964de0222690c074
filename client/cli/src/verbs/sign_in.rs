//! `stipend wallet sign-in`: opening the wallet's web page with a key that never leaves this machine.

use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::{Client, StatusCode, Url};
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::json;
use sp_core::H256;
use stipend_sdk::SignIn;

use crate::{context::Context, failure::Failure, output::Answer, parse};

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How long an answer may take, a year of receipts summed up.
const ANSWER_MAX: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Challenge {
    origin: String,
    genesis: H256,
    nonce: String,
    expires_at: u64,
}

#[derive(Deserialize)]
struct Opened {
    #[serde(default)]
    link: String,
    token: String,
    ends_at: u64,
}

/// Answers the challenge of the service at `url`; prints a link that signs one browser in.
pub(crate) async fn sign_in(context: &Context, url: &str) -> Result<Answer> {
    let (origin, signer) = (origin(url)?, context.signer()?.address());
    context.would(json!({ "service": origin, "signer": signer }), || {
        format!("{signer} would sign a challenge of {origin} and get a link that signs one browser in")
    })?;
    let (_, opened) = open(context, url, true).await?;
    let json = json!({ "link": opened.link, "token": opened.token, "ends_at": opened.ends_at });
    let human = format!("open this once, within two minutes, in the browser to sign in:\n{}", opened.link);
    Answer::new(json, human)
}

/// A session with a wallet service, for one run of the command.
pub(crate) struct Session {
    service: Service,
    token: String,
}

impl Session {
    /// Signs in with the key that signs.
    pub(crate) async fn open(context: &Context, url: &str) -> Result<Self> {
        let (service, opened) = open(context, url, false).await?;
        Ok(Session { service, token: opened.token })
    }

    /// What the service answers under a path; `None` for what it does not show to this key.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let Service { http, origin } = &self.service;
        let answer = http.get(format!("{origin}/api/v1/{path}")).bearer_auth(&self.token).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(answer.error_for_status()?.json().await?))
    }
}

/// A service that was asked for a challenge and is what it says.
struct Service {
    http: Client,
    origin: String,
}

async fn open(context: &Context, url: &str, link: bool) -> Result<(Service, Opened)> {
    let signer = context.signer()?;
    let origin = origin(url)?;
    let http = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_MAX)
        .timeout(ANSWER_MAX)
        .build()?;
    let asked = http.post(format!("{origin}/api/v1/sign-in/challenge")).send().await;
    let asked = asked.and_then(|answer| answer.error_for_status());
    let challenge: Challenge = asked
        .with_context(|| format!("{origin} does not answer like a wallet service; check the address"))?
        .json()
        .await?;
    if challenge.origin != origin {
        return Err(Failure::usage(format!(
            "the service at {origin} says that it is {}: a signature for another address is not given; use that address, or have `origin` corrected in the service's configuration",
            challenge.origin
        ))
        .into());
    }
    let mut nonce = [0; 32];
    hex::decode_to_slice(&challenge.nonce, &mut nonce).context("the service's challenge is no challenge")?;
    let question = SignIn {
        origin: origin.clone(),
        genesis: challenge.genesis,
        account: signer.account(),
        nonce,
        expires_at: challenge.expires_at,
    };
    let body = json!({
        "account": parse::address(&signer.account()),
        "nonce": challenge.nonce,
        "signature": format!("0x{}", hex::encode(signer.sign_in(&question))),
        "link": link,
    });
    let answer = http.post(format!("{origin}/api/v1/sign-in")).json(&body).send().await?;
    if !answer.status().is_success() {
        return Err(Failure::usage(format!(
            "the service refused ({}): it may have restarted meanwhile; run the command again",
            answer.status()
        ))
        .into());
    }
    Ok((Service { http, origin }, answer.json().await?))
}

/// Scheme, host and port, as a browser writes them.
fn origin(url: &str) -> Result<String> {
    let wrong =
        || Failure::usage(format!("`{url}` is no address of a service, such as https://wallet.example"));
    let url = Url::parse(url).map_err(|_| wrong())?;
    let origin = url.origin();
    if !matches!(url.scheme(), "http" | "https") || !origin.is_tuple() {
        return Err(wrong().into());
    }
    Ok(origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_is_signed_as_a_browser_writes_its_origin() {
        for (url, expected) in [
            ("https://wallet.example/wallets/5F", "https://wallet.example"),
            ("https://wallet.example:443", "https://wallet.example"),
            ("http://127.0.0.1:8090/", "http://127.0.0.1:8090"),
        ] {
            assert_eq!(origin(url).unwrap(), expected);
        }
        for url in ["wallet.example", "ws://wallet.example", "file:///etc/passwd", ""] {
            assert!(origin(url).is_err(), "{url}");
        }
    }
}
