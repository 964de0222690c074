//! A folder with a configuration, a running service, and a ledger that remembers what it was told.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hmac::{Hmac, Mac};
use parking_lot::Mutex;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use sha2::Sha256;
use sp_core::H256;
use stipend_evaluators::{
    config::Config,
    ledger::{Ledger, LedgerError},
    outcome::{Evidence, Outcome, Revert},
    server,
};
use stipend_primitives::{AccountId, ClassId, ModelId};
use stipend_sdk::{
    proof::{GatewayReceipt, SignedReceipt},
    Signer,
};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

/// The webhooks' secret; nothing may show it.
pub const SECRET: &str = "canary-of-the-webhook-5d2c";

/// Receipts that the recorded webhooks name.
pub const A: &str = "00000000000000000000000000000a0a";
pub const B: &str = "00000000000000000000000000000b0b";

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A ledger that may be away, or refuse everything.
#[derive(Clone, Default)]
pub struct FakeLedger(Arc<Mutex<Book>>);

#[derive(Default)]
pub struct Book {
    pub recorded: BTreeMap<Evidence, Outcome>,
    pub withdrawn: Vec<Evidence>,
    pub is_away: bool,
    pub refuses: bool,
}

impl FakeLedger {
    pub fn book<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.0.lock())
    }

    fn answer(&self) -> Result<(), LedgerError> {
        match self.book(|book| (book.is_away, book.refuses)) {
            (true, _) => Err(LedgerError::Unavailable("nobody answers".into())),
            (_, true) => Err(LedgerError::Refused("no such kind".into())),
            _ => Ok(()),
        }
    }
}

impl Ledger for FakeLedger {
    async fn record(&self, outcome: &Outcome) -> Result<(), LedgerError> {
        self.answer()?;
        self.book(|book| book.recorded.insert(outcome.evidence, outcome.clone()));
        Ok(())
    }

    async fn withdraw(&self, revert: &Revert) -> Result<(), LedgerError> {
        self.answer()?;
        self.book(|book| book.withdrawn.push(revert.evidence));
        Ok(())
    }
}

pub struct World {
    pub folder: TempDir,
    pub client: Client,
    deliveries: Mutex<u32>,
}

/// A running service.
pub struct Service {
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), server::StartError>>,
}

impl World {
    /// With these lines after the common ones.
    pub fn new(more: &str) -> Self {
        let world =
            World { folder: tempfile::tempdir().unwrap(), client: Client::new(), deliveries: Mutex::new(0) };
        world.secret("hook.secret", SECRET);
        let gateway = hex::encode(gateway().public());
        let forge = |name: &str, repository: &str| {
            format!(
                "[[forge]]\nname = \"{name}\"\nkind = \"{name}\"\nsecret_file = \"hook.secret\"\nrepositories = [\"{repository}\"]\n"
            )
        };
        let text = format!(
            "listen = \"127.0.0.1:0\"\ndata_dir = \"data\"\ngenesis_hash = \"{:?}\"\ngateways = [\"{gateway}\"]\n{}{}{}{more}",
            genesis(),
            forge("github", "acme/app"),
            forge("gitea", "acme/app"),
            forge("gitlab", "acme/tools/app"),
        );
        world.write("evaluator.toml", &text);
        world
    }

    /// Merges are judged at once.
    pub fn without_hold() -> Self {
        World::new("[merge]\nhold_minutes = 0\n[limits]\nretry_ms = 50\nbody_bytes_max = 65536\n")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    pub fn secret(&self, name: &str, text: &str) {
        fs::set_permissions(self.write(name, text), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub async fn serve(&self, ledger: &FakeLedger) -> Service {
        let config = Config::load(&self.path("evaluator.toml")).unwrap();
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let ledger = ledger.clone();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            server::serve(config, Some(ledger), stopped, |address| {
                let _ = tell.send(address);
            })
            .await
        });
        Service { address: told.await.expect("the service listens"), stop, task }
    }

    /// A signed webhook with a delivery of its own.
    pub fn webhook(&self, service: &Service, forge: &str, event: &str, body: &[u8]) -> RequestBuilder {
        let mut count = self.deliveries.lock();
        *count += 1;
        let delivery = format!("d-{count}");
        let request = self
            .client
            .post(format!("http://{}/v1/webhooks/{forge}", service.address))
            .header("content-type", "application/json")
            .body(body.to_vec());
        match forge {
            "gitlab" => request
                .header("x-gitlab-token", SECRET)
                .header("x-gitlab-event", event)
                .header("idempotency-key", delivery),
            "gitea" => request
                .header("x-gitea-signature", signature(body))
                .header("x-gitea-event", event)
                .header("x-gitea-delivery", delivery),
            _ => request
                .header("x-hub-signature-256", format!("sha256={}", signature(body)))
                .header("x-github-event", event)
                .header("x-github-delivery", delivery),
        }
    }

    pub async fn hand_in(&self, service: &Service, id: &str, owner: u8) -> reqwest::Response {
        let url = format!("http://{}/v1/receipts", service.address);
        self.client.post(url).body(receipt(id, owner).bytes().to_vec()).send().await.unwrap()
    }

    pub async fn get(&self, service: &Service, path: &str) -> (u16, String) {
        let answer = self.client.get(format!("http://{}{path}", service.address)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

impl Service {
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.expect("the service ends when it is told to").unwrap().unwrap();
    }

    /// As by a kill: nothing of the program runs on.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Status and body of an answer.
pub async fn told(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("waited in vain until {what}"));
}

pub fn payload(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/payloads").join(name)).unwrap()
}

pub fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

pub fn genesis() -> H256 {
    H256([7; 32])
}

pub fn wallet(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

fn gateway() -> Signer {
    Signer::from_seed(&[3; 32])
}

/// A receipt as the gateway signs it.
pub fn receipt(id: &str, owner: u8) -> SignedReceipt {
    signed_by(&gateway(), genesis(), id, owner)
}

pub fn signed_by(signer: &Signer, genesis: H256, id: &str, owner: u8) -> SignedReceipt {
    let mut digest = [0; 16];
    hex::decode_to_slice(id, &mut digest).unwrap();
    let receipt = GatewayReceipt {
        format: Default::default(),
        id: digest,
        genesis,
        gateway: signer.account(),
        gateway_key: signer.public(),
        sequence: digest[15].into(),
        wallet: wallet(owner),
        provider: wallet(200),
        model: ModelId(1),
        model_name: Some("llama".into()),
        time_ms: None,
        request_sha256: None,
        response_sha256: None,
        input: 10,
        cached_input: 0,
        output: 5,
        price_book: 1,
        class: ClassId(0),
        cost: 1_000,
        priority_fee: 0,
        held: None,
        batch: None,
        settlement: None,
    };
    receipt.sign(signer).unwrap()
}
