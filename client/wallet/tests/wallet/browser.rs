//! The pages in a real browser (Debian's chromium and chromium-driver), where STIPEND_TEST_LONG is set.

use std::{path::PathBuf, time::Duration};

use serde_json::json;
use stipend_primitives::Role;
use stipend_sdk::Signer;

use super::{
    driver::{is_long, Browser},
    history::History,
    service::Service,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_signs_in_sees_a_grant_arrive_and_a_charge_turn_final_and_opens_a_receipt() {
    if !is_long() {
        return;
    }
    let owner = Signer::generate();
    let mut history = History::new(41, vec![owner.account()]);
    history.run(40);
    let service = Service::start(history.fake.clone()).await;
    let browser = Browser::start().await;
    browser.sign_in(&service, &owner).await;
    browser.wait_for("Nothing is pending.").await;

    // A grant: first pending, then final, on a page that nobody reloads.
    history.also_own_soon(owner.account(), 77_000_000);
    browser.wait_for("may still change").await;
    history.becomes_final();
    browser.wait_for("Nothing is pending.").await;
    browser.wait_until_gone("may still change").await;

    browser.open(&format!("{}/wallets/{}/receipts", service.url, owner.address())).await;
    browser.click("tbody a").await;
    let text = browser.wait_for("What it cost, and why").await;
    assert!(text.contains("Generated tokens") && text.contains("Download the proof"), "{text}");
    browser.click("form[action='/sign-out'] button").await;
    browser.wait_for("On the command line").await;
    drop(browser);
    service.end().await;
}

/// Pages to look at, in a folder: `STIPEND_PICTURES`, or one that is gone after the test.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_wide_and_narrow_light_and_dark() {
    if !is_long() {
        return;
    }
    let (owner, auditor) = (Signer::generate(), Signer::generate());
    let mut history =
        History::new(8, vec![owner.account(), Signer::generate().account(), Signer::generate().account()]);
    history.run(260);
    history.fake.grant(&auditor.account(), Role::Auditor);
    let gone = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("STIPEND_PICTURES").map_or(gone.path().to_owned(), PathBuf::from);
    let service = Service::start(history.fake.clone()).await;
    let browser = Browser::start().await;
    browser.look("light", 1100).await;
    browser.open(&format!("{}/sign-in", service.url)).await;
    std::fs::write(folder.join("sign-in-light-wide.png"), browser.picture().await).unwrap();
    browser.sign_in(&service, &auditor).await;
    history.also_own_soon(owner.account(), 5_000_000);
    let wallet = format!("/wallets/{}", owner.address());
    let receipt = history.some_receipt_of(&service, &owner, &auditor).await;
    let pages = [
        ("wallet", wallet.clone()),
        ("receipts", format!("{wallet}/receipts")),
        ("grants", format!("{wallet}/grants")),
        ("keys", format!("{wallet}/keys")),
        ("receipt", receipt),
        ("programs", "/programs".into()),
        ("program", "/programs/0".into()),
        ("overview", "/audit".into()),
        ("wallets", "/audit/wallets".into()),
    ];
    for (name, path) in pages {
        browser.open(&format!("{}{path}", service.url)).await;
        browser.wait_for("As of final block").await;
        for (scheme, size, width) in [
            ("light", "wide", 1100),
            ("dark", "wide", 1100),
            ("light", "narrow", 390),
            ("dark", "narrow", 390),
        ] {
            browser.look(scheme, width).await;
            tokio::time::sleep(Duration::from_millis(150)).await;
            let beyond = browser.beyond().await;
            assert!(beyond <= 0, "{name} is {beyond} too wide at {width}");
            std::fs::write(folder.join(format!("{name}-{scheme}-{size}.png")), browser.picture().await)
                .unwrap();
        }
        browser.look("light", 1100).await;
    }
    // The auditor takes everything away.
    browser.open(&format!("{}/audit", service.url)).await;
    browser.element("a[href='/api/v1/export/focus.csv']").await;
    let fetched = json!({
        "script": "const done = arguments[0]; fetch('/api/v1/export/focus.csv').then(a => a.text()).then(done)",
        "args": [],
    });
    let csv = browser.ask("/execute/async", fetched).await;
    assert!(csv.as_str().unwrap().lines().count() > 100 && csv.as_str().unwrap().starts_with("BilledCost"));
    drop(browser);
    service.end().await;
}
