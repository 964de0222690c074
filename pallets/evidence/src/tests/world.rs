//! Validators, providers with and without GPUs, and an issuer for the tests.

use std::sync::Arc;

use codec::{Decode, Encode};
use frame_support::{
    dispatch::{DispatchErrorWithPostInfo, PostDispatchInfo},
    pallet_prelude::{InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction},
    traits::{Authorize, Hooks, OneSessionHandler},
};
use pallet_settlement::crypto::{AuthorityId, KEY_TYPE};
use parking_lot::Mutex;
use sp_core::{
    crypto::Pair as _,
    ed25519,
    offchain::{
        testing::TestOffchainExt, OffchainDbExt, OffchainWorkerExt, TransactionPool, TransactionPoolExt,
    },
    H256,
};
use sp_io::{hashing::blake2_256, TestExternalities};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};
use sp_runtime::traits::Dispatchable;
use stipend_evidence_token::issue::{test_policy, Issuer, Statement, TEST_MODEL};
use stipend_primitives::{
    evidence::EvidenceLevel,
    ledger::{Evidence as _, Roles},
    AccountId, BlockNumber, PublicKey, Role, Signature,
};

use super::network::{Answer, Network};
use crate::{
    mock::*,
    types::{Finding, SourceUrl, Trust},
    Call,
};

/// Blocks of a round in these tests.
pub const PERIOD: BlockNumber = 20;

pub fn account(name: u8) -> AccountId {
    AccountId::new([name; 32])
}

