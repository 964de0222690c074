//! From webhooks to the ledger.

use crate::world::{payload, receipt, signature, told, until, wallet, FakeLedger, Service, World, A, B};

async fn send(world: &World, service: &Service, forge: &str, event: &str, file: &str) -> (u16, String) {
    let (status, body) = told(world.webhook(service, forge, event, &payload(file))).await;
    (status, body["state"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_merge_on_github_earns_and_its_revert_takes_the_award_back() {
    let (world, ledger) = (World::without_hold(), FakeLedger::default());
    let service = world.serve(&ledger).await;
    assert_eq!(world.hand_in(&service, A, 1).await.status(), 200);
    assert_eq!(world.hand_in(&service, B, 2).await.status(), 200);
    assert_eq!(send(&world, &service, "github", "push", "github_push.json").await, (200, "taken".into()));
    let merged = send(&world, &service, "github", "pull_request", "github_merged.json").await;
    assert_eq!(merged, (200, "taken".into()));
    until("both wallets have their share", || ledger.book(|book| book.recorded.len() == 2)).await;
    let earned: Vec<_> =
        ledger.book(|book| book.recorded.values().map(|it| (it.wallet.clone(), it.weight)).collect());
    // The mail address of the commit's author says nothing; the receipts say whose compute it was.
    assert!(earned.contains(&(wallet(1), 50)) && earned.contains(&(wallet(2), 50)), "{earned:?}");
    send(&world, &service, "github", "push", "github_push_revert.json").await;
    until("both awards are taken back", || ledger.book(|book| book.withdrawn.len() == 2)).await;
    service.stop().await;
}

#[tokio::test]
async fn a_request_that_reverts_by_number_takes_the_award_back() {
    let (world, ledger) = (World::without_hold(), FakeLedger::default());
    let service = world.serve(&ledger).await;
    world.hand_in(&service, B, 2).await;
    send(&world, &service, "github", "pull_request", "github_merged.json").await;
    until("the award is recorded", || ledger.book(|book| book.recorded.len() == 1)).await;
    send(&world, &service, "github", "pull_request", "github_revert_merged.json").await;
    until("the award is taken back", || ledger.book(|book| book.withdrawn.len() == 1)).await;
    service.stop().await;
}

#[tokio::test]
async fn gitea_and_gitlab_merges_earn_as_well() {
    for (forge, event, file) in [
        ("gitea", "pull_request", "gitea_merged.json"),
        ("gitlab", "Merge Request Hook", "gitlab_merged.json"),
    ] {
        let (world, ledger) = (World::without_hold(), FakeLedger::default());
        let service = world.serve(&ledger).await;
        world.hand_in(&service, A, 1).await;
        assert_eq!(send(&world, &service, forge, event, file).await, (200, "taken".into()), "{forge}");
        until("the award is recorded", || ledger.book(|book| book.recorded.len() == 1)).await;
        service.stop().await;
    }
}

#[tokio::test]
async fn gitea_and_gitlab_pushes_bring_their_commits_receipts() {
    for (forge, push, merge, id) in [
        ("gitea", ("push", "gitea_push.json"), ("pull_request", "gitea_merged.json"), A),
        ("gitlab", ("Push Hook", "gitlab_push.json"), ("Merge Request Hook", "gitlab_merged.json"), B),
    ] {
        let (world, ledger) = (World::without_hold(), FakeLedger::default());
        let service = world.serve(&ledger).await;
        world.hand_in(&service, id, 1).await;
        assert_eq!(send(&world, &service, forge, push.0, push.1).await, (200, "taken".into()), "{forge}");
        send(&world, &service, forge, merge.0, merge.1).await;
        until("the award is recorded", || ledger.book(|book| book.recorded.len() == 1)).await;
        service.stop().await;
    }
}

#[tokio::test]
async fn what_does_not_count_is_answered_with_the_reason() {
    let (world, ledger) = (World::without_hold(), FakeLedger::default());
    let service = world.serve(&ledger).await;
    for (event, file, why) in [
        ("ping", "github_closed.json", "event"),
        ("pull_request", "github_closed.json", "nothing was merged"),
        ("pull_request", "github_other_branch.json", "branch"),
    ] {
        let (status, body) = told(world.webhook(&service, "github", event, &payload(file))).await;
        assert!(status == 200 && body["state"] == "ignored", "{body}");
        assert!(body["why"].as_str().unwrap().contains(why), "{why}: {body}");
    }
    let fork = String::from_utf8(payload("github_merged.json")).unwrap().replace("acme/app", "someone/app");
    let (_, body) = told(world.webhook(&service, "github", "pull_request", fork.as_bytes())).await;
    assert!(body["why"].as_str().unwrap().contains("repository"), "{body}");
    service.stop().await;
}

#[tokio::test]
async fn a_wrong_signature_is_refused_and_changes_nothing() {
    let (world, ledger) = (World::without_hold(), FakeLedger::default());
    let service = world.serve(&ledger).await;
    let body = payload("github_merged.json");
    let url = format!("http://{}/v1/webhooks/github", service.address);
    let bare = || {
        let request = world.client.post(&url).header("content-type", "application/json").body(body.clone());
        request.header("x-github-event", "pull_request").header("x-github-delivery", "x-1")
    };
    assert_eq!(told(bare()).await.0, 401);
    let wrong = format!("sha256={}", signature(b"other"));
    let (status, answer) = told(bare().header("x-hub-signature-256", wrong)).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (401, Some("not_signed")));
    assert!(world.get(&service, "/metrics").await.1.contains("stipend_evaluator_merges_held 0"));
    // The same delivery with the right signature is taken: the wrong one did not use its name up.
    let right = format!("sha256={}", signature(&body));
    assert_eq!(told(bare().header("x-hub-signature-256", right)).await.1["state"], "taken");
    service.stop().await;
}

#[tokio::test]
async fn a_replayed_delivery_is_known_by_its_name_and_by_its_body() {
    let (world, ledger) = (World::without_hold(), FakeLedger::default());
    let service = world.serve(&ledger).await;
    world.hand_in(&service, B, 2).await;
    for state in ["taken", "known", "known"] {
        assert_eq!(send(&world, &service, "github", "pull_request", "github_merged.json").await.1, state);
    }
    until("the award is recorded", || ledger.book(|book| !book.recorded.is_empty())).await;
    service.stop().await;
    let service = world.serve(&ledger).await;
    assert_eq!(send(&world, &service, "github", "pull_request", "github_merged.json").await.1, "known");
    assert_eq!(ledger.book(|book| book.recorded.len()), 1);
    service.stop().await;
}

#[tokio::test]
async fn malformed_huge_and_unnamed_bodies_get_a_clear_error() {
    let (world, ledger) = (World::without_hold(), FakeLedger::default());
    let service = world.serve(&ledger).await;
    let huge = vec![b'x'; 70_000];
    for (event, body, status, code) in [
        ("pull_request", &b"{"[..], 400, "malformed"),
        ("pull_request", b"{\"action\": \"closed\"}", 400, "malformed"),
        ("push", b"[1, 2]", 400, "malformed"),
        ("push", b"\xff\xfe", 400, "malformed"),
        ("push", &huge, 413, "too_large"),
    ] {
        let (got, answer) = told(world.webhook(&service, "github", event, body)).await;
        assert_eq!((got, answer["error"]["code"].as_str()), (status, Some(code)), "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().ends_with('.'), "{answer}");
    }
    let body = payload("github_merged.json");
    let url = format!("http://{}/v1/webhooks/github", service.address);
    let form = world.client.post(url).header("content-type", "application/x-www-form-urlencoded");
    let form = form.header("x-hub-signature-256", format!("sha256={}", signature(&body))).body(body.clone());
    assert_eq!(told(form).await.1["error"]["code"], "not_json");
    let unknown = world.webhook(&service, "nobody", "push", &body);
    assert_eq!(told(unknown).await.1["error"]["code"], "unknown_forge");
    service.stop().await;
}

#[tokio::test]
async fn only_receipts_of_this_chain_and_these_gateways_are_believed() {
    use crate::world::{genesis, signed_by};
    use stipend_sdk::Signer;
    let (world, ledger) = (World::without_hold(), FakeLedger::default());
    let service = world.serve(&ledger).await;
    let url = format!("http://{}/v1/receipts", service.address);
    let other_gateway = signed_by(&Signer::from_seed(&[9; 32]), genesis(), A, 1).bytes().to_vec();
    let other_chain = signed_by(&Signer::from_seed(&[3; 32]), sp_core::H256([8; 32]), A, 1).bytes().to_vec();
    let mut changed = receipt(A, 1).bytes().to_vec();
    let at = changed.windows(6).position(|window| window == b"\"1000\"").unwrap();
    changed[at + 1] = b'9';
    for (body, why) in [
        (other_gateway, "not among"),
        (other_chain, "of the chain"),
        (changed, "not believed"),
        (b"{}".to_vec(), "not believed"),
    ] {
        let (status, answer) = told(world.client.post(&url).body(body)).await;
        assert_eq!(status, 422, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(why), "{why}: {answer}");
    }
    let (status, _) = told(world.client.post(&url).body(vec![b' '; 17 << 10])).await;
    assert_eq!(status, 413);
    assert_eq!(world.hand_in(&service, A, 1).await.status(), 200);
    assert_eq!(world.hand_in(&service, A, 2).await.status(), 409);
    service.stop().await;
}
