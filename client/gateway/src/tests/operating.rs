//! Request ids, another configuration while requests are served, TLS, the order to stop.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};

use super::harness::*;
use crate::{
    config::{Config, Faults, TlsFiles},
    reload::Reloads,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_sane_request_id_comes_back_and_every_answer_has_one() {
    let setup = Setup::new().await;
    let mut request = setup.request("/v1/chat/completions", chat("ok").to_string());
    request.headers_mut().insert("x-request-id", "order-66".parse().unwrap());
    assert_eq!(setup.send(request).await.headers["x-request-id"], "order-66");
    let refused = setup.get("/nowhere").await;
    assert_eq!((refused.status.as_u16(), refused.headers["x-request-id"].len()), (404, 16));
    let mut request = setup.request("/v1/chat/completions", chat("ok").to_string());
    request.headers_mut().insert("x-request-id", "a b".parse().unwrap());
    assert_ne!(setup.send(request).await.headers["x-request-id"], "a b");
    // It is between caller and gateway: providers do not learn it.
    assert!(setup.upstreams[0].seen.lock().iter().all(|seen| !seen.headers.contains_key("x-request-id")));
}

pub(super) type Orders = mpsc::Sender<Result<Config, Faults>>;

/// Reloads of a running gateway, and the filters that were set.
pub(super) fn reloads(setup: &Setup) -> (Orders, Arc<Mutex<Vec<String>>>) {
    let (sender, receiver) = mpsc::channel(1);
    let filters = Arc::new(Mutex::new(Vec::new()));
    let set = filters.clone();
    let reloads = Reloads::new(receiver, move |filter| set.lock().push(filter.to_owned()));
    tokio::spawn(reloads.run(setup.config.clone(), setup.engine().state.clone()));
    (sender, filters)
}

async fn reloaded(setup: &Setup, outcome: &str, times: usize) {
    let line = format!("stipend_gateway_reloads_total{{outcome=\"{outcome}\"}} {times}");
    for _ in 0..500 {
        if setup.get("/metrics").await.text().contains(&line) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no reload was {outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_changes_what_it_can_and_leaves_the_rest() {
    let setup = Setup::new().await;
    let (reloads, filters) = reloads(&setup);
    let mut next = setup.config.clone();
    next.limits.body_bytes_max = 10;
    next.limits.connections_max = 1;
    next.operate.log.filter = "debug".into();
    next.listen = "127.0.0.1:1".parse().unwrap();
    reloads.send(Ok(next)).await.unwrap();
    reloaded(&setup, "taken", 1).await;
    assert_eq!(setup.chat("ok").await.status, 413);
    assert_eq!(*filters.lock(), ["debug"]);
    let limits = &setup.engine().state.limits;
    assert_eq!(limits.connections_max, setup.config.limits.connections_max, "it needs a restart");
    reloads.send(Ok(setup.config.clone())).await.unwrap();
    reloaded(&setup, "taken", 2).await;
    assert_eq!(setup.chat("ok").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_configuration_changes_nothing() {
    let files = certificate("old.test");
    let setup = Setup::with(1, |config| config.operate.tls = Some(files.clone())).await;
    let (reloads, filters) = reloads(&setup);
    reloads.send(Err(Faults(vec!["`listen` is missing".into()]))).await.unwrap();
    let mut next = setup.config.clone();
    next.limits.body_bytes_max = 10;
    let other = certificate("new.test");
    // The key of another certificate.
    next.operate.tls = Some(TlsFiles { key_file: other.key_file, ..files });
    reloads.send(Ok(next)).await.unwrap();
    until("both were refused", || setup.engine().state.metrics.reloads[1].get() == 2).await;
    assert_eq!(setup.engine().state.metrics.reloads[0].get(), 0);
    assert_eq!(setup.engine().state.limits.body_bytes_max, setup.config.limits.body_bytes_max);
    assert!(filters.lock().is_empty());
}

/// The certificate for a name and its key, from `tests/data/tls`.
fn certificate(name: &str) -> TlsFiles {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
    TlsFiles { cert_file: folder.join(format!("{name}.pem")), key_file: folder.join(format!("{name}.key")) }
}

/// What a caller that trusts one certificate gets from `/healthz`.
async fn healthz_over_tls(setup: &Setup, files: &TlsFiles, name: &str) -> std::io::Result<String> {
    use rustls::pki_types::{pem::PemObject, CertificateDer};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&files.cert_file).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(setup.address).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    // The gateway may end the session without a word more.
    drop(stream.read_to_string(&mut answer).await);
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_speak_tls_and_a_new_certificate_takes_effect_without_a_restart() {
    let (old, new) = (certificate("old.test"), certificate("new.test"));
    let setup = Setup::with(1, |config| config.operate.tls = Some(old.clone())).await;
    assert!(healthz_over_tls(&setup, &old, "old.test").await.unwrap().starts_with("HTTP/1.1 200"));
    assert!(healthz_over_tls(&setup, &new, "new.test").await.is_err());
    let (reloads, _) = reloads(&setup);
    let mut next = setup.config.clone();
    next.operate.tls = Some(new.clone());
    reloads.send(Ok(next)).await.unwrap();
    until("it was taken in", || setup.engine().state.metrics.reloads[0].get() == 1).await;
    assert!(healthz_over_tls(&setup, &new, "new.test").await.unwrap().starts_with("HTTP/1.1 200"));
    assert!(healthz_over_tls(&setup, &old, "old.test").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_to_stop_lets_a_request_end_and_takes_no_other() {
    let setup = Setup::new().await;
    let (answer, ()) = tokio::join!(setup.chat("wait"), async {
        until("a request is in flight", || setup.upstreams[0].bodies().len() == 1).await;
        setup.stop();
        until("nothing is admitted", || setup.engine().state.refusal(crate::clock::now_ms()).is_some()).await;
        assert!(TcpStream::connect(setup.address).await.is_err(), "the gateway still takes connections");
        setup.upstreams[0].go_on.notify_one();
    });
    assert_eq!(answer.status, 200);
    setup.charged(1).await;
}
