//! Validators, providers, gateways and batches for the tests.

use std::sync::Arc;

use codec::Decode;
use frame_support::{
    dispatch::{DispatchErrorWithPostInfo, PostDispatchInfo},
    pallet_prelude::{TransactionSource, TransactionValidityError, ValidTransaction},
    traits::{Authorize, Hooks, OneSessionHandler},
};
use parking_lot::Mutex;
use sp_core::{
    crypto::Pair as _,
    ed25519,
    offchain::{
        testing::TestOffchainExt, OffchainDbExt, OffchainWorkerExt, TransactionPool, TransactionPoolExt,
    },
    H256,
};
use sp_io::TestExternalities;
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};
use sp_runtime::traits::Dispatchable;
use stipend_primitives::{
    attestation::{Attestation, GpuUse, SignedAttestation},
    batch::{Batch, Line, Record, SignedBatch},
    cost::Usage,
    leaf::{UsageLeaf, USAGE_LEAF_LEN},
    ledger::{OpenItem, Roles, Unsettled},
    settlement::{Item, Refund, Verdict, Vote},
    view::Provider,
    AccountId, ClassId, Credits, ModelId, PublicKey, Role, Sequence, Signature,
};

use super::network::{Answer, Network};
use crate::{
    block_body::{BlockBody, BlockBodyExt},
    crypto::{AuthorityId, KEY_TYPE},
    mock::*,
    Call,
};

pub fn account(name: u8) -> AccountId {
    AccountId::new([name; 32])
}

pub fn gateway() -> AccountId {
    account(200)
}

pub fn usage(input: u32, cached_input: u32, output: u32) -> Usage {
    Usage { input, cached_input, output }
}

pub fn refund(owner: u8, class: ClassId, amount: Credits) -> Refund {
    Refund { owner: account(owner), class, amount }
}

/// A validator's settlement key.
pub fn validator(number: u32) -> ed25519::Pair {
    ed25519::Pair::from_string(&format!("//Validator{number}"), None).unwrap()
}

pub fn key(number: u32) -> PublicKey {
    validator(number).public().0
}

/// Makes validators the authorities, as a session change does.
pub fn set_authorities(numbers: impl IntoIterator<Item = u32>) {
    let numbers: Vec<u32> = numbers.into_iter().collect();
    let accounts: Vec<AccountId> = numbers.iter().map(|number| account(*number as u8)).collect();
    let key = |number: &u32| AuthorityId::from(validator(*number).public());
    let keys: Vec<(&AccountId, AuthorityId)> = accounts.iter().zip(numbers.iter().map(key)).collect();
    Settlement::on_new_session(true, keys.clone().into_iter(), keys.into_iter());
}

/// A provider and its attestor.
#[derive(Clone)]
pub struct Attestor {
    pub account: AccountId,
    pub pair: ed25519::Pair,
    pub endpoint: String,
}

impl Attestor {
    pub fn new(name: u8) -> Self {
        Attestor {
            account: account(name),
            pair: ed25519::Pair::from_seed(&[name; 32]),
            endpoint: format!("http://10.0.0.{name}:9100"),
        }
    }

    /// A provider that the chain knows.
    pub fn registered(name: u8) -> Self {
        let attestor = Attestor::new(name);
        RolesStandIn::grant(&attestor.account, Role::Provider);
        let provider = Provider {
            key: attestor.pair.public().0,
            endpoint: attestor.endpoint.clone().into_bytes().try_into().unwrap(),
            suspended: false,
        };
        crate::Providers::<Test>::insert(&attestor.account, provider);
        attestor
    }

    pub fn url(&self, batch: &Batch) -> String {
        let gateway: &[u8] = batch.gateway.as_ref();
        format!(
            "{}/v1/attestations/{}/{}/{}",
            self.endpoint,
            hex::encode(gateway),
            batch.first_seq,
            batch.last_seq()
        )
    }

    /// What the provider says of `leaves` for the range of `batch`.
    pub fn attestation(&self, batch: &Batch, leaves: &[UsageLeaf]) -> Attestation {
        Attestation {
            provider: self.account.clone(),
            gateway: batch.gateway.clone(),
            first_seq: batch.first_seq,
            last_seq: batch.last_seq(),
            count: leaves.len() as u32,
            input: leaves.iter().map(|leaf| u64::from(leaf.usage.input)).sum(),
            cached_input: leaves.iter().map(|leaf| u64::from(leaf.usage.cached_input)).sum(),
            output: leaves.iter().map(|leaf| u64::from(leaf.usage.output)).sum(),
            root: UsageLeaf::root(leaves),
            gpu_time_ms: None,
            energy_mj: None,
        }
    }

    pub fn sign(&self, attestation: Attestation) -> SignedAttestation {
        let signature = self.pair.sign(&attestation.signing_payload(&GENESIS)).0;
        SignedAttestation { attestation, signature }
    }

    /// Serves what the provider says of `leaves`, and the leaves.
    pub fn serve(&self, network: &Network, batch: &Batch, leaves: &[UsageLeaf]) {
        self.serve_signed(network, batch, &self.sign(self.attestation(batch, leaves)));
        self.serve_leaves(network, batch, leaves);
    }

