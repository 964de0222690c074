//! The HTTP client: one pool of connections for all upstreams.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{builderstates::WantsSchemes, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{connect::HttpConnector, Client, Error},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::pki_types::CertificateDer;

const CONNECT_WAIT_MAX: Duration = Duration::from_secs(3);
const KEEPALIVE: Duration = Duration::from_secs(60);
const IDLE_WAIT_MAX: Duration = Duration::from_secs(60);

/// Talks HTTP/1.1 to upstreams, in the clear or over TLS. Follows no redirect.
#[derive(Clone)]
pub(crate) struct HttpClient(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl HttpClient {
    /// Trusts the system's certificate authorities.
    pub(crate) fn new() -> std::io::Result<Self> {
        let provider = rustls::crypto::ring::default_provider();
        Ok(Self::with(HttpsConnectorBuilder::new().with_provider_and_native_roots(provider)?))
    }

    /// Trusts these certificate authorities and no others.
    pub(crate) fn trusting(authorities: &[CertificateDer<'static>]) -> std::io::Result<Self> {
        let mut roots = rustls::RootCertStore::empty();
        for authority in authorities {
            roots.add(authority.clone()).map_err(std::io::Error::other)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(std::io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self::with(HttpsConnectorBuilder::new().with_tls_config(config)))
    }

    fn with(tls: HttpsConnectorBuilder<WantsSchemes>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_WAIT_MAX));
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.enforce_http(false);
        let tls = tls.https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_WAIT_MAX)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build(tls);
        HttpClient(client)
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        self.0.request(request).await
    }
}
