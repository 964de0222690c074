//! The largest calls that the pallets take fit into a block: none of them is a promise that no block
//! can keep.

use codec::Encode;
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    weights::Weight,
};
use pallet_entitlements::{CLASSES_MAX, MINTS_MAX, RESERVE_ROWS_MAX};
use pallet_evidence::Finding;
use sp_core::{bounded::BoundedVec, H256};
use sp_keyring::Ed25519Keyring::Alice;
use stipend_evidence_token::{issue::Issuer, KeySet, DEVICES_MAX, KEYS_MAX};
use stipend_primitives::{
    attestation::GpuUse,
    batch::{Batch, Line, Record, SignedBatch, LINES_MAX, PROVIDERS_MAX, RECEIPTS_MAX, WALLETS_MAX},
    cost::{PriceEntries, PriceEntry, Usage, BOOK_ENTRIES_MAX},
    mint::Grant,
    settlement::{Item, Refund, Verdict, Vote, REFUNDS_MAX},
    AccountId, ClassId, ModelId, Name,
};
use stipend_runtime::{
    authorized_extrinsic, configs::council::CouncilInstance, Runtime, RuntimeCall, UncheckedExtrinsic,
};

use crate::chain::{new_chain, proposal, signed};

fn account(number: u32) -> AccountId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    AccountId::new(bytes)
}

/// As many receipts, wallets and lines as a batch can have, each with a priority fee.
fn full_batch() -> Batch {
    let line = |number| Line {
        provider: account(number % PROVIDERS_MAX),
        book: 1,
        model: ModelId((number / PROVIDERS_MAX) as u16),
    };
    let record = |number| Record {
        wallet: (number % WALLETS_MAX) as u16,
        line: (number % LINES_MAX) as u16,
        usage: Usage { input: 1_000, cached_input: 1_000, output: 1_000 },
        priority_fee: 1,
        digest: [7; 16],
    };
    Batch {
        gateway: Alice.to_account_id(),
        first_seq: 0,
        wallets: BoundedVec::truncate_from((0..WALLETS_MAX).map(account).collect()),
        lines: BoundedVec::truncate_from((0..LINES_MAX).map(line).collect()),
        records: BoundedVec::truncate_from(
            (0..RECEIPTS_MAX).flat_map(|number| record(number).to_bytes()).collect(),
        ),
    }
}

fn mint_many(owners: u32, grant: &Grant) -> RuntimeCall {
    let grants = (0..owners).map(|number| (account(number), grant.clone())).collect();
    pallet_entitlements::Call::mint_many { grants: BoundedVec::truncate_from(grants) }.into()
}

/// As many entries as a price book can have.
fn full_book() -> PriceEntries {
    let entry = |number| PriceEntry {
        model: ModelId(number),
        name: Name::truncate_from(vec![b'm'; 64]),
        class: ClassId::INNOVATION,
        premium: false,
        c_input: 1,
        c_cached: 1,
        c_output: 1,
        c_model: 1,
        weight: 1,
        reference_input: 1,
        reference_output: 1,
    };
    PriceEntries::truncate_from((0..BOOK_ENTRIES_MAX as u16).map(entry).collect())
}

fn item() -> Item {
    Item { gateway: account(1), first_seq: 0, provider: account(2) }
}

fn assert_fits(what: &str, transaction: UncheckedExtrinsic) {
    let info = transaction.get_dispatch_info();
    let weights = <Runtime as frame_system::Config>::BlockWeights::get();
    let class = weights.get(info.class);
    let max = class.max_total.unwrap_or(weights.max_block);
    let weight = info.total_weight() + class.base_extrinsic + weights.base_block;
    assert!(!weight.any_gt(max), "{what} weighs {weight:?}, a block holds {max:?}");

    let length = transaction.encoded_size() as u32;
    let length_max = *<Runtime as frame_system::Config>::BlockLength::get().max.get(info.class);
    assert!(length <= length_max, "{what} has {length} bytes, a block holds {length_max}");
}

#[test]
fn a_full_batch_fits_into_a_block() {
    let batch = full_batch();
    batch.check().unwrap();
    let signed = Box::new(SignedBatch { batch, signature: [0; 64] });
    let call = pallet_receipts::Call::submit_batch { signed };
    assert_fits("a full batch", authorized_extrinsic(call.into()));
}

#[test]
fn a_vote_with_all_refunds_fits_into_a_block() {
    let refund = |number: u32| Refund {
        owner: account(number / 2),
        class: ClassId((number % 2) as u16),
        amount: u128::MAX,
    };
    let refunds = BoundedVec::truncate_from((0..REFUNDS_MAX).map(refund).collect());
    let verdict = Verdict::Unattested { refunds };
    let vote = Vote { item: item(), batch_hash: H256::zero(), verdict, gpu: GpuUse::default() };
    let call = pallet_settlement::Call::vote { vote: Box::new(vote), validator: [0; 32], signature: [0; 64] };
    assert_fits("a vote with all refunds", authorized_extrinsic(call.into()));
}

/// As many keys as a set can have, with the longest names.
fn full_key_set() -> KeySet {
    let key = |number: u32| {
        let mut key = Issuer::new(&number.to_string()).key_set().keys()[0].clone();
        key.id = BoundedVec::truncate_from(format!("{number:0128}").into_bytes());
        key
    };
    KeySet::new((0..KEYS_MAX).map(key).collect()).unwrap()
}

