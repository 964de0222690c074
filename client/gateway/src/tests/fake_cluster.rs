//! A Kubernetes API server in memory, with what Kueue and the Job controller do when a test says so. Its answers have the shape
//! of a real one's: see `cluster/README.md`.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{header, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::{json, Value};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

use super::harness::until;
use crate::{config::JobsConfig, run_job};

pub(super) const TOKEN: &str = "a service account's token";

const JOBS: &str = "/apis/batch/v1/namespaces/inference/jobs";
const SECRETS: &str = "/api/v1/namespaces/inference/secrets";

/// What the API server answers instead, to the next calls of a method at a path that begins so.
pub(super) struct Fault {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) status: u16,
    pub(super) retry_after: Option<&'static str>,
    /// Whether the call is carried out all the same: only its answer is lost.
    pub(super) is_done: bool,
}

#[derive(Default)]
pub(super) struct Objects {
    pub(super) jobs: BTreeMap<String, Value>,
    pub(super) secrets: BTreeMap<String, Value>,
    /// Every call: method, path and query, status.
    pub(super) calls: Vec<(Method, String, u16)>,
    pub(super) faults: VecDeque<Fault>,
    runners: BTreeMap<String, JoinHandle<()>>,
    uids: u32,
}

pub(super) struct FakeCluster {
    pub(super) address: SocketAddr,
    /// Where jobs reach the gateway, whichever runs: what a Service is in a cluster.
    service: SocketAddr,
    gateway: Mutex<Option<SocketAddr>>,
    pub(super) objects: Mutex<Objects>,
    pub(super) token: Mutex<String>,
    /// Jobs in one page, whatever is asked for.
    pub(super) page: Mutex<usize>,
    pub(super) dir: TempDir,
}

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

