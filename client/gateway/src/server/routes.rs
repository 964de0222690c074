//! Every path with who may call it: the one table that requests are dispatched by.
//!
//! A route that needs an API key is answered by a [`Keyed`], and only a checked key leads there.

use std::sync::Arc;

use http::{Method, Request, Response};
use hyper::body::Incoming;
use stipend_openai::{ApiError, Endpoint};

use super::{
    answer::AnswerBody, authenticate::authenticate, completions, health, jobs, models, quote, receipts,
    runners, wallet, waste,
};
use crate::state::State;

/// One method at one path.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: Path,
    pub(crate) call: Call,
}

/// Which paths a route stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// This one.
    Is(&'static str),
    /// Those that begin so and go on; the rest is the handler's argument.
    Under(&'static str),
    /// Those that begin with the one and end with the other; what is between is the handler's argument.
    Between(&'static str, &'static str),
}

/// Who may call a route, and what then answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Anybody who reaches the listener.
    Open(Open),
    /// Whoever shows an API key that the chain knows.
    Keyed(Keyed),
    /// The runner of a job, which shows that job's own token.
    Runner(Runner),
    /// Whoever shows the auditor's token.
    Auditor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    Health,
    Readiness,
    Metrics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyed {
    Infer(Endpoint),
    Quote,
    Models,
    Wallet,
    Receipt,
    SubmitJob,
    Job,
    CancelJob,
    Waste,
    Appeal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    Begin,
    Report,
}

const fn get(path: Path, call: Call) -> Route {
    Route { method: Method::GET, path, call }
}

const fn post(path: Path, call: Call) -> Route {
    Route { method: Method::POST, path, call }
}

const fn delete(path: Path, call: Call) -> Route {
    Route { method: Method::DELETE, path, call }
}

const fn infer(endpoint: Endpoint) -> Route {
    post(Path::Is(endpoint.path()), Call::Keyed(Keyed::Infer(endpoint)))
}

/// All routes. A test holds them against the list of who may call what.
pub(crate) const ROUTES: &[Route] = &[
    infer(Endpoint::Chat),
    infer(Endpoint::Completions),
    infer(Endpoint::Embeddings),
    infer(Endpoint::Responses),
    infer(Endpoint::Images),
    infer(Endpoint::Messages),
    post(Path::Is("/v1/quote"), Call::Keyed(Keyed::Quote)),
    get(Path::Is("/v1/models"), Call::Keyed(Keyed::Models)),
    get(Path::Is("/v1/wallet"), Call::Keyed(Keyed::Wallet)),
    get(Path::Under("/v1/aci/receipts/"), Call::Keyed(Keyed::Receipt)),
    post(Path::Is("/v1/jobs"), Call::Keyed(Keyed::SubmitJob)),
    get(Path::Under(jobs::PATH), Call::Keyed(Keyed::Job)),
    delete(Path::Under(jobs::PATH), Call::Keyed(Keyed::CancelJob)),
    post(Path::Between(jobs::PATH, "/begin"), Call::Runner(Runner::Begin)),
    post(Path::Between(jobs::PATH, "/answer"), Call::Runner(Runner::Report)),
    get(Path::Is("/v1/waste"), Call::Keyed(Keyed::Waste)),
    get(Path::Is("/v1/waste/all"), Call::Auditor),
    post(Path::Between(waste::PATH, "/appeal"), Call::Keyed(Keyed::Appeal)),
    get(Path::Is("/healthz"), Call::Open(Open::Health)),
    get(Path::Is("/readyz"), Call::Open(Open::Readiness)),
    get(Path::Is("/metrics"), Call::Open(Open::Metrics)),
];

impl Path {
    /// What stands behind the path; `None` if it is another one.
    fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self {
            Path::Is(whole) => (path == *whole).then_some(""),
            Path::Under(front) => path.strip_prefix(front),
            Path::Between(front, back) => path.strip_prefix(front)?.strip_suffix(back),
        }
    }
}

/// The route of a request, and what stands behind its path.
fn find<'p>(method: &Method, path: &'p str) -> Result<(Call, &'p str), ApiError> {
    let mut allowed = None;
    for route in ROUTES {
        let Some(rest) = route.path.rest(path) else { continue };
        let is_head = *method == Method::HEAD && route.method == Method::GET;
        if *method == route.method || is_head {
            return Ok((route.call, rest));
        }
        allowed = Some(&route.method);
    }
    Err(match allowed {
        Some(allowed) => {
            let message = format!("This path takes {allowed} only.");
            ApiError::new(405, "invalid_request_error", "method_not_allowed", message)
        }
        None => ApiError::not_found("unknown_path", "There is nothing at this path."),
    })
}

/// Answers a request, if whoever sent it may call its route.
pub(super) async fn dispatch(
    request: Request<Incoming>,
    state: Arc<State>,
) -> Result<Response<AnswerBody>, ApiError> {
    let (call, rest) = find(request.method(), request.uri().path())?;
    let keyed = match call {
        Call::Open(open) => return Ok(health::answer(open, &state)),
        Call::Runner(runner) => {
            let id = rest.to_owned();
            return runners::answer(request, state, &id, runner).await;
        }
        Call::Auditor => return waste::all(request.headers(), &state),
        Call::Keyed(keyed) => keyed,
    };
    let key = authenticate(&state, request.headers())?;
    match keyed {
        Keyed::Infer(endpoint) => completions::answer(request, state, key, endpoint).await,
        Keyed::Quote => quote::answer(request, state, key).await,
        Keyed::Models => models::answer(&key, &state),
        Keyed::Wallet => wallet::answer(&key, &state),
        Keyed::Receipt => receipts::answer(&key, rest, &state).await,
        Keyed::SubmitJob => jobs::submit(request, state, key).await,
        Keyed::Job => jobs::look(&key, rest, &state).await,
        Keyed::CancelJob => jobs::cancel(&key, rest, &state).await,
        Keyed::Waste => waste::own(&key, &state),
        Keyed::Appeal => {
            let id = rest.to_owned();
            waste::appeal(request, state, key, &id).await
        }
    }
}
