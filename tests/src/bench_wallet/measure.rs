//! Asks, and notes how long the answers took.

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

use anyhow::{ensure, Context, Result};
use hdrhistogram::Histogram;
use rand::{rngs::StdRng, seq::SliceRandom, SeedableRng};
use serde_json::{json, Value};
use stipend_sdk::{SignIn, Signer};

use super::questions::Question;

/// Digits of a figure that are kept.
const DIGITS: u8 = 3;

/// The service, and a session with it.
#[derive(Clone)]
pub(super) struct Asker {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Asker {
    /// Signs in as a program does.
    pub(super) async fn sign_in(url: &str, signer: &Signer) -> Result<Self> {
        let http = reqwest::Client::new();
        let asked = http.post(format!("{url}/api/v1/sign-in/challenge")).send().await?;
        let challenge: Value = asked.json().await?;
        let text = |name: &str| challenge[name].as_str().with_context(|| format!("no {name}"));
        let mut nonce = [0; 32];
        hex::decode_to_slice(text("nonce")?, &mut nonce)?;
        let question = SignIn {
            origin: url.to_owned(),
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
        let token = answer["token"].as_str().context("no token")?.to_owned();
        Ok(Asker { http, url: url.to_owned(), token })
    }

    /// A whole answer.
    pub(super) async fn get(&self, path: &str) -> Result<bytes::Bytes> {
        let answer = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token).send().await?;
        ensure!(answer.status().is_success(), "{path}: {}", answer.status());
        Ok(answer.bytes().await?)
    }
}

/// How long the answers to one question took, in microseconds, and how large one is.
pub(super) struct Figures {
    pub(super) name: String,
    pub(super) took_us: Histogram<u64>,
    pub(super) bytes: usize,
}

impl Figures {
    fn new(name: &str) -> Result<Self> {
        Ok(Figures { name: name.to_owned(), took_us: Histogram::new(DIGITS)?, bytes: 0 })
    }

    /// Milliseconds that this share of the answers stayed below.
    pub(super) fn quantile_ms(&self, share: f64) -> f64 {
        self.took_us.value_at_quantile(share) as f64 / 1e3
    }
}

/// Asks every question `rounds` times, from `clients` connections at a time. The last figures are of all
/// questions together.
pub(super) async fn measure(
    asker: &Asker,
    questions: &[Question],
    rounds: usize,
    clients: usize,
    done: impl Fn() + Send + Sync + 'static,
) -> Result<Vec<Figures>> {
    let mut order: Vec<usize> = (0..questions.len() * rounds).map(|at| at % questions.len()).collect();
    order.shuffle(&mut StdRng::seed_from_u64(1));
    let (order, next, done) = (Arc::new(order), Arc::new(AtomicUsize::new(0)), Arc::new(done));
    let paths: Arc<Vec<String>> = Arc::new(questions.iter().map(|question| question.path.clone()).collect());
    let clients = (0..clients).map(|_| {
        let (asker, order, next) = (asker.clone(), order.clone(), next.clone());
        let (paths, done) = (paths.clone(), done.clone());
        tokio::spawn(async move {
            let mut took: Vec<(usize, Duration, usize)> = Vec::new();
            while let Some(at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                let began = Instant::now();
                let answer = asker.get(&paths[*at]).await?;
                took.push((*at, began.elapsed(), answer.len()));
                done();
            }
            anyhow::Ok(took)
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut figures: Vec<Figures> =
        questions.iter().map(|question| Figures::new(&question.name)).collect::<Result<_>>()?;
    let mut all = Figures::new("all together")?;
    for client in clients {
        for (at, took, bytes) in client.await?? {
            let took_us = u64::try_from(took.as_micros())?;
            figures[at].took_us.record(took_us)?;
            figures[at].bytes = bytes;
            all.took_us.record(took_us)?;
        }
    }
    figures.push(all);
    Ok(figures)
}
