use frame_support::{assert_noop, assert_ok, traits::BuildGenesisConfig};
use sp_runtime::DispatchError;
use stipend_evidence_token::{issue::Issuer, KeySet, Policy};
use stipend_primitives::{evidence::EvidencePolicy, ledger::Evidence as _, ClassId};

use super::world::*;
use crate::{
    mock::*,
    types::{GenesisTrust, Trust, CLASSES_MAX, PERIOD_MAX, PERIOD_MIN},
    Classes, Error, Event, GenesisConfig, Keys, TrustInForce,
};

const REQUIRED: EvidencePolicy = EvidencePolicy::Required;

fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

fn with_source(text: &str) -> Trust {
    Trust { source: Some(source(text)), ..trust() }
}

#[test]
fn only_the_council_says_whose_tokens_count_and_what_classes_ask_for() {
    chain(1).execute_with(|| {
        let other = || RuntimeOrigin::signed(account(1));
        assert_noop!(Evidence::set_trust(other(), None), DispatchError::BadOrigin);
        let keys = Box::new(issuer().key_set());
        assert_noop!(Evidence::set_keys(other(), keys), DispatchError::BadOrigin);
        let class = ClassId::RENDER;
        assert_noop!(Evidence::set_class_policy(other(), class, REQUIRED), DispatchError::BadOrigin);
    });
}

#[test]
fn the_address_of_a_key_set_is_https_with_a_path() {
    chain(1).execute_with(|| {
        for good in [
            "https://nras.attestation.nvidia.com/.well-known/jwks.json",
            "https://issuer.example",
            "https://issuer.example:8443/keys?of=all",
        ] {
            assert_ok!(Evidence::set_trust(root(), Some(with_source(good))));
        }
        for bad in [
            "",
            "http://issuer.example/jwks.json",
            "https://",
            "https:///jwks.json",
            "https://me@issuer.example/jwks.json",
            "https://issuer.example/a b",
            "https://issuer.example/a#b",
            "https://issuer.example/\n",
            "https://issuer.example?a",
            "HTTPS://issuer.example/",
        ] {
            assert_noop!(Evidence::set_trust(root(), Some(with_source(bad))), Error::<Test>::BadSource);
        }
    });
}

#[test]
fn a_period_has_its_bounds_and_an_issuer_its_name() {
    chain(1).execute_with(|| {
        for period in [0, PERIOD_MIN - 1, PERIOD_MAX + 1, u32::MAX] {
            let trust = Trust { period, ..trust() };
            assert_noop!(Evidence::set_trust(root(), Some(trust)), Error::<Test>::BadPeriod);
        }
        for period in [PERIOD_MIN, PERIOD_MAX] {
            assert_ok!(Evidence::set_trust(root(), Some(Trust { period, ..trust() })));
        }
        for issuer in [vec![], vec![0xff]] {
            let policy = Policy { issuer: issuer.try_into().unwrap(), ..Policy::default() };
            let trust = Trust { policy, ..trust() };
            assert_noop!(Evidence::set_trust(root(), Some(trust)), Error::<Test>::BadIssuer);
        }
    });
}

#[test]
fn evidence_never_lasts_longer_than_block_hashes_and_tokens_do() {
    let longest = PERIOD_MAX * crate::types::ROUNDS_IN_FORCE;
    assert!(longest <= 4_096 && u64::from(longest) * 1_000 <= stipend_evidence_token::AGE_MS_MAX_DEFAULT);
}

#[test]
fn keys_of_another_issuer_or_source_are_dropped_and_others_stay() {
    chain(1).execute_with(|| {
        assert!(Keys::<Test>::exists());
        assert_ok!(Evidence::set_trust(root(), Some(Trust { period: 100, ..trust() })));
        let looser = Policy { accept_warnings: true, ..trust().policy };
        assert_ok!(Evidence::set_trust(root(), Some(Trust { policy: looser, ..trust() })));
        assert!(Keys::<Test>::exists(), "the same issuer, the same source");
        assert_ok!(Evidence::set_trust(root(), Some(with_source("https://a/jwks"))));
        assert!(!Keys::<Test>::exists());
        assert_ok!(Evidence::set_keys(root(), Box::new(issuer().key_set())));
        let policy = Policy::default();
        let nvidia = Trust { policy, ..with_source("https://a/jwks") };
        assert_ok!(Evidence::set_trust(root(), Some(nvidia)));
        assert!(!Keys::<Test>::exists());
        assert_ok!(Evidence::do_try_state());
    });
}

