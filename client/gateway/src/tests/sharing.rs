//! A wallet whose credits are with another gateway, or are wanted there.

use stipend_primitives::{key::KeyLimits, AccountId, ClassId};

use super::harness::*;

const CLASS: ClassId = ClassId::INNOVATION;

/// A wallet of its own with a key of its own, at one of two gateways.
async fn shared(setup: &Setup, available: u128, elsewhere: u128) -> AccountId {
    let owner = AccountId::new([9; 32]);
    setup.chain.change(|ledger| {
        ledger.gateways_count = 2;
        ledger.endow(&owner, CLASS, available);
        ledger.elsewhere.insert((owner.clone(), CLASS), elsewhere);
        ledger.set_key("shared", &owner, KeyLimits::default());
    });
    setup.knows("shared").await;
    owner
}

async fn ask(setup: &Setup) -> Got {
    let mut request = setup.request("/v1/chat/completions", chat("ok").to_string());
    request.headers_mut().insert("authorization", "Bearer shared".parse().unwrap());
    setup.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_what_another_gateway_may_let_go_and_is_not_refused() {
    let setup = Setup::new().await;
    let owner = shared(&setup, 0, MILLION).await;
    let moved = async {
        let waits = || {
            let wallet = setup.engine().state.wallets.get(&owner).unwrap();
            wallet.account(CLASS).is_some_and(|account| account.is_short())
        };
        until("the request waits", waits).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        setup.chain.change(|ledger| {
            ledger.elsewhere.clear();
            ledger.pots.entry((owner.clone(), CLASS)).or_default().available += MILLION;
        });
    };
    let (got, ()) = futures::join!(ask(&setup), moved);
    assert_eq!(got.status, 200, "{}", got.text());
    setup.charged(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_at_all_gateways_together_is_402_at_once() {
    let setup = Setup::new().await;
    shared(&setup, 300, 300).await;
    let began = std::time::Instant::now();
    assert_eq!(ask(&setup).await.status, 402);
    assert!(began.elapsed() < setup.config.reservations.wait_max, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_does_not_need_the_last_credits_lets_them_go_and_finds_them_again() {
    let setup = Setup::new().await;
    let owner = shared(&setup, 5_000, 0).await;
    let pot = || setup.chain.now(|ledger| ledger.pot(&owner, CLASS));
    for served in 1..=3 {
        assert_eq!(ask(&setup).await.status, 200);
        setup.charged(served).await;
        // All of them or, soon after a request, enough of them that another gateway finds some.
        until("credits are let go", || pot().available > 0).await;
    }
    assert_eq!(pot().spent, 3 * price(5));
    assert_eq!(pot().spent + pot().reserved + pot().available, 5_000);
}
