#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, path::Path, time::Duration};

use http::uri::Scheme;
use serde_json::Value;
use stipend_primitives::AccountId;

use super::{
    cluster::{encoded, ClusterJob, Phase},
    manifest,
    record::JobId,
};
use crate::config::JobsConfig;

fn config() -> JobsConfig {
    let texts = |texts: &[(&str, &str)]| -> BTreeMap<String, String> {
        texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    JobsConfig {
        scheme: Scheme::HTTPS,
        authority: "kubernetes.default.svc".parse().unwrap(),
        ca: None,
        token_file: Path::new("token").into(),
        namespace: "inference".into(),
        queue: "batch".into(),
        priority_class: Some("overnight".into()),
        priority_classes: texts(&[("Reasoning", "research")]),
        image: "registry.example/stipend:1".into(),
        command: ["stipend-gateway", "run-job", "--dir", "/work"].map(str::to_owned).to_vec(),
        resources: texts(&[("cpu", "100m"), ("memory", "64Mi"), ("example.com/engine-place", "1")]),
        gateway_url: "https://gateway.inference:8080".into(),
        gateway_ca: Some("-----BEGIN CERTIFICATE-----".into()),
        run_max: Duration::from_secs(900),
        deadline_max: Duration::from_secs(3_600),
        poll: Duration::from_secs(5),
        pending_max: 10,
        pending_per_wallet_max: 10,
        keep: Duration::from_secs(3_600),
        keep_max: 10,
        keep_bytes_max: 1 << 20,
    }
}

fn id() -> JobId {
    "000102030405060708090a0b0c0d0e0f".parse().unwrap()
}

fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_job_is_the_golden_one() {
    let gateway = AccountId::new([7; 32]);
    let made = manifest::job(&config(), &gateway, &id(), "Innovation");
    assert_eq!(made, golden(include_str!("../tests/cluster/job.json")), "{made:#}");
    assert_eq!(manifest::label(&gateway), "stipend.io/gateway=07070707070707070707070707070707");
}

#[test]
fn the_secret_is_the_golden_one_and_holds_no_prompt_and_no_providers_token() {
    let uid = "5c7a1f0e-6d1b-4b6e-9a60-0f6b1d2c3e4f";
    let made = manifest::secret(&config(), &AccountId::new([7; 32]), &id(), uid, "5e");
    assert_eq!(made, golden(include_str!("../tests/cluster/secret.json")), "{made:#}");
}

#[test]
fn the_class_that_pays_chooses_the_priority_class() {
    let class_of = |config: &JobsConfig, class_name: &str| {
        let made = manifest::job(config, &AccountId::new([7; 32]), &id(), class_name);
        made["metadata"]["labels"].get("kueue.x-k8s.io/priority-class").cloned()
    };
    let mut config = config();
    assert_eq!(class_of(&config, "Reasoning"), Some("research".into()));
    assert_eq!(class_of(&config, "Render"), Some("overnight".into()));
    config.priority_class = None;
    assert_eq!(class_of(&config, "Reasoning"), Some("research".into()));
    assert_eq!(class_of(&config, "Render"), None);
}

fn phase(spec: &str, status: &str) -> Phase {
    let text = format!(r#"{{"metadata":{{"name":"n","uid":"u"}},"spec":{spec},"status":{status}}}"#);
    serde_json::from_str::<ClusterJob>(&text).unwrap().phase()
}

#[test]
fn a_jobs_phase_is_read_from_its_spec_and_its_conditions() {
    let suspended = r#"{"conditions":[{"type":"Suspended","status":"True","reason":"JobSuspended"}]}"#;
    assert_eq!(phase(r#"{"suspend":true}"#, suspended), Phase::Suspended);
    assert_eq!(phase(r#"{"suspend":true}"#, r#"{"active":1}"#), Phase::Admitted);
    assert_eq!(phase(r#"{"suspend":true}"#, r#"{"active":0,"terminating":1}"#), Phase::Admitted);
    assert_eq!(phase(r#"{"suspend":false}"#, r#"{"active":1,"ready":1}"#), Phase::Admitted);
    let complete = r#"{"conditions":[{"type":"SuccessCriteriaMet","status":"True"},
        {"type":"Suspended","status":"False"},{"type":"Complete","status":"True"}]}"#;
    assert_eq!(phase(r#"{"suspend":false}"#, complete), Phase::Complete);
    let failed = r#"{"conditions":[{"type":"FailureTarget","status":"True","reason":"DeadlineExceeded",
        "message":"Job was active longer than specified deadline"}]}"#;
    assert!(matches!(phase("{}", failed), Phase::Failed(why) if why.starts_with("DeadlineExceeded: ")));
}

#[test]
fn what_stands_in_a_query_cannot_leave_it() {
    assert_eq!(encoded("a.b/c=d&e f"), "a.b%2Fc%3Dd%26e%20f");
}
