//! What HR looks at, in a real browser: what ends soon, utilisation, names that stay in the window.

use std::path::PathBuf;

use sp_core::crypto::Ss58Codec;
use stipend_primitives::Role;
use stipend_sdk::Signer;

use super::{
    driver::{is_long, is_there, Browser},
    history::History,
    lists::{list, person},
    office::Office,
    service::Service,
};

#[tokio::test(flavor = "multi_thread")]
async fn names_are_joined_in_the_window_and_never_sent() {
    if !is_there() {
        return;
    }
    let (ada, grace, hr) = (Signer::generate(), Signer::generate(), Signer::generate());
    let mut history = History::new(8, vec![ada.account(), grace.account()]);
    history.run(120);
    history.hand_programs_to(&hr.account(), &hr.account());
    history.fake.grant(&hr.account(), Role::Issuer);
    let service = Service::start(history.fake.clone()).await;
    let browser = Browser::start().await;
    browser.sign_in(&service, &hr).await;
    browser.open(&format!("{}/utilisation", service.url)).await;
    let text = browser.wait_for("By program").await;
    assert!(text.contains("Research credits") && text.contains("Utilisation"), "{text}");
    let directory = browser.file(
        "people.csv",
        &format!(
            "name,number,department,account\nAda Lovelace,1,Engines,{}\n\"Hopper, Grace\",2,Compilers,{}\n",
            ada.address(),
            grace.address()
        ),
    );
    browser.fill("#names-file", &directory).await;
    let text = browser.wait_for("added up in this window").await;
    let row = |name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    let engines = row("Engines").unwrap_or_else(|| panic!("{text}"));
    assert!(engines.contains('%') && row("Compilers").is_some(), "{text}");

    // Names stand beside accounts on every page of the window, until they are forgotten.
    browser.open(&format!("{}/programs/0", service.url)).await;
    browser.wait_for("Ada Lovelace (Engines)").await;
    browser.open(&format!("{}/expiring?days=90", service.url)).await;
    browser.wait_for("Hopper, Grace (Compilers)").await;
    browser.open(&format!("{}/grant", service.url)).await;
    let options = "return [...document.querySelectorAll('#people option')].map(o => o.label).join('|')";
    browser.element("#people option").await;
    assert!(browser.script(options).await.as_str().unwrap().contains("Ada Lovelace Engines"));
    browser.open(&format!("{}/expiring?days=90", service.url)).await;
    browser.click("#names-forget").await;
    browser.wait_until_gone("Hopper").await;

    let sent = browser.log("performance").await;
    let requests: Vec<&String> =
        sent.iter().filter(|line| line.contains("Network.requestWillBeSent\"")).collect();
    assert!(requests.iter().any(|line| line.contains("/api/v1/utilisation/people")), "{}", requests.len());
    for name in ["Lovelace", "Hopper", "Engines", "Compilers"] {
        let told = requests.iter().find(|line| line.contains(name));
        assert!(told.is_none(), "{name} was sent: {told:?}");
    }
    drop(browser);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_soon_is_listed_for_as_far_ahead_as_is_asked() {
    if !is_there() {
        return;
    }
    let (ada, hr) = (Signer::generate(), Signer::generate());
    let mut history = History::new(5, vec![ada.account()]);
    history.run(80);
    history.hand_programs_to(&hr.account(), &hr.account());
    history.fake.grant(&hr.account(), Role::Issuer);
    let service = Service::start(history.fake.clone()).await;
    let token = service.sign_in(&hr).await;
    let count = |days: u32| {
        let (service, token) = (&service, token.clone());
        async move {
            let answer = service.get(&format!("/api/v1/expiring?days={days}"), &token).await;
            let answer: serde_json::Value = answer.json().await.unwrap();
            answer["expiring"].as_array().unwrap().len()
        }
    };
    let (soon, later) = (count(30).await, count(90).await);
    assert!(soon > 0 && later > soon, "{soon} {later}");
    let browser = Browser::start().await;
    browser.sign_in(&service, &hr).await;
    for (days, rows) in [(30, soon), (90, later)] {
        browser.open(&format!("{}/expiring?days={days}", service.url)).await;
        browser.wait_for("Next 90 days").await;
        let shown = browser.script("return document.querySelectorAll('tbody tr').length").await;
        assert_eq!(shown, rows);
    }
    drop(browser);
    service.end().await;
}

/// Pages to look at, in a folder: `STIPEND_PICTURES`, or one that is gone after the test.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_acts_fit_wide_and_narrow_light_and_dark_and_name_every_field() {
    if !is_long() || !is_there() {
        return;
    }
    let office = Office::open().await;
    let gone = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("STIPEND_PICTURES").map_or(gone.path().to_owned(), PathBuf::from);
    let browser = Browser::start().await;
    browser.sign_in(&office.service, &office.hr.signer).await;
    let base = &office.service.url;
    let bad =
        browser.file("bad.csv", &format!("{}nobody,0,1,\n{},0,many,\n", list(3), person(3).to_ss58check()));
    let good = browser.file("good.csv", &list(700));
    let grant = format!("/grant?owner={}", office.employee.signer.address());
    for (name, path, act) in [
        ("utilisation", "/utilisation", None),
        ("expiring", "/expiring?days=90", None),
        ("grant", grant.as_str(), None),
        ("confirm", grant.as_str(), Some(("#grant-amount", "12.5", "form[data-act='grant'] button"))),
        ("list-faults", "/grant/list", Some(("#list-file", bad.as_str(), ""))),
        ("list", "/grant/list", Some(("#list-file", good.as_str(), ""))),
    ] {
        browser.look("light", 1100).await;
        browser.open(&format!("{base}{path}")).await;
        browser.wait_for("As of final block").await;
        if let Some((field, text, button)) = act {
            browser.fill(field, text).await;
            if !button.is_empty() {
                browser.click(button).await;
            }
            browser.wait_for(if name == "confirm" { "Sign and send" } else { "granted" }).await;
        }
        pictures(&browser, &folder, name).await;
    }
    browser.look("light", 1100).await;
    browser.click("form[action='/sign-out'] button").await;
    browser.sign_in(&office.service, &office.employee.signer).await;
    for (name, part, open) in
        [("my-keys", "keys", "#make summary"), ("my-grants", "grants", ".script summary")]
    {
        browser.look("light", 1100).await;
        browser.open(&format!("{base}/wallets/{}/{part}", office.employee.signer.address())).await;
        browser.click(open).await;
        pictures(&browser, &folder, name).await;
    }
    drop(browser);
    office.service.end().await;
}

async fn pictures(browser: &Browser, folder: &std::path::Path, name: &str) {
    // Whatever is filled in says what it is, also to those who do not see it.
    let nameless = "return [...document.querySelectorAll('input,select,progress')].filter(field => \
        field.checkVisibility() && !field.labels?.length && !field.ariaLabel).map(field => field.id)";
    assert_eq!(browser.script(nameless).await, serde_json::json!([]), "{name}");
    for (scheme, size, width) in
        [("light", "wide", 1100), ("dark", "wide", 1100), ("light", "narrow", 390), ("dark", "narrow", 390)]
    {
        browser.look(scheme, width).await;
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        let beyond = browser.beyond().await;
        assert!(beyond <= 0, "{name} is {beyond} too wide at {width}");
        std::fs::write(folder.join(format!("{name}-{scheme}-{size}.png")), browser.picture().await).unwrap();
    }
}
