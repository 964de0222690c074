//! Other upstreams while requests are served.

use std::{
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};

use http::StatusCode;
use serde_json::json;
use stipend_primitives::attestation::SignedClaim;

use super::{fake_upstream::FakeUpstream, harness::*, operating::reloads};
use crate::{
    clock::now_ms,
    config::{Config, UpstreamConfig},
    upstream::Circuit,
};

/// A gateway with the first of two providers, and what its file says of the second.
async fn with_one_of_two() -> (Setup, UpstreamConfig) {
    let mut second = None;
    let setup = Setup::with(2, |config| {
        for upstream in &mut config.upstreams {
            upstream.breaker.pause = Duration::from_secs(60);
        }
        second = config.upstreams.pop();
    })
    .await;
    (setup, second.unwrap())
}

fn serving(setup: &Setup, upstreams: &[UpstreamConfig]) -> Config {
    Config { upstreams: upstreams.to_vec(), ..setup.config.clone() }
}

async fn taken(setup: &Setup, count: u64) {
    until("it was taken in", || setup.engine().state.metrics.reloads[0].get() == count).await;
}

/// Requests of a provider that claims of this gateway name.
fn claimed(upstream: &FakeUpstream) -> usize {
    let claims = upstream.claims.lock().clone();
    let signed = claims.iter().map(|body| <SignedClaim as codec::DecodeAll>::decode_all(&mut &body[..]));
    signed.map(|signed| signed.unwrap().claim.requests.len()).sum()
}

/// Whether all of an answer is there: JSON with its usage, or a stream to its last event.
fn is_whole(got: &Got) -> bool {
    let text = got.text();
    text.trim_end().ends_with("data: [DONE]") || text.contains("\"usage\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_one_provider_takes_anothers_place_and_no_request_fails() {
    let (setup, second) = with_one_of_two().await;
    let (orders, _) = reloads(&setup);
    let configs = [second.clone(), setup.config.upstreams[0].clone()];
    let (stop, sent) = (&AtomicBool::new(false), &AtomicUsize::new(0));
    let caller = |number: usize| {
        let setup = &setup;
        async move {
            let mut statuses = Vec::new();
            while !stop.load(Ordering::SeqCst) {
                let mut body = chat(if number.is_multiple_of(3) { "slow" } else { "ok" });
                body["stream"] = json!(number.is_multiple_of(2));
                let got = setup.post("/v1/chat/completions", body).await;
                statuses.push((got.status, is_whole(&got)));
                sent.fetch_add(1, Ordering::SeqCst);
            }
            statuses
        }
    };
    let swaps = async {
        for (round, next) in configs.iter().cycle().take(8).enumerate() {
            let before = sent.load(Ordering::SeqCst);
            orders.send(Ok(serving(&setup, std::slice::from_ref(next)))).await.unwrap();
            taken(&setup, round as u64 + 1).await;
            until("requests were served meanwhile", || sent.load(Ordering::SeqCst) > before + 20).await;
        }
        stop.store(true, Ordering::SeqCst);
    };
    let callers = futures::future::join_all((0..12).map(caller));
    let (got, ()) = futures::join!(callers, swaps);
    let got: Vec<_> = got.into_iter().flatten().collect();
    assert!(got.iter().all(|one| *one == (StatusCode::OK, true)), "{got:?}");
    setup.charged(got.len()).await;
    assert_eq!(setup.held(), 0);
    let served: Vec<usize> = setup.upstreams.iter().map(|upstream| upstream.seen.lock().len()).collect();
    assert!(served.iter().all(|count| *count > 20), "{served:?}");
    assert_eq!(served.iter().sum::<usize>(), got.len(), "a request was sent twice");
    // Both are told what is theirs, also the one that is not asked any more.
    until("the claims arrived", || {
        setup.upstreams.iter().zip(&served).all(|(upstream, served)| claimed(upstream) == *served)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_taken_out_ends_its_requests_and_gets_no_other() {
    let (setup, second) = with_one_of_two().await;
    let (orders, _) = reloads(&setup);
    let [first, other] = &setup.upstreams[..] else { panic!("two fakes") };
    let (in_flight, ()) = tokio::join!(setup.chat("wait"), async {
        until("a request is in flight", || first.seen.lock().len() == 1).await;
        orders.send(Ok(serving(&setup, &[second]))).await.unwrap();
        taken(&setup, 1).await;
        for _ in 0..5 {
            assert_eq!(setup.chat("ok").await.status, 200);
        }
        assert_eq!((first.seen.lock().len(), other.seen.lock().len()), (1, 5));
        first.go_on.notify_one();
    });
    assert_eq!(in_flight.status, 200);
    setup.charged(6).await;
    until("its claim arrived", || claimed(first) == 1).await;
    let page = setup.get("/metrics").await.text();
    let set = setup.engine().state.upstreams.set();
    let [now] = &set.all[..] else { panic!("one upstream") };
    assert!(page.contains(&format!("stipend_gateway_upstream_limit{{provider=\"{}\"}}", now.address)));
    assert_eq!(page.matches("stipend_gateway_upstream_limit{").count(), 1, "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_is_used_and_what_stays_as_it_was_keeps_its_circuit() {
    let (setup, second) = with_one_of_two().await;
    let (orders, _) = reloads(&setup);
    let first = &setup.config.upstreams[0];
    let circuit = || setup.engine().state.upstreams.set().all[0].breaker.circuit(now_ms());
    for _ in 0..1_000 {
        setup.engine().state.upstreams.set().all[0].breaker.failed(now_ms());
    }
    assert_eq!(circuit(), Circuit::Open);
    orders.send(Ok(serving(&setup, &[first.clone(), second.clone()]))).await.unwrap();
    taken(&setup, 1).await;
    assert_eq!(circuit(), Circuit::Open, "an upstream that stays as it was began anew");
    assert_eq!(setup.chat("ok").await.status, 200);
    assert_eq!(setup.upstreams[1].seen.lock().len(), 1);
    // Whoever mends an upstream wants it asked.
    let mended = UpstreamConfig { token: "Bearer other".parse().unwrap(), ..first.clone() };
    orders.send(Ok(serving(&setup, &[mended]))).await.unwrap();
    taken(&setup, 2).await;
    assert_eq!(circuit(), Circuit::Closed);
    assert_eq!(setup.chat("ok").await.status, 200);
    assert_eq!(setup.upstreams[0].seen.lock()[0].headers["authorization"], "Bearer other");
}

#[tokio::test(flavor = "multi_thread")]
async fn upstreams_that_cannot_be_used_change_nothing() {
    let (setup, second) = with_one_of_two().await;
    let (orders, _) = reloads(&setup);
    let before = setup.engine().state.upstreams.set();
    let unreadable = vec![rustls::pki_types::CertificateDer::from(vec![1, 2, 3])];
    let untrusted = UpstreamConfig { ca: Some(unreadable), ..second.clone() };
    let longer = UpstreamConfig { answer_wait_max: Duration::from_secs(3_000), ..second };
    for (count, bad) in [untrusted, longer].into_iter().enumerate() {
        let mut next = serving(&setup, &[bad]);
        next.limits.body_bytes_max = 10;
        orders.send(Ok(next)).await.unwrap();
        let refused = &setup.engine().state.metrics.reloads[1];
        until("it was refused", || refused.get() == count as u64 + 1).await;
    }
    assert!(Arc::ptr_eq(&before, &setup.engine().state.upstreams.set()));
    assert_eq!(setup.chat("ok").await.status, 200);
    assert_eq!(setup.upstreams[0].seen.lock().len(), 1);
}
