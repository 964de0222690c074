//! Whatever validators, providers and the council do: the invariants hold, and a provider is hardware only
//! by a quorum, for its key, within its time, with GPUs that nobody else shows.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use stipend_evidence_token::{issue::Issuer, Policy};
use stipend_primitives::{evidence::EvidenceLevel, ledger::Evidence as _, BlockNumber};

use super::world::*;
use crate::{
    mock::*,
    types::{Trust, ROUNDS_IN_FORCE},
    Event, EvidenceOf,
};

const VALIDATORS: u32 = 4;

const PROVIDERS: [u8; 3] = [9, 10, 11];

#[derive(Clone, Debug)]
enum Act {
    /// Blocks pass.
    Pass(u8),
    /// A validator reports a provider with some of six GPUs.
    Report {
        validator: u8,
        provider: u8,
        gpus: u8,
        fault: u8,
    },
    /// A provider gets another key.
    Rekey {
        provider: u8,
    },
    Suspend {
        provider: u8,
    },
    Reinstate {
        provider: u8,
    },
    /// The council changes what it trusts.
    SetTrust {
        what: u8,
    },
    /// The set of validators changes.
    Session {
        first: u8,
    },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => (0u8..30).prop_map(Act::Pass),
        12 => (0u8..6, 0u8..3, 1u8..64, 0u8..10).prop_map(|(validator, provider, gpus, fault)| {
            Act::Report { validator, provider, gpus, fault }
        }),
        1 => (0u8..3).prop_map(|provider| Act::Rekey { provider }),
        1 => (0u8..3).prop_map(|provider| Act::Suspend { provider }),
        1 => (0u8..3).prop_map(|provider| Act::Reinstate { provider }),
        1 => (0u8..8).prop_map(|what| Act::SetTrust { what }),
        1 => (0u8..3).prop_map(|first| Act::Session { first }),
    ];
    prop::collection::vec(act, 1..120)
}

/// Votes by provider, round and finding, as the tests count them.
type Votes = BTreeMap<(u8, BlockNumber, Vec<u8>), BTreeSet<u32>>;

fn apply(ext: &mut sp_io::TestExternalities, act: &Act, votes: &mut Votes) {
    let name = |provider: u8| PROVIDERS[usize::from(provider)];
    match act {
        Act::Pass(blocks) => {
            let now = ext.execute_with(System::block_number);
            go_to(ext, now + u32::from(*blocks));
        }
        Act::Report { validator, provider, gpus, fault } => ext.execute_with(|| {
            if Evidence::round().is_none() {
                return;
            }
            let name = name(*provider);
            let registered = pallet_settlement::Providers::<Test>::get(account(name)).unwrap();
            let gpus: Vec<u32> = (0..6).filter(|gpu| gpus >> gpu & 1 == 1).collect();
            // Often the same GPUs, so that a quorum comes about; sometimes the neighbour's.
            let gpus = if fault % 5 < 3 { vec![u32::from(name)] } else { gpus };
            let machine =
                Machine { account: account(name), key: registered.key, endpoint: String::new(), gpus };
            let mut finding = machine.finding();
            if *fault == 9 {
                let crate::Finding::Evidence { nonce, .. } = &mut finding else { return };
                nonce[0] ^= 1;
            }
            let events = System::events().len();
            if report(&finding, u32::from(*validator)).is_ok() {
                let name = (name, finding.round(), finding.hash().0.to_vec());
                votes.entry(name.clone()).or_default().insert(u32::from(*validator));
                let found = System::events()[events..].iter().any(|record| {
                    matches!(record.event, RuntimeEvent::Evidence(Event::EvidenceFound { .. }))
                });
                if found {
                    assert!(votes[&name].len() * 3 > VALIDATORS as usize * 2, "found by too few votes");
                }
            }
        }),
        Act::Rekey { provider } => ext.execute_with(|| {
            let name = name(*provider);
            let key = System::block_number().to_le_bytes().repeat(8).try_into().unwrap();
            Machine { key, ..Machine::registered(name, 1) }.register();
            assert_eq!(level(name), EvidenceLevel::Software);
        }),
        Act::Suspend { provider } => ext.execute_with(|| {
            let machine = Machine {
                account: account(name(*provider)),
                key: [0; 32],
                endpoint: String::new(),
                gpus: vec![],
            };
            machine.suspend();
            assert_eq!(level(name(*provider)), EvidenceLevel::Software);
        }),
        Act::Reinstate { provider } => ext.execute_with(|| {
            let before = level(name(*provider));
            let _ = Settlement::reinstate_provider(RuntimeOrigin::root(), account(name(*provider)));
            assert_eq!(level(name(*provider)), before, "a reinstatement is no evidence");
        }),
        Act::SetTrust { what } => ext.execute_with(|| {
            let trust = match what {
                0 => None,
                1 => Some(Trust { policy: Policy { skew_ms: 1, ..trust().policy }, ..trust() }),
                2 => Some(Trust { period: 10, ..trust() }),
                _ => Some(trust()),
            };
            Evidence::set_trust(RuntimeOrigin::root(), trust).unwrap();
            let _ = Evidence::set_keys(RuntimeOrigin::root(), Box::new(Issuer::new("tests").key_set()));
        }),
        Act::Session { first } => ext.execute_with(|| {
            set_authorities(u32::from(*first)..u32::from(*first) + VALIDATORS);
        }),
    }
}

fn check() {
    Evidence::do_try_state().unwrap();
    let mut shown = BTreeSet::new();
    for name in PROVIDERS {
        if Evidence::level(&account(name)) == EvidenceLevel::Software {
            continue;
        }
        let record = EvidenceOf::<Test>::get(account(name)).unwrap();
        let now = System::block_number();
        assert!(record.round < now && now < record.until);
        assert!(record.until - record.round <= ROUNDS_IN_FORCE * PERIOD);
        let provider = pallet_settlement::Providers::<Test>::get(account(name)).unwrap();
        assert!(!provider.suspended);
        assert!(record.devices.iter().all(|device| shown.insert(*device)), "one GPU is shown twice");
    }
}

#[test]
fn invariants_hold_in_random_histories() {
    let config = Config { source_file: Some(file!()), ..Config::default() };
    let found = Cell::new(0);
    let outcome = TestRunner::new(config).run(&acts(), |acts| {
        let mut ext = chain(VALIDATORS);
        ext.execute_with(|| PROVIDERS.iter().for_each(|name| drop(Machine::registered(*name, 1))));
        let mut votes = Votes::new();
        for act in &acts {
            apply(&mut ext, act, &mut votes);
            ext.execute_with(check);
            found.set(found.get() + ext.execute_with(|| EvidenceOf::<Test>::iter().count()));
        }
        Ok(())
    });
    outcome.unwrap();
    assert!(found.get() > 0, "in no history was anything found: they show nothing");
}
