//! The pages' handlers: read, then render.

use axum::extract::{Path, Query};
use stipend_primitives::{ProgramId, Sequence};

use super::{
    answer::Refusal,
    api::{self, account, Part, EVENTS},
    frame::{Frame, Page},
};
use crate::{
    chain::Source,
    pages::{
        audit, grants as grants_page, keys as keys_page, programs as programs_page,
        receipts as receipts_page, wallet as wallet_page,
    },
    read::{
        days::{self, Whose},
        grants as grants_read, programs as programs_read,
        receipts::{self as receipts_read, Order},
        wallets as wallets_read, Names,
    },
};

pub(super) async fn wallet<S: Source>(
    frame: Frame<S>,
    Path(owner): Path<String>,
    Query(part): Query<Part>,
) -> Page {
    let owner = account(&owner)?;
    let live = api::live(&frame.app, &owner).await;
    frame
        .page(move |connection, viewer, at| {
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
            Ok(wallet_page::page(viewer, &view))
        })
        .await
}

pub(super) async fn receipts<S: Source>(
    frame: Frame<S>,
    Path(owner): Path<String>,
    Query(part): Query<Part>,
) -> Page {
    let (owner, cursor, limit) = (account(&owner)?, part.cursor()?, part.limit());
    frame
        .page(move |connection, viewer, at| {
            let rows = receipts_read::page(connection, Some(&owner), Order::Newest, cursor, limit)?;
            Ok(receipts_page::of_wallet(viewer, &owner, at, &rows, limit))
        })
        .await
}

pub(super) async fn grants<S: Source>(frame: Frame<S>, Path(owner): Path<String>) -> Page {
    let owner = account(&owner)?;
    frame
        .page(move |connection, viewer, at| {
            let grants = grants_read::of_owner(connection, &owner)?;
            let events = grants_read::events_of_owner(connection, &owner, EVENTS)?;
            let names = Names::read(connection)?;
            Ok(grants_page::page(viewer, &owner, at, &names, &grants, &events))
        })
        .await
}

pub(super) async fn keys<S: Source>(frame: Frame<S>, Path(owner): Path<String>) -> Page {
    let owner = account(&owner)?;
    frame
        .page(move |connection, viewer, at| {
            let keys = wallets_read::keys(connection, &owner)?;
            let names = Names::read(connection)?;
            Ok(keys_page::page(viewer, &owner, at, &names, &keys))
        })
        .await
}

pub(super) async fn receipt<S: Source>(
    frame: Frame<S>,
    Path((gateway, seq)): Path<(String, Sequence)>,
) -> Page {
    let gateway = account(&gateway)?;
    frame
        .page(move |connection, viewer, at| {
            let found = receipts_read::explain(connection, &gateway, seq)?.ok_or(Refusal::NotFound)?;
            Ok(receipts_page::explained(viewer, at, &found))
        })
        .await
}

pub(super) async fn programs<S: Source>(frame: Frame<S>) -> Page {
    frame
        .page(|connection, viewer, at| {
            let programs = api::visible(connection, viewer)?;
            Ok(programs_page::list(viewer, at, &programs))
        })
        .await
}

pub(super) async fn program<S: Source>(
    frame: Frame<S>,
    Path(id): Path<ProgramId>,
    Query(part): Query<Part>,
) -> Page {
    let (after, limit) = (part.number()?, part.limit());
    frame
        .page(move |connection, viewer, at| {
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
            Ok(programs_page::one(viewer, &view))
        })
        .await
}

pub(super) async fn audit<S: Source>(frame: Frame<S>, Query(part): Query<Part>) -> Page {
    frame
        .page(move |connection, viewer, at| {
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
            Ok(audit::page(viewer, &view))
        })
        .await
}

pub(super) async fn audit_wallets<S: Source>(frame: Frame<S>, Query(part): Query<Part>) -> Page {
    let (after, limit) = (part.number()?, part.limit());
    frame
        .page(move |connection, viewer, at| {
            let rows = wallets_read::list(connection, after, limit)?;
            let names = Names::read(connection)?;
            Ok(audit::wallets(viewer, at, &names, &rows, limit))
        })
        .await
}

pub(super) async fn audit_receipts<S: Source>(frame: Frame<S>, Query(part): Query<Part>) -> Page {
    let (cursor, limit) = (part.cursor()?, part.limit());
    frame
        .page(move |connection, viewer, at| {
            let rows = receipts_read::page(connection, None, Order::Newest, cursor, limit)?;
            Ok(receipts_page::of_everybody(viewer, at, &rows, limit))
        })
        .await
}
