//! What a batch costs by its receipts, debits and lines, and what its authorisation costs.
//!
//! Every wallet of the benchmark covers half of what it is charged, so that the walk that attributes
//! shortfalls is measured too; every line has a model of its own, so that no price is found in a cache.

use alloc::{boxed::Box, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
    dispatch::RawOrigin,
    pallet_prelude::{Authorize, TransactionSource},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::crypto::KeyTypeId;
use stipend_primitives::{
    batch::{Batch, Line, Record, SignedBatch, LINES_MAX, PROVIDERS_MAX, RECEIPTS_MAX, WALLETS_MAX},
    cost::Usage,
    ledger::{Ledger, Prices, Roles},
    AccountId, ClassId, ModelId, Role,
};

use crate::*;

const GATEWAY_KEY: KeyTypeId = KeyTypeId(*b"gate");

fn account(kind: u8, number: u32) -> AccountId {
    let mut bytes = [kind; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    // Spread over the trie like real accounts.
    AccountId::new(sp_io::hashing::blake2_256(&bytes))
}

/// `receipts` receipts spread evenly over `wallets` wallets and `lines` lines of as many providers as a
/// batch can name, signed by a gateway.
fn signed_batch<T: Config>(receipts: u32, wallets: u32, lines: u32) -> SignedBatch {
    let key = sp_io::crypto::ed25519_generate(GATEWAY_KEY, None);
    let gateway = AccountId::new(key.0);
    T::Roles::grant(&gateway, Role::Gateway);
    let book = T::Prices::publish_for_test(LINES_MAX as u16);

    let usage = Usage { input: 1_200, cached_input: 300, output: 250 };
    let record = |number: u32| Record {
        wallet: (number % wallets) as u16,
        line: (number % lines) as u16,
        usage,
        priority_fee: 0,
        digest: [number as u8; 16],
    };
    let records: Vec<u8> = (0..receipts).flat_map(|number| record(number).to_bytes()).collect();
    let line = |number: u32| Line {
        provider: account(b'p', number % PROVIDERS_MAX),
        book,
        model: ModelId(number as u16),
    };
    let batch = Batch {
        gateway,
        first_seq: 0,
        wallets: (0..wallets)
            .map(|number| account(b'w', number))
            .collect::<Vec<_>>()
            .try_into()
            .expect("few"),
        lines: (0..lines).map(line).collect::<Vec<_>>().try_into().expect("few"),
        records: records.try_into().expect("few"),
    };
    let price = T::Prices::chargeable(book, ModelId(0)).expect("published above").cost(&usage);
    let half = price * u128::from(receipts / wallets) / 2;
    for wallet in &batch.wallets {
        T::Ledger::endow(wallet, ClassId::INNOVATION, half.max(1));
    }
    let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(0u32));
    let payload = batch.signing_payload(&genesis);
    let signature = sp_io::crypto::ed25519_sign(GATEWAY_KEY, &key, &payload).expect("generated above");
    SignedBatch { batch, signature: signature.0 }
}

#[benchmarks]
mod benches {
    use super::*;

    /// The receipts are never fewer than the wallets, so that each debit is one.
    #[benchmark]
    fn submit_batch(
        r: Linear<WALLETS_MAX, RECEIPTS_MAX>,
        d: Linear<1, WALLETS_MAX>,
        l: Linear<1, LINES_MAX>,
    ) -> Result<(), BenchmarkError> {
        let signed = signed_batch::<T>(r, d, l);
        let gateway = signed.batch.gateway.clone();
        let call = Call::<T>::submit_batch { signed: Box::new(signed.clone()) };
        call.authorize(TransactionSource::InBlock).ok_or("the call authorises itself")??;

        #[extrinsic_call]
        _(RawOrigin::Authorized, Box::new(signed));

        assert_eq!(Pallet::<T>::next_seq(&gateway), u64::from(r));
        Ok(())
    }

    #[benchmark]
    fn authorize_submit_batch(
        r: Linear<WALLETS_MAX, RECEIPTS_MAX>,
        w: Linear<1, WALLETS_MAX>,
        l: Linear<1, LINES_MAX>,
    ) -> Result<(), BenchmarkError> {
        let signed = signed_batch::<T>(r, w, l);
        let call = Call::<T>::submit_batch { signed: Box::new(signed) };

        #[block]
        {
            call.authorize(TransactionSource::InBlock).ok_or("the call authorises itself")??;
        }
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
