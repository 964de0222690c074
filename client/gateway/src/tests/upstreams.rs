//! Upstreams that fail, come back, are far away, or say something of their engines.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::json;
use stipend_primitives::ClassId;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{fake_upstream::FakeUpstream, harness::*};
use crate::{
    clock::now_ms,
    config::{BreakerConfig, Config, Priorities},
    upstream::{Circuit, Honours, Upstream},
};

fn breaker(config: &mut Config, failures_max: u32, pause_ms: u64) {
    for upstream in &mut config.upstreams {
        let pause = Duration::from_millis(pause_ms);
        upstream.breaker = BreakerConfig { failures_max, pause, pause_max: Duration::from_secs(30) };
    }
}

fn upstream(setup: &Setup, index: usize) -> Arc<Upstream> {
    setup.engine().state.upstreams.set().all[index].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_one_provider_fails_is_served_by_another_and_charged_once() {
    let setup = Setup::with(2, |_| ()).await;
    for status in [429, 502, 503] {
        *setup.upstreams[0].always.lock() = Some(StatusCode::from_u16(status).unwrap());
        // Whoever failed is avoided for a while: try as often as it takes to be sent there first.
        for _ in 0..4 {
            assert_eq!(setup.chat("ok").await.status, 200, "{status}");
        }
    }
    assert!(!setup.upstreams[0].seen.lock().is_empty(), "the failing one was never asked");
    *setup.upstreams[0].always.lock() = None;
    setup.charged(12).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), 12 * price(5));
    assert_eq!(setup.held(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_after_its_first_byte_is_not_begun_again() {
    let setup = Setup::with(2, |_| ()).await;
    let got = setup.post("/v1/chat/completions", stream("die")).await;
    assert!(got.text().contains("Nothing was charged"), "{}", got.text());
    let sent: usize = setup.upstreams.iter().map(|upstream| upstream.seen.lock().len()).sum();
    assert_eq!((sent, setup.recorded(), setup.held()), (1, 0, 0));
}

fn stream(prompt: &str) -> serde_json::Value {
    let mut body = chat(prompt);
    body["stream"] = json!(true);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_keeps_failing_is_left_alone_and_tried_by_one_request_after_the_pause() {
    let setup = Setup::with(1, |config| breaker(config, 5, 300)).await;
    for _ in 0..5 {
        assert_eq!(setup.chat("status 500").await.status, 502);
    }
    let got = setup.chat("ok").await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (503, "providers_unavailable"));
    assert_eq!(got.headers["retry-after"], "1");
    assert_eq!(setup.upstreams[0].seen.lock().len(), 5, "it was asked while its circuit was open");
    let ready = setup.get("/readyz").await;
    assert!(ready.status == 503 && ready.text().contains("fails"), "{}", ready.text());

    until("the pause is over", || upstream(&setup, 0).breaker.circuit(now_ms()) == Circuit::HalfOpen).await;
    // The one that tries waits at the provider; nobody else gets through meanwhile.
    let trial = setup.chat("wait");
    let others = async {
        until("the trial is at the provider", || setup.upstreams[0].seen.lock().len() == 6).await;
        let other = setup.chat("ok").await;
        setup.upstreams[0].go_on.notify_one();
        other.status
    };
    let (trial, other) = futures::join!(trial, others);
    assert_eq!((trial.status.as_u16(), other.as_u16()), (200, 503));
    assert_eq!(setup.chat("ok").await.status, 200);
    assert_eq!(setup.get("/readyz").await.text(), "ok\n");
    assert_eq!(setup.held(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_not_ready_is_found_out_without_a_request_and_so_is_its_return() {
    let setup = Setup::with(2, |config| {
        breaker(config, 2, 20_000);
        config.upstreams[0].health_every = Duration::from_millis(20);
    })
    .await;
    *setup.upstreams[0].readiness.lock() = StatusCode::SERVICE_UNAVAILABLE;
    let circuit = || upstream(&setup, 0).breaker.circuit(now_ms());
    until("its circuit opens", || circuit() == Circuit::Open).await;
    for _ in 0..5 {
        assert_eq!(setup.chat("ok").await.status, 200);
    }
    assert!(setup.upstreams[0].seen.lock().is_empty(), "it was asked while it was not ready");
    *setup.upstreams[0].readiness.lock() = StatusCode::OK;
    until("it may be tried before the pause is over", || circuit() == Circuit::HalfOpen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_attestor_says_of_its_engine_decides_whether_priorities_are_sent() {
    let setup = Setup::with(1, |config| {
        config.upstreams[0].priorities = Priorities::Probe;
        config.upstreams[0].health_every = Duration::from_millis(20);
    })
    .await;
    setup.chain.change(|ledger| ledger.endow(&setup.owner, ClassId::PRIORITY, MILLION));
    until("the wallet has Priority", || {
        let wallet = setup.engine().state.wallets.get(&setup.owner).unwrap();
        wallet.account(ClassId::PRIORITY).is_some()
    })
    .await;
    for (said, honours, sent) in
        [("ignored", Honours::No, 0), ("honoured", Honours::Yes, -700), ("unknown", Honours::Unknown, 0)]
    {
        *setup.upstreams[0].engine.lock() = json!({"priorities": said, "waiting": 3}).to_string();
        until("it was read", || upstream(&setup, 0).honours() == honours).await;
        // What the caller says is overwritten, with nothing where nobody heeds it.
        let mut body = chat("ok");
        body["priority"] = json!(-5_000);
        let mut request = setup.request("/v1/chat/completions", body.to_string());
        request.headers_mut().insert("x-stipend-priority-fee", "700".parse().unwrap());
        assert_eq!(setup.send(request).await.status, 200);
        assert_eq!(setup.upstreams[0].bodies().last().unwrap()["priority"], sent, "{said}");
        let ready = setup.get("/readyz").await.text();
        assert_eq!(ready.contains("priorities"), said != "honoured", "{ready}");
    }
}

/// Lets a fake upstream answer over TLS, with the certificate that the test's authority signed.
async fn over_tls(upstream: &FakeUpstream) -> std::net::SocketAddr {
    use rustls::pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer};
    let certificate =
        CertificateDer::from_pem_slice(include_bytes!("../../tests/data/tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../tests/data/tls/server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, behind) = (listener.local_addr().unwrap(), upstream.address);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outer) = acceptor.accept(stream).await else { return };
                let mut inner = tokio::net::TcpStream::connect(behind).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut outer, &mut inner).await);
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_only_the_configured_authority_is_trusted() {
    use rustls::pki_types::{pem::PemObject, CertificateDer};
    let fake = FakeUpstream::start().await;
    let address = over_tls(&fake).await;
    let authority = CertificateDer::from_pem_slice(include_bytes!("../../tests/data/tls/ca.pem")).unwrap();
    for (ca, status) in [(Some(vec![authority]), 200), (None, 502)] {
        let setup = Setup::with(1, |config| {
            config.upstreams[0].scheme = http::uri::Scheme::HTTPS;
            config.upstreams[0].authority = address.to_string().parse().unwrap();
            config.upstreams[0].ca = ca;
        })
        .await;
        assert_eq!(setup.chat("ok").await.status, status);
    }
    assert_eq!(fake.seen.lock().len(), 1, "a request went to a server that is not trusted");
}
