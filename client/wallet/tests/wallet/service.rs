//! The service on a loopback port, and signing in to it.

use std::sync::Arc;

use reqwest::{redirect::Policy, Client, StatusCode};
use serde_json::{json, Value};
use stipend_sdk::{SignIn, Signer};
use stipend_wallet::{chain::Source, config::Config, db::Place};
use tokio::{sync::oneshot, task::JoinHandle};

use super::{fake::Fake, history::History, place::tables};

pub struct Service {
    pub url: String,
    pub fake: Arc<Fake>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<anyhow::Result<()>>>,
    place: Place,
    folder: tempfile::TempDir,
}

impl Service {
    pub async fn start(fake: Arc<Fake>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = tables(folder.path());
        Self::start_on(fake, place, folder).await
    }

    pub async fn start_on(fake: Arc<Fake>, place: Place, folder: tempfile::TempDir) -> Self {
        Self::start_at("127.0.0.1:0", fake, place, folder).await
    }

    /// One that is configured in another way.
    pub async fn start_as(
        fake: Arc<Fake>,
        place: Place,
        folder: tempfile::TempDir,
        change: impl FnOnce(Config) -> Config,
    ) -> Self {
        Self::start_with("127.0.0.1:0", fake, place, folder, change).await
    }

    async fn start_at(listen: &str, fake: Arc<Fake>, place: Place, folder: tempfile::TempDir) -> Self {
        Self::start_with(listen, fake, place, folder, |config| config).await
    }

