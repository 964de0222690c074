#![doc = include_str!("../README.md")]

mod driver;
mod look;
mod wait;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use fantoccini::{elements::Element, wd::WebDriverCompatibleCommand, Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Url;
use serde_json::{json, Map, Value};

use driver::Driver;

/// How long something may take that certainly happens, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
pub struct Browser {
    client: Client,
    driver: Driver,
    patience: Duration,
}

/// Any command of a session: WebDriver's own, or one of Chromium's.
#[derive(Debug)]
struct Ask {
    path: String,
    body: Value,
}

impl WebDriverCompatibleCommand for Ask {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as std::str::FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

impl Browser {
    /// Whether there is a browser here. Where there is none, it says so, so that nobody takes what was not
    /// tested for tested.
    pub fn available() -> bool {
        let missing: Vec<&str> =
            ["chromedriver", "chromium"].into_iter().filter(|name| !driver::is_installed(name)).collect();
        if !missing.is_empty() {
            println!(
                "NOT tested: pages in a browser, for there is no {}; install chromium and chromium-driver",
                missing.join(" and no ")
            );
        }
        missing.is_empty()
    }

    /// Starts one, with an empty profile.
    pub async fn start() -> Self {
        let driver = Driver::start().await;
        let arguments = driver::arguments(driver.folder());
        let mut wanted = Map::new();
        wanted.insert("goog:chromeOptions".into(), json!({ "args": arguments }));
        // What the browser sends and complains about can be looked at.
        wanted.insert("goog:loggingPrefs".into(), json!({ "performance": "ALL", "browser": "ALL" }));
        let asked = async {
            ClientBuilder::new(HttpConnector::new()).capabilities(wanted).connect(driver.url()).await
        };
        let client = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => panic!("chromedriver did not start Chromium: {error}; {}", driver.said()),
            Err(_) => panic!("chromedriver did not start Chromium within {PATIENCE:?}; {}", driver.said()),
        };
        let browser = Browser { client, driver, patience: PATIENCE };
        let folder = browser.downloads();
        let allowed = json!({ "behavior": "allow", "downloadPath": folder, "eventsEnabled": false });
        browser.chromium("Browser.setDownloadBehavior", allowed).await;
        browser
    }

    /// The same browser, with waits that end after `patience`.
    pub fn with_patience(self, patience: Duration) -> Self {
        Browser { patience, ..self }
    }

    /// A folder that goes with the browser: for files to choose on a page.
    pub fn folder(&self) -> &Path {
        self.driver.folder()
    }

    /// Opens a page.
    pub async fn open(&self, url: &str) {
        if let Err(why) = self.bounded(self.client.goto(url)).await {
            panic!("{url} could not be opened: {why}");
        }
    }

    /// The address of the page.
    pub async fn url(&self) -> String {
        self.bounded(self.client.current_url()).await.map(String::from).unwrap_or_default()
    }

    /// The first element of a selector, as soon as there is one.
    pub async fn element(&self, css: &str) -> Element {
        self.until(&format!("the element {css}"), async || self.find(css).await).await
    }

    async fn find(&self, css: &str) -> Result<Element, String> {
        self.bounded(self.client.find(Locator::Css(css))).await
    }

    /// Clicks on an element as soon as it can be clicked on.
    pub async fn click(&self, css: &str) {
        self.until(&format!("a click on {css}"), async || {
            let element = self.find(css).await?;
            self.bounded(element.click()).await
        })
        .await;
    }

    /// Types into a field, in place of what is there.
    pub async fn type_into(&self, css: &str, text: &str) {
        self.until(&format!("a field {css} to type into"), async || {
            let element = self.find(css).await?;
            self.bounded(element.clear()).await?;
            self.bounded(element.send_keys(text)).await
        })
        .await;
    }

    /// Chooses the option with a value.
    pub async fn choose(&self, css: &str, value: &str) {
        self.until(&format!("the option {value} of {css}"), async || {
            let element = self.find(css).await?;
            self.bounded(element.select_by_value(value)).await
        })
        .await;
    }

    /// Chooses a file, as in the dialogue that its button opens.
    pub async fn choose_file(&self, css: &str, file: &Path) {
        let path = file.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.send_keys(css, &path.display().to_string()).await;
    }

    /// Presses keys in an element; for one that chooses a file, they are its path.
    pub async fn send_keys(&self, css: &str, keys: &str) {
        self.until(&format!("an element {css} that takes keys"), async || {
            let element = self.find(css).await?;
            self.bounded(element.send_keys(keys)).await
        })
        .await;
    }

    /// Closes the tab. The next command needs another one.
    pub async fn close_tab(&self) {
        if let Err(why) = self.bounded(self.client.close_window()).await {
            panic!("the tab could not be closed: {why}");
        }
    }

    /// What the browser logged since the last look: `browser`, which is what pages complain about, or
    /// `performance`, in which everything is that was sent.
    pub async fn log(&self, kind: &str) -> Vec<String> {
        let entries = self.ask("se/log", json!({ "type": kind })).await;
        let text = |entry: &Value| entry["message"].as_str().unwrap_or_default().to_owned();
        entries.as_array().into_iter().flatten().map(text).collect()
    }

    /// What the page says: the text that can be seen.
    pub async fn text(&self) -> String {
        self.try_text().await.unwrap_or_default()
    }

    async fn try_text(&self) -> Result<String, String> {
        const SCRIPT: &str = "return document.body ? document.body.innerText : ''";
        let text = self.bounded(self.client.execute(SCRIPT, vec![])).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// What a script returns on the page.
    pub async fn evaluate(&self, script: &str) -> Value {
        match self.bounded(self.client.execute(script, vec![])).await {
            Ok(value) => value,
            Err(why) => panic!("{}", self.complaint(&format!("the script {script:?}"), &why).await),
        }
    }

    /// Clicks on a link to a file and waits until the file is whole; where it is.
    pub async fn download(&self, css: &str) -> PathBuf {
        let folder = self.downloads();
        self.click(css).await;
        let came = self.until(&format!("the file behind {css}"), async || wait::whole_file(&folder)).await;
        // Out of the way of the next one, which may have the same name.
        let kept =
            tempfile::tempdir_in(self.driver.folder()).map(tempfile::TempDir::keep).and_then(|folder| {
                let kept = folder.join(came.file_name().unwrap_or_default());
                std::fs::rename(&came, &kept).map(|()| kept)
            });
        kept.unwrap_or_else(|error| panic!("{} could not be moved: {error}", came.display()))
    }

    fn downloads(&self) -> PathBuf {
        self.driver.folder().join("downloads")
    }

    /// A command of the session by its path and body, for what has no method here.
    pub async fn ask(&self, path: &str, body: Value) -> Value {
        let command = Ask { path: path.trim_start_matches('/').into(), body };
        let what = format!("{command:?}");
        match self.bounded(self.client.issue_cmd(command)).await {
            Ok(answer) => answer,
            Err(why) => panic!("{}", self.complaint(&what, &why).await),
        }
    }

    /// A command of Chromium's DevTools protocol.
    pub async fn chromium(&self, command: &str, params: Value) -> Value {
        self.ask("goog/cdp/execute", json!({ "cmd": command, "params": params })).await
    }
}
