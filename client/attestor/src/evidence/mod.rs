//! Evidence of what signs: the answer of a service on this machine that asks the GPU and NVIDIA's
//! verifier, passed on byte for byte. Nothing here reads it, and nothing here makes one up.

mod pace;

use std::{collections::VecDeque, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{
    future::{BoxFuture, Shared},
    FutureExt,
};
use http::{Request, Uri};
use parking_lot::Mutex;
use tokio::time::Instant;

use self::pace::Pace;
use crate::{config::EvidenceConfig, outbound::Outbound};

/// What a validator wants evidence for: hash of the provider's key and a recent block's hash.
pub(crate) type Nonce = [u8; 32];

/// Time for the source: eight GPUs make their reports one after the other, and NVIDIA's service answers
/// over the Internet.
const SOURCE_MAX: Duration = Duration::from_secs(30);

/// Bytes of evidence: sixteen devices and the overall token, 16 KiB and 16 bytes around each. It is
/// `stipend_evidence_token::BUNDLE_LEN_MAX`; no verifier reads more.
const BYTES_MAX: usize = 17 * (16 * 1024 + 16);

/// Nonces whose answers are kept: 18 MB at most. Validators that ask at one time ask with few nonces, those
/// of the newest blocks.
const NONCES_MAX: usize = 64;

/// Evidence for whoever asks.
pub(crate) struct Evidence {
    /// `None` where this machine has no source: then it is software.
    config: Option<EvidenceConfig>,
    outbound: Outbound,
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    /// The newest last.
    flights: VecDeque<(Nonce, Flight)>,
    pace: Pace,
}

/// An answer, or what becomes one.
type Flight = Shared<BoxFuture<'static, Result<Bytes, Arc<str>>>>;

/// Why there is no evidence now.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EvidenceError {
    #[error("The source of evidence on the provider's machine gave none. Ask again in a minute.")]
    Source,
    #[error(
        "Evidence was asked for with too many nonces. Ask again in a minute, with a nonce of a recent block."
    )]
    TooMany,
}

impl Evidence {
    pub(crate) fn new(config: Option<EvidenceConfig>, outbound: Outbound) -> Self {
        Evidence { config, outbound, asked: Mutex::default() }
    }

    /// The evidence for a nonce; the same bytes for the same nonce, as long as it is among the newest.
    pub(crate) async fn get(&self, nonce: Nonce, peer: IpAddr) -> Result<Bytes, EvidenceError> {
        let Some(config) = &self.config else {
            return Ok(Bytes::from_static(br#"{"evidence":"software"}"#));
        };
        let flight = self.flight(config, nonce, peer)?;
        flight.await.map_err(|_| EvidenceError::Source)
    }

    fn flight(&self, config: &EvidenceConfig, nonce: Nonce, peer: IpAddr) -> Result<Flight, EvidenceError> {
        let mut asked = self.asked.lock();
        // What failed is asked for again.
        asked.flights.retain(|(_, flight)| !matches!(flight.peek(), Some(Err(_))));
        if let Some((_, flight)) = asked.flights.iter().find(|(known, _)| *known == nonce) {
            return Ok(flight.clone());
        }
        if !asked.pace.admits(peer, Instant::now()) {
            return Err(EvidenceError::TooMany);
        }
        if asked.flights.len() == NONCES_MAX {
            asked.flights.pop_front();
        }
        // A task of its own: it ends for those who ask next, also when nobody waits for it any more.
        let task = tokio::spawn(ask(self.outbound.clone(), config.uri(&nonce)));
        let flight = task.map(|ended| ended.unwrap_or_else(|error| Err(error.to_string().into()))).boxed();
        let flight = flight.shared();
        asked.flights.push_back((nonce, flight.clone()));
        Ok(flight)
    }
}

async fn ask(outbound: Outbound, uri: Uri) -> Result<Bytes, Arc<str>> {
    let mut request = Request::default();
    *request.uri_mut() = uri;
    let answer = outbound.fetch(request, BYTES_MAX, Instant::now() + SOURCE_MAX).await;
    let answer = answer.map_err(|error| error.to_string());
    let answer = answer.and_then(|bytes| {
        if bytes.is_empty() {
            return Err("its answer is empty".into());
        }
        Ok(bytes)
    });
    answer.map_err(|error| {
        tracing::warn!(error, "the source of evidence gave none");
        error.into()
    })
}
