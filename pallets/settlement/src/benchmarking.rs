//! Benchmarks. `r` counts refunds.

use alloc::{boxed::Box, vec, vec::Vec};

use frame_benchmarking::v2::*;
use frame_support::{
    pallet_prelude::TransactionSource,
    traits::{Authorize, EnsureOrigin},
    BoundedVec,
};
use frame_system::RawOrigin;
use sp_application_crypto::RuntimeAppPublic;
use sp_core::{ed25519, H256};
use stipend_primitives::{
    attestation::{Attestation, GpuUse, SignedAttestation},
    batch::{Batch, Line, Record, SignedBatch},
    cost::Usage,
    ledger::{Ledger, Prices, Roles, Unsettled},
    settlement::{Item, Refund, Verdict, VerdictKind, Vote, REFUNDS_MAX},
    view::Provider,
    AccountId, ClassId, Endpoint, ModelId, PublicKey, Role, Signature,
};

use crate::{
    crypto::{AuthorityId, KEY_TYPE},
    pallet::{Authorities, Call, Config, GridIntensities, Pallet, Providers, RefundQueue, Votes},
    types::{QueuedRefunds, REFUNDS_AT_ONCE_MAX},
};

/// Credits that no receipt here uses up.
const PLENTY: u128 = u64::MAX as u128;

