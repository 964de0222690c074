use std::time::Duration;

use stipend_primitives::{evidence::EvidencePolicy, ClassId};

use super::harness::*;
use crate::chain::{Evidence, Submitted};

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_fails_gets_502_and_nothing_is_charged() {
    let setup = Setup::new().await;
    for prompt in ["status 500", "status 503", "status 401", "status 404", "no usage", "no json"] {
        let got = setup.chat(prompt).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (502, "upstream_error"), "{prompt}");
    }
    for (prompt, status) in [("status 400", 400), ("status 422", 422)] {
        assert_eq!(setup.chat(prompt).await.status, status);
    }
    let got = setup.chat("status 429").await;
    assert_eq!((got.status.as_u16(), got.headers["retry-after"].as_bytes()), (429, &b"1"[..]));
    assert!(setup.chat("status 400").await.message().contains("the engine says no"));
    assert_eq!((setup.recorded(), setup.held()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_not_there_gets_502_and_another_is_asked_if_there_is_one() {
    let nowhere: http::uri::Authority = "127.0.0.1:1".parse().unwrap();
    let alone = Setup::with(1, |config| config.upstreams[0].authority = nowhere.clone()).await;
    let got = alone.chat("ok").await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (502, "upstream_error"));
    assert_eq!((alone.recorded(), alone.held()), (0, 0));

    let two = Setup::with(2, |config| config.upstreams[0].authority = nowhere).await;
    for _ in 0..5 {
        assert_eq!(two.chat("ok").await.status, 200);
    }
    two.charged(5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_provider_is_not_asked_and_all_of_them_get_503() {
    let setup = &Setup::with(2, |_| ()).await;
    let providers: Vec<_> = setup.config.upstreams.iter().map(|upstream| upstream.provider.clone()).collect();
    let providers = &providers;
    let suspend = |count| {
        setup.chain.change(|ledger| {
            for (at, provider) in providers.iter().enumerate() {
                ledger.suspend(provider, at < count);
            }
        });
        until("the suspensions are known", move || {
            setup.engine().state.upstreams.set().all.iter().filter(|upstream| upstream.is_suspended()).count()
                == count
        })
    };
    suspend(1).await;
    for _ in 0..4 {
        assert_eq!(setup.chat("ok").await.status, 200);
    }
    assert!(setup.upstreams[0].seen.lock().is_empty(), "a suspended provider was asked");
    let ready = setup.get("/readyz").await;
    assert!(ready.status == 200 && ready.text().contains("suspended by the chain: "), "{}", ready.text());

    suspend(2).await;
    let got = setup.chat("ok").await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (503, "providers_suspended"));
    assert_eq!((setup.recorded(), setup.held()), (4, 0));
    assert_eq!(setup.get("/readyz").await.status, 503);
    let page = setup.get("/metrics").await.text();
    let said = page.lines().filter(|line| line.starts_with("stipend_gateway_upstream_suspended{"));
    assert_eq!(said.filter(|line| line.ends_with(" 1")).count(), 2);

    suspend(0).await;
    assert_eq!(setup.chat("ok").await.status, 200);
    assert_eq!(setup.get("/readyz").await.text(), "ok\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_that_requires_evidence_pays_nobody_without_it() {
    let setup = &Setup::with(2, |_| ()).await;
    let attested = setup.config.upstreams[1].provider.clone();
    let ask = |until: &[u32]| {
        let evidence = Evidence {
            until: until.iter().map(|until| (attested.clone(), *until)).collect(),
            asked: [(ClassId::INNOVATION, EvidencePolicy::Required)].into(),
        };
        setup.chain.change(|ledger| ledger.set_evidence(evidence));
    };
    let asked = || setup.engine().state.upstreams.asked([ClassId::INNOVATION; 2]);
    ask(&[]);
    until("the policy is known", || asked() == EvidencePolicy::Required).await;
    let got = setup.chat("ok").await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (503, "evidence_required"));
    assert_eq!(got.headers["retry-after"], "60");
    assert_eq!((setup.recorded(), setup.held()), (0, 0));

    ask(&[u32::MAX]);
    until("the evidence is known", || setup.engine().state.upstreams.set().all[1].is_attested(0)).await;
    for _ in 0..4 {
        assert_eq!(setup.chat("ok").await.status, 200);
    }
    assert!(setup.upstreams[0].seen.lock().is_empty(), "a provider without evidence was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_serve_unpaid_is_asked_where_there_is_nobody_else() {
    let setup = &Setup::with(1, |config| config.limits.serve_unpaid = true).await;
    setup.chain.change(|ledger| {
        let asked = [(ClassId::INNOVATION, EvidencePolicy::Required)].into();
        ledger.set_evidence(Evidence { asked, ..Default::default() });
    });
    let asked = || setup.engine().state.upstreams.asked([ClassId::INNOVATION; 2]);
    until("the policy is known", || asked() == EvidencePolicy::Required).await;
    assert_eq!(setup.chat("ok").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_hangs_gets_504_in_time() {
    let setup = Setup::with(1, |config| {
        config.upstreams[0].answer_wait_max = Duration::from_millis(50);
    })
    .await;
    let got = setup.chat("slow").await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (504, "upstream_timeout"));
    assert_eq!((setup.recorded(), setup.held()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_counts_above_the_bound_is_believed_but_overspends_nothing() {
    let setup = Setup::new().await;
    assert_eq!(setup.chat("above bound").await.status, 200);
    setup.charged(1).await;
    let pot = setup.chain.now(|ledger| ledger.pot(&setup.owner, ClassId::INNOVATION));
    assert_eq!(pot.spent, price(1_000_000));
    assert!(setup.get("/metrics").await.text().contains("stipend_gateway_bound_exceeded_total 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_chain_is_away_reservations_serve_and_then_503() {
    let setup = Setup::with(1, |config| {
        config.limits.chain_silence_max = Duration::from_millis(1_500);
        config.reservations.wait_max = Duration::from_millis(100);
    })
    .await;
    assert_eq!(setup.chat("ok").await.status, 200);
    setup.charged(1).await;
    setup.chain.set_down(true);
    let mut served = 1;
    let refused = loop {
        let got = setup.chat("ok").await;
        match got.status.as_u16() {
            200 => served += 1,
            _ => break got,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(served > 5, "the reservation did not serve");
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "service_unavailable"));
    assert_eq!(refused.headers["retry-after"], "5");
    assert_eq!(setup.get("/readyz").await.status, 503);
    assert_eq!(setup.get("/healthz").await.status, 200);
    // Nothing is lost, nothing is charged twice.
    setup.chain.set_down(false);
    setup.charged(served).await;
    until("requests are admitted again", || setup.engine().state.refusal(crate::clock::now_ms()).is_none())
        .await;
    assert_eq!(setup.chat("ok").await.status, 200);
    assert_eq!(setup.chain.now(|ledger| ledger.uncollected), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_the_chain_refuses_stops_admission_and_is_kept() {
    let setup = Setup::new().await;
    setup.chain.set_verdict(Some(Submitted::Refused("not a gateway".into())));
    assert_eq!(setup.chat("ok").await.status, 200);
    until("the refusal is known", || setup.engine().state.refusal(crate::clock::now_ms()).is_some()).await;
    let got = setup.chat("ok").await;
    assert_eq!(got.status, 503);
    assert!(got.message().contains("not a gateway"), "{}", got.message());
    setup.chain.set_verdict(None);
    setup.charged(1).await;
    until("requests are admitted again", || setup.engine().state.refusal(crate::clock::now_ms()).is_none())
        .await;
    assert_eq!(setup.chain.variants(), [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_a_retired_book_are_charged_by_the_book_in_force() {
    let setup = Setup::new().await;
    assert_eq!(setup.chat("ok").await.status, 200);
    setup.charged(1).await;
    setup.chain.set_verdict(Some(Submitted::Later("the pool is full".into())));
    assert_eq!(setup.chat("ok").await.status, 200);
    setup.chain.change(|ledger| ledger.publish(3));
    until("the new prices are known", || {
        setup.engine().state.prices.load().quote("m").is_some_and(|quote| quote.book == 2)
    })
    .await;
    setup.chain.set_verdict(None);
    setup.charged(2).await;
    // Three times the price of a token; the model's weight costs the same.
    assert_eq!(setup.spent(ClassId::INNOVATION), price(5) + 3 * (price(5) - 5) + 5);
    // The reservation is counted by what was charged: all of it can be held.
    let account =
        setup.engine().state.wallets.get(&setup.owner).unwrap().account(ClassId::INNOVATION).unwrap();
    until("the balance agrees with the chain", || {
        let reserved = setup.chain.now(|ledger| ledger.pot(&setup.owner, ClassId::INNOVATION).reserved);
        u128::try_from(account.free()) == Ok(reserved)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_stops_admission() {
    let setup = Setup::new().await;
    assert_eq!(setup.chat("ok").await.status, 200);
    let state = &setup.engine().state;
    let receipts = setup.config.data_dir.join("receipts");
    std::fs::remove_dir_all(receipts).unwrap();
    // Fill the segment, so that the next one has to be made in a folder that is gone.
    while state.receipts.failure().is_none() {
        drop(state.receipts.append(vec![0; 1 << 20]).await);
    }
    assert_eq!(setup.chat("ok").await.status, 503);
    assert_eq!(setup.get("/healthz").await.status, 503);
    assert_eq!(setup.held(), 0);
}
