use std::{sync::atomic::Ordering, time::Duration};

use serde_json::json;
use stipend_primitives::{key::KeyLimits, AccountId, ClassId};

use super::harness::*;

/// A wallet of its own with a key of its own.
async fn poor(setup: &Setup, amount: u128) -> AccountId {
    let owner = AccountId::new([9; 32]);
    setup.chain.change(|ledger| {
        ledger.endow(&owner, ClassId::INNOVATION, amount);
        ledger.set_key("poor", &owner, KeyLimits::default());
    });
    setup.knows("poor").await;
    owner
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_good_once_the_balance_of_its_wallet_is_known() {
    let setup = Setup::new().await;
    setup.chain.balances_ms.store(300, Ordering::SeqCst);
    let owner = AccountId::new([9; 32]);
    setup.chain.change(|ledger| {
        ledger.endow(&owner, ClassId::INNOVATION, 5_000);
        ledger.set_key("new", &owner, KeyLimits::default());
    });
    // At no moment is it told that a full wallet is empty.
    let mut unknown = 0;
    let first = loop {
        match chat_as(&setup, "new", "ok", Some(5)).await.status.as_u16() {
            401 => unknown += 1,
            other => break other,
        }
    };
    setup.chain.balances_ms.store(0, Ordering::SeqCst);
    assert_ne!(first, 402);
    assert!(unknown > 0, "the key was known at once: nothing was tested");
    assert_eq!(chat_as(&setup, "new", "ok", Some(5)).await.status, 200);
}

async fn chat_as(setup: &Setup, key: &str, prompt: &str, max_tokens: Option<u64>) -> Got {
    let mut body = chat(prompt);
    match max_tokens {
        Some(max_tokens) => body["max_tokens"] = json!(max_tokens),
        None => drop(body.as_object_mut().unwrap().remove("max_tokens")),
    }
    let mut request = setup.request("/v1/chat/completions", body.to_string());
    request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    setup.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_that_no_energy_is_left_for_get_503_and_when_to_come_again() {
    let setup = Setup::new().await;
    setup.chain.change(|ledger| ledger.energy_bound.extend([ClassId::INNOVATION]));
    poor(&setup, 5_000).await;
    let got = chat_as(&setup, "poor", "ok", Some(1_000)).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (503, "energy_budget_exhausted"));
    assert_eq!(got.headers["retry-after"], "10");
    assert!(got.message().contains("energy budget of Innovation"), "{}", got.message());
    // What the budget still covers is served.
    assert_eq!(chat_as(&setup, "poor", "ok", Some(5)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_credits_get_402_with_class_needed_and_available() {
    let setup = Setup::new().await;
    poor(&setup, 5_000).await;
    let got = chat_as(&setup, "poor", "ok", Some(1_000)).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (402, "insufficient_credits"));
    let message = got.message();
    assert!(message.contains("Innovation") && message.contains("0.005 are available"), "{message}");
    assert!(message.contains("needs up to 0.010"), "{message}");
    // A request that it covers is served all the same.
    assert_eq!(chat_as(&setup, "poor", "ok", Some(5)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_without_the_class_gets_402() {
    let setup = Setup::new().await;
    let mut request = setup.request("/v1/chat/completions", chat("ok").to_string());
    request.headers_mut().insert("x-stipend-priority-fee", "5".parse().unwrap());
    let got = setup.send(request).await;
    assert_eq!(got.status, 402);
    assert!(got.message().contains("Priority"), "{}", got.message());
    assert_eq!(setup.held(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_max_tokens_is_what_the_wallet_covers() {
    let setup = Setup::new().await;
    poor(&setup, 5_000).await;
    assert_eq!(chat_as(&setup, "poor", "ok", None).await.status, 200);
    let told = setup.upstreams[0].bodies()[0]["max_tokens"].as_u64().unwrap();
    assert!(told > 5 && told < 500, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_that_are_not_reserved_yet_are_reserved_while_the_request_waits() {
    let setup = Setup::new().await;
    let owner = poor(&setup, 1_000 * MILLION).await;
    assert_eq!(setup.chain.now(|ledger| ledger.pot(&owner, ClassId::INNOVATION).reserved), 0);
    assert_eq!(chat_as(&setup, "poor", "ok", Some(50)).await.status, 200);
    let pot = setup.chain.now(|ledger| ledger.pot(&owner, ClassId::INNOVATION));
    assert_eq!(pot.reserved, setup.config.reservations.target);
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_minted_a_moment_ago_are_found() {
    let setup = Setup::new().await;
    let owner = poor(&setup, 10).await;
    assert_eq!(chat_as(&setup, "poor", "ok", Some(50)).await.status, 402);
    setup.chain.change(|ledger| ledger.endow(&owner, ClassId::INNOVATION, MILLION));
    until("the mint is known", || {
        let wallet = setup.engine().state.wallets.get(&owner).unwrap();
        wallet.account(ClassId::INNOVATION).is_some_and(|account| account.within_reach() > 10)
    })
    .await;
    assert_eq!(chat_as(&setup, "poor", "ok", Some(50)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_interleaving_spends_a_credit_twice() {
    let setup = Setup::with(1, |config| config.limits.template_tokens_max = 0).await;
    // Enough for some twenty requests, asked for by two hundred at once.
    let owner = poor(&setup, 20_000).await;
    let asked = (0..200).map(|_| chat_as(&setup, "poor", "ok", Some(5)));
    let got = futures::future::join_all(asked).await;
    let served = got.iter().filter(|got| got.status == 200).count();
    assert!(served > 0);
    for other in got.iter().filter(|got| got.status != 200) {
        assert!(matches!(other.status.as_u16(), 402 | 429), "{}", other.text());
    }
    setup.charged(served).await;
    let pot = setup.chain.now(|ledger| ledger.pot(&owner, ClassId::INNOVATION));
    assert_eq!(pot.spent, served as u128 * price(5));
    assert_eq!(setup.chain.now(|ledger| ledger.uncollected), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_wallet_is_topped_up_before_it_runs_dry() {
    let setup = Setup::with(1, |config| {
        config.reservations.target = 20_000;
        config.reservations.low_water = 10_000;
    })
    .await;
    let owner = poor(&setup, 1_000 * MILLION).await;
    for _ in 0..300 {
        assert_eq!(chat_as(&setup, "poor", "ok", Some(5)).await.status, 200);
    }
    setup.charged(300).await;
    assert_eq!(setup.chain.now(|ledger| ledger.pot(&owner, ClassId::INNOVATION)).spent, 300 * price(5));
    assert_eq!(setup.chain.now(|ledger| ledger.uncollected), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_near_its_end_is_extended_even_if_nothing_else_is_left() {
    let setup = Setup::new().await;
    let owner = poor(&setup, 5_000).await;
    assert_eq!(chat_as(&setup, "poor", "ok", Some(5)).await.status, 200);
    // All of it is reserved, and the end is within the margin.
    let soon = crate::clock::now_ms() + 30_000;
    setup.chain.change(|ledger| {
        let pot = ledger.pots.get_mut(&(owner.clone(), ClassId::INNOVATION)).unwrap();
        assert_eq!(pot.available, 0);
        pot.expires_at = soon;
        ledger.endow(&owner, ClassId::INNOVATION, 0);
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(chat_as(&setup, "poor", "ok", Some(5)).await.status, 200);
    let pot = setup.chain.now(|ledger| ledger.pot(&owner, ClassId::INNOVATION));
    assert!(pot.expires_at > soon + 1_000_000);
    setup.charged(2).await;
    let pot = setup.chain.now(|ledger| ledger.pot(&owner, ClassId::INNOVATION));
    assert_eq!(pot.spent + pot.reserved + pot.available, 5_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_reserves_nothing_gets_503_when_the_reservation_is_used_up() {
    let setup = Setup::with(1, |config| config.reservations.wait_max = Duration::from_millis(300)).await;
    setup.chain.stingy.store(true, Ordering::SeqCst);
    let got = setup.chat("ok").await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (503, "service_unavailable"));
    assert_eq!(setup.held(), 0);
}
