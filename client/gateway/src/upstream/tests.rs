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
    Upstreams::new(configs, &HttpClient::new().unwrap()).unwrap()
}

#[tokio::test]
async fn the_least_loaded_is_asked_and_one_that_failed_comes_last() {
    let upstreams = upstreams(&[config(1, &["m"]), config(2, &["m"]), config(3, &["other"])]);
    let servers = upstreams.of("m").unwrap();
    let (one, two) = (&upstreams.all[0], &upstreams.all[1]);
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
    assert_eq!(upstreams.all.iter().filter(|upstream| upstream.is_suspended()).count(), 1);
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
    let upstream = &upstreams.all[0];
    assert_eq!(upstream.uri(Endpoint::Chat), "http://127.0.0.1:1/v1/chat/completions");
    assert_eq!(upstream.uri(Endpoint::Completions), "http://127.0.0.1:1/v1/completions");
    assert_eq!(upstream.claims, "http://127.0.0.1:1/v1/claims");
}
