//! What HR looks at: what ends soon, and how much of what was granted is used.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    Extension, Json,
};
use serde::Deserialize;
use serde_json::{json, Value};
use stipend_primitives::Moment;

use super::{
    answer::Refusal,
    api::{visible, Part},
    frame::{Frame, Page},
    App, Viewer,
};
use crate::{
    chain::Source,
    pages::{granting, people as people_page},
    read::{as_of, people, Names},
};

/// Days ahead, unless others are asked for.
const DAYS: u64 = 30;

/// Days ahead at most: ten years.
const DAYS_MAX: u64 = 3_660;

/// How far ahead.
#[derive(Deserialize)]
pub(super) struct Ahead {
    days: Option<u64>,
}

impl Ahead {
    fn days(&self) -> u64 {
        self.days.unwrap_or(DAYS).clamp(1, DAYS_MAX)
    }

    fn from(&self, now: Moment) -> (Moment, Moment) {
        (now, now.saturating_add(self.days() * 86_400_000))
    }
}

pub(super) async fn expiring_page<S: Source>(frame: Frame<S>, Query(ahead): Query<Ahead>) -> Page {
    frame
        .page(move |connection, viewer, at| {
            let programs = visible(connection, viewer)?;
            let rows = people::expiring(connection, &programs, ahead.from(at.moment))?;
            Ok(people_page::expiring(viewer, at, ahead.days(), &programs, &rows))
        })
        .await
}

pub(super) async fn expiring<S: Source>(
    State(app): State<Arc<App<S>>>,
    Extension(viewer): Extension<Viewer>,
    Query(ahead): Query<Ahead>,
) -> Result<Json<Value>, Refusal> {
    app.pool
        .read(move |connection| {
            let at = as_of(connection)?;
            let programs = visible(connection, &viewer)?;
            let rows = people::expiring(connection, &programs, ahead.from(at.moment))?;
            Ok(Json(json!({ "as_of": at, "days": ahead.days(), "expiring": rows })))
        })
        .await
}

pub(super) async fn utilisation_page<S: Source>(frame: Frame<S>) -> Page {
    frame
        .page(move |connection, viewer, at| {
            let programs = visible(connection, viewer)?;
            let rows = people::utilisation(connection, programs)?;
            Ok(people_page::utilisation(viewer, at, &rows))
        })
        .await
}

pub(super) async fn utilisation<S: Source>(
    State(app): State<Arc<App<S>>>,
    Extension(viewer): Extension<Viewer>,
) -> Result<Json<Value>, Refusal> {
    app.pool
        .read(move |connection| {
            let programs = visible(connection, &viewer)?;
            let rows = people::utilisation(connection, programs)?;
            Ok(Json(json!({ "as_of": as_of(connection)?, "programs": rows })))
        })
        .await
}

/// What each person was granted and used, for those who know which department somebody is in.
pub(super) async fn of_people<S: Source>(
    State(app): State<Arc<App<S>>>,
    Extension(viewer): Extension<Viewer>,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Refusal> {
    let (after, limit) = (part.number()?, part.limit());
    app.pool
        .read(move |connection| {
            let programs = visible(connection, &viewer)?;
            let rows = people::people(connection, &programs, after, limit)?;
            let names = Names::read(connection)?;
            let mut owners: Vec<i64> = rows.iter().map(|row| row.number).collect();
            owners.dedup();
            let next = (owners.len() == limit as usize).then(|| owners.last().copied());
            let rows: Vec<Value> = rows
                .iter()
                .map(|row| {
                    let class = names.class(row.class);
                    json!({ "account": row.account, "class": class, "amounts": row.amounts })
                })
                .collect();
            Ok(Json(json!({ "as_of": as_of(connection)?, "people": rows, "next": next.flatten() })))
        })
        .await
}

pub(super) async fn grant_page<S: Source>(frame: Frame<S>, Query(wanted): Query<granting::Wanted>) -> Page {
    frame
        .page(move |connection, viewer, at| {
            let programs = visible(connection, viewer)?;
            Ok(granting::page(viewer, at, &programs, &wanted))
        })
        .await
}

pub(super) async fn list_page<S: Source>(frame: Frame<S>) -> Page {
    frame.page(|_, viewer, at| Ok(granting::list(viewer, at))).await
}