#[test]
fn keys_need_trust_and_must_be_a_set() {
    chain(1).execute_with(|| {
        assert_noop!(Evidence::set_keys(root(), Box::default()), Error::<Test>::BadKeys);
        assert_ok!(Evidence::set_keys(root(), Box::new(Issuer::new("other").key_set())));
        System::assert_last_event(Event::KeysSet { keys: 1, round: None }.into());
        assert_ok!(Evidence::set_trust(root(), None));
        let keys = Box::new(issuer().key_set());
        assert_noop!(Evidence::set_keys(root(), keys), Error::<Test>::NoTrust);
    });
}

#[test]
fn a_class_asks_from_the_next_block_on_and_batches_before_keep_their_rule() {
    chain(1).execute_with(|| {
        let now = System::block_number();
        assert_ok!(Evidence::set_class_policy(root(), ClassId::RENDER, REQUIRED));
        let set = Event::ClassPolicySet { class: ClassId::RENDER, policy: REQUIRED, since: now + 1 };
        System::assert_last_event(set.into());
        assert!(Evidence::required(now).is_empty());
        assert_eq!(Evidence::required(now + 1), [ClassId::RENDER]);
        System::set_block_number(now + 10);
        assert_ok!(Evidence::set_class_policy(root(), ClassId::RENDER, EvidencePolicy::None));
        assert_eq!(Evidence::required(now + 10), [ClassId::RENDER]);
        assert!(Evidence::required(now + 11).is_empty());
    });
}

#[test]
fn two_changes_in_one_block_leave_the_rule_of_before_in_place() {
    chain(1).execute_with(|| {
        let now = System::block_number();
        assert_ok!(Evidence::set_class_policy(root(), ClassId::RENDER, REQUIRED));
        System::set_block_number(now + 10);
        assert_ok!(Evidence::set_class_policy(root(), ClassId::RENDER, EvidencePolicy::None));
        assert_ok!(Evidence::set_class_policy(root(), ClassId::RENDER, EvidencePolicy::Preferred));
        assert_eq!(Evidence::required(now + 10), [ClassId::RENDER]);
        assert!(Evidence::required(now + 11).is_empty());
    });
}

#[test]
fn preferring_evidence_requires_none() {
    chain(1).execute_with(|| {
        assert_ok!(Evidence::set_class_policy(root(), ClassId::RENDER, EvidencePolicy::Preferred));
        assert!(Evidence::required(System::block_number() + 1).is_empty());
    });
}

#[test]
fn no_more_classes_ask_than_the_registry_holds() {
    chain(1).execute_with(|| {
        for class in (0..CLASSES_MAX as u16).rev() {
            assert_ok!(Evidence::set_class_policy(root(), ClassId(class), REQUIRED));
        }
        let one_more = ClassId(CLASSES_MAX as u16);
        assert_noop!(Evidence::set_class_policy(root(), one_more, REQUIRED), Error::<Test>::TooManyClasses);
        assert_ok!(Evidence::set_class_policy(root(), ClassId(0), EvidencePolicy::None));
        assert_eq!(Classes::<Test>::get().len(), CLASSES_MAX as usize);
        assert_ok!(Evidence::do_try_state());
    });
}

#[test]
fn a_chain_can_trust_and_ask_from_its_first_block_on() {
    new_test_ext().execute_with(|| {
        System::set_block_number(0);
        let genesis = GenesisConfig::<Test> {
            trust: Some(GenesisTrust {
                issuer: "https://issuer.example".into(),
                source: Some("https://issuer.example/jwks.json".into()),
                period: 600,
            }),
            classes: vec![(ClassId::RENDER, REQUIRED)],
            _config: Default::default(),
        };
        genesis.build();
        let record = TrustInForce::<Test>::get().unwrap();
        assert_eq!((record.trust.period, record.since), (600, 0));
        assert_eq!(Evidence::required(1), [ClassId::RENDER]);
        assert_ok!(Evidence::do_try_state());
    });
}

#[test]
#[should_panic(expected = "evidence.trust")]
fn a_genesis_with_a_source_that_is_none_is_refused() {
    new_test_ext().execute_with(|| {
        let trust = GenesisTrust { issuer: "a".into(), source: Some("http://a".into()), period: 600 };
        GenesisConfig::<Test> { trust: Some(trust), classes: vec![], _config: Default::default() }.build();
    });
}

#[test]
fn the_set_that_the_council_gives_is_the_one_in_force() {
    chain(1).execute_with(|| {
        let keys: KeySet = Issuer::new("other").key_set();
        assert_ok!(Evidence::set_keys(root(), Box::new(keys.clone())));
        assert_eq!(Keys::<Test>::get().unwrap().keys, keys);
    });
}
