//! Who asks, and whether they may.

use std::sync::Arc;

use axum::{
    extract::{RawPathParams, Request, State},
    http::{header, HeaderMap, HeaderValue, Method},
    middleware::Next,
    response::Response,
};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{AccountId, ProgramId, Sequence};

use super::{answer::Refusal, App};
use crate::{
    access::{self, Subject, Who},
    chain::Source,
    db::DbError,
    read::receipts,
};

/// Name of the cookie.
pub(super) const COOKIE: &str = "stipend-session";

/// Who asks.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The account that signed in; `None` on public pages.
    pub account: Option<AccountId>,
    /// What it is by its roles.
    pub relations: Vec<Who>,
    /// The secret of its session.
    pub(crate) token: String,
}

impl Viewer {
    /// Whether the viewer is one of these by role.
    pub fn is(&self, who: Who) -> bool {
        self.relations.contains(&who)
    }
}

/// Lets a request through to its handler if its sender may see the route's subject.
pub(super) async fn guard<S: Source>(
    State((app, subject)): State<(Arc<App<S>>, Subject)>,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let asked = Asked::of(&params);
    match viewer(&app, subject, asked, request.headers(), request.method()).await {
        Ok(viewer) => {
            request.extensions_mut().insert(viewer);
            let response = next.run(request).await;
            match response.extensions().get::<Refusal>() {
                Some(refusal) => refusal.at(&path),
                None => response,
            }
        }
        Err(refusal) => refusal.at(&path),
    }
}

/// What the path names.
struct Asked {
    account: Option<AccountId>,
    receipt: Option<(AccountId, Sequence)>,
    program: Option<ProgramId>,
}

impl Asked {
    fn of(params: &RawPathParams) -> Self {
        let find = |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
        let account = |name| find(name).and_then(|text| AccountId::from_ss58check(text).ok());
        Asked {
            account: account("account"),
            receipt: account("gateway").zip(find("seq").and_then(|text| text.parse().ok())),
            program: find("program").and_then(|text| text.parse().ok()),
        }
    }
}

async fn viewer<S: Source>(
    app: &App<S>,
    subject: Subject,
    asked: Asked,
    headers: &HeaderMap,
    method: &Method,
) -> Result<Viewer, Refusal> {
    let cookie = cookie(headers);
    // A browser says where a request comes from. What has a cookie and changes something comes from here.
    if method == Method::POST && is_from_elsewhere(headers, &app.origin, cookie.is_some()) {
        return Err(Refusal::OtherSite);
    }
    let token = bearer(headers).or(cookie).unwrap_or_default();
    let account = app.sessions.account(&token);
    if access::is_public(subject) {
        return Ok(Viewer { account, relations: vec![Who::Anybody], token });
    }
    let Some(account) = account else { return Err(Refusal::NotSignedIn) };
    let owner = match (subject, &asked) {
        (Subject::Wallet, Asked { account: Some(owner), .. }) => Some(owner.clone()),
        (Subject::Receipt, Asked { receipt: Some((gateway, seq)), .. }) => {
            let (gateway, seq) = (gateway.clone(), *seq);
            app.pool.read(move |connection| receipts::wallet_of(connection, &gateway, seq)).await?
        }
        _ => None,
    };
    let is_owner = owner.as_ref() == Some(&account);
    let mut relations = match app.roles(&account).await {
        Ok(roles) => access::by_roles(&roles),
        // One's own wallet can be seen while the node is away.
        Err(_) if is_owner => vec![Who::Anybody, Who::Somebody],
        Err(error) => return Err(error),
    };
    let mut towards = relations.clone();
    if is_owner {
        towards.push(Who::Owner);
    }
    if let (Subject::Program, Some(program), true) =
        (subject, asked.program, relations.contains(&Who::Issuer))
    {
        let who = account.clone();
        let managed = app
            .pool
            .read(move |connection| Ok::<_, DbError>(access::managed(connection, &who)?.contains(&program)))
            .await?;
        if managed {
            towards.push(Who::Manager);
        }
    }
    if !access::may(subject, &towards) {
        return Err(Refusal::NotFound);
    }
    relations.sort_by_key(|who| *who as u8);
    Ok(Viewer { account: Some(account), relations, token })
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::to_owned)
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value.to_owned())
}

fn is_from_elsewhere(headers: &HeaderMap, origin: &str, has_cookie: bool) -> bool {
    match headers.get(header::ORIGIN) {
        Some(from) => from.as_bytes() != origin.as_bytes(),
        // Programs name no origin and have no cookie.
        None => has_cookie,
    }
}

/// Headers of every answer: nothing from elsewhere, nothing inline, nothing kept.
pub(super) async fn headers<S: Source>(
    State(app): State<Arc<App<S>>>,
    request: Request,
    next: Next,
) -> Response {
    let started = std::time::Instant::now();
    let mut response = next.run(request).await;
    app.requests.count(response.status(), started.elapsed());
    let headers = response.headers_mut();
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        // Not `no-referrer`: browsers then send forms without their origin.
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry("cache-control").or_insert(HeaderValue::from_static("no-store"));
    if app.is_encrypted() {
        headers.insert("strict-transport-security", HeaderValue::from_static("max-age=31536000"));
    }
    response
}
