//! Whatever a provider sends that is not genuine evidence for this round, key and issuer: no finding.

use stipend_evidence_token::{
    issue::{bundle, signed_part, Issuer, Statement},
    BUNDLE_LEN_MAX,
};

use super::{network::Answer, world::*};
use crate::mock::*;

/// Whether a validator reports anything when the provider's attestor answers with this.
fn is_reported(body: impl FnOnce(&Machine) -> Vec<u8>) -> bool {
    let mut ext = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let machine = Machine::registered(9, 2);
        let body = body(&machine);
        machine.serve_body(&node.network, body);
    });
    let reports = node.run(&mut ext).len();
    assert_eq!(node.network.asked().len(), 1);
    reports > 0
}

/// The bundle of a statement whose overall and device tokens have this header, signed by the issuer.
fn with_header(statement: &Statement, header: &str) -> Vec<u8> {
    let issuer = issuer();
    let devices: Vec<(String, String)> = statement
        .devices
        .iter()
        .map(|(name, claims)| (name.clone(), issuer.sign(header, &claims.to_string())))
        .collect();
    let mut overall = statement.overall.clone();
    let digests = devices
        .iter()
        .map(|(name, token)| (name.clone(), stipend_evidence_token::issue::digest(token)))
        .collect::<serde_json::Map<_, _>>();
    overall["submods"] = digests.into();
    bundle(&issuer.sign(header, &overall.to_string()), &devices)
}