    async fn start_with(
        listen: &str,
        fake: Arc<Fake>,
        place: Place,
        folder: tempfile::TempDir,
        change: impl FnOnce(Config) -> Config,
    ) -> Self {
        let text = format!("listen = \"{listen}\"\nchain = \"ws://unused\"\ndatabase = \"sqlite:unused\"\n");
        let config =
            change(Config { database: place.clone(), ..Config::parse(&text, folder.path()).unwrap() });
        let (stop, stopped) = oneshot::channel::<()>();
        let (told, address) = oneshot::channel();
        let source = fake.clone();
        let task = tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            stipend_wallet::run(config, source, stopped, |address| told.send(address).unwrap()).await
        });
        let url = format!("http://{}", address.await.unwrap());
        let service = Service { url, fake, stop: Some(stop), task: Some(task), place, folder };
        service.wait_until_ready().await;
        service
    }

    /// Waits until the tables hold the newest block.
    pub async fn wait_until_ready(&self) {
        let head = self.fake.height().number;
        for _ in 0..2_000 {
            let answer: Value =
                http().get(format!("{}/readyz", self.url)).send().await.unwrap().json().await.unwrap();
            if answer["block"].as_u64().is_some_and(|block| block >= u64::from(head)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the service did not reach block {head}");
    }

    /// The answer to a challenge, signed for `origin`.
    pub async fn answer(&self, signer: &Signer, origin: &str, link: bool) -> reqwest::Response {
        let asked = http().post(format!("{}/api/v1/sign-in/challenge", self.url)).send().await.unwrap();
        let challenge: Value = asked.json().await.unwrap();
        let mut nonce = [0; 32];
        hex::decode_to_slice(challenge["nonce"].as_str().unwrap(), &mut nonce).unwrap();
        let question = SignIn {
            origin: origin.into(),
            genesis: self.fake.genesis(),
            account: signer.account(),
            nonce,
            expires_at: challenge["expires_at"].as_u64().unwrap(),
        };
        let body = json!({
            "account": signer.address(),
            "nonce": challenge["nonce"],
            "signature": hex::encode(signer.sign_in(&question)),
            "link": link,
        });
        http().post(format!("{}/api/v1/sign-in", self.url)).json(&body).send().await.unwrap()
    }

    pub async fn sign_in(&self, signer: &Signer) -> String {
        let answer = self.answer(signer, &self.url, false).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let body: Value = answer.json().await.unwrap();
        body["token"].as_str().unwrap().to_owned()
    }

    pub async fn get(&self, path: &str, token: &str) -> reqwest::Response {
        http().get(format!("{}{path}", self.url)).bearer_auth(token).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> reqwest::Response {
        let request = http().post(format!("{}{path}", self.url)).bearer_auth(token);
        request.json(body).send().await.unwrap()
    }

    /// Ends the service and starts it anew at its address, with the tables of before.
    pub async fn restart(mut self) -> Self {
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
        let Service { url, fake, place, folder, .. } = self;
        Self::start_at(url.trim_start_matches("http://"), fake, place, folder).await
    }

    pub async fn end(mut self) {
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }
}

pub fn http() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

async fn quiet() -> (Service, Signer) {
    let signer = Signer::generate();
    let mut history = History::new(3, vec![signer.account()]);
    history.run(10);
    (Service::start(history.fake.clone()).await, signer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_for_another_address_opens_nothing() {
    let (service, signer) = quiet().await;
    for origin in ["https://wallet.example", "http://127.0.0.1:1"] {
        assert_eq!(service.answer(&signer, origin, false).await.status(), StatusCode::UNAUTHORIZED);
    }
    let token = service.sign_in(&signer).await;
    assert_eq!(service.get("/api/v1/me", &token).await.status(), StatusCode::OK);
    assert_eq!(service.get("/api/v1/me", "00").await.status(), StatusCode::UNAUTHORIZED);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_signs_one_browser_in_with_a_cookie_that_script_cannot_read() {
    let (service, signer) = quiet().await;
    let body: Value = service.answer(&signer, &service.url, true).await.json().await.unwrap();
    let link = body["link"].as_str().unwrap();
    let shown = http().get(link).send().await.unwrap().text().await.unwrap();
    assert!(shown.contains(&signer.address()));
    let followed = http().post(link).header("origin", &service.url).send().await.unwrap();
    let cookie = followed.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let get = |path: &str| http().get(format!("{}{path}", service.url)).header("cookie", pair).send();
    assert_eq!(get("/api/v1/me").await.unwrap().status(), StatusCode::OK);
    assert_eq!(
        http().post(link).header("origin", &service.url).send().await.unwrap().status(),
        StatusCode::NOT_FOUND
    );

    // Another site cannot act with it; the page itself can sign out, and then it is worth nothing.
    let out = |origin: &str| {
        http()
            .post(format!("{}/sign-out", service.url))
            .header("cookie", pair)
            .header("origin", origin)
            .send()
    };
    assert_eq!(out("https://elsewhere.example").await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(get("/api/v1/me").await.unwrap().status(), StatusCode::OK);
    let without =
        http().post(format!("{}/sign-out", service.url)).header("cookie", pair).send().await.unwrap();
    assert_eq!(without.status(), StatusCode::FORBIDDEN);
    assert_eq!(out(&service.url).await.unwrap().status(), StatusCode::SEE_OTHER);
    assert_eq!(get("/api/v1/me").await.unwrap().status(), StatusCode::UNAUTHORIZED);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_forbids_what_comes_from_elsewhere() {
    let (service, signer) = quiet().await;
    let token = service.sign_in(&signer).await;
    let wallet = format!("/wallets/{}", signer.address());
    for path in ["/sign-in", "/healthz", "/nowhere", &wallet] {
        let answer = service.get(path, &token).await;
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let text = answer.text().await.unwrap();
        assert!(
            !text.contains(" style=") && !text.contains("<script>") && !text.contains(" onclick"),
            "{path}"
        );
    }
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wallet_tells_final_and_pending_apart_and_says_how_far_it_is() {
    let signer = Signer::generate();
    let mut history = History::new(3, vec![signer.account()]);
    history.run(10);
    history.also_own_soon(signer.account(), 5_000_000);
    let service = Service::start(history.fake.clone()).await;
    let token = service.sign_in(&signer).await;
    let answer: Value =
        service.get(&format!("/api/v1/wallets/{}", signer.address()), &token).await.json().await.unwrap();
    let live = &answer["live"];
    assert_eq!(answer["classes"][0]["amounts"], live["finalised"][0]["amounts"]);
    assert_ne!(live["finalised"][0]["amounts"], live["pending"][0]["amounts"]);
    let page = service.get(&format!("/wallets/{}", signer.address()), &token).await.text().await.unwrap();
    assert!(page.contains("may still change") && page.contains("Innovation"));
    let metrics = service.get("/metrics", "").await.text().await.unwrap();
    assert!(metrics.contains("stipend_wallet_behind_blocks 0"), "{metrics}");
    assert!(!metrics.contains(&signer.address()));
    service.end().await;
}
