//! Somebody in front of the browser.

use std::path::PathBuf;

use anyhow::{ensure, Context, Result};
use stipend_browser::Browser;
use stipend_sdk::Signer;

use super::World;

/// Notes every text that the figures have had, and that the page is the same one.
const WATCH: &str = "
const figures = document.getElementById('live');
window.seen = [figures.innerText];
new MutationObserver(() => window.seen.push(figures.innerText))
    .observe(figures, { childList: true, subtree: true, characterData: true });
return true";

/// Somebody who is signed in.
pub(crate) struct Person<'w> {
    pub(crate) browser: &'w Browser,
    pub(crate) site: String,
    address: String,
    key: PathBuf,
}

impl<'w> Person<'w> {
    /// Signs in with a key file of the stage.
    pub(crate) async fn sign_in(browser: &'w Browser, world: &World, name: &str) -> Result<Self> {
        let site = world.wallet.service.url.clone();
        let file = world.stage.dir.join("keys").join(name);
        let address = Signer::from_file(&file)?.address();
        browser.open(&format!("{site}/sign-in")).await;
        browser.element("#key-form:not([hidden])").await;
        browser.choose_file("#key-file", &file).await;
        browser.click("#key-form button").await;
        browser.wait_for("Sign out").await;
        Ok(Person { browser, site, address, key: file })
    }

    pub(crate) async fn sign_out(self) {
        self.browser.click("form[action='/sign-out'] button").await;
        self.browser.wait_for("On the command line").await;
    }

    /// Signs what the page asks for, with the key file where the page does not have it yet.
    pub(crate) async fn sign(&self, file: &str, button: &str) {
        let asks = format!("const file = document.querySelector('{file}'); return file.checkVisibility()");
        let is_ready = format!("return document.querySelector('{button}').checkVisibility()");
        self.browser.wait_until("something to sign", &is_ready).await;
        if self.browser.evaluate(&asks).await == true {
            self.browser.choose_file(file, &self.key).await;
        }
        self.browser.click(button).await;
    }

    /// Opens a part of the own wallet.
    pub(crate) async fn open(&self, part: &str) {
        self.open_of(&self.address, part).await;
    }

    /// Opens a part of somebody's wallet.
    pub(crate) async fn open_of(&self, owner: &str, part: &str) {
        let url = format!("{}/wallets/{owner}/{part}", self.site);
        self.browser.open(url.trim_end_matches('/')).await;
    }

    /// From now on notes what the figures say.
    pub(crate) async fn watch_figures(&self) {
        self.browser.wait_until("figures that update themselves", WATCH).await;
    }

    /// Waits until the figures say this amount, and nothing of them may change any more.
    pub(crate) async fn wait_until_final(&self, amount: &str) {
        let script = format!(
            "const now = window.seen[window.seen.length - 1];
             return now.includes('{amount}') && now.includes('Nothing is pending.')"
        );
        self.browser.wait_until(&format!("{amount}, final, on a page that nobody reloads"), &script).await;
    }

    /// Whether the figures said this amount while it could still change, before they said that it is final.
    pub(crate) async fn check_it_was_pending(&self, amount: &str) -> Result<()> {
        let seen = self.browser.evaluate("return window.seen").await;
        let seen: Vec<&str> =
            seen.as_array().context("no texts")?.iter().filter_map(|text| text.as_str()).collect();
        let at = |word: &str| seen.iter().position(|text| text.contains(amount) && text.contains(word));
        let (pending, settled) = (at("may still change"), at("Nothing is pending."));
        ensure!(pending.is_some() && pending < settled, "{amount} was not pending first: {seen:#?}");
        Ok(())
    }
}