pub fn issuer() -> Issuer {
    Issuer::new("tests")
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

pub fn source(text: &str) -> SourceUrl {
    text.as_bytes().to_vec().try_into().unwrap()
}

pub fn trust() -> Trust {
    Trust { policy: test_policy(), source: None, period: PERIOD }
}

/// A chain with the authorities 0 to `authorities_count` that trusts the test issuer, in its first round.
pub fn chain(authorities_count: u32) -> TestExternalities {
    let mut ext = new_test_ext();
    ext.execute_with(|| {
        set_authorities(0..authorities_count);
        Evidence::set_trust(RuntimeOrigin::root(), Some(trust())).unwrap();
        Evidence::set_keys(RuntimeOrigin::root(), Box::new(issuer().key_set())).unwrap();
    });
    go_to(&mut ext, PERIOD + 1);
    ext
}

/// Hash of a block of these tests.
pub fn hash_of(number: BlockNumber) -> H256 {
    H256::from_low_u64_be(u64::from(number))
}

/// Goes to block `number`, a second after the other.
pub fn go_to(ext: &mut TestExternalities, number: BlockNumber) {
    ext.execute_with(|| {
        for block in System::block_number()..number {
            frame_system::BlockHash::<Test>::insert(block, hash_of(block));
        }
        System::set_block_number(number);
        NowMs::set(STARTED_MS + 1_000 * u64::from(number));
    });
}

pub fn level(provider: u8) -> EvidenceLevel {
    Evidence::level(&account(provider))
}

/// A provider with some GPUs.
#[derive(Clone)]
pub struct Machine {
    pub account: AccountId,
    pub key: PublicKey,
    pub endpoint: String,
    /// Numbers of its GPUs.
    pub gpus: Vec<u32>,
}

impl Machine {
    /// A registered provider with this many GPUs that nobody else has.
    pub fn registered(name: u8, gpus: u32) -> Self {
        let machine = Machine {
            account: account(name),
            key: [name; 32],
            endpoint: format!("http://10.0.0.{name}:9100"),
            gpus: (0..gpus).map(|number| u32::from(name) * 100 + number).collect(),
        };
        StandIn::grant(&machine.account, Role::Provider);
        machine.register();
        machine
    }

    /// Registers the provider's key and endpoint with the council.
    pub fn register(&self) {
        let endpoint = self.endpoint.clone().into_bytes().try_into().unwrap();
        Settlement::register_provider(RuntimeOrigin::root(), self.account.clone(), self.key, endpoint)
            .unwrap();
    }

    pub fn suspend(&self) {
        use stipend_primitives::ledger::Evidence as _;
        pallet_settlement::Providers::<Test>::mutate(&self.account, |provider| {
            provider.as_mut().unwrap().suspended = true;
        });
        // As `report_equivocation` does.
        Evidence::forget(&self.account);
    }

    /// The nonce of the round under way.
    pub fn nonce(&self) -> [u8; 32] {
        Evidence::round().unwrap().nonce(&self.key)
    }

    /// What the issuer says of its GPUs now.
    pub fn statement(&self) -> Statement {
        let mut statement = Statement::new(&self.nonce(), NowMs::get(), self.gpus.len());
        for (at, gpu) in self.gpus.iter().enumerate() {
            statement.devices.get_mut(&format!("GPU-{at}")).unwrap()["ueid"] = gpu.to_string().into();
        }
        statement
    }

    pub fn url(&self) -> String {
        format!("{}/v1/evidence?nonce={}", self.endpoint, hex::encode(self.nonce()))
    }

    /// Lets its attestor answer with the issuer's statement of this round.
    pub fn serve(&self, network: &Network) {
        self.serve_body(network, self.statement().bundle(&issuer()));
    }

    pub fn serve_body(&self, network: &Network, body: impl Into<Vec<u8>>) {
        network.listen(&self.endpoint);
        network.answer(&self.url(), Answer::ok(body));
    }

    /// What a validator that verified its evidence reports.
    pub fn finding(&self) -> Finding {
        let mut ueids: Vec<String> = self.gpus.iter().map(u32::to_string).collect();
        ueids.sort();
        let rows: Vec<(&str, &str)> = ueids.iter().map(|ueid| (ueid.as_str(), TEST_MODEL)).collect();
        let mut devices: Vec<H256> = ueids.iter().map(|ueid| H256(blake2_256(ueid.as_bytes()))).collect();
        devices.sort();
        Finding::Evidence {
            provider: self.account.clone(),
            round: Evidence::round().unwrap().block,
            nonce: self.nonce(),
            digest: H256(rows.using_encoded(blake2_256)),
            devices: devices.try_into().unwrap(),
        }
    }
}

pub fn signature(finding: &Finding, validator: &ed25519::Pair, genesis: &H256) -> Signature {
    validator.sign(&finding.signing_payload(genesis)).0
}

/// The transaction of a validator's report.
pub fn call(finding: &Finding, number: u32) -> RuntimeCall {
    call_with(finding, key(number), signature(finding, &validator(number), &GENESIS))
}

pub fn call_with(finding: &Finding, validator: PublicKey, signature: Signature) -> RuntimeCall {
    Call::report { finding: Box::new(finding.clone()), validator, signature }.into()
}

/// Why a transaction did not make it.
#[derive(Debug, PartialEq)]
pub enum Refused {
    Pool(TransactionValidityError),
    Call(DispatchErrorWithPostInfo),
}

pub fn pool(invalid: InvalidTransaction) -> Result<PostDispatchInfo, Refused> {
    Err(Refused::Pool(TransactionValidityError::Invalid(invalid)))
}

pub fn authorize(call: &RuntimeCall) -> Result<ValidTransaction, TransactionValidityError> {
    let (validity, _) = call.authorize(TransactionSource::External).expect("reports are authorised")?;
    Ok(validity)
}

/// Takes a transaction into a block, as the executive does.
pub fn include(call: RuntimeCall) -> Result<PostDispatchInfo, Refused> {
    authorize(&call).map_err(Refused::Pool)?;
    let result = call.dispatch(frame_system::Origin::<Test>::Authorized.into()).map_err(Refused::Call);
    Evidence::do_try_state().unwrap();
    result
}

/// Counts a validator's report.
pub fn report(finding: &Finding, number: u32) -> Result<PostDispatchInfo, Refused> {
    include(call(finding, number))
}

/// Has the first `count` validators report the same.
pub fn reported_by(finding: &Finding, count: u32) {
    for number in 0..count {
        report(finding, number).unwrap();
    }
}

/// Takes transactions.
#[derive(Clone, Default)]
struct TestPool(Arc<Mutex<Vec<Vec<u8>>>>);

impl TransactionPool for TestPool {
    fn submit_transaction(&mut self, extrinsic: Vec<u8>) -> Result<(), ()> {
        self.0.lock().push(extrinsic);
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

    fn register(&self, ext: &mut TestExternalities) -> TestPool {
        let pool = TestPool::default();
        ext.register_extension(TransactionPoolExt::new(pool.clone()));
        ext.register_extension(OffchainDbExt::new(self.database.clone()));
        ext.register_extension(OffchainWorkerExt::new(self.network.clone()));
        ext.register_extension(KeystoreExt(self.keystore.clone()));
        pool
    }

    /// Does something in the node's off-chain context.
    pub fn off_chain<R>(&self, ext: &mut TestExternalities, work: impl FnOnce() -> R) -> R {
        self.register(ext);
        ext.execute_with(work)
    }

    /// Runs the worker for the chain's block; returns the reports that it handed to the pool.
    pub fn run(&self, ext: &mut TestExternalities) -> Vec<RuntimeCall> {
        let pool = self.register(ext);
        ext.execute_with(|| {
            let root = sp_io::storage::root(sp_core::storage::StateVersion::V1);
            Evidence::offchain_worker(System::block_number());
            let after = sp_io::storage::root(sp_core::storage::StateVersion::V1);
            assert_eq!(root, after, "a worker changes no state");
        });
        let transactions = core::mem::take(&mut *pool.0.lock());
        let calls =
            transactions.into_iter().map(|bytes| Extrinsic::decode(&mut &bytes[..]).unwrap().function);
        calls.collect()
    }

    /// Runs the worker and takes its reports into a block.
    pub fn settle(&self, ext: &mut TestExternalities) -> usize {
        let calls = self.run(ext);
        let count = calls.len();
        ext.execute_with(|| {
            for call in calls {
                include(call).unwrap();
            }
        });
        count
    }
}

/// The findings in some transactions.
pub fn findings(calls: &[RuntimeCall]) -> Vec<Finding> {
    calls
        .iter()
        .map(|call| match call {
            RuntimeCall::Evidence(Call::report { finding, .. }) => (**finding).clone(),
            other => panic!("the worker only reports, not {other:?}"),
        })
        .collect()
}
