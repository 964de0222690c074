//! A browser for these tests: `stipend-browser`, with what somebody with a key does.

use std::ops::Deref;

use serde_json::Value;
use stipend_sdk::Signer;

use super::service::Service;

/// A browser, in which somebody signs in.
pub struct Browser(stipend_browser::Browser);

impl Deref for Browser {
    type Target = stipend_browser::Browser;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Browser {
    pub async fn start() -> Self {
        Browser(stipend_browser::Browser::start().await)
    }

    pub async fn script(&self, script: &str) -> Value {
        self.evaluate(script).await
    }

    /// Chooses a file, or types.
    pub async fn fill(&self, css: &str, text: &str) {
        self.send_keys(css, text).await;
    }

    /// A file of this text, to be chosen.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// The file of a key, to be chosen.
    pub fn key_file(&self, signer: &Signer) -> String {
        let file = self.folder().join(format!("{}.key", signer.address()));
        if !file.exists() {
            signer.save(&file).unwrap();
        }
        file.display().to_string()
    }

    /// Signs in with a key file, as a person does.
    pub async fn sign_in(&self, service: &Service, signer: &Signer) {
        self.open(&format!("{}/sign-in", service.url)).await;
        self.element("#key-form:not([hidden])").await;
        self.fill("#key-file", &self.key_file(signer)).await;
        self.click("#key-form button").await;
        self.wait_for("Sign out").await;
    }
}

/// Whether there is a browser; says so where there is none.
pub fn is_there() -> bool {
    stipend_browser::Browser::available()
}

pub fn is_long() -> bool {
    let long = std::env::var_os("STIPEND_TEST_LONG").is_some();
    if !long {
        println!("NOT tested: pages in a browser; set STIPEND_TEST_LONG=1");
    }
    long
}
