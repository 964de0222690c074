//! Killed at any point, nothing is lost and nothing is doubled.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use stipend_evaluators::{config::Config, store::Store};

use crate::world::{payload, told, FakeLedger, World, A, B};

/// The program itself, killed with SIGKILL while webhooks come in again and again, as a forge sends them that gets no
/// answer. In the end every award is in the journal exactly once.
#[tokio::test]
async fn a_service_that_is_killed_again_and_again_neither_loses_nor_doubles() {
    let world = World::without_hold();
    let push = String::from_utf8(payload("github_push.json")).unwrap();
    let merge = String::from_utf8(payload("github_merged.json")).unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..8u32 {
        let (mut child, address) = start(&world);
        for (id, owner) in [(A, 1), (B, 2)] {
            let url = format!("http://{address}/v1/receipts");
            let body = crate::world::receipt(id, owner).bytes().to_vec();
            world.client.post(url).body(body).send().await.unwrap();
        }
        // In every second round the kill comes in the middle of what it does, in the others after its answers.
        let (answered, all_answered) = tokio::sync::oneshot::channel::<()>();
        let killer = tokio::spawn(async move {
            if round % 2 == 0 {
                tokio::time::sleep(Duration::from_millis(u64::from(round))).await;
            } else {
                let _ = all_answered.await;
            }
            child.kill().unwrap();
            child.wait().unwrap();
        });
        for (event, body) in [("push", &push), ("pull_request", &merge)] {
            let hash = crate::world::signature(body.as_bytes());
            let sent = world
                .client
                .post(format!("http://{address}/v1/webhooks/github"))
                .header("content-type", "application/json")
                .header("x-hub-signature-256", format!("sha256={hash}"))
                .header("x-github-event", event)
                .header("x-github-delivery", format!("{event}-{round}"))
                .body(body.clone())
                .send()
                .await;
            acknowledged.extend(sent.is_ok_and(|answer| answer.status() == 200).then_some(event));
        }
        let _ = answered.send(());
        killer.await.unwrap();
    }
    assert!(acknowledged.contains(&"push") && acknowledged.contains(&"pull_request"));
    let ledger = FakeLedger::default();
    let service = world.serve(&ledger).await;
    crate::world::until("both awards are recorded", || ledger.book(|book| book.recorded.len() == 2)).await;
    let (_, known) = told(world.webhook(&service, "github", "pull_request", merge.as_bytes())).await;
    assert_eq!(known["state"], "known");
    service.stop().await;
    let config = Config::load(&world.path("evaluator.toml")).unwrap();
    let figures = Store::open(&config.data_dir, config.genesis).unwrap().figures().unwrap();
    assert_eq!((figures.standing, figures.waiting, figures.held, figures.receipts), (2, 0, 0, 2));
}

/// Cut off between what the ledger took and the note of it: the ledger is told again and knows it.
#[tokio::test]
async fn a_sender_that_dies_before_it_notes_the_answer_says_the_same_again() {
    let (world, ledger) = (World::without_hold(), FakeLedger::default());
    ledger.book(|book| book.is_away = true);
    let service = world.serve(&ledger).await;
    world.hand_in(&service, B, 2).await;
    told(world.webhook(&service, "github", "pull_request", &payload("github_merged.json"))).await;
    service.kill().await;
    let config = Config::load(&world.path("evaluator.toml")).unwrap();
    let mut store = Store::open(&config.data_dir, config.genesis).unwrap();
    // The kill may have come before the merge was judged.
    store.judge_due(&config.merge, 64, stipend_evaluators::clock::now_ms()).unwrap();
    let first = store.next_entry().unwrap().unwrap();
    drop(store);
    let mut store = Store::open(&config.data_dir, config.genesis).unwrap();
    assert_eq!(store.next_entry().unwrap().unwrap(), first);
    drop(store);
    ledger.book(|book| book.is_away = false);
    let service = world.serve(&ledger).await;
    crate::world::until("it is recorded", || ledger.book(|book| book.recorded.len() == 1)).await;
    service.stop().await;
}

fn start(world: &World) -> (Child, String) {
    use std::io::{BufRead, BufReader};
    let mut child = Command::new(env!("CARGO_BIN_EXE_stipend-evaluator"))
        .arg("--config")
        .arg(world.path("evaluator.toml"))
        .arg("serve")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address =
        line.trim().strip_prefix("listening on http://").expect("it says where it listens").to_owned();
    (child, address)
}
