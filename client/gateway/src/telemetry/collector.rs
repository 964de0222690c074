//! The way to a collector: the gateway's own HTTP client, on the gateway's own runtime.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use opentelemetry_http::HttpError;
use tokio::{runtime::Handle, time::timeout};

use super::losses::Losses;
use crate::client::HttpClient;

/// How long one export may take, from the connection to the answer's last byte.
pub(super) const EXPORT_WAIT_MAX: Duration = Duration::from_secs(5);

/// Bytes of a collector's answer: it says how many spans it refused.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Takes exports to a collector.
#[derive(Clone)]
pub(super) struct Collector {
    pub(super) client: HttpClient,
    /// Secrets. They are put in here, behind everything that could print them.
    pub(super) headers: HeaderMap,
    pub(super) runtime: Handle,
    pub(super) losses: Losses,
}

impl fmt::Debug for Collector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Collector").finish_non_exhaustive()
    }
}

type Answered = Result<Response<Bytes>, HttpError>;

impl Collector {
    async fn send(self, mut request: Request<Bytes>) -> Answered {
        request.headers_mut().extend(self.headers);
        let response = self.client.send(request.map(Full::new)).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
        Ok(Response::from_parts(head, body))
    }

    fn count(&self, path: &str, answered: &Answered) {
        match answered {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => self.losses.export_failed(format!("{path}: it answered {}", response.status())),
            Err(error) => {
                self.losses.export_failed(format!("{path}: {}", crate::exchange::describe(&**error)))
            }
        }
    }
}

impl opentelemetry_http::HttpClient for Collector {
    // Written out as the trait's macro does it.
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Answered> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let path = request.uri().path().to_owned();
        let sending = self.clone().send(request);
        // Exporters run in threads of their own, which have neither timers nor sockets.
        let sent = self.runtime.spawn(async move { timeout(EXPORT_WAIT_MAX, sending).await });
        Box::pin(async move {
            let answered = match sent.await {
                Ok(Ok(answered)) => answered,
                Ok(Err(_)) => Err("it did not answer in time".into()),
                Err(ended) => Err(ended.into()),
            };
            self.count(&path, &answered);
            answered
        })
    }
}
