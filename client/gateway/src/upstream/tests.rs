#![allow(clippy::unwrap_used)]

use std::{collections::HashSet, time::Duration};

use http::HeaderValue;
use stipend_openai::Endpoint;
use stipend_primitives::{evidence::EvidencePolicy, AccountId, ClassId};

use super::*;
use crate::{
    chain::Evidence,
    client::HttpClient,
    config::{BreakerConfig, Priorities, UpstreamConfig},
};

const ANYBODY: Asked = Asked { policy: EvidencePolicy::None, block: 0 };

fn config(number: u8, models: &[&str]) -> UpstreamConfig {
    UpstreamConfig {
        provider: AccountId::new([number; 32]),
        scheme: http::uri::Scheme::HTTP,
        authority: "127.0.0.1:1".parse().unwrap(),
        token: HeaderValue::from_static("Bearer x"),
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        concurrency_max: 4,
        concurrency_learned: false,
        ageing: Duration::from_secs(5),
        ca: None,
        breaker: BreakerConfig::default(),
        health_every: Duration::ZERO,
        queue_max: 4,
        queue_wait_max: Duration::from_secs(1),
        answer_wait_max: Duration::from_secs(1),
        silence_max: Duration::from_secs(1),
        priorities: Priorities::Off,
        signs: true,
    }
}

fn upstreams(configs: &[UpstreamConfig]) -> Upstreams {
    Upstreams::new(configs, HttpClient::new().unwrap()).unwrap()
}

#[tokio::test]
async fn the_least_loaded_is_asked_and_one_that_failed_comes_last() {
    let upstreams = upstreams(&[config(1, &["m"]), config(2, &["m"]), config(3, &["other"])]);
    let servers = upstreams.of("m").unwrap();
    let set = upstreams.set();
    let (one, two) = (&set.all[0], &set.all[1]);
    let _place = one.queue.enter(0, &one.provider).await.unwrap();
    assert_eq!(servers.choose(&[], ANYBODY, 0).unwrap().provider, two.provider);
    two.avoid(1_000);
    assert_eq!(servers.choose(&[], ANYBODY, 1_500).unwrap().provider, one.provider);
    assert_eq!(servers.choose(&[], ANYBODY, 1_000 + AVOID_MS).unwrap().provider, two.provider);
    assert_eq!(
        servers.choose(std::slice::from_ref(&one.provider), ANYBODY, 1_500).unwrap().provider,
        two.provider
    );
    assert!(servers.choose(&[one.provider.clone(), two.provider.clone()], ANYBODY, 0).is_none());
    assert!(upstreams.of("nobody serves this").is_none());
}

#[test]
fn a_suspended_provider_is_not_asked_until_it_is_reinstated() {
    let upstreams = upstreams(&[config(1, &["m"]), config(2, &["m"])]);
    let servers = upstreams.of("m").unwrap();
    let [one, two] = [1, 2].map(|number| AccountId::new([number; 32]));
    upstreams.set_suspended(&HashSet::from([one.clone()]));
    assert_eq!(servers.choose(&[], ANYBODY, 0).unwrap().provider, two);
    assert!(servers.choose(std::slice::from_ref(&two), ANYBODY, 0).is_none());
    upstreams.set_suspended(&HashSet::from([one.clone(), two.clone()]));
    assert!(servers.choose(&[], ANYBODY, 0).is_none());
    upstreams.set_suspended(&HashSet::from([two]));
    assert_eq!(servers.choose(&[], ANYBODY, 0).unwrap().provider, one);
    assert_eq!(upstreams.set().all.iter().filter(|upstream| upstream.is_suspended()).count(), 1);
}