fn account(number: u32) -> AccountId {
    let mut bytes = [0xaa; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    AccountId::new(bytes)
}

fn provider() -> AccountId {
    account(u32::MAX)
}

fn endpoint() -> Endpoint {
    let mut text = b"https://".to_vec();
    text.resize(256, b'a');
    BoundedVec::truncate_from(text)
}

fn register_provider<T: Config>() -> ed25519::Public {
    T::Roles::grant(&provider(), Role::Provider);
    let key = sp_io::crypto::ed25519_generate(KEY_TYPE, None);
    let registered = Provider { key: key.0, endpoint: endpoint(), suspended: false };
    Providers::<T>::insert(provider(), registered);
    key
}

/// Opens an item that each of `wallets_count` wallets was charged a receipt for.
fn open_item<T: Config>(wallets_count: u32) -> (Item, H256) {
    let gateway = account(u32::MAX - 1);
    T::Roles::grant(&gateway, Role::Gateway);
    register_provider::<T>();
    let book = T::Prices::publish_for_test(1);
    let wallets: Vec<AccountId> = (0..wallets_count).map(account).collect();
    for wallet in &wallets {
        T::Ledger::endow(wallet, ClassId::INNOVATION, PLENTY);
    }
    let usage = Usage { input: 1_000_000, cached_input: 1_000_000, output: 1_000_000 };
    let records: Vec<u8> = (0..wallets_count as u16)
        .flat_map(|wallet| {
            Record { wallet, line: 0, usage, priority_fee: 0, digest: [wallet as u8; 16] }.to_bytes()
        })
        .collect();
    let batch = Batch {
        gateway: gateway.clone(),
        first_seq: 0,
        wallets: BoundedVec::truncate_from(wallets),
        lines: BoundedVec::truncate_from(vec![Line { provider: provider(), book, model: ModelId(0) }]),
        records: BoundedVec::truncate_from(records),
    };
    let batch_hash = batch.hash();
    T::Unsettled::submit_for_test(SignedBatch { batch, signature: [0; 64] });
    (Item { gateway, first_seq: 0, provider: provider() }, batch_hash)
}

fn gpu() -> GpuUse {
    GpuUse { time_ms: Some(u64::MAX), energy_mj: Some(u64::MAX) }
}

fn refunds(range: core::ops::Range<u32>) -> Vec<Refund> {
    range.map(|number| Refund { owner: account(number), class: ClassId::INNOVATION, amount: 1 }).collect()
}

fn adjust(refunds: Vec<Refund>) -> Verdict {
    Verdict::Adjust {
        provider_root: H256([1; 32]),
        receipts: refunds.len() as u32,
        refunds: BoundedVec::truncate_from(refunds),
    }
}

/// Makes one key of this node's the first of `authorities_count` authorities.
fn authority<T: Config>(authorities_count: u32) -> AuthorityId {
    let keys: Vec<AuthorityId> = (0..authorities_count).map(|_| AuthorityId::generate_pair(None)).collect();
    let first = keys[0].clone();
    Authorities::<T>::put(BoundedVec::truncate_from(keys));
    Pallet::<T>::begin_turnout();
    first
}

fn signed<T: Config>(vote: &Vote, key: &AuthorityId) -> (PublicKey, Signature) {
    let payload = vote.signing_payload(&Pallet::<T>::genesis_hash());
    let signature = key.sign(&payload).expect("the key was made in this keystore");
    (key.clone().into_inner().0, signature.into_inner().0)
}

fn attestation<T: Config>(key: &ed25519::Public, root: H256) -> Box<SignedAttestation> {
    let attestation = Attestation {
        provider: provider(),
        gateway: account(0),
        first_seq: 0,
        last_seq: 9,
        count: 10,
        input: 1,
        cached_input: 1,
        output: 1,
        root,
        gpu_time_ms: Some(1),
        energy_mj: Some(1),
    };
    let payload = attestation.signing_payload(&Pallet::<T>::genesis_hash());
    let signature =
        sp_io::crypto::ed25519_sign(KEY_TYPE, key, &payload).expect("the key was made in this keystore").0;
    Box::new(SignedAttestation { attestation, signature })
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn register_provider() -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        T::Roles::grant(&provider(), Role::Provider);
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, provider(), [1; 32], endpoint());
        assert!(Providers::<T>::contains_key(provider()));
        Ok(())
    }

    #[benchmark]
    fn set_endpoint() {
        super::register_provider::<T>();
        let moved: Endpoint = BoundedVec::truncate_from(b"http://b".to_vec());
        #[extrinsic_call]
        _(RawOrigin::Signed(provider()), moved.clone());
        assert!(Providers::<T>::get(provider()).is_some_and(|provider| provider.endpoint == moved));
    }

    #[benchmark]
    fn authorize_vote(r: Linear<0, REFUNDS_MAX>) -> Result<(), BenchmarkError> {
        let (item, batch_hash) = open_item::<T>(1);
        let key = authority::<T>(100);
        let ballot = Vote { item, batch_hash, verdict: adjust(refunds(0..r)), gpu: gpu() };
        let (validator, signature) = signed::<T>(&ballot, &key);
        let call = Call::<T>::vote { vote: Box::new(ballot), validator, signature };
        #[block]
        {
            call.authorize(TransactionSource::External).ok_or("votes are authorised")??;
        }
        Ok(())
    }

    #[benchmark]
    fn vote_without_quorum(r: Linear<0, REFUNDS_MAX>) -> Result<(), BenchmarkError> {
        let (item, batch_hash) = open_item::<T>(1);
        let key = authority::<T>(100);
        let ballot = Vote { item: item.clone(), batch_hash, verdict: adjust(refunds(0..r)), gpu: gpu() };
        let (validator, _) = signed::<T>(&ballot, &key);
        #[block]
        {
            Pallet::<T>::do_vote(ballot, validator).map_err(|error| error.error)?;
        }
        assert_eq!(Votes::<T>::get(&item).len(), 1);
        Ok(())
    }

    #[benchmark]
    fn vote(r: Linear<0, REFUNDS_AT_ONCE_MAX>) -> Result<(), BenchmarkError> {
        let (item, batch_hash) = open_item::<T>(r.max(1));
        let key = authority::<T>(1);
        let ballot = Vote { item: item.clone(), batch_hash, verdict: adjust(refunds(0..r)), gpu: gpu() };
        let (validator, _) = signed::<T>(&ballot, &key);
        #[block]
        {
            Pallet::<T>::do_vote(ballot, validator).map_err(|error| error.error)?;
        }
        assert!(T::Unsettled::open_item(&item).is_none());
        Ok(())
    }

    #[benchmark]
    fn queue_refunds(r: Linear<1, REFUNDS_MAX>) {
        let (item, _) = open_item::<T>(1);
        let queued = QueuedRefunds {
            kind: VerdictKind::Adjust,
            refunds: BoundedVec::truncate_from(refunds(0..r)),
            refunded: 0,
            gpu: gpu(),
        };
        #[block]
        {
            Pallet::<T>::pay(item.clone(), queued, 0);
        }
        assert!(RefundQueue::<T>::contains_key(&item));
    }

    #[benchmark]
    fn pay_refunds(r: Linear<0, REFUNDS_AT_ONCE_MAX>) {
        let (item, _) = open_item::<T>(r.max(1));
        // The longest list there can be; the wallets that were charged stand at its end, where paying
        // begins.
        let mut list = refunds(r..REFUNDS_MAX);
        list.extend(refunds(0..r));
        let queued = QueuedRefunds {
            kind: VerdictKind::Adjust,
            refunds: BoundedVec::truncate_from(list),
            refunded: 0,
            gpu: gpu(),
        };
        RefundQueue::<T>::insert(&item, queued);
        #[block]
        {
            if let Some((item, queued)) = RefundQueue::<T>::iter().next() {
                Pallet::<T>::pay(item, queued, r);
            }
        }
        assert!(
            RefundQueue::<T>::get(&item).is_some_and(|queued| queued.refunds.len() as u32 == REFUNDS_MAX - r)
        );
    }

    #[benchmark]
    fn report_equivocation() {
        let key = super::register_provider::<T>();
        let reporter = account(7);
        // The role that is looked for last.
        T::Roles::grant(&reporter, Role::Auditor);
        let (a, b) = (attestation::<T>(&key, H256([1; 32])), attestation::<T>(&key, H256([2; 32])));
        #[extrinsic_call]
        _(RawOrigin::Signed(reporter), a, b);
        assert!(Providers::<T>::get(provider()).is_some_and(|provider| provider.suspended));
    }

    #[benchmark]
    fn reinstate_provider() -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        super::register_provider::<T>();
        Providers::<T>::mutate(provider(), |provider| {
            if let Some(provider) = provider {
                provider.suspended = true;
            }
        });
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, provider());
        assert!(Providers::<T>::get(provider()).is_some_and(|provider| !provider.suspended));
        Ok(())
    }

    #[benchmark]
    fn set_grid_intensity() -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        super::register_provider::<T>();
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, provider(), Some(400_000));
        assert_eq!(GridIntensities::<T>::get(provider()), Some(400_000));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
