//! Signing in and out.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{header::SET_COOKIE, HeaderValue},
    response::{IntoResponse, Redirect, Response},
    Extension, Json,
};
use serde::Deserialize;
use serde_json::{json, Value};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::AccountId;
use stipend_sdk::SignIn;

use super::{answer::Refusal, guard::COOKIE, App, Viewer};
use crate::{
    access::{self, Who},
    chain::Source,
    pages::{self, entrance},
    project::now_ms,
    session::Begun,
};

/// Where somebody begins: at what is most likely theirs.
pub(super) async fn home<S: Source>(
    State(app): State<Arc<App<S>>>,
    Extension(viewer): Extension<Viewer>,
) -> Response {
    let Some(account) = viewer.account else { return Redirect::to("/sign-in").into_response() };
    let relations = app.roles(&account).await.map(|roles| access::by_roles(&roles)).unwrap_or_default();
    let to = if relations.contains(&Who::Auditor) {
        "/audit".to_owned()
    } else if relations.contains(&Who::Issuer) {
        "/programs".to_owned()
    } else {
        format!("/wallets/{}", account.to_ss58check())
    };
    Redirect::to(&to).into_response()
}

pub(super) async fn page<S: Source>(State(app): State<Arc<App<S>>>) -> Response {
    pages::html(entrance::sign_in(&app.origin))
}

/// A new challenge. The service's origin and chain stand beside it, for programs to compare.
pub(super) async fn challenge<S: Source>(State(app): State<Arc<App<S>>>) -> Json<Value> {
    let (nonce, expires_at) = app.sessions.challenge();
    Json(json!({
        "origin": app.origin,
        "genesis": app.source.genesis(),
        "nonce": nonce,
        "expires_at": expires_at,
    }))
}

/// An answer to a challenge.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// Who signs in: an address, or the public key in hex.
    account: String,
    nonce: String,
    signature: String,
    /// Whether a link for a browser is wanted instead of a session here.
    #[serde(default)]
    link: bool,
}

pub(super) async fn answer<S: Source>(
    State(app): State<Arc<App<S>>>,
    Json(answer): Json<Answer>,
) -> Result<Response, Refusal> {
    let account = account(&answer.account)
        .ok_or(Refusal::invalid("`account` is neither an address nor a public key of 32 bytes in hex."))?;
    let mut signature = [0; 64];
    hex::decode_to_slice(answer.signature.trim_start_matches("0x"), &mut signature)
        .map_err(|_| Refusal::invalid("`signature` is not 64 bytes in hex."))?;
    let asked = |nonce, expires_at| SignIn {
        origin: app.origin.clone(),
        genesis: app.source.genesis(),
        account: account.clone(),
        nonce,
        expires_at,
    };
    let account = app.sessions.answer(&answer.nonce, &signature, asked).ok_or(Refusal::NotSignedIn)?;
    let begun = app.sessions.begin(account.clone());
    if answer.link {
        let link = format!("{}/sign-in/link/{}", app.origin, app.sessions.link(account));
        let body = json!({ "link": link, "token": begun.token, "ends_at": begun.ends_at });
        return Ok(Json(body).into_response());
    }
    let body = json!({ "token": begun.token, "ends_at": begun.ends_at });
    Ok(([(SET_COOKIE, cookie(&begun, app.is_encrypted()))], Json(body)).into_response())
}

fn account(text: &str) -> Option<AccountId> {
    if let Ok(account) = AccountId::from_ss58check(text) {
        return Some(account);
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.trim_start_matches("0x"), &mut bytes).ok()?;
    Some(AccountId::new(bytes))
}

/// Shows whom a link signs in. Only the button uses it up: a browser that fetches ahead does not.
pub(super) async fn link<S: Source>(State(app): State<Arc<App<S>>>, Path(token): Path<String>) -> Response {
    match app.sessions.link_of(&token) {
        Some(account) => pages::html(entrance::link(&account)),
        None => Refusal::NotFound.page(),
    }
}

pub(super) async fn follow<S: Source>(State(app): State<Arc<App<S>>>, Path(token): Path<String>) -> Response {
    match app.sessions.follow(&token) {
        Some(begun) => {
            ([(SET_COOKIE, cookie(&begun, app.is_encrypted()))], Redirect::to("/")).into_response()
        }
        None => Refusal::NotFound.page(),
    }
}

pub(super) async fn sign_out<S: Source>(
    State(app): State<Arc<App<S>>>,
    Extension(viewer): Extension<Viewer>,
) -> Response {
    app.sessions.end(&viewer.token);
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    ([(SET_COOKIE, gone)], Redirect::to("/sign-in")).into_response()
}

fn cookie(begun: &Begun, encrypted: bool) -> HeaderValue {
    let seconds = begun.ends_at.saturating_sub(now_ms()) / 1_000;
    let secure = if encrypted { "; Secure" } else { "" };
    let text =
        format!("{COOKIE}={}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}", begun.token);
    // Hex, digits and the words above are always a header's value.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}