#[test]
fn genuine_evidence_is_reported_so_that_the_rest_of_this_page_means_something() {
    assert!(is_reported(|machine| machine.statement().bundle(&issuer())));
    let kid = issuer().key_id().to_string();
    let header = format!(r#"{{"kid":"{kid}","alg":"ES384"}}"#);
    assert!(is_reported(|machine| with_header(&machine.statement(), &header)));
}

#[test]
fn other_algorithms_are_refused_even_with_a_good_signature() {
    for algorithm in ["none", "HS256", "HS384", "ES256", "RS256", "es384"] {
        let header = format!(r#"{{"kid":"{}","alg":"{algorithm}"}}"#, issuer().key_id());
        assert!(!is_reported(|machine| with_header(&machine.statement(), &header)), "{algorithm}");
    }
}

#[test]
fn a_token_that_brings_its_own_key_or_demands_an_extension_is_refused() {
    let mallory = Issuer::new("mallory");
    let jwk = mallory.jwks()["keys"][0].clone();
    let own = serde_json::json!({ "kid": mallory.key_id(), "alg": "ES384", "jwk": jwk }).to_string();
    let by_mallory = |machine: &Machine| {
        let statement = machine.statement();
        let devices: Vec<(String, String)> = statement
            .devices
            .iter()
            .map(|(name, claims)| (name.clone(), mallory.sign(&own, &claims.to_string())))
            .collect();
        bundle(&statement.overall_token(&mallory, &devices), &devices)
    };
    assert!(!is_reported(by_mallory));
    let critical = format!(r#"{{"kid":"{}","alg":"ES384","crit":["exp"]}}"#, issuer().key_id());
    assert!(!is_reported(|machine| with_header(&machine.statement(), &critical)));
}

#[test]
fn the_local_verifiers_tokens_are_refused() {
    // Its HS256 key is published; nothing but the algorithm has to be looked at.
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    let forged = |machine: &Machine| {
        let statement = machine.statement();
        let token = |claims: &serde_json::Value| {
            format!("{}.{}", signed_part(header, &claims.to_string()), "c2VjcmV0")
        };
        let devices: Vec<(String, String)> =
            statement.devices.iter().map(|(name, claims)| (name.clone(), token(claims))).collect();
        bundle(&token(&statement.overall), &devices)
    };
    assert!(!is_reported(forged));
}

#[test]
fn another_issuers_tokens_are_refused() {
    assert!(!is_reported(|machine| machine.statement().bundle(&Issuer::new("mallory"))));
}

#[test]
fn evidence_for_another_nonce_is_refused() {
    let other = |nonce: fn(&Machine) -> [u8; 32]| {
        is_reported(move |machine| Statement::new(&nonce(machine), NowMs::get(), 2).bundle(&issuer()))
    };
    assert!(other(|machine| machine.nonce()));
    assert!(!other(|_| [0; 32]));
    // Another provider's in the same round, and its own of the block before.
    assert!(!other(|_| Evidence::round().unwrap().nonce(&[10; 32])));
    assert!(!other(|machine| stipend_evidence_token::nonce(&machine.key, &hash_of(PERIOD - 1))));
}

#[test]
fn evidence_that_is_too_old_or_from_the_future_is_refused() {
    let issued = |ms: i64| {
        is_reported(move |machine| {
            let at = NowMs::get().checked_add_signed(ms).unwrap();
            Statement::new(&machine.nonce(), at, 1).bundle(&issuer())
        })
    };
    assert!(issued(0) && issued(-3_500_000) && issued(50_000));
    assert!(!issued(-3_601_000) && !issued(120_000));
}

#[test]
fn failed_attestations_are_refused() {
    let with = |name: &'static str, value: serde_json::Value| {
        is_reported(move |machine| {
            let mut statement = machine.statement();
            statement.devices.get_mut("GPU-1").unwrap()[name] = value;
            statement.bundle(&issuer())
        })
    };
    assert!(with("measres", "Success".into()), "the schema's spelling");
    assert!(!with("measres", "fail".into()));
    assert!(!with("secboot", false.into()));
    assert!(!with("secboot", serde_json::Value::Null));
    assert!(!with("dbgstat", "enabled".into()));
    assert!(!with("x-nvidia-gpu-arch-check", false.into()));
    assert!(!with("x-nvidia-gpu-check-of-tomorrow", false.into()));
    let overall = is_reported(|machine| {
        let mut statement = machine.statement();
        statement.overall["x-nvidia-overall-att-result"] = false.into();
        statement.bundle(&issuer())
    });
    assert!(!overall);
}

#[test]
fn a_device_that_is_missing_or_counted_twice_is_refused() {
    let missing = is_reported(|machine| {
        let statement = machine.statement();
        let devices = statement.device_tokens(&issuer());
        bundle(&statement.overall_token(&issuer(), &devices), &devices[..1])
    });
    assert!(!missing);
    let twice = is_reported(|machine| {
        let mut statement = machine.statement();
        let first = statement.devices["GPU-0"]["ueid"].clone();
        statement.devices.get_mut("GPU-1").unwrap()["ueid"] = first;
        statement.bundle(&issuer())
    });
    assert!(!twice);
}

#[test]
fn noise_is_refused_and_nothing_ends_the_worker() {
    for body in [
        b"".to_vec(),
        b"[]".to_vec(),
        b"hello".to_vec(),
        b"[[\"JWT\",\"\"],{}]".to_vec(),
        vec![0xff; 1_000],
        vec![b'['; BUNDLE_LEN_MAX],
        vec![b' '; BUNDLE_LEN_MAX + 1],
        br#"{"evidence":"hardware"}"#.to_vec(),
    ] {
        assert!(!is_reported(|_| body));
    }
    // What is cut anywhere is no bundle.
    for keep in [1, 10, 100, 1_000] {
        assert!(!is_reported(|machine| machine.statement().bundle(&issuer())[..keep].to_vec()));
    }
}

#[test]
fn redirects_are_not_followed() {
    let mut ext = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let machine = Machine::registered(9, 1);
        node.network.listen(&machine.endpoint);
        node.network.answer(&machine.url(), Answer::status(302));
    });
    assert_eq!(node.run(&mut ext).len(), 0);
    assert_eq!(node.network.asked().len(), 1);
}

#[test]
fn an_hours_old_bundle_of_an_earlier_round_is_not_taken_again() {
    let mut ext = chain(1);
    let node = Node::new([0]);
    let old = ext.execute_with(|| Machine::registered(9, 1).statement().bundle(&issuer()));
    go_to(&mut ext, 2 * PERIOD + 1);
    ext.execute_with(|| Machine::registered(9, 1).serve_body(&node.network, old));
    assert_eq!(node.run(&mut ext).len(), 0);
}
