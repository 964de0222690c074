//! The wrapper, on pages made for it.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::Duration;

use axum::{response::Html, routing::get, Router};
use stipend_browser::Browser;

const PAGE: &str = "<!doctype html><meta name=viewport content=\"width=device-width\"><title>A page</title>
<p id=said>nothing yet</p>
<form onsubmit=\"said.textContent = `${word.value} ${pick.value} ${file.files[0].name}`; return false\">
<input id=word value=old><select id=pick><option value=a>A<option value=b>B</select>
<input id=file type=file><button>Say</button></form>
<button id=later onclick=\"setTimeout(() => said.remove(), 300)\">Remove</button>
<a href=/file>A file</a>
<style>@media (prefers-color-scheme: dark) { body { background: rgb(1, 2, 3) } } #wide { width: 800px }</style>
<div id=wide>wide</div>";

async fn served() -> String {
    let file =
        get(|| async { ([("content-disposition", "attachment; filename=\"sums.csv\"")], "a,b\n1,2\n") });
    let router = Router::new().route("/", get(|| async { Html(PAGE) })).route("/file", file);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_types_chooses_clicks_reads_and_takes_a_file_away() {
    if !Browser::available() {
        return;
    }
    let (url, browser) = (served().await, Browser::start().await);
    let file = browser.folder().join("given.txt");
    std::fs::write(&file, "given").unwrap();
    browser.open(&url).await;
    browser.type_into("#word", "new").await;
    browser.choose("#pick", "b").await;
    browser.choose_file("#file", &file).await;
    browser.click("form button").await;
    assert!(browser.wait_for("new b given.txt").await.contains("wide"));
    browser.click("#later").await;
    browser.wait_until_gone("given.txt").await;
    assert_eq!(browser.evaluate("return document.title").await, "A page");
    for _ in 0..2 {
        let taken = browser.download("a[href='/file']").await;
        assert_eq!(std::fs::read_to_string(taken).unwrap(), "a,b\n1,2\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_seen_light_and_dark_wide_and_narrow() {
    if !Browser::available() {
        return;
    }
    let (url, browser) = (served().await, Browser::start().await);
    browser.open(&url).await;
    let background = "return getComputedStyle(document.body).backgroundColor";
    browser.look("dark", 1_100).await;
    assert_eq!(browser.evaluate(background).await, "rgb(1, 2, 3)");
    assert!(browser.beyond().await <= 0);
    browser.look("light", 390).await;
    assert_ne!(browser.evaluate(background).await, "rgb(1, 2, 3)");
    assert!(browser.beyond().await > 300);
    assert!(browser.picture().await.starts_with(b"\x89PNG"));
    assert!(browser.whole_picture().await.starts_with(b"\x89PNG"));
    assert!(browser.paper().await.starts_with(b"%PDF"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_is_told_with_what_the_page_says_and_nothing_stays_behind() {
    if !Browser::available() {
        return;
    }
    let (url, browser) = (served().await, Browser::start().await);
    let browser = browser.with_patience(Duration::from_millis(200));
    let folder = browser.folder().to_owned();
    browser.open(&url).await;
    let local = tokio::task::LocalSet::new();
    let waiting = local.spawn_local(async move { browser.wait_for("never said").await });
    let waited = local.run_until(waiting).await;
    let told = *waited.unwrap_err().into_panic().downcast::<String>().unwrap();
    assert!(told.contains("never said") && told.contains("nothing yet") && told.contains(&url), "{told}");
    assert!(!folder.exists(), "the folder stays");
    assert!(!is_mentioned(&folder.display().to_string()), "a process of the browser stays");
}

/// Whether a running process has this among its arguments.
fn is_mentioned(text: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let arguments = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    arguments.into_iter().any(|line| String::from_utf8_lossy(&line).contains(text))
}