impl FakeCluster {
    pub(super) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), format!("{TOKEN}\n")).unwrap();
        let cluster = Arc::new(FakeCluster {
            address: listener.local_addr().unwrap(),
            service: service.local_addr().unwrap(),
            gateway: Mutex::default(),
            objects: Mutex::default(),
            token: Mutex::new(TOKEN.into()),
            page: Mutex::new(1_000),
            dir,
        });
        tokio::spawn(serve(listener, cluster.clone()));
        tokio::spawn(pass_on(service, cluster.clone()));
        cluster
    }

    pub(super) fn config(&self) -> JobsConfig {
        JobsConfig {
            scheme: http::uri::Scheme::HTTP,
            authority: self.address.to_string().parse().unwrap(),
            ca: None,
            token_file: self.dir.path().join("token"),
            namespace: "inference".into(),
            queue: "batch".into(),
            priority_class: Some("overnight".into()),
            priority_classes: BTreeMap::new(),
            image: "registry.example/stipend:1".into(),
            command: vec!["stipend-gateway".into()],
            resources: BTreeMap::new(),
            gateway_url: format!("http://{}", self.service),
            gateway_ca: None,
            run_max: Duration::from_secs(60),
            deadline_max: Duration::from_secs(3_600),
            poll: Duration::from_millis(20),
            pending_max: 100,
            pending_per_wallet_max: 50,
            keep: Duration::from_secs(3_600),
            keep_max: 100,
            keep_bytes_max: 1 << 20,
        }
    }

    /// Jobs reach the gateway there from now on.
    pub(super) fn point_at(&self, gateway: SocketAddr) {
        *self.gateway.lock() = Some(gateway);
    }

    /// Names of all Jobs.
    pub(super) fn names(&self) -> Vec<String> {
        self.objects.lock().jobs.keys().cloned().collect()
    }

    /// Kueue gives the Job its place: its pod starts, and what it ends with becomes the Job's status.
    pub(super) fn admit(self: &Arc<Self>, name: &str) {
        let dir = self.mount(name);
        self.resume(name);
        let (cluster, own) = (self.clone(), name.to_owned());
        let runner = tokio::spawn(async move {
            match run_job(&dir).await {
                Ok(()) => cluster.set(&own, false, include_str!("cluster/complete.json")),
                Err(_) => cluster.set(&own, false, include_str!("cluster/given_up.json")),
            }
        });
        self.objects.lock().runners.insert(name.to_owned(), runner);
    }

    /// Kueue gives the Job its place; a test is its runner.
    pub(super) fn resume(&self, name: &str) {
        self.set(name, false, include_str!("cluster/active.json"));
    }

    /// Kueue takes the place back: the pod is killed.
    pub(super) fn evict(&self, name: &str) {
        self.kill(name);
        self.set(name, true, include_str!("cluster/suspended.json"));
    }

    pub(super) fn kill(&self, name: &str) {
        self.objects.lock().runners.remove(name).unwrap().abort();
    }

    /// The Job controller gives the Job up.
    pub(super) fn fail(&self, name: &str) {
        self.set(name, false, include_str!("cluster/failed.json"));
    }

    pub(super) fn complete(&self, name: &str) {
        self.set(name, false, include_str!("cluster/complete.json"));
    }

    /// Somebody deletes the Job.
    pub(super) fn delete(&self, name: &str) {
        self.objects.lock().delete(name);
    }

    /// Texts of a Job's Secret.
    pub(super) fn secret(&self, name: &str) -> Value {
        self.objects.lock().secrets[name]["stringData"].clone()
    }

    /// The next calls that fit are answered so.
    pub(super) fn fault(&self, method: Method, path: &'static str, status: u16) {
        let fault = Fault { method, path, status, retry_after: None, is_done: false };
        self.objects.lock().faults.push_back(fault);
    }

    /// Waits until there are so many Jobs.
    pub(super) async fn has(&self, count: usize) {
        until("the cluster has as many Jobs", || self.names().len() == count).await;
    }

    fn mount(&self, name: &str) -> PathBuf {
        let dir = self.dir.path().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        for (file, text) in self.secret(name).as_object().unwrap() {
            std::fs::write(dir.join(file), text.as_str().unwrap()).unwrap();
        }
        dir
    }

    fn set(&self, name: &str, suspend: bool, status: &str) {
        if let Some(job) = self.objects.lock().jobs.get_mut(name) {
            job["spec"]["suspend"] = suspend.into();
            job["status"] = fixture(status);
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let target = head.uri.path_and_query().unwrap().to_string();
        let shown = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let is_known = shown == Some(format!("Bearer {}", self.token.lock()).as_str());
        let mut objects = self.objects.lock();
        let fits = |fault: &Fault| fault.method == head.method && target.starts_with(fault.path);
        let fault = objects.faults.iter().position(fits).and_then(|at| objects.faults.remove(at));
        let mut retry_after = None;
        let (status, text) = match fault {
            _ if !is_known => (401, fixture(include_str!("cluster/refused_401.json"))),
            Some(fault) => {
                if fault.is_done {
                    objects.act(&head.method, &head.uri, &body, *self.page.lock());
                }
                retry_after = fault.retry_after;
                (fault.status, refusal(fault.status))
            }
            None => objects.act(&head.method, &head.uri, &body, *self.page.lock()),
        };
        objects.calls.push((head.method, target, status));
        let mut answer = Response::builder().status(status).header("content-type", "application/json");
        if let Some(seconds) = retry_after {
            answer = answer.header("retry-after", seconds);
        }
        answer.body(Full::new(text.to_string().into())).unwrap()
    }
}

fn refusal(status: u16) -> Value {
    fixture(match status {
        404 => include_str!("cluster/refused_404.json"),
        409 => include_str!("cluster/refused_409.json"),
        429 => include_str!("cluster/refused_429.json"),
        _ => include_str!("cluster/refused_500.json"),
    })
}