    pub fn serve_signed(&self, network: &Network, batch: &Batch, signed: &SignedAttestation) {
        network.listen(&self.endpoint);
        network.answer(&self.url(batch), Answer::ok(serde_json::to_vec(signed).unwrap()));
    }

    pub fn serve_leaves(&self, network: &Network, batch: &Batch, leaves: &[UsageLeaf]) {
        let bytes: Vec<[u8; USAGE_LEAF_LEN]> = leaves.iter().map(UsageLeaf::to_bytes).collect();
        network.answer(&format!("{}/leaves", self.url(batch)), Answer::ok(bytes.concat()));
    }

    /// Serves exactly what the gateway claims.
    pub fn serve_honestly(&self, network: &Network, batch: &Batch) {
        self.serve(network, batch, &leaves_of(batch, &self.account));
    }
}

/// A receipt in the making: wallet, line, usage, priority fee.
pub type Receipt = (u8, u16, Usage, u32);

/// A batch of the gateway over the lines (provider, model).
pub fn batch(first_seq: Sequence, lines: &[(&Attestor, u16)], receipts: &[Receipt]) -> Batch {
    let mut wallets: Vec<u8> = receipts.iter().map(|receipt| receipt.0).collect();
    wallets.sort_unstable_by(|a, b| b.cmp(a));
    wallets.dedup();
    let records: Vec<u8> = receipts
        .iter()
        .enumerate()
        .flat_map(|(at, (wallet, line, usage, priority_fee))| {
            let digest = (u128::from(first_seq) << 32 | at as u128).to_le_bytes();
            let wallet = wallets.iter().position(|other| other == wallet).unwrap() as u16;
            Record { wallet, line: *line, usage: *usage, priority_fee: *priority_fee, digest }.to_bytes()
        })
        .collect();
    let lines: Vec<Line> = lines
        .iter()
        .map(|(attestor, model)| Line {
            provider: attestor.account.clone(),
            book: BOOK,
            model: ModelId(*model),
        })
        .collect();
    let batch = Batch {
        gateway: gateway(),
        first_seq,
        wallets: wallets.into_iter().map(account).collect::<Vec<_>>().try_into().unwrap(),
        lines: lines.try_into().unwrap(),
        records: records.try_into().unwrap(),
    };
    assert_eq!(batch.check(), Ok(()));
    batch
}

/// A batch of three receipts of one provider.
pub fn small_batch(first_seq: Sequence, attestor: &Attestor) -> Batch {
    let receipts = [(1, 0, usage(100, 20, 30), 0), (2, 0, usage(50, 0, 10), 7), (1, 0, usage(10, 0, 200), 0)];
    batch(first_seq, &[(attestor, 0)], &receipts)
}

/// Puts a batch on the chain.
pub fn submit(batch: &Batch) {
    UnsettledStandIn::submit_for_test(SignedBatch { batch: batch.clone(), signature: [0; 64] });
}

pub fn item(batch: &Batch, attestor: &Attestor) -> Item {
    Item { gateway: batch.gateway.clone(), first_seq: batch.first_seq, provider: attestor.account.clone() }
}

pub fn open(batch: &Batch, attestor: &Attestor) -> Option<OpenItem> {
    Open::get().get(&item(batch, attestor)).cloned()
}

/// A vote on the provider's part of a batch.
pub fn vote(batch: &Batch, attestor: &Attestor, verdict: Verdict) -> Vote {
    Vote { item: item(batch, attestor), batch_hash: batch.hash(), verdict, gpu: GpuUse::default() }
}

pub fn signature(vote: &Vote, validator: &ed25519::Pair, genesis: &H256) -> Signature {
    validator.sign(&vote.signing_payload(genesis)).0
}

/// The transaction of a validator's vote.
pub fn call(vote: &Vote, number: u32) -> RuntimeCall {
    let signature = signature(vote, &validator(number), &GENESIS);
    call_with(vote, key(number), signature)
}

pub fn call_with(vote: &Vote, validator: PublicKey, signature: Signature) -> RuntimeCall {
    Call::vote { vote: Box::new(vote.clone()), validator, signature }.into()
}

/// Why a transaction did not make it.
#[derive(Debug, PartialEq)]
pub enum Refused {
    Pool(TransactionValidityError),
    Call(DispatchErrorWithPostInfo),
}

pub fn authorize(call: &RuntimeCall) -> Result<ValidTransaction, TransactionValidityError> {
    let (validity, _) = call.authorize(TransactionSource::External).expect("votes are authorised")?;
    Ok(validity)
}

/// Takes a transaction into a block, as the executive does.
pub fn include(call: RuntimeCall) -> Result<PostDispatchInfo, Refused> {
    authorize(&call).map_err(Refused::Pool)?;
    let result = call.dispatch(frame_system::Origin::<Test>::Authorized.into()).map_err(Refused::Call);
    Settlement::do_try_state().unwrap();
    result
}

