//! A gateway, an attestor and an engine.

use std::{
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use codec::Encode;
use ed25519_dalek::{Signer, SigningKey};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{json, Value};
use sp_core::H256;
use stipend_attestor::{Attestor, Config};
use stipend_engine_sim::{serve, Engine, Options};
use stipend_primitives::{
    attestation::{Claim, SignedAttestation, SignedClaim},
    leaf::UsageLeaf,
    AccountId, Digest, Sequence,
};
use tempfile::TempDir;
use tokio::net::TcpListener;

pub const GENESIS: H256 = H256([7; 32]);
pub const PROVIDER: AccountId = AccountId::new([9; 32]);
pub const TOKEN: &str = "a shared secret";
/// Names a model that the engine calls `tiny`.
pub const MODEL: &str = "stipend/tiny";
pub const MODEL_ID: u16 = 4;

/// A gateway's view of an attestor.
#[derive(Clone)]
pub struct Gateway {
    pub key: SigningKey,
    pub attestor: SocketAddr,
    client: Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>,
}

pub struct World {
    _dir: TempDir,
    pub engine: Engine,
    _attestor: Attestor,
    pub gateway: Gateway,
}

pub fn gateway_key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

pub fn digest(number: u64) -> Digest {
    let mut digest = [0; 16];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    digest
}

/// Starts a simulated engine.
pub async fn engine(options: Options) -> (Engine, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let engine = Engine::new(Options { models: vec!["tiny".into()], ..options });
    tokio::spawn(serve(listener, engine.clone(), std::future::pending()));
    (engine, address)
}

/// Writes a configuration and its secrets; `more` is appended.
pub fn write_config(dir: &Path, engine: SocketAddr, more: &str) -> PathBuf {
    let gateway = AccountId::new(gateway_key().verifying_key().to_bytes());
    let key = dir.join("attestor.key");
    std::fs::write(&key, format!("{}\n", "05".repeat(32))).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(dir.join("gateway.token"), format!("{TOKEN}\n")).unwrap();
    let path = dir.join("attestor.toml");
    let text = format!(
        r#"
        listen = "127.0.0.1:0"
        provider = "{PROVIDER}"
        key_file = "attestor.key"
        data_dir = "data"
        genesis_hash = "{GENESIS:?}"
        [engine]
        url = "http://{engine}"
        [[gateway]]
        account = "{gateway}"
        token_file = "gateway.token"
        [[model]]
        name = "{MODEL}"
        id = {MODEL_ID}
        engine_name = "tiny"
        {more}
        "#
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// Starts an attestor in front of an engine.
pub async fn attestor(dir: &Path, engine: SocketAddr, more: &str) -> (Attestor, Gateway) {
    let config = Config::load(&write_config(dir, engine, more)).unwrap();
    let attestor = Attestor::start(config).await.unwrap();
    let gateway = Gateway::new(attestor.address());
    (attestor, gateway)
}

pub async fn world(options: Options, more: &str) -> World {
    let dir = tempfile::tempdir().unwrap();
    let (engine, address) = engine(options).await;
    let (attestor, gateway) = attestor(dir.path(), address, more).await;
    World { _dir: dir, engine, _attestor: attestor, gateway }
}

pub fn chat(more: Value) -> Value {
    let mut body =
        json!({ "model": MODEL, "messages": [{ "role": "user", "content": "Count this, please." }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

impl Gateway {
    pub fn new(attestor: SocketAddr) -> Self {
        Gateway { key: gateway_key(), attestor, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    pub fn account(&self) -> AccountId {
        AccountId::new(self.key.verifying_key().to_bytes())
    }

    /// A request with all that a gateway sends.
    pub fn request(&self, path: &str, digest: Digest) -> http::request::Builder {
        Request::post(format!("http://{}{path}", self.attestor))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("x-stipend-gateway", hex::encode(self.account()))
            .header("x-stipend-request", hex::encode(digest))
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        self.client.request(request).await.unwrap()
    }

    pub async fn try_post(
        &self,
        path: &str,
        digest: Digest,
        body: &Value,
    ) -> Result<(StatusCode, String), Box<dyn std::error::Error + Send + Sync>> {
        let request = self.request(path, digest).body(Full::new(Bytes::from(body.to_string()))).unwrap();
        let response = self.client.request(request).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8(bytes.to_vec())?))
    }

    pub async fn post(&self, path: &str, digest: Digest, body: Value) -> (StatusCode, String) {
        self.try_post(path, digest, &body).await.unwrap()
    }

    pub async fn chat(&self, digest: Digest, more: Value) -> (StatusCode, String) {
        self.post("/v1/chat/completions", digest, chat(more)).await
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Bytes) {
        let request = Request::get(format!("http://{}{path}", self.attestor));
        let response = self.send(request.body(Full::default()).unwrap()).await;
        (response.status(), response.into_body().collect().await.unwrap().to_bytes())
    }

    pub fn claim_bytes(&self, first_seq: Sequence, digests: &[Digest]) -> Vec<u8> {
        let claim = Claim {
            gateway: self.account(),
            provider: PROVIDER,
            first_seq,
            last_seq: first_seq + digests.len() as u64 - 1,
            requests: (first_seq..).zip(digests.iter().copied()).collect(),
        };
        let signature = self.key.sign(&claim.signing_payload(&GENESIS)).to_bytes();
        SignedClaim { claim, signature }.encode()
    }

    pub async fn claim(&self, first_seq: Sequence, digests: &[Digest]) -> StatusCode {
        let request = Request::post(format!("http://{}/v1/claims", self.attestor));
        let body = Full::new(Bytes::from(self.claim_bytes(first_seq, digests)));
        self.send(request.body(body).unwrap()).await.status()
    }

    pub fn range_path(&self, first_seq: Sequence, last_seq: Sequence) -> String {
        format!("/v1/attestations/{}/{first_seq}/{last_seq}", hex::encode(self.account()))
    }

    /// Claims requests and fetches what is attested of them, checked as a validator checks it.
    pub async fn attested(
        &self,
        first_seq: Sequence,
        digests: &[Digest],
    ) -> (SignedAttestation, Vec<UsageLeaf>) {
        assert_eq!(self.claim(first_seq, digests).await, StatusCode::NO_CONTENT);
        let path = self.range_path(first_seq, first_seq + digests.len() as u64 - 1);
        let (status, body) = self.get(&path).await;
        assert_eq!(status, StatusCode::OK);
        let signed: SignedAttestation = serde_json::from_slice(&body).unwrap();
        let key = SigningKey::from_bytes(&[5; 32]).verifying_key().to_bytes();
        assert!(signed.verifies(&GENESIS, &key));
        let (_, leaves) = self.get(&format!("{path}/leaves")).await;
        let leaves = UsageLeaf::read_all(&leaves).unwrap();
        assert_eq!(signed.attestation.root, UsageLeaf::root(&leaves));
        (signed, leaves)
    }

    /// The value of an attestor's metric.
    pub async fn metric(&self, name: &str) -> Option<i64> {
        let (_, text) = self.get("/metrics").await;
        let text = String::from_utf8(text.to_vec()).unwrap();
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }
}
