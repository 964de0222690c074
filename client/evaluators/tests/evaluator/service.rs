//! Health, metrics, order and a graceful end.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{payload, told, until, FakeLedger, World, B};

#[tokio::test]
async fn the_service_is_ready_only_while_the_ledger_can_be_asked_and_loses_nothing_meanwhile() {
    let (world, ledger) = (World::without_hold(), FakeLedger::default());
    let service = world.serve(&ledger).await;
    assert_eq!(world.get(&service, "/readyz").await.0, 200);
    ledger.book(|book| book.is_away = true);
    world.hand_in(&service, B, 2).await;
    told(world.webhook(&service, "github", "pull_request", &payload("github_merged.json"))).await;
    let mut ready = 200;
    for _ in 0..600 {
        ready = world.get(&service, "/readyz").await.0;
        if ready == 503 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(ready, 503, "waited for /readyz to say that the ledger is away");
    assert_eq!(world.get(&service, "/healthz").await.0, 200, "webhooks are still taken");
    let metrics = world.get(&service, "/metrics").await.1;
    for line in ["stipend_evaluator_ledger_up 0", "stipend_evaluator_outbox{state=\"waiting\"} 1"] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    ledger.book(|book| book.is_away = false);
    until("the ledger is told", || ledger.book(|book| book.recorded.len() == 1)).await;
    service.stop().await;
}

#[tokio::test]
async fn what_the_ledger_refuses_is_counted_and_does_not_hold_the_rest_back() {
    let (world, ledger) = (World::without_hold(), FakeLedger::default());
    ledger.book(|book| book.refuses = true);
    let service = world.serve(&ledger).await;
    world.hand_in(&service, B, 2).await;
    told(world.webhook(&service, "github", "pull_request", &payload("github_merged.json"))).await;
    let refused = "stipend_evaluator_outbox{state=\"refused\"} 1";
    let mut metrics = String::new();
    for _ in 0..600 {
        metrics = world.get(&service, "/metrics").await.1;
        if metrics.contains(refused) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(metrics.contains(refused), "waited for a refused entry: {metrics}");
    assert!(
        metrics.contains("stipend_evaluator_webhooks_total{forge=\"github\",status=\"200\"} 1"),
        "{metrics}"
    );
    service.stop().await;
}

#[tokio::test]
async fn two_services_never_share_a_folder() {
    let (world, ledger) = (World::without_hold(), FakeLedger::default());
    let service = world.serve(&ledger).await;
    let config = stipend_evaluators::config::Config::load(&world.path("evaluator.toml")).unwrap();
    let second =
        stipend_evaluators::server::serve(config, Some(ledger.clone()), std::future::pending(), |_| {}).await;
    assert!(second.unwrap_err().to_string().contains("one `serve` per `data_dir`"));
    service.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_in_gets_408_and_its_place_is_free_again() {
    let (world, ledger) = (World::new("[limits]\nbody_ms_max = 500\n"), FakeLedger::default());
    let service = world.serve(&ledger).await;
    let mut slow = TcpStream::connect(service.address).await.unwrap();
    let head = "POST /v1/webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf";
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("too_slow"), "{answer}");
    service.stop().await;
}

#[tokio::test]
async fn an_unknown_path_is_a_404_with_a_sentence() {
    let (world, ledger) = (World::without_hold(), FakeLedger::default());
    let service = world.serve(&ledger).await;
    let (status, body) = world.get(&service, "/v1/outcomes").await;
    assert!(status == 404 && body.contains("unknown_path"), "{body}");
    service.stop().await;
}