#[test]
fn who_would_not_be_paid_is_not_asked_and_evidence_is_preferred_where_it_is_wished() {
    let upstreams = upstreams(&[config(1, &["m"]), config(2, &["m"])]);
    let servers = upstreams.of("m").unwrap();
    let [one, two] = [1, 2].map(|number| AccountId::new([number; 32]));
    let (until, class) = (1_000, ClassId::RENDER);
    let asked = |policy, block| Asked { policy, block };
    let chosen = |policy, block, tried: &[AccountId]| {
        servers.choose(tried, asked(policy, block), 0).map(|upstream| upstream.provider.clone())
    };
    for policy in [EvidencePolicy::Required, EvidencePolicy::Preferred, EvidencePolicy::None] {
        upstreams
            .set_evidence(Evidence { until: [(two.clone(), until)].into(), asked: [(class, policy)].into() });
        assert_eq!(upstreams.asked([class, class]), policy);
        assert_eq!(upstreams.asked([ClassId::INNOVATION, class]), policy);
        assert_eq!(upstreams.asked([ClassId::INNOVATION; 2]), EvidencePolicy::None);
    }
    assert_eq!(chosen(EvidencePolicy::None, 5, &[]), Some(one.clone()));
    assert_eq!(chosen(EvidencePolicy::Preferred, 5, &[]), Some(two.clone()));
    assert_eq!(chosen(EvidencePolicy::Preferred, 5, std::slice::from_ref(&two)), Some(one.clone()));
    assert_eq!(chosen(EvidencePolicy::Required, 5, &[]), Some(two.clone()));
    assert_eq!(chosen(EvidencePolicy::Required, 5, std::slice::from_ref(&two)), None);

    let last = until - EVIDENCE_MARGIN_BLOCKS - 1;
    assert_eq!(chosen(EvidencePolicy::Required, last, &[]), Some(two));
    assert!(servers.refusal(asked(EvidencePolicy::Required, last), 0).is_none());
    assert_eq!(chosen(EvidencePolicy::Required, last + 1, &[]), None);
    assert!(servers.refusal(asked(EvidencePolicy::Required, last + 1), 0).is_some());
    assert_eq!(chosen(EvidencePolicy::Preferred, last + 1, &[]), Some(one));
}

#[test]
fn addresses_are_made_of_the_configured_host() {
    let upstreams = upstreams(&[config(1, &["m"])]);
    let upstream = upstreams.set().all[0].clone();
    assert_eq!(upstream.uri(Endpoint::Chat), "http://127.0.0.1:1/v1/chat/completions");
    assert_eq!(upstream.uri(Endpoint::Completions), "http://127.0.0.1:1/v1/completions");
    assert_eq!(upstream.claims, "http://127.0.0.1:1/v1/claims");
}

#[test]
fn only_what_is_configured_otherwise_is_another_upstream_in_the_next_set() {
    let (one, two, three) = (config(1, &["m"]), config(2, &["m"]), config(3, &["m"]));
    let upstreams = upstreams(&[one.clone(), two.clone(), three.clone()]);
    let before = upstreams.set();
    let held = upstreams.of("m").unwrap();
    upstreams.set_suspended(&HashSet::from([two.provider.clone()]));
    let evidence = Evidence { until: [(two.provider.clone(), 900)].into(), asked: [].into() };
    upstreams.set_evidence(evidence);

    let one = UpstreamConfig { models: vec!["n".into()], ..one };
    let two = UpstreamConfig { token: HeaderValue::from_static("Bearer y"), ..two };
    let three = UpstreamConfig { concurrency_max: 5, ..three };
    upstreams.install(upstreams.prepare(&[one, two, three, config(4, &["n"])]).unwrap());
    let after = upstreams.set();
    let same = |at: usize| Arc::ptr_eq(&before.all[at], &after.all[at]);
    assert_eq!([same(0), same(1), same(2)], [true, false, false]);
    let same_queue = |at: usize| Arc::ptr_eq(&before.all[at].queue, &after.all[at].queue);
    assert_eq!([same_queue(1), same_queue(2)], [true, false], "who keeps its places keeps its queue");
    // What the chain said before it was there holds for the new one, too.
    assert!(after.all[1].is_suspended() && after.all[1].is_attested(5) && !after.all[2].is_attested(5));
    assert_eq!(after.all[1].token, "Bearer y");

    let chosen = |servers: &Servers| servers.choose(&[], ANYBODY, 0).unwrap().provider.clone();
    assert_eq!(chosen(&upstreams.of("m").unwrap()), after.all[2].provider);
    assert!(upstreams.of("n").is_some());
    assert_eq!(chosen(&held), before.all[0].provider, "a request in flight keeps what it found");

    upstreams.install(upstreams.prepare(&[config(4, &["n"])]).unwrap());
    assert!(upstreams.of("m").is_none());
    assert!(Arc::ptr_eq(&after.all[3], &upstreams.set().all[0]));
    let known = upstreams.known(&after.all[0].provider).unwrap();
    assert!(Arc::ptr_eq(&known, &after.all[0]), "claims cannot be delivered to who was taken out");
}

#[test]
fn a_set_that_cannot_be_made_changes_nothing() {
    let upstreams = upstreams(&[config(1, &["m"])]);
    let before = upstreams.set();
    let broken = rustls::pki_types::CertificateDer::from(vec![1, 2, 3]);
    let broken = UpstreamConfig { ca: Some(vec![broken]), ..config(1, &["m"]) };
    assert!(upstreams.prepare(&[broken]).is_err());
    assert!(Arc::ptr_eq(&before, &upstreams.set()));
}
