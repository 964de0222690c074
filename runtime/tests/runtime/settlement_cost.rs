//! A match costs the chain the same however many receipts it settles.

use std::time::{Duration, Instant};

use codec::Encode as _;
use frame_support::{
    dispatch::{GetDispatchInfo, PostDispatchInfo},
    weights::Weight,
};
use frame_system::RawOrigin;
use pallet_settlement::Authorities;
use sp_core::bounded::BoundedVec;
use sp_keyring::Ed25519Keyring::Alice;
use sp_runtime::traits::Dispatchable;
use stipend_primitives::{
    attestation::GpuUse,
    batch::{Batch, Line, Record, SignedBatch},
    cost::Usage,
    ledger::{Ledger, Prices, Roles, Unsettled},
    settlement::{Item, Verdict, Vote},
    AccountId, ClassId, ModelId, Role,
};
use stipend_runtime::{Runtime, RuntimeCall};

use crate::chain::new_chain;

/// Wallets of the state and of either batch: the same, so that only the receipts differ.
const WALLETS: u16 = 10;

/// How often each side is timed; the two take turns.
const ROUNDS: usize = 20;

type LedgerOf = <Runtime as pallet_settlement::Config>::Ledger;
type PricesOf = <Runtime as pallet_settlement::Config>::Prices;
type RolesOf = <Runtime as pallet_settlement::Config>::Roles;
type UnsettledOf = <Runtime as pallet_settlement::Config>::Unsettled;

fn account(number: u16) -> AccountId {
    AccountId::new([number as u8; 32])
}

/// What the vote that completes a quorum on a match did cost.
#[derive(Debug)]
struct Cost {
    declared: Weight,
    charged: Weight,
    /// Distinct trie nodes that were read, in bytes.
    state_read: usize,
    took: Duration,
}

/// Settles a batch of `receipts` receipts by one vote, on a chain with one validator.
fn settle(receipts: u32) -> Cost {
    let mut chain = new_chain("development");
    let vote = chain.execute_with(|| {
        let (gateway, provider) = (account(100), account(101));
        RolesOf::grant(&gateway, Role::Gateway);
        RolesOf::grant(&provider, Role::Provider);
        let book = PricesOf::publish_for_test(1);
        let wallets: Vec<AccountId> = (1..=WALLETS).map(account).collect();
        for wallet in &wallets {
            LedgerOf::endow(wallet, ClassId::INNOVATION, u64::MAX.into());
        }
        let record = |number: u32| Record {
            wallet: (number % u32::from(WALLETS)) as u16,
            line: 0,
            usage: Usage { input: 1_000, cached_input: 100, output: 1_000 },
            priority_fee: 0,
            digest: [7; 16],
        };
        let batch = Batch {
            gateway: gateway.clone(),
            first_seq: 0,
            wallets: BoundedVec::truncate_from(wallets),
            lines: BoundedVec::truncate_from(vec![Line {
                provider: provider.clone(),
                book,
                model: ModelId(0),
            }]),
            records: BoundedVec::truncate_from(
                (0..receipts).flat_map(|number| record(number).to_bytes()).collect(),
            ),
        };
        let batch_hash = batch.hash();
        UnsettledOf::submit_for_test(SignedBatch { batch, signature: [0; 64] });
        let item = Item { gateway, first_seq: 0, provider };
        assert_eq!(UnsettledOf::open_item(&item).map(|open| open.count), Some(receipts));
        assert_eq!(Authorities::<Runtime>::get().len(), 1);
        Vote { item, batch_hash, verdict: Verdict::Match, gpu: GpuUse::default() }
    });
    chain.commit_all().unwrap();

    let item = vote.item.clone();
    let call = RuntimeCall::Settlement(pallet_settlement::Call::vote {
        vote: Box::new(vote),
        validator: Alice.to_raw_public(),
        signature: [0; 64],
    });
    let declared = call.get_dispatch_info().call_weight;
    let ((post, took), proof) = chain.execute_and_prove(|| {
        let began = Instant::now();
        let post: PostDispatchInfo = call.dispatch(RawOrigin::Authorized.into()).unwrap();
        (post, began.elapsed())
    });
    chain.execute_with(|| {
        assert!(UnsettledOf::open_item(&item).is_none(), "the vote of the only validator settles");
    });
    let charged = post.actual_weight.unwrap_or(declared);
    Cost { declared, charged, state_read: proof.encoded_size(), took }
}

#[test]
fn a_match_costs_the_same_for_ten_and_for_ten_thousand_receipts() {
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        few.push(settle(10));
        many.push(settle(10_000));
    }
    let median = |costs: &[Cost]| {
        let mut times: Vec<Duration> = costs.iter().map(|cost| cost.took).collect();
        times.sort();
        times[times.len() / 2]
    };
    for (receipts, costs) in [(10, &few), (10_000, &many)] {
        println!(
            "{receipts:>6} receipts: weight {} ps and {} bytes of proof, {} bytes of state read, median {:?}",
            costs[0].charged.ref_time(),
            costs[0].charged.proof_size(),
            costs[0].state_read,
            median(costs),
        );
    }
    println!("ratio of the medians: {:.2}", median(&many).as_secs_f64() / median(&few).as_secs_f64());

    for (few, many) in few.iter().zip(&many) {
        assert_eq!(few.declared, many.declared);
        assert_eq!(few.charged, many.charged);
        // Numbers in compact encoding are a few bytes longer.
        assert!(few.state_read.abs_diff(many.state_read) < 64, "{} and {}", few.state_read, many.state_read);
    }
}
