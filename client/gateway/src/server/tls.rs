//! TLS at the listener, with a certificate that can be replaced while the gateway runs.

use std::{io, path::Path, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer},
    ServerConfig,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{server::TlsStream, TlsAcceptor};

use crate::config::TlsFiles;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("{path} cannot be read as PEM: {error}")]
    File { path: String, error: rustls::pki_types::pem::Error },
    #[error("{0} holds no certificate: it must hold the server's, and then those of its issuers")]
    Empty(String),
    #[error("the certificate and the key cannot be used: {0}. Do they belong together?")]
    Pair(#[from] rustls::Error),
}

/// Who this gateway is to callers that speak TLS.
pub(crate) struct Tls(ArcSwap<ServerConfig>);

impl Tls {
    pub(crate) fn new(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Tls(ArcSwap::new(read(files)?)))
    }

    /// Reads the files again; connections that are open keep what they agreed on.
    pub(crate) fn reload(&self, files: &TlsFiles) -> Result<(), TlsError> {
        self.0.store(read(files)?);
        Ok(())
    }

    pub(super) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        TlsAcceptor::from(self.0.load_full()).accept(stream).await
    }
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let file = |path: &Path| {
        let path = path.display().to_string();
        move |error| TlsError::File { path, error }
    };
    let (cert_file, key_file) = (&files.cert_file, &files.key_file);
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(cert_file).and_then(Iterator::collect).map_err(file(cert_file))?;
    if certificates.is_empty() {
        return Err(TlsError::Empty(cert_file.display().to_string()));
    }
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(file(key_file))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
