//! The JSON API.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    response::Response,
    Extension, Json,
};
use serde::Deserialize;
use serde_json::{json, Value};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{AccountId, ProgramId, Sequence};

use super::{
    answer::{download, Refusal},
    App, Viewer, CHAIN_WAIT,
};
use crate::{
    access::{self, Who},
    chain::Source,
    db::{Connection, DbError},
    read::{
        as_of,
        days::{self, Whose},
        grants, programs,
        receipts::{self, Cursor, Order, Receipt},
        wallets,
    },
};

/// Rows of a page, unless less is asked for.
const ROWS: u32 = 50;

/// Rows of a page at most.
const ROWS_MAX: u32 = 500;

/// Events shown of a wallet or a budget.
pub(super) const EVENTS: u32 = 100;

/// Which part of a list.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Part {
    pub(super) after: Option<String>,
    pub(super) limit: Option<u32>,
    /// Days back from the newest block.
    pub(super) days: Option<u64>,
}

impl Part {
    pub(super) fn limit(&self) -> u32 {
        self.limit.unwrap_or(ROWS).clamp(1, ROWS_MAX)
    }

    pub(super) fn cursor(&self) -> Result<Option<Cursor>, Refusal> {
        let wrong = || Refusal::invalid("`after` is not where a page ended.");
        self.after.as_deref().map(|text| Cursor::parse(text).ok_or_else(wrong)).transpose()
    }

    pub(super) fn number(&self) -> Result<i64, Refusal> {
        let text = self.after.as_deref().unwrap_or("-1");
        text.parse().map_err(|_| Refusal::invalid("`after` is not a number."))
    }

    /// First day to show, of 30 unless more are asked for.
    pub(super) fn first_day(&self, moment: u64) -> u64 {
        (moment / 86_400_000).saturating_sub(self.days.unwrap_or(30).clamp(1, 3_660) - 1)
    }
}

/// An account of a path. The guard has let it through, so it is one.
pub(super) fn account(text: &str) -> Result<AccountId, Refusal> {
    AccountId::from_ss58check(text).map_err(|_| Refusal::NotFound)
}

pub(super) async fn me(Extension(viewer): Extension<Viewer>) -> Json<Value> {
    let roles = json!({ "issuer": viewer.is(Who::Issuer), "auditor": viewer.is(Who::Auditor) });
    Json(json!({ "account": viewer.account, "sees": roles }))
}

/// A wallet: what is final by the tables, and what is pending by the node.
pub(super) async fn wallet<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(owner): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let owner = account(&owner)?;
    let asked = owner.clone();
    let (at, balances) = app
        .pool
        .read(move |connection| {
            Ok::<_, DbError>((as_of(connection)?, wallets::balances(connection, &asked)?))
        })
        .await?;
    let live = live(&app, &owner).await;
    Ok(Json(json!({ "owner": owner, "as_of": at, "classes": balances, "live": live })))
}

/// Finalised and pending figures from the node; nothing if it does not answer.
pub(super) async fn live<S: Source>(app: &App<S>, owner: &AccountId) -> Option<stipend_rpc::WalletBalance> {
    let asked = tokio::time::timeout(CHAIN_WAIT, app.source.balance(owner.clone())).await;
    asked.ok()?.map_err(|error| tracing::warn!(%error, "no live figures")).ok()
}

fn page_of(at: crate::read::AsOf, rows: Vec<Receipt>, limit: u32) -> Json<Value> {
    let next = (rows.len() == limit as usize).then(|| rows.last().map(|row| row.cursor.text()));
    Json(json!({ "as_of": at, "receipts": rows, "next": next.flatten() }))
}

pub(super) async fn wallet_receipts<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(owner): Path<String>,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Refusal> {
    let (owner, cursor, limit) = (account(&owner)?, part.cursor()?, part.limit());
    app.pool
        .read(move |connection| {
            let rows = receipts::page(connection, Some(&owner), Order::Newest, cursor, limit)?;
            Ok(page_of(as_of(connection)?, rows, limit))
        })
        .await
}

