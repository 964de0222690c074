//! Waiting: always with an end, and with a sentence where it was in vain.

use std::{
    fmt::Display,
    future::Future,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::Browser;

/// How often a page is looked at.
const POLL: Duration = Duration::from_millis(50);

/// How long the driver may take for one answer. Opening a page takes as long as the page.
const ANSWER: Duration = Duration::from_secs(60);

/// Characters of a page that a sentence quotes: enough to see which page it is and what it complains about.
const QUOTED: usize = 3_000;

impl Browser {
    /// Waits until the page says these words; what it says then.
    pub async fn wait_for(&self, words: &str) -> String {
        self.wait_for_within(words, self.patience).await
    }

    /// The same with a patience of its own.
    pub async fn wait_for_within(&self, words: &str, patience: Duration) -> String {
        self.until_within(patience, &format!("the words {words:?}"), async || {
            let text = self.try_text().await?;
            if text.contains(words) {
                Ok(text)
            } else {
                Err("they are not on the page".into())
            }
        })
        .await
    }

    /// Waits until the page does not say these words any more.
    pub async fn wait_until_gone(&self, words: &str) {
        self.until(&format!("the words {words:?} to go"), async || {
            if self.try_text().await?.contains(words) {
                Err("they stay on the page".into())
            } else {
                Ok(())
            }
        })
        .await
    }

    /// Waits until a script returns something that is true; `what` says what that means.
    pub async fn wait_until(&self, what: &str, script: &str) -> serde_json::Value {
        self.until(what, async || {
            let value = self.bounded(self.client.execute(script, vec![])).await?;
            match value {
                serde_json::Value::Null | serde_json::Value::Bool(false) => {
                    Err(format!("{script:?} returns {value}"))
                }
                value => Ok(value),
            }
        })
        .await
    }

    /// Looks until there is something to see.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Result<T, String>) -> T {
        self.until_within(self.patience, what, look).await
    }

    async fn until_within<T>(
        &self,
        patience: Duration,
        what: &str,
        look: impl AsyncFn() -> Result<T, String>,
    ) -> T {
        let started = Instant::now();
        loop {
            let why = match look().await {
                Ok(seen) => return seen,
                Err(why) => why,
            };
            if started.elapsed() > patience {
                panic!("waited {patience:?} for {}", self.complaint(what, &why).await);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// What was wanted in vain, and what the page says instead.
    pub(crate) async fn complaint(&self, what: &str, why: &str) -> String {
        let (url, text) = (self.url().await, self.text().await);
        let quoted: String = text.chars().take(QUOTED).collect();
        format!("{what}: {why}. {url} says:\n{quoted}")
    }

    /// The driver's answer, or why there is none.
    pub(crate) async fn bounded<T, E: Display>(
        &self,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Result<T, String> {
        match tokio::time::timeout(ANSWER, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            // Its first line says it; the rest is the driver's own stack.
            Ok(Err(error)) => Err(error.to_string().lines().next().unwrap_or_default().to_owned()),
            Err(_) => Err(format!("chromedriver gave no answer within {ANSWER:?}")),
        }
    }
}

/// The one file of a folder, once the browser does not write to it any more.
pub(crate) fn whole_file(folder: &Path) -> Result<PathBuf, String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    // Chromium writes under another name, and gives the file its own when it is whole.
    let is_partial = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".crdownload") || name.starts_with(".org.chromium.")
    };
    match &files[..] {
        [] => Err("no file came".into()),
        [one] if !is_partial(one) => Ok(one.clone()),
        some => Err(format!("the browser still writes {some:?}")),
    }
}
