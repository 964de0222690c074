//! A real browser (Debian's chromium and chromium-driver).

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64ct::{Base64, Encoding};
use serde_json::{json, Value};
use stipend_sdk::Signer;

use super::service::Service;

/// A browser, driven by WebDriver.
pub struct Browser {
    driver: Child,
    session: String,
    http: reqwest::Client,
    pub profile: tempfile::TempDir,
}

impl Browser {
    pub async fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is not installed (Debian: chromium, chromium-driver)");
        let profile = tempfile::tempdir().unwrap();
        let http = reqwest::Client::new();
        let base = format!("http://127.0.0.1:{port}/session");
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
                "goog:chromeOptions": { "args": arguments },
                // What the browser sends, to be looked at.
                "goog:loggingPrefs": { "performance": "ALL", "browser": "ALL" },
            } } });
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let Ok(answer) = http.post(&base).json(&wanted).send().await else { continue };
            let answer: Value = answer.json().await.unwrap();
            let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{answer}"));
            return Browser { driver, session: format!("{base}/{id}"), http, profile };
        }
        panic!("chromedriver does not answer");
    }

    pub async fn ask(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(format!("{}{path}", self.session)).json(&body).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["value"].clone()
    }

    pub async fn open(&self, url: &str) {
        self.ask("/url", json!({ "url": url })).await;
    }

    pub async fn element(&self, css: &str) -> String {
        for _ in 0..100 {
            let found = self.ask("/element", json!({ "using": "css selector", "value": css })).await;
            if let Some(id) = found.as_object().and_then(|map| map.values().next()?.as_str()) {
                if found.get("error").is_none() {
                    return id.to_owned();
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no {css} on {}", self.text().await);
    }

    pub async fn click(&self, css: &str) {
        let id = self.element(css).await;
        let answer = self.ask(&format!("/element/{id}/click"), json!({})).await;
        assert!(answer.is_null(), "{css}: {answer}");
    }

    pub async fn text(&self) -> String {
        let script = json!({ "script": "return document.body.innerText", "args": [] });
        self.ask("/execute/sync", script).await.as_str().unwrap_or_default().to_owned()
    }

    pub async fn wait_for(&self, words: &str) -> String {
        self.wait_within(20, words).await
    }

    pub async fn wait_within(&self, seconds: u32, words: &str) -> String {
        for _ in 0..seconds * 10 {
            let text = self.text().await;
            if text.contains(words) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{words:?} is not on the page: {}", self.text().await);
    }

    pub async fn wait_until_gone(&self, words: &str) {
        for _ in 0..200 {
            if !self.text().await.contains(words) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{words:?} stays on the page");
    }

    pub async fn look(&self, scheme: &str, width: u32) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let command = json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } });
        self.ask("/goog/cdp/execute", command).await;
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size });
        self.ask("/goog/cdp/execute", command).await;
    }

    pub async fn picture(&self) -> Vec<u8> {
        let command =
            json!({ "cmd": "Page.captureScreenshot", "params": { "captureBeyondViewport": false } });
        let taken = self.ask("/goog/cdp/execute", command).await;
        Base64::decode_vec(taken["data"].as_str().unwrap()).unwrap()
    }

    pub async fn script(&self, script: &str) -> Value {
        self.ask("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Chooses a file, or types.
    pub async fn fill(&self, css: &str, text: &str) {
        let input = self.element(css).await;
        let answer = self.ask(&format!("/element/{input}/value"), json!({ "text": text })).await;
        assert!(answer.is_null(), "{css}: {answer}");
    }

    /// Closes the tab in which it is.
    pub async fn close_tab(&self) {
        self.http.delete(format!("{}/window", self.session)).send().await.unwrap();
    }

    /// A file of this text, to be chosen.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.profile.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// The file of a key, to be chosen.
    pub fn key_file(&self, signer: &Signer) -> String {
        let file = self.profile.path().join(format!("{}.key", signer.address()));
        if !file.exists() {
            signer.save(&file).unwrap();
        }
        file.display().to_string()
    }

    /// Everything that the browser logged of a kind since the last look.
    pub async fn log(&self, kind: &str) -> Vec<String> {
        let entries = self.ask("/se/log", json!({ "type": kind })).await;
        let text = |entry: &Value| entry["message"].as_str().unwrap_or_default().to_owned();
        entries.as_array().unwrap_or_else(|| panic!("{entries}")).iter().map(text).collect()
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

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser too.
        let session = self.session.clone();
        let http = self.http.clone();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let _ = runtime.block_on(http.delete(session).send());
        });
        let _ = ended.join();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Whether there is a browser; says so where there is none.
pub fn is_there() -> bool {
    let there = |program: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    };
    let all = there("chromium") && there("chromedriver");
    if !all {
        println!("NOT tested: pages in a browser; install chromium and chromium-driver");
    }
    all
}

pub fn is_long() -> bool {
    let long = std::env::var_os("STIPEND_TEST_LONG").is_some();
    if !long {
        println!("NOT tested: pages in a browser; set STIPEND_TEST_LONG=1");
    }
    long
}
