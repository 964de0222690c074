//! What the gateway says of itself.

use http::{Response, StatusCode};

use super::{
    answer::{of_kind, AnswerBody},
    routes::Open,
};
use crate::{clock::now_ms, state::State};

pub(super) fn answer(open: Open, state: &State) -> Response<AnswerBody> {
    match open {
        Open::Health => state_of_health(needs_restart(state)),
        Open::Readiness => readiness(state),
        Open::Metrics => {
            let page = state.metrics.page(state, state.refusal(now_ms()).is_none());
            of_kind(StatusCode::OK, "text/plain; version=0.0.4", page)
        }
    }
}

/// Whether requests are admitted, and who would not be asked.
fn readiness(state: &State) -> Response<AnswerBody> {
    if let Some(refusal) = state.refusal(now_ms()) {
        return state_of_health(Some(refusal.why));
    }
    let mut text = String::new();
    let upstreams = state.upstreams.set();
    for upstream in &upstreams.all {
        if let Some(note) = upstream.note() {
            text.push_str(&format!("{note}: {}\n", upstream.address));
        }
    }
    if upstreams.all.iter().all(|upstream| upstream.is_out()) {
        return plain(StatusCode::SERVICE_UNAVAILABLE, text);
    }
    plain(StatusCode::OK, format!("ok\n{text}"))
}

/// What only starting the gateway anew can mend.
fn needs_restart(state: &State) -> Option<String> {
    let halted = state.status.halted().map(|why| why.to_string());
    halted.or_else(|| state.receipts.failure().map(|error| error.to_string()))
}

fn state_of_health(trouble: Option<String>) -> Response<AnswerBody> {
    match trouble {
        None => plain(StatusCode::OK, "ok\n".into()),
        Some(why) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

fn plain(status: StatusCode, text: String) -> Response<AnswerBody> {
    of_kind(status, "text/plain; charset=utf-8", text)
}