#[test]
fn the_largest_findings_fit_into_a_block() {
    let report = |finding| {
        let call = pallet_evidence::Call::report {
            finding: Box::new(finding),
            validator: [0; 32],
            signature: [0; 64],
        };
        authorized_extrinsic(call.into())
    };
    let devices = BoundedVec::truncate_from(vec![H256::zero(); DEVICES_MAX]);
    let (digest, nonce) = (H256::zero(), [0; 32]);
    let evidence = Finding::Evidence { provider: account(1), round: 1, nonce, digest, devices };
    assert_fits("evidence of the most GPUs", report(evidence));
    let source = BoundedVec::truncate_from(vec![b'a'; 256]);
    assert_fits("the largest key set", report(Finding::Keys { round: 1, source, keys: full_key_set() }));
}

#[test]
fn the_largest_calls_of_hr_and_gateways_fit_into_a_block() {
    new_chain("development").execute_with(|| {
        let one = Grant::One { program: 0, amount: u128::MAX, valid_from: Some(0), valid_until: Some(0) };
        assert_fits("one grant to as many as a call can name", signed(Alice, 0, mint_many(MINTS_MAX, &one)));
        let basket = Grant::Basket { basket: 0 };
        assert_fits("a basket to two hundred", signed(Alice, 0, mint_many(200, &basket)));

        let offboard = pallet_entitlements::Call::offboard { owner: account(1) };
        assert_fits("offboarding the fullest owner", signed(Alice, 0, offboard));

        let rows: Vec<_> = (0..RESERVE_ROWS_MAX)
            .map(|number| (account(number), ClassId((number % CLASSES_MAX) as u16), u128::MAX))
            .collect();
        let reserve = pallet_entitlements::Call::reserve_many {
            rows: BoundedVec::truncate_from(rows),
            expires_at: u64::MAX,
        };
        assert_fits("reserving as much as one call can", signed(Alice, 0, reserve));
    });
}

#[test]
fn a_new_runtime_and_every_act_of_the_council_fit_into_a_block() {
    new_chain("local_testnet").execute_with(|| {
        // Twice the length of this runtime.
        let code = vec![0; 2 * 1024 * 1024];
        let upgrade = frame_system::Call::apply_authorized_upgrade { code };
        assert_fits("a runtime", signed(Alice, 0, upgrade));

        let max = stipend_runtime::configs::council::MaxProposalWeight::get();
        let longest: RuntimeCall = pallet_pricing::Call::publish { entries: full_book() }.into();
        assert!(longest.get_dispatch_info().call_weight.all_lte(max), "the longest act is never proposed");
        for approvals in [1, 2] {
            assert_fits("a proposal", signed(Alice, 0, proposal(longest.clone(), approvals)));
        }
        let close = pallet_collective::Call::<Runtime, CouncilInstance>::close {
            proposal_hash: H256::zero(),
            index: 0,
            proposal_weight_bound: max,
            length_bound: longest.encoded_size() as u32,
        };
        assert_fits("the end of a vote", signed(Alice, 0, close));
        let leave = pallet_roles::Call::revoke_role {
            who: Alice.to_account_id(),
            role: stipend_primitives::Role::Council,
        };
        assert_fits("leaving the council", signed(Alice, 0, leave));
        let keys = pallet_evidence::Call::set_keys { keys: Box::new(full_key_set()) };
        assert!(RuntimeCall::from(keys.clone()).get_dispatch_info().call_weight.all_lte(max));
        assert_fits("the largest key set", signed(Alice, 0, proposal(keys, 1)));
    });
}

#[test]
fn the_most_outcomes_in_one_call_fit_into_a_block() {
    use pallet_merit::{Call, DECIDED_MAX, RECORDS_MAX};
    use stipend_primitives::merit::{Record, Source, RECEIPTS_MAX};
    new_chain("development").execute_with(|| {
        let receipts = (0..RECEIPTS_MAX).map(|id| H256::from_low_u64_be(id.into())).collect();
        let source = Source::Receipts(BoundedVec::truncate_from(receipts));
        let record = Record { kind: 0, wallet: account(1), weight: u32::MAX, evidence: H256::zero(), source };
        let records = BoundedVec::truncate_from(vec![record; RECORDS_MAX as usize]);
        assert_fits("as many outcomes as can be", signed(Alice, 0, Call::record_many { records }));

        let outcomes = BoundedVec::truncate_from(vec![u64::MAX; DECIDED_MAX as usize]);
        let decide: RuntimeCall = Call::decide { outcomes, stand: false }.into();
        let max = stipend_runtime::configs::council::MaxProposalWeight::get();
        assert!(decide.get_dispatch_info().call_weight.all_lte(max), "such a decision is never proposed");
    });
}

#[test]
fn several_full_batches_fit_by_length() {
    let one = full_batch().encoded_size() as u32;
    let length_max = *<Runtime as frame_system::Config>::BlockLength::get().max.get(DispatchClass::Normal);
    assert!(3 * one <= length_max, "a full batch has {one} bytes");
}

#[test]
fn a_session_that_ends_leaves_room_for_transactions() {
    let weights = <Runtime as frame_system::Config>::BlockWeights::get();
    for class in [DispatchClass::Normal, DispatchClass::Operational] {
        assert!(weights.get(class).reserved.unwrap().all_gt(Weight::zero()), "{class:?}");
    }
}
