//! Batch work through the whole gateway: from its submission, through a cluster in memory and the real runner, to its receipt.

use http::Method;
use serde_json::{json, Value};
use stipend_primitives::{
    key::KeyLimits,
    signing::{self, Domain},
    AccountId, ClassId,
};
use stipend_sdk::proof::SignedReceipt;

use super::{fake_chain::genesis, fake_cluster::FakeCluster, harness::*};
use crate::{clock::now_ms, config::Config};

pub(super) struct Site {
    pub(super) setup: Setup,
    pub(super) cluster: std::sync::Arc<FakeCluster>,
}

impl Site {
    pub(super) async fn new() -> Self {
        Self::with(1, |_| ()).await
    }

    pub(super) async fn with(providers: u8, adapt: impl FnOnce(&mut Config)) -> Self {
        let cluster = FakeCluster::start().await;
        let jobs = cluster.config();
        let setup = Setup::with(providers, move |config| {
            config.jobs = Some(jobs);
            adapt(config);
        })
        .await;
        cluster.point_at(setup.address);
        Site { setup, cluster }
    }

    /// Kills the gateway and starts it again.
    pub(super) async fn restart(&mut self) {
        self.setup.crash().await;
        self.setup.start().await;
        self.cluster.point_at(self.setup.address);
    }

    pub(super) async fn post(&self, request: Value) -> Got {
        self.setup.post("/v1/jobs", json!({"endpoint": "/v1/chat/completions", "request": request})).await
    }

    /// A job that is taken: its id and the name of its Job.
    pub(super) async fn submit(&self, prompt: &str) -> (String, String) {
        let got = self.post(chat(prompt)).await;
        assert_eq!(got.status, 202, "{}", got.text());
        let id = got.json()["id"].as_str().unwrap().to_owned();
        let name = format!("stipend-{id}");
        (id, name)
    }

    pub(super) async fn view(&self, id: &str) -> Value {
        let got = self.setup.get(&format!("/v1/jobs/{id}")).await;
        assert_eq!(got.status, 200, "{}", got.text());
        got.json()
    }

