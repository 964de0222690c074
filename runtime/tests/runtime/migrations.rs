//! States of earlier versions become states of this one, with nothing lost.

use codec::{Decode, Encode};
use frame_support::{
    storage::unhashed,
    traits::{GetStorageVersion, StorageVersion},
};
use pallet_entitlements::Keys;
use pallet_receipts::{BatchRecord, Batches, SequenceKey};
use sp_core::H256;
use sp_keyring::Ed25519Keyring::{Alice, Bob};
use stipend_primitives::{
    attestation::GpuUse,
    evidence::EvidenceLevel,
    key::{ApiKey, KeyLimits},
    ledger::Ledger,
    policy::{WalletKind, EMPLOYEE},
    settlement::VerdictKind,
    view::{ProviderTotals, Settled},
    AccountId, ClassId, ModelId,
};
use stipend_runtime::{Entitlements, Evidence, Executive, Receipts, Runtime};

use crate::chain::new_chain;

fn part(provider: AccountId, settled: Option<Settled>) -> ProviderTotals {
    ProviderTotals {
        provider,
        count: 1,
        input: 2,
        cached_input: 3,
        output: 4,
        collected: 5,
        root: H256([6; 32]),
        settled,
        evidence: EvidenceLevel::Software,
    }
}

/// How version 1 wrote a record: without the levels.
fn as_version_1(record: &BatchRecord) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = record
        .providers
        .iter()
        .map(|part| {
            let ProviderTotals { provider, count, input, cached_input, output, collected, root, .. } = part;
            let settled =
                part.settled.as_ref().map(|settled| (settled.verdict, settled.refunded, settled.at));
            (provider, count, input, cached_input, output, collected, root, settled).encode()
        })
        .collect();
    let mut bytes = BatchRecord { providers: Default::default(), ..record.clone() }.encode();
    bytes.pop();
    bytes.extend(codec::Compact(parts.len() as u32).encode());
    bytes.extend(parts.concat());
    bytes
}

#[test]
fn providers_in_batches_of_version_1_were_software() {
    new_chain("development").execute_with(|| {
        let settled = Settled { verdict: VerdictKind::Adjust, refunded: 1, gpu: GpuUse::default(), at: 9 };
        let records = [vec![None], vec![Some(settled.clone()), None], vec![None, Some(settled)]];
        let records = records.map(|settled| BatchRecord {
            first_seq: 7,
            submitted_at: 8,
            batch_hash: H256([1; 32]),
            receipts_root: H256([2; 32]),
            charged: 3,
            uncollected: 4,
            providers: settled
                .into_iter()
                .zip([Alice.to_account_id(), Bob.to_account_id()])
                .map(|(settled, provider)| part(provider, settled))
                .collect::<Vec<_>>()
                .try_into()
                .unwrap(),
        });
        let keys = [1, 2, 3].map(|seq| (Alice.to_account_id(), SequenceKey::from(seq)));
        for ((gateway, key), record) in keys.iter().zip(&records) {
            let raw = Batches::<Runtime>::hashed_key_for(gateway, key);
            unhashed::put_raw(&raw, &as_version_1(record));
            assert_ne!(BatchRecord::decode(&mut &as_version_1(record)[..]).ok().as_ref(), Some(record));
        }
        StorageVersion::new(1).put::<Receipts>();

        Executive::execute_on_runtime_upgrade();
        assert_eq!(Receipts::on_chain_storage_version(), 2);
        for ((gateway, key), record) in keys.iter().zip(records.clone()) {
            assert_eq!(Batches::<Runtime>::get(gateway, key), Some(record));
        }
        // Once, whatever happens.
        Executive::execute_on_runtime_upgrade();
        assert_eq!(Batches::<Runtime>::iter().count(), records.len());
        assert_eq!(Evidence::on_chain_storage_version(), Evidence::in_code_storage_version());
    });
}

#[test]
fn keys_of_version_1_have_no_caps() {
    new_chain("development").execute_with(|| {
        let limits = KeyLimits {
            models: vec![ModelId(3), ModelId(9)].try_into().unwrap(),
            request_cost_max: Some(5),
            requests_per_minute_max: Some(60),
            expires_at: Some(1_800_000_000_000),
            ..KeyLimits::default()
        };
        let keys = [(H256([1; 32]), KeyLimits::default()), (H256([2; 32]), limits)];
        for (hash, limits) in &keys {
            let KeyLimits { models, request_cost_max, requests_per_minute_max, expires_at, .. } = limits;
            let before =
                (Alice.to_account_id(), models, request_cost_max, requests_per_minute_max, expires_at);
            unhashed::put(&Keys::<Runtime>::hashed_key_for(hash), &before);
        }
        StorageVersion::new(1).put::<Entitlements>();

        Executive::execute_on_runtime_upgrade();
        assert_eq!(Entitlements::on_chain_storage_version(), Entitlements::in_code_storage_version());
        for (hash, limits) in keys {
            let key = ApiKey { owner: Alice.to_account_id(), limits };
            assert_eq!(Keys::<Runtime>::get(hash), Some(key));
        }
    });
}

#[test]
fn wallets_of_version_2_are_employees_and_nothing_of_them_is_rewritten() {
    new_chain("development").execute_with(|| {
        let owner = Bob.to_account_id();
        <Entitlements as Ledger>::endow(&owner, ClassId::INNOVATION, 5_000_000);
        StorageVersion::new(2).put::<Entitlements>();
        let before = (Entitlements::wallet(owner.clone()), Entitlements::programs());

        Executive::execute_on_runtime_upgrade();
        assert_eq!(Entitlements::on_chain_storage_version(), 3);
        assert_eq!(Entitlements::kinds_of(vec![owner.clone()]), [EMPLOYEE]);
        assert_eq!(Entitlements::kinds(), [WalletKind::employee()]);
        assert_eq!((Entitlements::wallet(owner), Entitlements::programs()), before);
        Entitlements::do_try_state().unwrap();
    });
}
