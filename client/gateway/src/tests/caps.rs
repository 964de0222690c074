//! Caps of API keys, through the whole gateway.

use stipend_primitives::{key::KeyLimits, ModelId};

use super::harness::*;

const MODEL: ModelId = ModelId(1);

async fn limit(setup: &Setup, limits: KeyLimits) {
    let hash = stipend_primitives::key::hash(KEY);
    setup.chain.change(|ledger| ledger.set_key(KEY, &setup.owner, limits.clone()));
    until("the limits are known", || {
        setup.engine().state.keys.get(&hash).is_some_and(|key| key.limits == limits)
    })
    .await;
}

fn per_day(requests: u128) -> KeyLimits {
    // What is held for a request is far above what it costs; the last one must still fit.
    KeyLimits { credits_per_day_max: Some(requests * price(5) + 2_000), ..KeyLimits::default() }
}

/// Requests until the first refusal, and the refusal.
async fn spend(setup: &Setup) -> (usize, Got) {
    for served in 0.. {
        let got = setup.chat("ok").await;
        if got.status != 200 {
            return (served, got);
        }
    }
    unreachable!("the loop has no end")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_cap_ends_at_its_cap_and_a_restart_does_not_begin_it_anew() {
    let mut setup = Setup::new().await;
    limit(&setup, per_day(40)).await;
    let (served, refused) = spend(&setup).await;
    assert!(served > 20, "{served}");
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (429, "key_cap_reached"));
    let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(seconds <= 86_400);
    setup.charged(served).await;
    let cap = setup
        .chain
        .now(|ledger| ledger.keys.values().find_map(|key| key.limits.credits_per_day_max))
        .unwrap();
    assert!(setup.spent(stipend_primitives::ClassId::INNOVATION) <= cap);

    setup.crash().await;
    setup.start().await;
    let refused = setup.chat("ok").await;
    assert_eq!(refused.code(), "key_cap_reached");
    assert_eq!(setup.held(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_interleaving_passes_a_cap_and_what_was_held_is_free_again() {
    let setup = Setup::new().await;
    limit(&setup, per_day(20)).await;
    let got = futures::future::join_all((0..200).map(|_| setup.chat("ok"))).await;
    let served = got.iter().filter(|got| got.status == 200).count();
    assert!(served > 0);
    assert!(got.iter().all(|got| got.status == 200 || got.status == 429));
    setup.charged(served).await;
    let cap = per_day(20).credits_per_day_max.unwrap();
    assert!(setup.spent(stipend_primitives::ClassId::INNOVATION) <= cap);
    // One by one all of it can be used.
    let (more, _) = spend(&setup).await;
    setup.charged(served + more).await;
    assert!(setup.spent(stipend_primitives::ClassId::INNOVATION) + price(5) + 2_000 > cap);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_share_of_a_cap_is_told_once_in_an_answer_and_in_the_metrics() {
    let setup = Setup::new().await;
    limit(&setup, per_day(100)).await;
    let mut told = Vec::new();
    loop {
        let got = setup.chat("ok").await;
        if got.status != 200 {
            break;
        }
        told.extend(got.headers.get("x-stipend-cap-warning").map(|value| value.to_str().unwrap().to_owned()));
    }
    assert_eq!(told[0], "credits_per_day=80");
    assert!(told.len() <= 2, "{told:?}");
    let page = setup.get("/metrics").await.text();
    for percent in [80, 100] {
        let line =
            format!("stipend_gateway_cap_warnings_total{{cap=\"credits_per_day\",percent=\"{percent}\"}} 1");
        assert!(page.contains(&line), "{line} is not in {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_above_a_whole_cap_is_refused_for_good_and_one_of_another_model_is_not() {
    let setup = Setup::new().await;
    let mut limits = KeyLimits { tokens_per_minute_max: Some(10), ..KeyLimits::default() };
    limit(&setup, limits.clone()).await;
    let got = setup.chat("ok").await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (403, "request_above_cap"));
    limits = KeyLimits::default();
    limits.model_credits_per_day_max.try_push((ModelId(MODEL.0 + 1), 1)).unwrap();
    limit(&setup, limits.clone()).await;
    assert_eq!(setup.chat("ok").await.status, 200);
    limits.model_credits_per_day_max.try_push((MODEL, 1)).unwrap();
    limit(&setup, limits).await;
    assert_eq!(setup.chat("ok").await.code(), "request_above_cap");
    assert_eq!(setup.held(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_shows_what_its_key_has_used_of_its_caps() {
    let setup = Setup::new().await;
    assert_eq!(setup.get("/v1/wallet").await.json()["key"]["caps"], serde_json::json!([]));
    let mut limits = per_day(100);
    limits.tokens_per_minute_max = Some(1_000_000);
    limits.model_credits_per_day_max.try_push((MODEL, 50_000)).unwrap();
    limits.model_credits_per_day_max.try_push((ModelId(9_999), 7)).unwrap();
    let cap = limits.credits_per_day_max.unwrap().to_string();
    limit(&setup, limits).await;
    let before = crate::clock::now_ms();
    assert_eq!(setup.chat("ok").await.status, 200);
    let (waiting, shown) = tokio::join!(setup.chat("wait"), async {
        until("a request is in flight", || setup.upstreams[0].bodies().len() == 2).await;
        let shown = setup.get("/v1/wallet").await.json()["key"]["caps"].clone();
        setup.upstreams[0].go_on.notify_one();
        shown
    });
    assert_eq!(waiting.status, 200);
    let day = crate::caps::DAY_MS;
    let end_of_day = [before, crate::clock::now_ms()].map(|now| (now / day + 1) * day);
    let (cost, kinds) = (price(5).to_string(), ["credits_per_day", "tokens_per_minute"]);
    let [per_day, per_minute, of_model, of_other] = shown.as_array().unwrap().as_slice() else {
        panic!("four caps are not shown as four: {shown}")
    };
    assert_eq!([&per_day["cap"], &per_minute["cap"]], kinds);
    assert_eq!([&per_day["limit"], &per_day["used"], &per_day["unit"]], [&*cap, &*cost, "micro_credits"]);
    assert!(end_of_day.contains(&per_day["resets_at_ms"].as_u64().unwrap()), "{per_day}");
    assert_eq!((&per_minute["unit"], &per_minute["limit"]), (&"tokens".into(), &"1000000".into()));
    assert_eq!([&of_model["model"], &of_model["used"]], ["m", &*cost]);
    assert_eq!([&of_other["model"], &of_other["limit"], &of_other["used"]], ["9999", "7", "0"]);
    let held = |cap: &serde_json::Value| cap["held"].as_str().unwrap().parse::<u128>().unwrap();
    assert!(held(per_day) >= price(50) && held(of_model) == held(per_day) && held(of_other) == 0, "{shown}");
}
