//! What is handed over of a request to be looked at.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http::{header, HeaderMap};
use stipend_openai::Endpoint;
use stipend_primitives::{cost::Usage, AccountId, Digest, KeyHash, Moment};

use super::Purpose;
use crate::{clock::now_ms, state::State};

/// Bytes of a program's name that count.
const AGENT_BYTES_MAX: usize = 256;

/// Where a connection comes from, among a request's extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// A request on its way, as far as it will be looked at.
pub(crate) struct Watch {
    state: Arc<State>,
    seen: Seen,
}

/// A request that ended.
pub(super) struct Seen {
    pub(super) at_ms: Moment,
    pub(super) endpoint: Endpoint,
    /// As the caller sent it.
    pub(super) body: Bytes,
    pub(super) owner: AccountId,
    pub(super) key: KeyHash,
    pub(super) model: u32,
    pub(super) max_tokens: u32,
    pub(super) digest: Digest,
    pub(super) purpose: Option<Purpose>,
    pub(super) peer: Option<IpAddr>,
    pub(super) agent: Option<Box<str>>,
    pub(super) provider: Option<AccountId>,
    pub(super) usage: Usage,
    pub(super) fetched_permille: u16,
}

/// What headers and connection say of where a request is from, before its body is read.
pub(crate) struct Source {
    purpose: Option<Purpose>,
    peer: Option<IpAddr>,
    agent: Option<Box<str>>,
}

impl Source {
    /// Reads them.
    pub(crate) fn of(headers: &HeaderMap, peer: Option<Peer>, purpose: Option<Purpose>) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let agent = agent.map(|agent| agent.chars().take(AGENT_BYTES_MAX).collect::<String>().into());
        Source { purpose, peer: peer.map(|peer| peer.0), agent }
    }
}

/// What admission found out about a request.
pub(crate) struct Watched<'a> {
    pub(crate) endpoint: Endpoint,
    pub(crate) body: &'a Bytes,
    pub(crate) owner: &'a AccountId,
    pub(crate) key: KeyHash,
    pub(crate) model: u32,
    pub(crate) max_tokens: u32,
    pub(crate) digest: Digest,
}

impl Watch {
    /// Remembers what a request was. The body is shared, not copied.
    pub(crate) fn new(state: &Arc<State>, from: Source, request: Watched<'_>) -> Self {
        let Watched { endpoint, body, owner, key, model, max_tokens, digest } = request;
        let seen = Seen {
            at_ms: now_ms(),
            endpoint,
            body: body.clone(),
            owner: owner.clone(),
            key,
            model,
            max_tokens,
            digest,
            purpose: from.purpose,
            peer: from.peer,
            agent: from.agent,
            provider: None,
            usage: Usage::default(),
            fetched_permille: 0,
        };
        Watch { state: state.clone(), seen }
    }
}

/// Hands a request over, if it is looked at, with how it ended: who served it, and how many thousandths of the answer the caller took.
pub(crate) fn ended(watch: Option<Watch>, provider: &AccountId, usage: Usage, fetched_permille: u16) {
    let Some(Watch { state, mut seen }) = watch else { return };
    let Some(waste) = &state.waste else { return };
    seen.provider = Some(provider.clone());
    seen.usage = usage;
    seen.fetched_permille = fetched_permille;
    waste.look(seen);
}
