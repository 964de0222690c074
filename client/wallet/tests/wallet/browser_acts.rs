//! Acts in a real browser: made, read, signed and followed as a person does.

use serde_json::Value;
use sp_core::H256;
use stipend_primitives::key;

use super::{
    carrier::grants_of,
    driver::{is_there, Browser},
    lists::{list, person},
    office::Office,
};

impl Office {
    /// Confirms what the page shows, with the key file where it is asked for.
    async fn confirm(&self, browser: &Browser, key: &str, words: &str) {
        browser.wait_for(words).await;
        let asked = browser.script("return document.querySelector('#confirm .key-choice').hidden").await;
        if asked == false {
            browser.fill("#confirm-key", key).await;
        }
        browser.click("#confirm-sign").await;
        browser.wait_for("Done: final in block").await;
    }
}

async fn no_complaints(browser: &Browser) {
    // What the page itself could not do: a blocked script or style, an error nobody caught.
    let bad: Vec<String> =
        browser.log("browser").await.into_iter().filter(|line| !line.contains(" 40")).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_makes_a_key_caps_it_and_revokes_it() {
    if !is_there() {
        return;
    }
    let office = Office::open().await;
    let browser = Browser::start().await;
    let (owner, url) = (&office.employee.signer, &office.service.url);
    browser.sign_in(&office.service, owner).await;
    let key_file = browser.key_file(owner);
    let path = format!("{url}/wallets/{}/keys", owner.address());
    browser.open(&path).await;
    browser.click("#make summary").await;
    browser.fill("#new-credits_per_day_max", "2.5").await;
    browser.click("#new-model-1").await;
    browser.click("#make button").await;
    office.confirm(&browser, &key_file, "It may use stipend-general only.").await;
    let secret = browser.script("return document.getElementById('secret-text').textContent").await;
    let secret = secret.as_str().unwrap();
    assert!(secret.starts_with(key::KEY_PREFIX) && secret.len() == key::KEY_PREFIX.len() + 64);
    // What the page hashed is what a gateway will look up.
    let hash = key::hash(secret);
    let (_, ledger) = office.fake.head();
    assert_eq!(ledger.keys[&hash].limits.credits_per_day_max, Some(2_500_000));
    // It left nothing of itself: neither the text of the key nor the wallet's own key was sent.
    let sent = browser.log("performance").await.join("\n");
    let seed = std::fs::read_to_string(&key_file).unwrap();
    assert!(sent.contains("/api/v1/acts/submit"));
    assert!(!sent.contains(&secret[key::KEY_PREFIX.len()..]) && !sent.contains(seed.trim()));
    browser.click("#confirm-close").await;
    browser.wait_until_gone("Done: final").await;

    let form = |act: &str| format!("form[data-act='{act}'][data-hash='{hash:?}']");
    browser.wait_for(&format!("{hash:?}")).await;
    let card = format!("details:has({})", form("set_limits"));
    browser.click(&format!("{card} summary")).await;
    browser.fill(&format!("{} [name='requests_per_minute_max']", form("set_limits")), "7").await;
    browser.click(&format!("{} button", form("set_limits"))).await;
    office.confirm(&browser, &key_file, "At most 7 requests a minute").await;
    let (_, ledger) = office.fake.head();
    let limits = &ledger.keys[&hash].limits;
    assert_eq!((limits.requests_per_minute_max, limits.credits_per_day_max), (Some(7), Some(2_500_000)));
    browser.click("#confirm-close").await;
    browser.wait_until_gone("Done: final").await;

    browser.click(&format!("{} button", form("revoke_key"))).await;
    office.confirm(&browser, &key_file, "never works again").await;
    assert!(!office.fake.head().1.keys.contains_key(&hash));
    browser.click("#confirm-close").await;
    browser.wait_for("revoked in block").await;
    no_complaints(&browser).await;
    drop(browser);
    office.service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_file_signs_nothing_and_escape_leaves() {
    if !is_there() {
        return;
    }
    let office = Office::open().await;
    let browser = Browser::start().await;
    browser.sign_in(&office.service, &office.hr.signer).await;
    browser.open(&format!("{}/grant?owner={}", office.service.url, office.employee.signer.address())).await;
    browser.fill("#grant-amount", "12.5").await;
    browser.click("form[data-act='grant'] button").await;
    browser.wait_for("12.500000 credits of Innovation").await;
    // The confirmation takes the keyboard, and Escape gives it back.
    let focus = "return document.activeElement.id";
    assert_eq!(browser.script(focus).await, "confirm-title");
    browser.fill("#confirm-key", &browser.key_file(&office.employee.signer)).await;
    browser.click("#confirm-sign").await;
    browser.wait_for("another account's").await;
    let keys = serde_json::json!({ "actions": [{ "type": "key", "id": "k", "actions": [
        { "type": "keyDown", "value": "\u{e00c}" }, { "type": "keyUp", "value": "\u{e00c}" } ] }] });
    browser.ask("/actions", keys).await;
    browser.wait_until_gone("another account's").await;
    assert!(office.fake.carried().is_empty());
    // The right key, the same form.
    browser.click("form[data-act='grant'] button").await;
    office.confirm(&browser, &browser.key_file(&office.hr.signer), "12.500000 credits of Innovation").await;
    assert_eq!(office.fake.carried().len(), 1);
    drop(browser);
    office.service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_with_bad_rows_shows_each_with_its_line_and_grants_nothing() {
    if !is_there() {
        return;
    }
    let office = Office::open().await;
    let browser = Browser::start().await;
    browser.sign_in(&office.service, &office.hr.signer).await;
    browser.open(&format!("{}/grant/list", office.service.url)).await;
    let good = list(3);
    let bad =
        browser.file("bad.csv", &format!("{good}nobody,0,1,\n{},0,many,\n", office.hr.signer.address()));
    browser.fill("#list-file", &bad).await;
    let text = browser.wait_for("Nothing of it was granted").await;
    for words in ["5\towner", "6\tamount", "is not an account", "\"many\" is not an amount"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(browser.script("return document.getElementById('list-sign').checkVisibility()").await, false);
    let mended = browser.file("mended.csv", &good);
    browser.fill("#list-file", &mended).await;
    browser.wait_for("Every line is in order").await;
    assert!(office.fake.carried().is_empty());
    drop(browser);
    office.service.end().await;
}

fn granted(office: &Office) -> Vec<H256> {
    let grants = office.fake.carried().into_iter().flat_map(|one| grants_of(&one.call));
    grants.map(|(owner, _)| H256(owner.into())).collect()
}

async fn wait_until_granted(office: &Office, least: usize) {
    for _ in 0..1_200 {
        if granted(office).len() >= least {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{} of {least} are granted", granted(office).len());
}

/// Chooses list and key, and begins.
async fn begin(office: &Office, browser: &Browser, file: &str, words: &str) {
    browser.open(&format!("{}/grant/list", office.service.url)).await;
    browser.fill("#list-file", file).await;
    browser.wait_for(words).await;
    browser.fill("#list-key", &browser.key_file(&office.hr.signer)).await;
    browser.click("#list-start").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_grants_survive_a_closed_tab_a_killed_service_and_a_killed_browser() {
    if !is_there() {
        return;
    }
    let office = Office::open().await;
    let browser = Browser::start().await;
    browser.sign_in(&office.service, &office.hr.signer).await;
    let text = list(10_000);
    let file = browser.file("all.csv", &text);
    begin(&office, &browser, &file, "10\u{202f}000 would be granted now").await;
    wait_until_granted(&office, 1_024).await;
    let seen = browser.wait_for("of 20 parts are final").await;
    assert!(seen.contains("of 10\u{202f}000 granted"), "{seen}");
    let value = browser.script("return document.getElementById('list-progress').value").await;
    assert!(value.as_u64().unwrap() >= 512, "{value}");

    // The tab is closed in the middle.
    let other = browser.ask("/window/new", serde_json::json!({ "type": "tab" })).await;
    browser.close_tab().await;
    browser.ask("/window", serde_json::json!({ "handle": other["handle"] })).await;
    let before = granted(&office).len();
    begin(&office, &browser, &file, "were granted already").await;
    wait_until_granted(&office, before + 1_024).await;

    // The service is killed and comes back: the page waits, signs in again and goes on.
    let Office { service, fake, employee, hr } = office;
    let office = Office { service: service.restart().await, fake, employee, hr };
    let before = granted(&office).len();
    wait_until_granted(&office, before + 1_024).await;

    // The browser is killed: another one on another profile has nothing but the file.
    drop(browser);
    let browser = Browser::start().await;
    browser.sign_in(&office.service, &office.hr.signer).await;
    let file = browser.file("all.csv", &text);
    begin(&office, &browser, &file, "were granted already").await;
    browser
        .wait_for("10\u{202f}000 of 10\u{202f}000 granted, 20 of 20 parts are final. All is granted.")
        .await;
    let owners = granted(&office);
    let once: std::collections::BTreeSet<_> = owners.iter().copied().collect();
    assert_eq!((owners.len(), once.len()), (10_000, 10_000));
    assert!(once.contains(&H256(person(9_999).into())));

    // The same file once more: nothing is left.
    browser.open(&format!("{}/grant/list", office.service.url)).await;
    browser.fill("#list-file", &file).await;
    browser.wait_for("Nothing is left to grant").await;
    assert_eq!(
        browser.script("return document.getElementById('list-again').hidden").await,
        Value::Bool(false)
    );
    drop(browser);
    office.service.end().await;
}
