//! A service on a chain that takes transactions, and people who sign for themselves.

use std::{sync::Arc, time::Duration};

use ed25519_dalek::{Signer as _, SigningKey};
use reqwest::StatusCode;
use serde_json::{json, Value};
use stipend_primitives::Role;
use stipend_sdk::Signer;

use super::{fake::Fake, history::History, service::Service};

/// A key that signs here as a browser does: bytes that it is given.
pub struct Key {
    key: SigningKey,
    pub signer: Signer,
}

impl Key {
    pub fn new(number: u8) -> Self {
        Key { key: SigningKey::from_bytes(&[number; 32]), signer: Signer::from_seed(&[number; 32]) }
    }

    pub fn signature(&self, payload: &[u8]) -> String {
        let signed = if payload.len() > 256 {
            self.key.sign(&sp_crypto_hashing::blake2_256(payload))
        } else {
            self.key.sign(payload)
        };
        hex::encode(signed.to_bytes())
    }
}

pub fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().trim_start_matches("0x")).unwrap()
}

/// A service on a chain that takes transactions, with an employee who holds something and HR.
pub struct Office {
    pub service: Service,
    pub fake: Arc<Fake>,
    pub employee: Key,
    pub hr: Key,
}

impl Office {
    pub async fn open() -> Self {
        let (employee, hr) = (Key::new(1), Key::new(2));
        let mut history = History::new(3, vec![employee.signer.account()]);
        history.run(30);
        history.hand_programs_to(&hr.signer.account(), &hr.signer.account());
        history.also_own(employee.signer.account());
        let fake = history.fake.clone();
        fake.grant(&hr.signer.account(), Role::Issuer);
        fake.produce(Duration::from_millis(30));
        Office { service: Service::start(fake.clone()).await, fake, employee, hr }
    }

    pub async fn prepare(&self, token: &str, act: &Value) -> (StatusCode, Value) {
        let answer = self.service.post("/api/v1/acts/prepare", token, act).await;
        (answer.status(), answer.json().await.unwrap())
    }

    pub async fn submit(&self, token: &str, transaction: &Value, signature: &str) -> (StatusCode, Value) {
        let body = json!({ "transaction": transaction, "signature": signature });
        let answer = self.service.post("/api/v1/acts/submit", token, &body).await;
        (answer.status(), answer.json().await.unwrap())
    }

    pub async fn sign_and_submit(&self, token: &str, key: &Key, prepared: &Value) -> Value {
        let signature = key.signature(&bytes(&prepared["payload"]));
        let (status, sent) = self.submit(token, &prepared["transaction"], &signature).await;
        assert_eq!(status, StatusCode::OK, "{sent}");
        sent
    }

    /// What becomes of an act in the end.
    pub async fn outcome(&self, token: &str, mut seen: Value) -> Value {
        for _ in 0..500 {
            if !matches!(seen["state"].as_str(), Some("pending" | "in_block")) {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            let path = format!("/api/v1/acts/{}", seen["act"].as_str().unwrap());
            seen = self.service.get(&path, token).await.json().await.unwrap();
        }
        panic!("the act is not decided: {seen}");
    }

    pub async fn carry(&self, token: &str, key: &Key, act: &Value) -> Value {
        let (status, prepared) = self.prepare(token, act).await;
        assert_eq!(status, StatusCode::OK, "{act} {prepared}");
        let sent = self.sign_and_submit(token, key, &prepared).await;
        self.outcome(token, sent).await
    }
}