/// Counts a validator's vote.
pub fn cast(vote: &Vote, number: u32) -> Result<PostDispatchInfo, Refused> {
    include(call(vote, number))
}

/// How the pool ranks a validator's vote.
pub fn pool_priority(vote: &Vote, number: u32) -> u64 {
    authorize(&call(vote, number)).unwrap().priority
}

/// The block bodies of the stand-in.
pub struct TestBodies;

impl BlockBody for TestBodies {
    fn block_body(&self, number: u32) -> Option<Vec<Vec<u8>>> {
        Bodies::get().get(&number).cloned()
    }
}

/// A transaction and the moment at which it came.
type Submitted = (u64, Vec<u8>);

/// Takes transactions.
#[derive(Clone)]
struct TestPool {
    network: Network,
    transactions: Arc<Mutex<Vec<Submitted>>>,
}

impl TransactionPool for TestPool {
    fn submit_transaction(&mut self, extrinsic: Vec<u8>) -> Result<(), ()> {
        self.transactions.lock().push((self.network.now(), extrinsic));
        Ok(())
    }
}

/// A validator's node: its keys, its network, its local storage.
#[derive(Clone)]
pub struct Node {
    pub network: Network,
    keystore: Arc<MemoryKeystore>,
    database: TestOffchainExt,
}

impl Node {
    /// The node of some validators: one, where only one is named.
    pub fn new(numbers: impl IntoIterator<Item = u32>) -> Self {
        let keystore = MemoryKeystore::new();
        for number in numbers {
            keystore.ed25519_generate_new(KEY_TYPE, Some(&format!("//Validator{number}"))).unwrap();
        }
        Node {
            network: Network::default(),
            keystore: Arc::new(keystore),
            database: TestOffchainExt::default(),
        }
    }

    /// Lends `ext` what an off-chain worker has; returns the pool.
    fn register(&self, ext: &mut TestExternalities) -> TestPool {
        let pool = TestPool { network: self.network.clone(), transactions: Default::default() };
        ext.register_extension(TransactionPoolExt::new(pool.clone()));
        ext.register_extension(OffchainDbExt::new(self.database.clone()));
        ext.register_extension(OffchainWorkerExt::new(self.network.clone()));
        ext.register_extension(KeystoreExt(self.keystore.clone()));
        ext.register_extension(BlockBodyExt(Box::new(TestBodies)));
        pool
    }

    /// Does something in the node's off-chain context.
    pub fn off_chain<R>(&self, ext: &mut TestExternalities, work: impl FnOnce() -> R) -> R {
        self.register(ext);
        ext.execute_with(work)
    }

    /// Runs the worker for the chain's block; returns the votes that it handed to the pool, each with
    /// the milliseconds that it took.
    pub fn run_timed(&self, ext: &mut TestExternalities) -> Vec<(u64, RuntimeCall)> {
        let pool = self.register(ext);
        let started = self.network.now();
        ext.execute_with(|| {
            let root = sp_io::storage::root(sp_core::storage::StateVersion::V1);
            Settlement::offchain_worker(System::block_number());
            let after = sp_io::storage::root(sp_core::storage::StateVersion::V1);
            assert_eq!(root, after, "a worker changes no state");
        });
        let transactions = core::mem::take(&mut *pool.transactions.lock());
        transactions
            .into_iter()
            .map(|(at, bytes)| (at - started, Extrinsic::decode(&mut &bytes[..]).unwrap().function))
            .collect()
    }

    /// Runs the worker; returns its votes.
    pub fn run(&self, ext: &mut TestExternalities) -> Vec<RuntimeCall> {
        self.run_timed(ext).into_iter().map(|(_, call)| call).collect()
    }

    /// Runs the worker and takes its votes into a block.
    pub fn settle(&self, ext: &mut TestExternalities) -> usize {
        let calls = self.run(ext);
        let count = calls.len();
        ext.execute_with(|| calls.into_iter().for_each(|call| drop(include(call))));
        count
    }
}

/// The verdicts of the votes in some transactions.
pub fn verdicts(calls: &[RuntimeCall]) -> Vec<Verdict> {
    calls
        .iter()
        .map(|call| match call {
            RuntimeCall::Settlement(Call::vote { vote, .. }) => vote.verdict.clone(),
            other => panic!("the worker only votes, not {other:?}"),
        })
        .collect()
}

/// What the last closed item came to.
pub fn last_closed() -> Option<(stipend_primitives::settlement::VerdictKind, Credits)> {
    Closed::get().last().map(|(_, kind, refunded)| (*kind, *refunded))
}

/// Goes to a later block.
pub fn pass_blocks(ext: &mut TestExternalities, count: u32) {
    ext.execute_with(|| System::set_block_number(System::block_number() + count));
}

/// A chain with the authorities 0 to `authorities_count` and one registered provider.
pub fn chain(authorities_count: u32) -> (TestExternalities, Attestor) {
    let mut ext = new_test_ext();
    let attestor = ext.execute_with(|| {
        set_authorities(0..authorities_count);
        Attestor::registered(9)
    });
    (ext, attestor)
}
