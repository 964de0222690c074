//! Evidence: passed on as it is, asked for once, and never made up.

use std::{
    net::SocketAddr,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};

use axum::{
    extract::RawQuery,
    http::header::LOCATION,
    response::{IntoResponse, Response},
    routing::get,
    Router,
};
use http::StatusCode;
use serde_json::Value;
use stipend_attestor::{Attestor, Config};
use stipend_engine_sim::Options;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::world::{attestor, world, write_config, Gateway, World};

/// A source that answers what it is told, and how often it was asked.
struct Source {
    _dir: TempDir,
    _attestor: Attestor,
    gateway: Gateway,
    asked: Arc<AtomicUsize>,
}

impl Source {
    async fn of(answer: impl Fn(String, usize) -> Response + Clone + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let handler = move |RawQuery(query): RawQuery| async move {
            let number = count.fetch_add(1, Ordering::Relaxed);
            // Others who ask meanwhile find this one under way.
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer(query.unwrap_or_default(), number)
        };
        let router = Router::new().route("/evidence", get(handler));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (dir, attestor, gateway) = attestor_at(address).await;
        Source { _dir: dir, _attestor: attestor, gateway, asked }
    }

    async fn ask(&self, nonce: &str) -> (StatusCode, String) {
        let (status, body) = self.gateway.get(&format!("/v1/evidence?nonce={nonce}")).await;
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn attestor_at(source: SocketAddr) -> (TempDir, Attestor, Gateway) {
    let dir = tempfile::tempdir().unwrap();
    let more = format!("[evidence]\nurl = \"http://{source}/evidence?nonce={{nonce}}\"");
    let (attestor, gateway) = attestor(dir.path(), "127.0.0.1:1".parse().unwrap(), &more).await;
    (dir, attestor, gateway)
}

fn nonce(number: u8) -> String {
    hex::encode([number; 32])
}

#[tokio::test]
async fn without_a_source_it_is_software() {
    let World { gateway, .. } = &world(Options::default(), "").await;
    let (status, body) = gateway.get(&format!("/v1/evidence?nonce={}", nonce(1))).await;
    assert_eq!((status, body.as_ref()), (StatusCode::OK, br#"{"evidence":"software"}"#.as_slice()));
}

#[tokio::test]
async fn the_sources_answer_is_passed_on_byte_for_byte_and_kept() {
    let source = Source::of(|query, number| format!("[ \"{query}\",\t{number} ]").into_response()).await;
    let same = nonce(0xab);
    let answers = futures::future::join_all((0..20).map(|_| source.ask(&same))).await;
    let wanted = (StatusCode::OK, format!("[ \"nonce={}\",\t0 ]", nonce(0xab)));
    assert!(answers.iter().all(|answer| *answer == wanted), "{answers:?}");
    assert_eq!(
        source.ask(&nonce(0xab).to_uppercase()).await,
        wanted,
        "hex digits in either case are one nonce"
    );
    assert_eq!(source.asked(), 1, "many askers, one flight");
    assert_ne!(source.ask(&nonce(2)).await, wanted);
    assert_eq!(source.gateway.metric("stipend_attestor_evidence_total{outcome=\"given\"}").await, Some(22));
}

#[tokio::test]
async fn what_is_no_nonce_is_refused_and_not_passed_on() {
    let source = Source::of(|_, _| "never".into_response()).await;
    let good = nonce(1);
    for bad in [
        "",
        "?nonce=",
        "?nonce=ab",
        &format!("?nonce={good}0"),
        &format!("?nonce=0x{good}"),
        &format!("?nonce={}zz", &good[2..]),
        &format!("?nonce={good}&more=1"),
        &format!("?Nonce={good}"),
    ] {
        let (status, body) = source.gateway.get(&format!("/v1/evidence{bad}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert!(body["error"]["message"].as_str().unwrap().contains("64 hex digits"));
    }
    assert_eq!(source.asked(), 0);
}

#[tokio::test]
async fn a_source_that_fails_is_said_so_and_asked_again() {
    let answers: [fn() -> Response; 4] = [
        || (StatusCode::INTERNAL_SERVER_ERROR, "[\"a made-up bundle\"]").into_response(),
        || (StatusCode::FOUND, [(LOCATION, "http://127.0.0.1:9/")]).into_response(),
        || "".into_response(),
        || "x".repeat(17 * (16 * 1024 + 16) + 1).into_response(),
    ];
    let source = Source::of(move |_, number| match answers.get(number) {
        Some(answer) => answer(),
        None => "x".repeat(17 * (16 * 1024 + 16)).into_response(),
    })
    .await;
    for _ in answers {
        let (status, body) = source.ask(&nonce(1)).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("source of evidence") && !body.contains("bundle"), "{body}");
    }
    let (status, body) = source.ask(&nonce(1)).await;
    assert_eq!((status, body.len()), (StatusCode::OK, 17 * (16 * 1024 + 16)), "as large as evidence can be");
    assert_eq!(source.asked(), 5);
}

#[tokio::test]
async fn a_source_that_is_not_there_is_no_evidence() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (_dir, _attestor, gateway) = attestor_at(gone).await;
    let (status, _) = gateway.get(&format!("/v1/evidence?nonce={}", nonce(1))).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_stranger_with_many_nonces_is_refused_and_those_that_are_known_are_still_answered() {
    let source = Source::of(|query, _| query.into_response()).await;
    let mut given = Vec::new();
    for number in 0..20 {
        match source.ask(&nonce(number)).await.0 {
            StatusCode::OK => given.push(number),
            status => assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
        }
    }
    assert_eq!((given.len(), source.asked()), (12, 12));
    for number in given {
        assert_eq!(source.ask(&nonce(number)).await.0, StatusCode::OK);
    }
    assert_eq!(source.asked(), 12);
}

#[tokio::test]
async fn an_asker_that_goes_away_leaves_the_answer_for_the_next() {
    let source = Source::of(|query, _| query.into_response()).await;
    let path = format!("/v1/evidence?nonce={}", nonce(1));
    let impatient = tokio::time::timeout(Duration::from_millis(1), source.gateway.get(&path)).await;
    // On a slow machine the question may not even have left; then the next one is the first.
    drop(impatient);
    assert_eq!(source.ask(&nonce(1)).await.0, StatusCode::OK);
    assert_eq!(source.asked(), 1);
}

#[test]
fn an_address_that_cannot_be_a_source_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    let load = |url: &str| {
        let more = format!("[evidence]\n{url}");
        Config::load(&write_config(dir.path(), "127.0.0.1:8000".parse().unwrap(), &more))
    };
    for good in
        ["http://127.0.0.1:9200/evidence?nonce={nonce}", "http://gpu/{nonce}", "http://gpu?n={nonce}&v=4"]
    {
        assert!(load(&format!("url = \"{good}\"")).is_ok(), "{good}");
    }
    for bad in [
        "",
        "url = \"http://127.0.0.1:9200/evidence\"",
        "url = \"https://127.0.0.1/{nonce}\"",
        "url = \"http://{nonce}/evidence\"",
        "url = \"http://user:word@127.0.0.1/{nonce}\"",
        "url = \"http://127.0.0.1/{nonce}/{nonce}\"",
        "url = \"{nonce}\"",
    ] {
        let faults = load(bad).err().unwrap().0;
        assert!(faults[0].contains("evidence.url"), "{bad}: {faults:?}");
    }
}