    /// Waits until a job is in a state; what is said of it then.
    pub(super) async fn wait_for(&self, id: &str, state: &str) -> Value {
        let began = std::time::Instant::now();
        loop {
            let view = self.view(id).await;
            if view["state"] == state {
                return view;
            }
            assert!(began.elapsed().as_secs() < 30, "no {state}: {view}");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn cancel(&self, id: &str) -> Got {
        let mut request = self.setup.request(&format!("/v1/jobs/{id}"), "");
        *request.method_mut() = Method::DELETE;
        self.setup.send(request).await
    }

    /// What the runner of a job says to the gateway.
    pub(super) async fn as_runner(
        &self,
        name: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Got {
        let secret = self.cluster.secret(name);
        self.with_token(name, secret["token"].as_str().unwrap(), path, headers, body).await
    }

    pub(super) async fn with_token(
        &self,
        name: &str,
        token: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Got {
        let id = name.strip_prefix("stipend-").unwrap();
        let mut request = self.setup.request(&format!("/v1/jobs/{id}{path}"), body.to_owned());
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        self.setup.send(request).await
    }

    /// A runner that begins and then does nothing: what it was told.
    pub(super) async fn begin(&self, name: &str) -> Value {
        self.cluster.resume(name);
        let got = self.as_runner(name, "/begin", &[], "").await;
        assert_eq!(got.status, 200, "{}", got.text());
        got.json()
    }

    pub(super) async fn report(&self, name: &str, order: &Value, body: &str) -> Got {
        let headers = [
            ("x-stipend-request", order["request"].as_str().unwrap()),
            ("x-stipend-provider", order["targets"][0]["provider"].as_str().unwrap()),
            ("x-stipend-status", "200"),
        ];
        self.as_runner(name, "/answer", &headers, body).await
    }

    pub(super) fn spent(&self) -> u128 {
        self.setup.spent(ClassId::INNOVATION)
    }
}

/// An answer that costs `price(tokens)`.
pub(super) fn answer(tokens: u64) -> String {
    json!({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": tokens}}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_in_the_cluster_runs_and_is_charged_what_it_used() {
    let site = Site::new().await;
    let got = site.post(chat("ok")).await;
    assert_eq!(got.status, 202, "{}", got.text());
    let view = got.json();
    let id = view["id"].as_str().unwrap();
    assert_eq!(got.headers["location"], format!("/v1/jobs/{id}"));
    assert_eq!(
        (&view["state"], &view["model"], &view["cost"]),
        (&json!("queued"), &json!("m"), &Value::Null)
    );
    let held = site.setup.held();
    assert_eq!(view["held"], held.to_string());
    assert!(held as u128 > price(5) && site.setup.upstreams[0].seen.lock().is_empty());
    let name = format!("stipend-{id}");
    assert_eq!(site.cluster.names(), std::slice::from_ref(&name));
    let manifest = site.cluster.objects.lock().jobs[&name].clone();
    let labels = &manifest["metadata"]["labels"];
    assert_eq!(
        (&labels["kueue.x-k8s.io/queue-name"], &labels["kueue.x-k8s.io/priority-class"]),
        (&json!("batch"), &json!("overnight"))
    );
    let page = site.setup.get("/metrics").await.text();
    assert!(page.contains("stipend_gateway_jobs{state=\"queued\"} 1"), "{page}");

    site.cluster.admit(&name);
    let done = site.wait_for(id, "done").await;
    assert_eq!((&done["cost"], &done["held"]), (&json!(price(5).to_string()), &json!("0")));
    assert_eq!(done["answer"]["object"], "chat.completion");
    assert_eq!((site.setup.recorded(), site.setup.held()), (1, 0));
    site.setup.charged(1).await;
    assert_eq!(site.spent(), price(5));
    let receipt = site.setup.get(&format!("/v1/aci/receipts/{}", done["receipt"].as_str().unwrap())).await;
    assert_eq!(SignedReceipt::read(&receipt.body).unwrap().receipt().cost, price(5));
    site.cluster.has(0).await;
    assert!(site.cluster.objects.lock().secrets.is_empty());
    let page = site.setup.get("/metrics").await.text();
    assert!(page.contains("stipend_gateway_jobs_ended_total{outcome=\"done\"} 1"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_gets_what_a_live_request_would_bring_and_no_identity() {
    let site = Site::new().await;
    let (id, name) = site.submit("ok").await;
    site.cluster.admit(&name);
    let done = site.wait_for(&id, "done").await;
    let seen = site.setup.upstreams[0].seen.lock()[0].clone();
    assert_eq!((seen.path.as_str(), &seen.body["max_tokens"]), ("/v1/chat/completions", &json!(50)));
    assert_eq!(seen.headers["authorization"], "Bearer shared");
    let signer = &site.setup.config.signer;
    assert_eq!(seen.headers["x-stipend-gateway"], hex::encode(signer.public()));
    let digest = hex::decode(&seen.headers["x-stipend-request"]).unwrap();
    assert_eq!(done["receipt"], hex::encode(&digest));
    let provider = &site.setup.config.upstreams[0].provider;
    let said = [<AccountId as AsRef<[u8]>>::as_ref(provider), &digest].concat();
    let signature: [u8; 64] = hex::decode(&seen.headers["x-stipend-signature"]).unwrap().try_into().unwrap();
    let payload = signing::payload(Domain::Forward, &genesis(), &said);
    assert!(signing::verify(&payload, &signature, &signer.public()));
    let shown = format!("{:?}", seen.headers);
    assert!(!shown.contains(KEY) && !shown.contains(&id), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_with_a_whole_answer_can_be_a_job() {
    let site = Site::new().await;
    for (endpoint, prompt) in [
        ("/v1/completions", "prompt"),
        ("/v1/responses", "input"),
        ("/v1/messages", "messages"),
        ("/v1/embeddings", "input"),
    ] {
        let mut request = json!({"model": "m", "max_tokens": 50});
        request[prompt] = if prompt == "messages" { chat("ok")[prompt].clone() } else { json!("ok") };
        let got = site.setup.post("/v1/jobs", json!({"endpoint": endpoint, "request": request})).await;
        assert_eq!(got.status, 202, "{endpoint}: {}", got.text());
        let id = got.json()["id"].as_str().unwrap().to_owned();
        site.cluster.admit(&format!("stipend-{id}"));
        let done = site.wait_for(&id, "done").await;
        assert_eq!(done["endpoint"], endpoint);
    }
    site.setup.charged(4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_refused_as_live_requests_are_and_nothing_stays_held() {
    let site = Site::with(1, |config| config.jobs.as_mut().unwrap().pending_per_wallet_max = 1).await;
    let mut dear = chat("ok");
    dear["max_tokens"] = json!(100_000);
    let mut stream = chat("ok");
    stream["stream"] = json!(true);
    let mut unknown = chat("ok");
    unknown["model"] = json!("nobody's");
    let limits = KeyLimits { request_cost_max: Some(100_000), ..KeyLimits::default() };
    site.setup.chain.change(|ledger| ledger.set_key(KEY, &site.setup.owner, limits.clone()));
    let hash = stipend_primitives::key::hash(KEY);
    let state = || &site.setup.engine().state;
    until("the cap is known", || state().keys.get(&hash).is_some_and(|key| key.limits == limits)).await;
    for (request, status, code) in [
        (dear, 403, "request_cost_above_cap"),
        (stream, 400, "stream_not_served"),
        (unknown, 404, "model_not_found"),
        (json!({"model": "m", "max_tokens": 0, "messages": []}), 400, "max_tokens_out_of_range"),
    ] {
        let got = site.post(request).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (status, code));
    }
    for body in [
        json!({}),
        json!({"endpoint": "/v1/models", "request": {}}),
        json!({"endpoint": "/v1/chat/completions", "request": chat("ok"), "deadline_ms": 3_600_001}),
        json!({"endpoint": "/v1/chat/completions", "request": chat("ok"), "deadline_ms": 0}),
    ] {
        assert_eq!(site.setup.post("/v1/jobs", body.clone()).await.status, 400, "{body}");
    }
    for header in ["x-stipend-priority-fee", "x-stipend-deadline-ms"] {
        let body = json!({"endpoint": "/v1/chat/completions", "request": chat("ok")}).to_string();
        let mut request = site.setup.request("/v1/jobs", body);
        request.headers_mut().insert(header, "5".parse().unwrap());
        assert_eq!(site.setup.send(request).await.code(), "terms_not_served");
    }
    assert_eq!((site.setup.held(), site.cluster.names().len()), (0, 0));
    site.submit("ok").await;
    let held = site.setup.held();
    let got = site.post(chat("ok")).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (429, "too_many_jobs"));
    assert_eq!((site.setup.held(), site.cluster.names().len()), (held, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_a_cluster_says_so() {
    let setup = Setup::new().await;
    let got =
        setup.post("/v1/jobs", json!({"endpoint": "/v1/chat/completions", "request": chat("ok")})).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (404, "jobs_not_served"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_wallet_sees_or_cancels_a_job_and_nobody_but_its_runner_reports() {
    let site = Site::new().await;
    let setup = &site.setup;
    let other = AccountId::new([8; 32]);
    setup.chain.change(|ledger| {
        ledger.endow(&other, ClassId::INNOVATION, MILLION);
        ledger.set_key("other", &other, KeyLimits::default());
        ledger.set_key("second", &setup.owner, KeyLimits::default());
    });
    let known = |text: &str| setup.engine().state.keys.get(&stipend_primitives::key::hash(text)).is_some();
    until("the keys are known", || known("other") && known("second")).await;
    let (id, name) = site.submit("ok").await;
    let (_, name_of_another) = site.submit("ok").await;
    for (key, status) in [("other", 404), ("second", 200), ("nobody", 401)] {
        for method in [Method::GET, Method::DELETE] {
            let path = if method == Method::GET {
                format!("/v1/jobs/{id}")
            } else {
                format!("/v1/jobs/{}", &id[1..])
            };
            let mut request = setup.request(&path, "");
            *request.method_mut() = method.clone();
            request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
            let status = if method == Method::DELETE && status == 200 { 404 } else { status };
            assert_eq!(setup.send(request).await.status, status, "{method} with {key}");
        }
    }
    let secret = site.cluster.secret(&name_of_another);
    for token in [secret["token"].as_str().unwrap(), KEY, ""] {
        for path in ["/begin", "/answer"] {
            assert_eq!(site.with_token(&name, token, path, &[], "").await.code(), "invalid_job_token");
        }
    }
    let order = site.begin(&name).await;
    let mut stranger = order.clone();
    stranger["targets"][0]["provider"] = json!("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
    let mut invented = order.clone();
    invented["request"] = json!("ab".repeat(16));
    for order in [stranger, invented] {
        assert_eq!(site.report(&name, &order, &answer(5)).await.code(), "unknown_attempt");
    }
    assert_eq!(site.as_runner(&name, "/answer", &[], &answer(5)).await.code(), "invalid_report");
    assert_eq!(setup.recorded(), 0);
    assert_eq!(site.view(&id).await["state"], "running");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_beyond_the_bound_on_bytes_is_refused_and_not_charged() {
    let site = Site::with(1, |config| config.limits.answer_bytes_max = 2_000).await;
    let (_, name) = site.submit("ok").await;
    let order = site.begin(&name).await;
    let long = format!("{}{}", answer(5), " ".repeat(2_000));
    assert_eq!(site.report(&name, &order, &long).await.status, 413);
    assert_eq!(site.setup.recorded(), 0);
    assert_eq!(site.report(&name, &order, &answer(5)).await.status, 200);
    assert_eq!(site.setup.recorded(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_are_over_are_kept_for_as_long_as_is_said_and_no_longer() {
    let site = Site::with(1, |config| config.jobs.as_mut().unwrap().keep_max = 2).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (id, name) = site.submit("ok").await;
        let order = site.begin(&name).await;
        assert_eq!(site.report(&name, &order, &answer(5)).await.status, 200);
        ids.push(id);
    }
    let setup = &site.setup;
    let dir = setup.config.data_dir.join("jobs");
    let files = || std::fs::read_dir(&dir).unwrap().count();
    until("the oldest is forgotten", || files() == 4).await;
    let status = |id: String| async move { setup.get(&format!("/v1/jobs/{id}")).await.status.as_u16() };
    let statuses = futures::future::join_all(ids.into_iter().map(status));
    assert_eq!(statuses.await, [404, 200, 200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_ends_a_job_that_nobody_began() {
    let site = Site::new().await;
    let body = json!({"endpoint": "/v1/chat/completions", "request": chat("ok"), "deadline_ms": 100});
    let before = now_ms();
    let got = site.setup.post("/v1/jobs", body).await.json();
    assert!((before + 100..before + 60_000).contains(&got["deadline_at_ms"].as_u64().unwrap()));
    let failed = site.wait_for(got["id"].as_str().unwrap(), "failed").await;
    assert_eq!(failed["error"]["code"], "deadline_exceeded");
    assert_eq!(site.setup.held(), 0);
    site.cluster.has(0).await;
}
