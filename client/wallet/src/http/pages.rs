//! The pages' handlers: read, then render.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    response::Response,
    Extension,
};
use stipend_primitives::{ProgramId, Sequence};

use super::{
    answer::Refusal,
    api::{self, account, Part, EVENTS},
    App, Viewer,
};
use crate::{
    chain::Source,
    pages::{
        self, audit, grants as grants_page, keys as keys_page, programs as programs_page,
        receipts as receipts_page, wallet as wallet_page,
    },
    read::{
        as_of,
        days::{self, Whose},
        grants as grants_read, programs as programs_read,
        receipts::{self as receipts_read, Order},
        wallets as wallets_read, Names,
    },
};

type Page = Result<Response, Refusal>;

pub(super) async fn wallet<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(owner): Path<String>,
    Query(part): Query<Part>,
    Extension(viewer): Extension<Viewer>,
) -> Page {
    let owner = account(&owner)?;
    let live = api::live(&app, &owner).await;
    app.pool
        .read(move |connection| {
            let at = as_of(connection)?;
            let from_day = part.first_day(at.moment);
            let whose = Whose::Wallet(&owner);
            let used = days::used(connection, whose, from_day)?;
            let view = wallet_page::View {
                balances: wallets_read::balances(connection, &owner)?,
                grants: grants_read::of_owner(connection, &owner)?,
                energy: days::energy(connection, &used)?,
                back: days::back(connection, whose, from_day)?,
                names: Names::read(connection)?,
                owner,
                at,
                from_day,
                used,
                live,
            };
            Ok(pages::html(wallet_page::page(&viewer, &view)))
        })
        .await
}

pub(super) async fn receipts<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(owner): Path<String>,
    Query(part): Query<Part>,
    Extension(viewer): Extension<Viewer>,
) -> Page {
    let (owner, cursor, limit) = (account(&owner)?, part.cursor()?, part.limit());
    app.pool
        .read(move |connection| {
            let rows = receipts_read::page(connection, Some(&owner), Order::Newest, cursor, limit)?;
            let at = as_of(connection)?;
            Ok(pages::html(receipts_page::of_wallet(&viewer, &owner, at, &rows, limit)))
        })
        .await
}

pub(super) async fn grants<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(owner): Path<String>,
    Extension(viewer): Extension<Viewer>,
) -> Page {
    let owner = account(&owner)?;
    app.pool
        .read(move |connection| {
            let grants = grants_read::of_owner(connection, &owner)?;
            let events = grants_read::events_of_owner(connection, &owner, EVENTS)?;
            let names = Names::read(connection)?;
            let at = as_of(connection)?;
            Ok(pages::html(grants_page::page(&viewer, &owner, at, &names, &grants, &events)))
        })
        .await
}

pub(super) async fn keys<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(owner): Path<String>,
    Extension(viewer): Extension<Viewer>,
) -> Page {
    let owner = account(&owner)?;
    app.pool
        .read(move |connection| {
            let keys = wallets_read::keys(connection, &owner)?;
            let names = Names::read(connection)?;
            let at = as_of(connection)?;
            Ok(pages::html(keys_page::page(&viewer, &owner, at, &names, &keys)))
        })
        .await
}

pub(super) async fn receipt<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path((gateway, seq)): Path<(String, Sequence)>,
    Extension(viewer): Extension<Viewer>,
) -> Page {
    let gateway = account(&gateway)?;
    app.pool
        .read(move |connection| {
            let found = receipts_read::explain(connection, &gateway, seq)?.ok_or(Refusal::NotFound)?;
            Ok(pages::html(receipts_page::explained(&viewer, as_of(connection)?, &found)))
        })
        .await
}

pub(super) async fn programs<S: Source>(
    State(app): State<Arc<App<S>>>,
    Extension(viewer): Extension<Viewer>,
) -> Page {
    app.pool
        .read(move |connection| {
            let at = as_of(connection)?;
            let programs = api::visible(connection, &viewer)?;
            Ok(pages::html(programs_page::list(&viewer, at, &programs)))
        })
        .await
}

pub(super) async fn program<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(id): Path<ProgramId>,
    Query(part): Query<Part>,
    Extension(viewer): Extension<Viewer>,
) -> Page {
    let (after, limit) = (part.number()?, part.limit());
    app.pool
        .read(move |connection| {
            let at = as_of(connection)?;
            let list = programs_read::list(connection)?;
            let program = list.into_iter().find(|one| one.id == id).ok_or(Refusal::NotFound)?;
            let view = programs_page::View {
                used: programs_read::used(connection, &program, at.moment)?,
                grants: grants_read::of_program(connection, id, after, limit)?,
                events: grants_read::events_of_program(connection, id, EVENTS)?,
                program,
                at,
                limit,
            };
            Ok(pages::html(programs_page::one(&viewer, &view)))
        })
        .await
}

pub(super) async fn audit<S: Source>(
    State(app): State<Arc<App<S>>>,
    Query(part): Query<Part>,
    Extension(viewer): Extension<Viewer>,
) -> Page {
    app.pool
        .read(move |connection| {
            let at = as_of(connection)?;
            let from_day = part.first_day(at.moment);
            let used = days::used(connection, Whose::Everybody, from_day)?;
            let view = audit::View {
                energy: days::energy(connection, &used)?,
                back: days::back(connection, Whose::Everybody, from_day)?,
                programs: programs_read::list(connection)?,
                at,
                from_day,
                used,
            };
            Ok(pages::html(audit::page(&viewer, &view)))
        })
        .await
}

pub(super) async fn audit_wallets<S: Source>(
    State(app): State<Arc<App<S>>>,
    Query(part): Query<Part>,
    Extension(viewer): Extension<Viewer>,
) -> Page {
    let (after, limit) = (part.number()?, part.limit());
    app.pool
        .read(move |connection| {
            let rows = wallets_read::list(connection, after, limit)?;
            let names = Names::read(connection)?;
            Ok(pages::html(audit::wallets(&viewer, as_of(connection)?, &names, &rows, limit)))
        })
        .await
}

pub(super) async fn audit_receipts<S: Source>(
    State(app): State<Arc<App<S>>>,
    Query(part): Query<Part>,
    Extension(viewer): Extension<Viewer>,
) -> Page {
    let (cursor, limit) = (part.cursor()?, part.limit());
    app.pool
        .read(move |connection| {
            let rows = receipts_read::page(connection, None, Order::Newest, cursor, limit)?;
            Ok(pages::html(receipts_page::of_everybody(&viewer, as_of(connection)?, &rows, limit)))
        })
        .await
}
