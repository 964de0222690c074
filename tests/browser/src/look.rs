//! How a page looks: light and dark, wide and narrow, on paper.

use base64ct::{Base64, Encoding};
use serde_json::{json, Value};

use crate::Browser;

/// Pixels of a page that is looked at without scrolling.
const HEIGHT: u32 = 900;

/// Pixels from which on a screen is no telephone's.
const WIDE: u32 = 600;

impl Browser {
    /// Shows the page `light` or `dark`, so many pixels wide.
    pub async fn look(&self, scheme: &str, width: u32) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.chromium("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        let size = json!({
            "width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": width < WIDE,
        });
        self.chromium("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// By how many pixels the page is wider than the window.
    pub async fn beyond(&self) -> i64 {
        // Not `innerWidth`: a telephone shows a page that is too wide smaller, and calls that its width.
        const SCRIPT: &str =
            "const page = document.documentElement; return page.scrollWidth - page.clientWidth";
        let beyond = self.evaluate(SCRIPT).await;
        beyond.as_i64().unwrap_or_default()
    }

    /// What is seen without scrolling, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        let taken = self.chromium("Page.captureScreenshot", json!({ "captureBeyondViewport": false })).await;
        decoded(&taken, "a picture")
    }

    /// The whole page, as PNG.
    pub async fn whole_picture(&self) -> Vec<u8> {
        let taken = self.chromium("Page.captureScreenshot", json!({ "captureBeyondViewport": true })).await;
        decoded(&taken, "a picture")
    }

    /// The page on A4 paper, as PDF.
    pub async fn paper(&self) -> Vec<u8> {
        let inches = json!({ "paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": true });
        decoded(&self.chromium("Page.printToPDF", inches).await, "a print")
    }
}

fn decoded(taken: &Value, what: &str) -> Vec<u8> {
    let text = taken["data"].as_str().unwrap_or_default();
    match Base64::decode_vec(text) {
        Ok(bytes) if !bytes.is_empty() => bytes,
        _ => panic!("Chromium gave no {what}: {taken}"),
    }
}
