//! Batch work when something goes wrong: at the gateway, in the cluster, on the chain, at the provider.

use std::{path::PathBuf, time::Duration};

use http::{Method, StatusCode};
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use stipend_primitives::{key::KeyLimits, ClassId};

use super::{
    fake_cluster::Fault,
    harness::*,
    jobs::{answer, Site},
};
use crate::clock::now_ms;

fn record_file(site: &Site, id: &str) -> PathBuf {
    site.setup.config.data_dir.join("jobs").join(format!("{id}.json"))
}

/// Changes what a gateway that is down finds on its disk.
fn rewrite(site: &Site, id: &str, change: impl FnOnce(&mut Value)) {
    let path = record_file(site, id);
    let mut record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut record);
    std::fs::write(&path, record.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_outlive_a_restart_with_what_is_held_for_them() {
    let mut site = Site::new().await;
    let (waiting, waiting_name) = site.submit("ok").await;
    let (running, running_name) = site.submit("wait").await;
    let held = site.setup.held();
    site.cluster.admit(&running_name);
    until("the provider has one", || site.setup.upstreams[0].seen.lock().len() == 1).await;
    site.restart().await;
    assert_eq!(site.setup.held(), held, "a restart lost what was held");
    assert_eq!(site.view(&running).await["state"], "running");
    // The runner was at the provider all the time, and reports to the gateway that is there now.
    site.setup.upstreams[0].go_on.notify_one();
    site.wait_for(&running, "done").await;
    site.cluster.admit(&waiting_name);
    site.wait_for(&waiting, "done").await;
    site.setup.charged(2).await;
    assert_eq!((site.spent(), site.setup.held()), (2 * price(5), 0));
    assert_eq!(site.setup.chain.now(|ledger| ledger.uncollected), 0);
    // What is over outlives one too.
    site.restart().await;
    assert_eq!(site.view(&running).await["answer"]["object"], "chat.completion");
    assert_eq!(site.setup.recorded(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_comes_again_is_answered_again_and_charged_once() {
    let mut site = Site::new().await;
    let (id, name) = site.submit("ok").await;
    let order = site.begin(&name).await;
    // The cluster forgets the Secret with the Job; its runner still has the token.
    let token = site.cluster.secret(&name)["token"].as_str().unwrap().to_owned();
    let headers = [
        ("x-stipend-request", order["request"].as_str().unwrap()),
        ("x-stipend-provider", order["targets"][0]["provider"].as_str().unwrap()),
        ("x-stipend-status", "200"),
    ];
    let (first, second) = (answer(5), answer(7));
    let reports =
        [&first, &second, &first].map(|body| site.with_token(&name, &token, "/answer", &headers, body));
    for got in futures::future::join_all(reports).await {
        assert_eq!((got.status, got.text().as_str()), (StatusCode::OK, "{\"state\":\"done\"}"));
    }
    assert_eq!(site.setup.recorded(), 1);
    site.restart().await;
    let again = site.with_token(&name, &token, "/answer", &headers, &first).await;
    assert_eq!(again.status, 200, "{}", again.text());
    assert_eq!(site.setup.recorded(), 1);
    site.setup.charged(1).await;
    assert_eq!(site.view(&id).await["cost"], site.spent().to_string());
    // Whoever begins now has come too late.
    assert_eq!(site.with_token(&name, &token, "/begin", &[], "").await.status, 410);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_the_answer_and_its_receipt_charges_it_and_one_after_it_does_not_charge_it_again() {
    let mut site = Site::new().await;
    let (before, name_before) = site.submit("ok").await;
    let (after, name_after) = site.submit("ok").await;
    let order = site.begin(&name_before).await;
    let order_after = site.begin(&name_after).await;
    assert_eq!(site.report(&name_after, &order_after, &answer(5)).await.status, 200);
    assert_eq!(site.setup.recorded(), 1);
    site.setup.crash().await;
    // One has its answer on the disk and no receipt, the other a receipt that its record does not know of.
    let body = answer(7);
    std::fs::write(record_file(&site, &before).with_extension("answer"), &body).unwrap();
    rewrite(&site, &before, |record| {
        record["stage"] = json!({"Answered": {
            "digest": order["request"], "provider": order["targets"][0]["provider"], "bytes": body.len(),
            "usage": {"input": 10, "cached_input": 0, "output": 7}, "sha256": hex::encode(Sha256::digest(&body)),
        }});
    });
    rewrite(&site, &after, |record| {
        let answer = record["stage"]["Done"]["answer"].take();
        record["stage"] = json!({"Answered": answer});
    });
    site.setup.start().await;
    site.cluster.point_at(site.setup.address);
    for (id, tokens) in [(&before, 7), (&after, 5)] {
        let done = site.wait_for(id, "done").await;
        assert_eq!(done["cost"], price(tokens).to_string());
        assert_eq!(done["answer"]["usage"]["completion_tokens"], tokens);
    }
    assert_eq!((site.setup.recorded(), site.setup.held()), (2, 0));
    site.setup.charged(2).await;
    assert_eq!(site.spent(), price(5) + price(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_before_it_begins_costs_nothing_and_leaves_the_cluster() {
    let site = Site::new().await;
    let (id, _) = site.submit("ok").await;
    let got = site.cancel(&id).await;
    assert_eq!((got.status, &got.json()["state"]), (StatusCode::OK, &json!("cancelled")));
    assert_eq!(site.setup.held(), 0);
    site.cluster.has(0).await;
    assert_eq!(site.cancel(&id).await.json()["state"], "cancelled");
    assert_eq!((site.setup.recorded(), site.setup.upstreams[0].seen.lock().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_while_it_runs_is_charged_for_what_the_provider_did() {
    let mut site = Site::new().await;
    let (id, name) = site.submit("wait").await;
    site.cluster.admit(&name);
    until("the provider has it", || site.setup.upstreams[0].seen.lock().len() == 1).await;
    assert_eq!(site.cancel(&id).await.json()["state"], "cancelling");
    assert!(site.setup.held() > 0);
    site.restart().await;
    assert_eq!(site.view(&id).await["state"], "cancelling");
    site.setup.upstreams[0].go_on.notify_one();
    let over = site.wait_for(&id, "cancelled").await;
    assert_eq!((&over["cost"], &over["answer"]), (&json!(price(5).to_string()), &Value::Null));
    site.setup.charged(1).await;
    assert_eq!((site.spent(), site.setup.held()), (price(5), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_and_loses_its_runner_costs_nothing() {
    let site = Site::new().await;
    let (id, name) = site.submit("wait").await;
    site.cluster.admit(&name);
    until("the provider has it", || site.setup.upstreams[0].seen.lock().len() == 1).await;
    assert_eq!(site.cancel(&id).await.json()["state"], "cancelling");
    site.cluster.evict(&name);
    let over = site.wait_for(&id, "cancelled").await;
    assert_eq!((&over["cost"], site.setup.held(), site.setup.recorded()), (&Value::Null, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_loses_its_place_begins_anew_and_is_charged_once() {
    let site = Site::new().await;
    let (id, name) = site.submit("wait").await;
    site.cluster.admit(&name);
    until("the provider has it", || site.setup.upstreams[0].seen.lock().len() == 1).await;
    site.wait_for(&id, "running").await;
    site.cluster.evict(&name);
    site.wait_for(&id, "queued").await;
    site.cluster.admit(&name);
    until("the provider has it again", || site.setup.upstreams[0].seen.lock().len() == 2).await;
    let digests: Vec<_> = {
        let seen = site.setup.upstreams[0].seen.lock();
        seen.iter().map(|seen| seen.headers["x-stipend-request"].clone()).collect()
    };
    assert_ne!(digests[0], digests[1], "a provider serves a digest once");
    for _ in 0..2 {
        site.setup.upstreams[0].go_on.notify_one();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let done = site.wait_for(&id, "done").await;
    assert_eq!((&done["attempts"], &done["receipt"]), (&json!(2), &json!(digests[1].to_str().unwrap())));
    site.setup.charged(1).await;
    assert_eq!(site.spent(), price(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cluster_gives_up_costs_nothing_and_says_why() {
    let site = Site::new().await;
    type Act = fn(&super::fake_cluster::FakeCluster, &str);
    let acts: [(Act, &str); 3] = [
        (|cluster, name| cluster.fail(name), "DeadlineExceeded"),
        (|cluster, name| cluster.delete(name), "was deleted"),
        (|cluster, name| cluster.complete(name), "without a report"),
    ];
    for (act, said) in acts {
        for has_begun in [false, true] {
            let (id, name) = site.submit("ok").await;
            if has_begun {
                site.begin(&name).await;
            }
            act(&site.cluster, &name);
            let failed = site.wait_for(&id, "failed").await;
            assert_eq!(failed["error"]["code"], "job_failed");
            assert!(failed["error"]["message"].as_str().unwrap().contains(said), "{failed}");
            assert_eq!((site.setup.held(), site.setup.recorded()), (0, 0));
        }
    }
    site.cluster.has(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_is_passed_over_and_one_that_refuses_is_quoted() {
    let site = Site::with(2, |_| ()).await;
    *site.setup.upstreams[0].always.lock() = Some(StatusCode::SERVICE_UNAVAILABLE);
    for _ in 0..3 {
        let (id, name) = site.submit("ok").await;
        site.cluster.admit(&name);
        site.wait_for(&id, "done").await;
    }
    let (id, name) = site.submit("status 422").await;
    site.cluster.admit(&name);
    let failed = site.wait_for(&id, "failed").await;
    assert_eq!(failed["error"]["message"], "the engine says no");
    assert_eq!(failed["error"]["code"], "provider_refused");
    let (id, name) = site.submit("no usage").await;
    site.cluster.admit(&name);
    assert_eq!(site.wait_for(&id, "failed").await["error"]["code"], "unmetered");
    let (id, name) = site.submit("status 500").await;
    site.cluster.admit(&name);
    let failed = site.wait_for(&id, "failed").await;
    assert!(failed["error"]["message"].as_str().unwrap().contains("BackoffLimitExceeded"), "{failed}");
    site.setup.charged(3).await;
    assert_eq!((site.spent(), site.setup.held()), (3 * price(5), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_has_trouble_for_a_moment_gets_the_job_all_the_same() {
    let site = Site::new().await;
    let jobs = "/apis/batch/v1/namespaces/inference/jobs";
    site.cluster.fault(Method::POST, jobs, 500);
    site.cluster.objects.lock().faults.push_back(Fault {
        method: Method::POST,
        path: jobs,
        status: 429,
        retry_after: Some("1"),
        is_done: false,
    });
    site.cluster.fault(Method::POST, "/api/v1/namespaces/inference/secrets", 503);
    let began = std::time::Instant::now();
    let (id, name) = site.submit("ok").await;
    assert!(began.elapsed() >= Duration::from_secs(1), "`Retry-After` was not heeded");
    site.cluster.admit(&name);
    site.wait_for(&id, "done").await;
    // A call that was carried out although its answer was lost: the Job is there already.
    site.cluster.objects.lock().faults.push_back(Fault {
        method: Method::POST,
        path: jobs,
        status: 504,
        retry_after: None,
        is_done: true,
    });
    let (id, name) = site.submit("ok").await;
    let conflicts = || site.cluster.objects.lock().calls.iter().filter(|call| call.2 == 409).count();
    assert_eq!(conflicts(), 1);
    site.cluster.admit(&name);
    site.wait_for(&id, "done").await;
    site.setup.charged(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_cluster_no_job_is_taken_and_none_is_given_up() {
    let site = Site::new().await;
    let (id, name) = site.submit("ok").await;
    let held = site.setup.held();
    *site.cluster.token.lock() = "another".into();
    let got = site.post(chat("ok")).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (503, "service_unavailable"));
    assert!(got.headers.contains_key("retry-after") && got.message().contains("nothing is charged"));
    assert_eq!(site.setup.held(), held);
    let refused = || site.cluster.objects.lock().calls.iter().filter(|call| call.2 == 401).count();
    until("the cluster was asked in vain", || refused() > 3).await;
    assert_eq!(site.view(&id).await["state"], "queued");
    let page = site.setup.get("/metrics").await.text();
    assert!(!page.contains("stipend_gateway_cluster_failures_total 0"), "{page}");
    // The token is replaced while the gateway runs, as tokens of service accounts are.
    std::fs::write(site.cluster.dir.path().join("token"), "another").unwrap();
    let (other, other_name) = site.submit("ok").await;
    for (id, name) in [(id, name), (other, other_name)] {
        site.cluster.admit(&name);
        site.wait_for(&id, "done").await;
    }
    site.setup.charged(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_in_pages_is_read_to_its_end_and_half_a_list_concludes_nothing() {
    let site = Site::new().await;
    *site.cluster.page.lock() = 2;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(site.submit("ok").await.0);
    }
    let pages = || {
        let objects = site.cluster.objects.lock();
        objects.calls.iter().filter(|call| call.1.contains("&continue=")).count()
    };
    let before = pages();
    for _ in 0..6 {
        site.cluster.fault(Method::GET, "/apis/batch/v1/namespaces/inference/jobs?", 500);
    }
    until("many pages were read", || pages() > before + 12).await;
    for id in &ids {
        assert_eq!(site.view(id).await["state"], "queued");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_nobody_waits_for_is_deleted_from_the_cluster() {
    let mut site = Site::new().await;
    let (_, name) = site.submit("ok").await;
    site.setup.crash().await;
    // As after the data folder was lost: nobody knows of the Job.
    std::fs::remove_dir_all(site.setup.config.data_dir.join("jobs")).unwrap();
    site.setup.start().await;
    site.cluster.has(0).await;
    assert_eq!((site.setup.held(), site.cluster.objects.lock().jobs.contains_key(&name)), (0, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_is_extended_for_jobs_and_jobs_end_with_one_that_cannot_be() {
    let mut site = Site::new().await;
    let (id, _) = site.submit("ok").await;
    let pot = |site: &Site| site.setup.chain.now(|ledger| ledger.pot(&site.setup.owner, ClassId::INNOVATION));
    let change = |site: &Site, expires_at, reserved: Option<u128>| {
        let owner = site.setup.owner.clone();
        site.setup.chain.change(|ledger| {
            let pot = ledger.pots.get_mut(&(owner.clone(), ClassId::INNOVATION)).unwrap();
            pot.expires_at = expires_at;
            pot.reserved = reserved.unwrap_or(pot.reserved);
            ledger.endow(&owner, ClassId::INNOVATION, 0);
        });
    };
    // Nothing but the job uses the wallet, and its reservation is in its second half.
    site.setup.crash().await;
    change(&site, now_ms() + 3_600_000, None);
    site.setup.start().await;
    until("the reservation is extended", || pot(&site).expires_at > now_ms() + 80_000_000).await;
    assert_eq!(site.view(&id).await["state"], "queued");
    site.setup.chain.stingy.store(true, std::sync::atomic::Ordering::SeqCst);
    change(&site, now_ms(), Some(0));
    let failed = site.wait_for(&id, "failed").await;
    assert_eq!(failed["error"]["code"], "reservation_ended");
    assert_eq!((site.setup.held(), site.setup.recorded()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_charged_by_the_book_in_force_when_it_begins_if_that_is_covered() {
    let site = Site::new().await;
    let (id, name) = site.submit("ok").await;
    let (begun, begun_name) = site.submit("ok").await;
    let order = site.begin(&begun_name).await;
    publish(&site, 1).await;
    site.cluster.admit(&name);
    let done = site.wait_for(&id, "done").await;
    let receipt = site.setup.get(&format!("/v1/aci/receipts/{}", done["receipt"].as_str().unwrap())).await;
    assert!(receipt.text().contains("\"priceBook\":2"), "{}", receipt.text());
    // One that had begun keeps its quote; the pipeline moves it to the book in force, as it does with live requests.
    assert_eq!(site.report(&begun_name, &order, &answer(5)).await.status, 200);
    assert_eq!(site.view(&begun).await["state"], "done");
    site.setup.charged(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_a_new_book_could_make_dearer_than_what_is_held_costs_nothing() {
    let site = Site::new().await;
    let (id, _) = site.submit("ok").await;
    publish(&site, 2).await;
    let failed = site.wait_for(&id, "failed").await;
    assert_eq!(failed["error"]["code"], "price_changed");
    assert_eq!((site.setup.held(), site.setup.recorded()), (0, 0));
}

/// Puts a second book in the first one's place, and waits until the gateway knows it.
async fn publish(site: &Site, price: u64) {
    site.setup.chain.change(|ledger| ledger.publish(price));
    let book = || site.setup.engine().state.prices.load().quote("m").map(|quote| quote.book);
    until("the new prices are known", || book() == Some(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_key_is_gone_does_not_begin_and_one_that_has_begun_is_charged() {
    let site = Site::new().await;
    let (waiting, _) = site.submit("ok").await;
    let (_, name) = site.submit("ok").await;
    let order = site.begin(&name).await;
    site.setup.chain.change(|ledger| {
        ledger.set_key("second", &site.setup.owner, KeyLimits::default());
        ledger.revoke_key(KEY);
    });
    let dir = site.setup.config.data_dir.join("jobs");
    let failed = || {
        let record = std::fs::read_to_string(dir.join(format!("{waiting}.json"))).unwrap_or_default();
        record.contains("withdrawn")
    };
    until("the one that waits has failed", failed).await;
    assert_eq!(site.report(&name, &order, &answer(5)).await.status, 200);
    site.setup.charged(1).await;
    assert_eq!((site.spent(), site.setup.held()), (price(5), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_held_against_their_keys_caps_over_a_restart() {
    let mut site = Site::new().await;
    let limits = KeyLimits { credits_per_day_max: Some(2_000), ..KeyLimits::default() };
    site.setup.chain.change(|ledger| ledger.set_key(KEY, &site.setup.owner, limits.clone()));
    let hash = stipend_primitives::key::hash(KEY);
    let known =
        |site: &Site| site.setup.engine().state.keys.get(&hash).is_some_and(|key| key.limits == limits);
    until("the cap is known", || known(&site)).await;
    let (id, name) = site.submit("ok").await;
    for restarted in [false, true] {
        let got = site.post(chat("ok")).await;
        assert_eq!(
            (got.status.as_u16(), got.code().as_str()),
            (429, "rate_limit_exceeded"),
            "{}",
            got.text()
        );
        if !restarted {
            site.restart().await;
        }
    }
    site.cluster.admit(&name);
    site.wait_for(&id, "done").await;
    assert_eq!(site.post(chat("ok")).await.status, 202);
}
