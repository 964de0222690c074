use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use sp_core::H256;
use stipend_primitives::{
    cost::Usage, key::KeyLimits, settlement::VerdictKind, AccountId, ClassId, ModelId, PublicKey,
};
use stipend_receipt_log::{Log, Options};
use stipend_sdk::proof::{GatewayReceipt, SignedReceipt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    fake_chain::{genesis, SUBMITTED_AT},
    harness::*,
};
use crate::{chain::Submitted, receipt::Receipt};

const PATH: &str = "/v1/aci/receipts/";

fn id(got: &Got) -> String {
    got.headers["x-stipend-request-id"].to_str().unwrap().to_owned()
}

fn sha256(bytes: &[u8]) -> Option<H256> {
    Some(H256(Sha256::digest(bytes).into()))
}

/// A receipt that must be there, be canonical and be signed.
async fn fetch(setup: &Setup, id: &str) -> GatewayReceipt {
    let got = setup.get(&format!("{PATH}{id}")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(got.headers["content-type"], "application/json");
    assert_eq!(got.headers["cache-control"], "no-store");
    SignedReceipt::read(&got.body).unwrap().receipt().clone()
}

async fn fetch_as(setup: &Setup, key: &str, id: &str) -> Got {
    let mut request = setup.request(&format!("{PATH}{id}"), "");
    *request.method_mut() = http::Method::GET;
    request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    setup.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_says_what_was_asked_served_held_and_charged() {
    let setup = Setup::new().await;
    let body = chat("ok").to_string();
    let got = setup.send(setup.request("/v1/chat/completions", body.clone())).await;
    let receipt = fetch(&setup, &id(&got)).await;
    let key: PublicKey = setup.config.signer.public();
    assert_eq!((receipt.genesis, receipt.gateway_key), (genesis(), key));
    assert_eq!(receipt.gateway, setup.config.signer.account());
    assert_eq!((receipt.sequence, hex::encode(receipt.id)), (0, id(&got)));
    assert_eq!((&receipt.wallet, &receipt.provider), (&setup.owner, &setup.config.upstreams[0].provider));
    assert_eq!((receipt.model, receipt.model_name.as_deref()), (ModelId(1), Some("m")));
    assert_eq!((receipt.input, receipt.cached_input, receipt.output), (6, 4, 5));
    assert_eq!((receipt.price_book, receipt.class), (1, ClassId::INNOVATION));
    assert_eq!((receipt.cost, receipt.priority_fee), (price(5), 0));
    assert!(receipt.held.unwrap() > receipt.cost, "less was held than it did cost: {receipt:?}");
    assert_eq!(receipt.request_sha256, sha256(body.as_bytes()));
    assert_eq!(receipt.response_sha256, sha256(&got.body));
    let ago_ms = crate::clock::now_ms() - receipt.time_ms.unwrap();
    assert!(ago_ms < 60_000, "{ago_ms}");
}

#[tokio::test(flavor = "multi_thread")]
async fn once_the_chain_has_it_a_receipt_says_where_and_how_it_was_settled() {
    let setup = Setup::new().await;
    setup.chain.set_verdict(Some(Submitted::Later("the pool is full".into())));
    let got = setup.chat("ok").await;
    let before = fetch(&setup, &id(&got)).await;
    assert_eq!((before.batch, before.settlement), (None, None));
    setup.chain.set_verdict(None);
    setup.charged(1).await;
    let after = fetch(&setup, &id(&got)).await;
    let (batch, settlement) = (after.batch.unwrap(), after.settlement.unwrap());
    assert_eq!((batch.first_seq, batch.last_seq, batch.block), (0, 0, SUBMITTED_AT));
    assert_eq!((settlement.verdict, settlement.item_refunded), (VerdictKind::Match, 0));
    assert_eq!(settlement.block, SUBMITTED_AT + 3);
    assert_eq!(GatewayReceipt { batch: None, settlement: None, ..after }, before);
    // Without the chain it says what the gateway knows by itself.
    setup.chain.set_down(true);
    assert_eq!(fetch(&setup, &id(&got)).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streams_digest_is_of_the_bytes_that_the_caller_got() {
    let setup = Setup::new().await;
    for show_usage in [false, true] {
        let mut body = chat("ok");
        body["stream"] = json!(true);
        body["stream_options"] = json!({ "include_usage": show_usage });
        let body = body.to_string();
        let got = setup.send(setup.request("/v1/chat/completions", body.clone())).await;
        assert!(got.text().ends_with("data: [DONE]\n\n"));
        let receipt = fetch(&setup, &id(&got)).await;
        assert_eq!(receipt.request_sha256, sha256(body.as_bytes()));
        assert_eq!(receipt.response_sha256, sha256(&got.body));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_left_has_a_receipt_all_the_same() {
    let setup = Setup::new().await;
    for stream in [false, true] {
        let mut body = chat("slow");
        body["stream"] = json!(stream);
        let body = body.to_string();
        let mut raw = tokio::net::TcpStream::connect(setup.address).await.unwrap();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        raw.write_all((head + &body).as_bytes()).await.unwrap();
        if stream {
            assert!(raw.read(&mut [0; 64]).await.unwrap() > 0);
        } else {
            until("the engine has the request", || setup.upstreams[0].seen.lock().len() == 1).await;
        }
        drop(raw);
        let count = 1 + usize::from(stream);
        setup.charged(count).await;
        let digest = setup.chain.now(|ledger| ledger.digests[count - 1]);
        let receipt = fetch(&setup, &hex::encode(digest)).await;
        assert_eq!((receipt.cost, receipt.request_sha256), (price(5), sha256(body.as_bytes())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_keys_of_the_wallet_get_its_receipts_and_others_learn_nothing() {
    let setup = Setup::new().await;
    let other = AccountId::new([8; 32]);
    setup.chain.change(|ledger| {
        ledger.endow(&other, ClassId::INNOVATION, MILLION);
        ledger.set_key("other", &other, KeyLimits::default());
        ledger.set_key("second", &setup.owner, KeyLimits::default());
    });
    let known = |text: &str| setup.engine().state.keys.get(&stipend_primitives::key::hash(text)).is_some();
    until("the keys are known", || known("other") && known("second")).await;
    let id = id(&setup.chat("ok").await);
    assert_eq!(fetch_as(&setup, "second", &id).await.status, 200, "another key of the same wallet");
    let (theirs, nobodys) =
        (fetch_as(&setup, "other", &id).await, fetch_as(&setup, "other", &"ab".repeat(16)).await);
    assert_eq!((theirs.status.as_u16(), theirs.code().as_str()), (404, "receipt_not_found"));
    assert_eq!((theirs.status, &theirs.body), (nobodys.status, &nobodys.body));
    for key in ["wrong", ""] {
        assert_eq!(fetch_as(&setup, key, &id).await.code(), "invalid_api_key");
    }
    for bad in ["", "x", &id[1..], &format!("{id}0"), &format!("{id}/"), &format!("0x{}", &id[2..])] {
        let got = setup.get(&format!("{PATH}{bad}")).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (400, "invalid_receipt_id"), "{bad}");
    }
    let posted = setup.post(&format!("{PATH}{id}"), Value::Null).await;
    assert_eq!(posted.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_outlive_a_restart_and_are_there_for_as_long_as_is_promised() {
    let mut setup = Setup::with(1, |config| config.receipts.keep_max = 3).await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(id(&setup.chat("ok").await));
    }
    setup.charged(8).await;
    for restarted in [false, true] {
        for id in &ids[5..] {
            fetch(&setup, id).await;
        }
        let gone = setup.get(&format!("{PATH}{}", ids[0])).await;
        assert_eq!(gone.status, 404, "memory grows");
        if !restarted {
            setup.crash().await;
            setup.start().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_another_book_charges_says_so_even_after_a_restart() {
    let mut setup = Setup::new().await;
    setup.chain.set_verdict(Some(Submitted::Later("the pool is full".into())));
    let id = id(&setup.chat("ok").await);
    assert_eq!(fetch(&setup, &id).await.price_book, 1);
    setup.chain.change(|ledger| ledger.publish(3));
    until("the new prices are known", || {
        setup.engine().state.prices.load().quote("m").is_some_and(|quote| quote.book == 2)
    })
    .await;
    setup.chain.set_verdict(None);
    setup.charged(1).await;
    for restarted in [false, true] {
        let receipt = fetch(&setup, &id).await;
        assert_eq!((receipt.price_book, receipt.cost), (2, setup.spent(ClassId::INNOVATION)));
        if !restarted {
            // Until the batch is done and the journal speaks of it as such.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            setup.crash().await;
            setup.start().await;
        }
    }
    setup.chain.set_down(true);
    let got = setup.get(&format!("{PATH}{id}")).await;
    assert_eq!((got.status.as_u16(), got.headers["retry-after"].as_bytes()), (503, &b"5"[..]));
}

/// What a gateway of the first release left behind: receipts of layout 1 that no batch has.
#[tokio::test(flavor = "multi_thread")]
async fn receipts_that_an_older_release_recorded_are_charged_and_can_be_looked_up() {
    let mut setup = Setup::new().await;
    setup.crash().await;
    let receipt = |number: u8| Receipt {
        wallet: setup.owner.clone(),
        provider: setup.config.upstreams[0].provider.clone(),
        book: 1,
        model: ModelId(1),
        usage: Usage { input: 6, cached_input: 4, output: 5 },
        priority_fee: 0,
        digest: [number; 16],
        class: ClassId::INNOVATION,
        cost: price(5),
        details: None,
    };
    {
        let (log, _) = Log::open(setup.config.data_dir.join("receipts"), Options::default()).unwrap();
        for number in 0..3 {
            log.append(receipt(number).to_bytes()).await.unwrap();
        }
    }
    setup.start().await;
    setup.charged(3).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), 3 * price(5));
    let old = fetch(&setup, &hex::encode([1; 16])).await;
    assert_eq!((old.sequence, old.cost, old.output), (1, price(5), 5));
    assert_eq!((old.time_ms, old.held, old.request_sha256, old.response_sha256), (None, None, None, None));
    assert_eq!(setup.chat("ok").await.status, 200);
    setup.charged(4).await;
    // A log of both layouts is read, too.
    setup.crash().await;
    setup.start().await;
    assert_eq!(fetch(&setup, &hex::encode([1; 16])).await, old);
}
