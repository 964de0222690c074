//! Evidence through the runtime's own entry points: from the council's trust to the level of a batch.

use frame_support::assert_ok;
use pallet_evidence::{types::ROUNDS_IN_FORCE, Finding, Trust};
use sp_core::{bounded::BoundedVec, H256};
use sp_keyring::Ed25519Keyring::{Alice, Bob, Eve};
use sp_runtime::transaction_validity::InvalidTransaction;
use stipend_evidence_token::{
    issue::{test_policy, Issuer},
    nonce,
};
use stipend_primitives::{
    batch::{Batch, Line, Record, SignedBatch},
    cost::Usage,
    evidence::{EvidenceLevel, EvidencePolicy},
    ledger::{Evidence as _, Prices, Roles, Unsettled},
    AccountId, ClassId, ModelId, Role,
};
use stipend_runtime::{
    authorized_extrinsic, BlockNumber, Evidence, Receipts, Runtime, RuntimeCall, System, UncheckedExtrinsic,
};

use crate::chain::{
    apply, begin_block, council_of_one, empty_blocks, end_block, new_chain, signed, validate,
};

type PricesOf = <Runtime as pallet_settlement::Config>::Prices;
type RolesOf = <Runtime as pallet_settlement::Config>::Roles;

const PERIOD: BlockNumber = 10;

const PROVIDER_KEY: [u8; 32] = [5; 32];

fn provider() -> AccountId {
    Eve.to_account_id()
}

/// A chain that trusts the test issuer and has a provider, in the first block of its first round.
fn with_provider() -> sp_io::TestExternalities {
    let mut chain = new_chain("development");
    chain.execute_with(|| {
        begin_block(1);
        let trust = Trust { policy: test_policy(), source: None, period: PERIOD };
        let keys = Box::new(Issuer::new("runtime").key_set());
        let acts: Vec<RuntimeCall> = vec![
            pallet_evidence::Call::set_trust { trust: Some(trust) }.into(),
            pallet_evidence::Call::set_keys { keys }.into(),
            pallet_evidence::Call::set_class_policy {
                class: ClassId::INNOVATION,
                policy: EvidencePolicy::Required,
            }
            .into(),
            pallet_roles::Call::grant_role { who: provider(), role: Role::Provider, allowance: None }.into(),
            pallet_settlement::Call::register_provider {
                who: provider(),
                key: PROVIDER_KEY,
                endpoint: BoundedVec::truncate_from(b"http://10.0.0.7:9100".to_vec()),
            }
            .into(),
        ];
        for (nonce, act) in (0..).zip(acts) {
            council_of_one(Alice, nonce, act);
        }
        end_block();
        empty_blocks(2, PERIOD);
        begin_block(PERIOD + 1);
    });
    chain
}

fn finding() -> Finding {
    Finding::Evidence {
        provider: provider(),
        round: PERIOD,
        nonce: nonce(&PROVIDER_KEY, &System::block_hash(PERIOD)),
        digest: H256([1; 32]),
        devices: BoundedVec::truncate_from(vec![H256([2; 32])]),
    }
}

/// A validator's report.
fn report(finding: &Finding, by: sp_keyring::Ed25519Keyring) -> UncheckedExtrinsic {
    let signature = by.sign(&finding.signing_payload(&System::block_hash(0))).0;
    let validator = by.public().0;
    let call = pallet_evidence::Call::report { finding: Box::new(finding.clone()), validator, signature };
    authorized_extrinsic(call.into())
}

/// Puts a receipt of the provider on the chain; its number.
fn submit(first_seq: u64) {
    let gateway = Bob.to_account_id();
    RolesOf::grant(&gateway, Role::Gateway);
    let book = PricesOf::publish_for_test(1);
    let usage = Usage { input: 1, cached_input: 1, output: 1 };
    let record = Record { wallet: 0, line: 0, usage, priority_fee: 0, digest: [7; 16] };
    let batch = Batch {
        gateway,
        first_seq,
        wallets: BoundedVec::truncate_from(vec![Alice.to_account_id()]),
        lines: BoundedVec::truncate_from(vec![Line { provider: provider(), book, model: ModelId(0) }]),
        records: BoundedVec::truncate_from(record.to_bytes().to_vec()),
    };
    Receipts::submit_for_test(SignedBatch { batch, signature: [0; 64] });
}

fn levels() -> Vec<EvidenceLevel> {
    Receipts::open_items(10).iter().map(|open| open.evidence).collect()
}

#[test]
fn a_validators_report_needs_no_signer_and_makes_hardware_of_a_provider() {
    with_provider().execute_with(|| {
        assert_ok!(validate(report(&finding(), Alice)));
        assert_eq!(validate(report(&finding(), Bob)), Err(InvalidTransaction::BadSigner.into()));
        let call = pallet_evidence::Call::report {
            finding: Box::new(finding()),
            validator: Alice.public().0,
            signature: [0; 64],
        };
        assert!(apply(signed(Alice, 5, call)).unwrap().is_err(), "by no account's signature");
        assert_ok!(apply(report(&finding(), Alice)).unwrap());
        assert_eq!(Evidence::level(&provider()), EvidenceLevel::Hardware);
        assert_eq!(validate(report(&finding(), Alice)), Err(InvalidTransaction::Stale.into()));
        assert_ok!(Evidence::do_try_state());
    });
}

#[test]
fn a_batch_keeps_the_level_that_its_provider_has_in_its_block() {
    with_provider().execute_with(|| {
        submit(0);
        assert_ok!(apply(report(&finding(), Alice)).unwrap());
        submit(1);
        end_block();
        let until = PERIOD + ROUNDS_IN_FORCE * PERIOD;
        empty_blocks(PERIOD + 2, until - 2);
        begin_block(until - 1);
        submit(2);
        end_block();
        begin_block(until);
        submit(3);
        use EvidenceLevel::{Hardware, Software};
        assert_eq!(levels(), [Software, Hardware, Hardware, Software]);
        assert_ok!(Receipts::do_try_state());
    });
}

#[test]
fn another_key_of_the_provider_ends_its_evidence_in_the_same_block() {
    with_provider().execute_with(|| {
        assert_ok!(apply(report(&finding(), Alice)).unwrap());
        let register = pallet_settlement::Call::register_provider {
            who: provider(),
            key: [6; 32],
            endpoint: BoundedVec::truncate_from(b"http://10.0.0.7:9100".to_vec()),
        };
        council_of_one(Alice, 5, register);
        submit(0);
        assert_eq!(levels(), [EvidenceLevel::Software]);
        assert_ok!(Evidence::do_try_state());
    });
}

#[test]
fn the_status_is_what_the_api_answers() {
    with_provider().execute_with(|| {
        assert_ok!(apply(report(&finding(), Alice)).unwrap());
        let status = Evidence::status();
        assert_eq!(status.trust.unwrap().keys, 1);
        assert_eq!(status.classes.len(), 1);
        let [row] = status.providers.try_into().unwrap();
        assert_eq!((row.provider, row.level), (provider(), EvidenceLevel::Hardware));
        assert_eq!(Evidence::required(System::block_number()), [ClassId::INNOVATION]);
    });
}
