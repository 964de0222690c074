//! What is asked of one side of the comparison, and what counts as an answer.

use std::net::SocketAddr;

use anyhow::{ensure, Context, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    header::{HeaderValue, AUTHORIZATION, CONTENT_TYPE, HOST},
    Method, Request,
};
use serde_json::{json, Value};

use crate::{connection::Connection, mock};

/// What every prompt says: 96 words, as many as a short question with its instructions has.
fn prompt() -> String {
    vec!["word"; mock::PROMPT_TOKENS as usize].join(" ")
}

/// Bytes by which answers of one side differ: numbers and times of varying length.
const LENGTH_SLACK: usize = 64;

/// How an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In one piece.
    Whole,
    /// As server-sent events.
    Stream,
}

/// One side, as callers see it.
#[derive(Clone, Debug)]
pub struct Target {
    address: SocketAddr,
    path: &'static str,
    model: String,
    keys: Vec<String>,
    /// Bytes that an answer has at least: whole, streamed.
    bytes_min: [usize; 2],
}

/// What an answer must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) form: Form,
    pub(crate) bytes_min: usize,
}

impl Target {
    /// A side at an address. Connections take the keys in turn.
    pub fn new(address: SocketAddr, path: &'static str, model: &str, keys: Vec<String>) -> Self {
        Target { address, path, model: model.to_owned(), keys, bytes_min: [0; 2] }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn expected(&self, form: Form) -> Expected {
        Expected { form, bytes_min: self.bytes_min[form as usize] }
    }

    /// What the connection of a number sends.
    pub(crate) fn request(&self, connection: usize, form: Form) -> Result<Request<Full<Bytes>>> {
        let mut body = json!({
            "model": self.model,
            "messages": [{ "role": "user", "content": prompt() }],
            "max_tokens": mock::PIECES,
        });
        if form == Form::Stream {
            body["stream"] = true.into();
            body["stream_options"] = json!({ "include_usage": true });
        }
        let mut request = Request::new(Full::new(Bytes::from(body.to_string())));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.parse()?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_str(&self.address.to_string())?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = self.keys.get(connection % self.keys.len().max(1)) {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {key}"))?);
        }
        Ok(request)
    }

    /// Asks once in both forms and reads the answers; later ones must be as long.
    pub async fn check(&mut self) -> Result<()> {
        for form in [Form::Whole, Form::Stream] {
            let mut connection = Connection::open(self.address).await.context("it takes no connection")?;
            let (status, body) = connection.read(self.request(0, form)?).await?;
            let body = String::from_utf8_lossy(&body).into_owned();
            let head: String = body.chars().take(300).collect();
            ensure!(status.is_success(), "it answered {status}: {head}");
            let said = match form {
                Form::Whole => said_at_once(&body),
                Form::Stream => said_in_pieces(&body),
            };
            ensure!(
                said.as_deref() == Some(mock::text().as_str()),
                "it answered something else ({form:?}): {head}"
            );
            self.bytes_min[form as usize] = body.len().saturating_sub(LENGTH_SLACK);
        }
        Ok(())
    }
}

fn said_at_once(body: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(body).ok()?;
    answer["choices"][0]["message"]["content"].as_str().map(str::to_owned)
}

fn said_in_pieces(body: &str) -> Option<String> {
    let events = body.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    let (done, events): (Vec<&str>, Vec<&str>) = events.partition(|event| *event == "[DONE]");
    let events: Vec<Value> =
        events.iter().map(|event| serde_json::from_str(event)).collect::<Result<_, _>>().ok()?;
    let pieces = events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
    (done.len() == 1).then(|| pieces.collect())
}