impl Objects {
    fn act(&mut self, method: &Method, uri: &http::Uri, body: &[u8], page: usize) -> (u16, Value) {
        let name = uri.path().strip_prefix(JOBS).map(|rest| rest.trim_start_matches('/'));
        match (method.as_str(), uri.path(), name) {
            ("POST", JOBS, _) => self.create_job(fixture(std::str::from_utf8(body).unwrap())),
            ("POST", SECRETS, _) => self.create_secret(fixture(std::str::from_utf8(body).unwrap())),
            ("GET", JOBS, _) => (200, self.list(uri.query().unwrap(), page)),
            ("GET", _, Some(name)) => match self.jobs.get(name) {
                Some(job) => (200, job.clone()),
                None => (404, refusal(404)),
            },
            ("DELETE", _, Some(name)) => {
                assert_eq!(uri.query(), Some("propagationPolicy=Background"));
                match self.delete(name) {
                    true => (200, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"})),
                    false => (404, refusal(404)),
                }
            }
            _ => panic!("{method} {uri}: the gateway's role does not allow that"),
        }
    }

    fn create_job(&mut self, mut job: Value) -> (u16, Value) {
        assert_eq!(job["spec"]["suspend"], true, "a Job must be created suspended");
        let name = job["metadata"]["name"].as_str().unwrap().to_owned();
        if self.jobs.contains_key(&name) {
            return (409, refusal(409));
        }
        self.uids += 1;
        job["metadata"]["uid"] = format!("00000000-0000-4000-8000-{:012}", self.uids).into();
        job["metadata"]["resourceVersion"] = "4711".into();
        job["status"] = fixture(include_str!("cluster/suspended.json"));
        self.jobs.insert(name, job.clone());
        (StatusCode::CREATED.as_u16(), job)
    }

    fn create_secret(&mut self, secret: Value) -> (u16, Value) {
        let name = secret["metadata"]["name"].as_str().unwrap().to_owned();
        if self.secrets.contains_key(&name) {
            return (409, refusal(409));
        }
        // As the garbage collector sees it: owned by what is not there, it would be removed.
        let owner = &secret["metadata"]["ownerReferences"][0];
        assert_eq!(self.jobs[owner["name"].as_str().unwrap()]["metadata"]["uid"], owner["uid"]);
        self.secrets.insert(name, secret.clone());
        (StatusCode::CREATED.as_u16(), secret)
    }

    fn delete(&mut self, name: &str) -> bool {
        self.secrets.remove(name);
        self.jobs.remove(name).is_some()
    }

    fn list(&self, query: &str, page: usize) -> Value {
        let value = |key: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(&format!("{key}="))).map(str::to_owned)
        };
        let (label, wanted) = value("labelSelector").unwrap().split_once("%3D").map(own).unwrap();
        let label = label.replace("%2F", "/");
        let after = value("continue").map(|text| text.strip_prefix("after.").unwrap().to_owned());
        let fits = |job: &&Value| job["metadata"]["labels"][&label] == wanted.as_str();
        let left: Vec<&Value> = self.jobs.values().filter(fits).collect();
        let left: Vec<&Value> = left
            .into_iter()
            .filter(|job| {
                after.as_deref().is_none_or(|after| job["metadata"]["name"].as_str().unwrap() > after)
            })
            .collect();
        let items: Vec<&Value> = left.iter().take(page).copied().collect();
        let mut metadata = json!({"resourceVersion": "4712"});
        if items.len() < left.len() {
            let last = items.last().unwrap()["metadata"]["name"].as_str().unwrap();
            metadata["continue"] = format!("after.{last}").into();
        }
        json!({"kind": "JobList", "apiVersion": "batch/v1", "metadata": metadata, "items": items})
    }
}

fn own((label, value): (&str, &str)) -> (String, String) {
    (label.to_owned(), value.to_owned())
}

async fn serve(listener: TcpListener, cluster: Arc<FakeCluster>) {
    while let Ok((stream, _)) = listener.accept().await {
        let cluster = cluster.clone();
        let service = service_fn(move |request| {
            let cluster = cluster.clone();
            async move { Ok::<_, Infallible>(cluster.answer(request).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// Connections of jobs go to the gateway that runs now; while none does they are closed.
async fn pass_on(listener: TcpListener, cluster: Arc<FakeCluster>) {
    while let Ok((mut outer, _)) = listener.accept().await {
        let gateway = *cluster.gateway.lock();
        tokio::spawn(async move {
            let Some(gateway) = gateway else { return };
            let Ok(mut inner) = tokio::net::TcpStream::connect(gateway).await else { return };
            drop(tokio::io::copy_bidirectional(&mut outer, &mut inner).await);
        });
    }
}