pub(super) async fn receipts<S: Source>(
    State(app): State<Arc<App<S>>>,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Refusal> {
    let (cursor, limit) = (part.cursor()?, part.limit());
    app.pool
        .read(move |connection| {
            let rows = receipts::page(connection, None, Order::Newest, cursor, limit)?;
            Ok(page_of(as_of(connection)?, rows, limit))
        })
        .await
}

fn days_of(connection: &mut dyn Connection, whose: Whose, part: &Part) -> Result<Json<Value>, Refusal> {
    let at = as_of(connection)?;
    let from_day = part.first_day(at.moment);
    let used = days::used(connection, whose, from_day)?;
    let energy = days::energy(connection, &used)?;
    let back = days::back(connection, whose, from_day)?;
    Ok(Json(json!({ "as_of": at, "from_day": from_day, "used": used, "back": back, "energy": energy })))
}

pub(super) async fn wallet_days<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(owner): Path<String>,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Refusal> {
    let owner = account(&owner)?;
    app.pool.read(move |connection| days_of(connection, Whose::Wallet(&owner), &part)).await
}

pub(super) async fn totals<S: Source>(
    State(app): State<Arc<App<S>>>,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Refusal> {
    app.pool.read(move |connection| days_of(connection, Whose::Everybody, &part)).await
}

pub(super) async fn wallet_grants<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(owner): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let owner = account(&owner)?;
    app.pool
        .read(move |connection| {
            let grants = grants::of_owner(connection, &owner)?;
            let events = grants::events_of_owner(connection, &owner, EVENTS)?;
            Ok(Json(json!({ "as_of": as_of(connection)?, "grants": grants, "events": events })))
        })
        .await
}

pub(super) async fn wallet_keys<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(owner): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let owner = account(&owner)?;
    app.pool
        .read(move |connection| {
            let keys = wallets::keys(connection, &owner)?;
            Ok(Json(json!({ "as_of": as_of(connection)?, "keys": keys })))
        })
        .await
}

pub(super) async fn receipt<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path((gateway, seq)): Path<(String, Sequence)>,
) -> Result<Json<Value>, Refusal> {
    let gateway = account(&gateway)?;
    app.pool
        .read(move |connection| {
            let explained = receipts::explain(connection, &gateway, seq)?.ok_or(Refusal::NotFound)?;
            Ok(Json(json!({ "as_of": as_of(connection)?, "receipt": explained })))
        })
        .await
}

/// A receipt's proof, which holds without this service and without any node.
pub(super) async fn proof<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path((gateway, seq)): Path<(String, Sequence)>,
) -> Result<Response, Refusal> {
    let gateway = account(&gateway)?;
    let asked = gateway.clone();
    let found = app.pool.read(move |connection| receipts::explain(connection, &asked, seq)).await?;
    let block = found.ok_or(Refusal::NotFound)?.receipt.block;
    let proof = tokio::time::timeout(CHAIN_WAIT, app.source.proof(gateway, seq, block)).await;
    let proof = proof.map_err(|_| Refusal::NoChain)??;
    Ok(download("application/json", &format!("receipt-{seq}-proof.json"), proof.to_string()))
}

pub(super) async fn programs<S: Source>(
    State(app): State<Arc<App<S>>>,
    Extension(viewer): Extension<Viewer>,
) -> Result<Json<Value>, Refusal> {
    app.pool
        .read(move |connection| {
            let programs = visible(connection, &viewer)?;
            Ok(Json(json!({ "as_of": as_of(connection)?, "programs": programs })))
        })
        .await
}

/// The budgets that a viewer may see.
pub(super) fn visible(
    connection: &mut dyn Connection,
    viewer: &Viewer,
) -> Result<Vec<programs::Program>, DbError> {
    let mut list = programs::list(connection)?;
    if !viewer.is(Who::Auditor) {
        let managed = match &viewer.account {
            Some(account) => access::managed(connection, account)?,
            None => Vec::new(),
        };
        list.retain(|program| managed.contains(&program.id));
    }
    Ok(list)
}

pub(super) async fn program<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(id): Path<ProgramId>,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Refusal> {
    let (after, limit) = (part.number()?, part.limit());
    app.pool
        .read(move |connection| {
            let at = as_of(connection)?;
            let list = programs::list(connection)?;
            let program = list.into_iter().find(|one| one.id == id).ok_or(Refusal::NotFound)?;
            let used = programs::used(connection, &program, at.moment)?;
            let grants = grants::of_program(connection, id, after, limit)?;
            let next = (grants.len() == limit as usize).then(|| grants.last().map(|grant| grant.id));
            Ok(Json(json!({
                "as_of": at, "program": program, "use": used, "grants": grants, "next": next.flatten(),
            })))
        })
        .await
}

pub(super) async fn wallets<S: Source>(
    State(app): State<Arc<App<S>>>,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Refusal> {
    let (after, limit) = (part.number()?, part.limit());
    app.pool
        .read(move |connection| {
            let list = wallets::list(connection, after, limit)?;
            let next = (list.len() == limit as usize).then(|| list.last().map(|wallet| wallet.number));
            Ok(Json(json!({ "as_of": as_of(connection)?, "wallets": list, "next": next.flatten() })))
        })
        .await
}
