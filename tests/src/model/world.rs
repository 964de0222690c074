//! The chain, the people on it, and the comparison after every act.

use std::collections::{BTreeMap, BTreeSet};

use codec::Encode;
use frame_support::{
    storage::{with_transaction, TransactionOutcome},
    traits::{Authorize, GetCallMetadata, Hooks},
};
use sp_core::{ed25519, Pair, H256};
use sp_keyring::Ed25519Keyring;
use sp_runtime::{
    traits::Dispatchable, transaction_validity::TransactionSource, BuildStorage, DispatchError,
    DispatchResult,
};
use stipend_primitives::{
    batch::Batch, cost::PriceBook, ledger::Unsettled, mint::Grant, settlement::Item, AccountId, ClassId,
    Credits, Role, Sequence,
};
use stipend_runtime::{
    configs::council::{Act as CouncilsAct, CouncilInstance},
    Entitlements, Merit, Pricing, Receipts, Roles, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
    Settlement, System,
};

use super::{act::Act, batches::Fault, books::Books};
use crate::company::{name, prices};

/// Calls that were carried out at least once, as `Pallet.call`.
pub type Coverage = BTreeSet<String>;

/// Programs of the setting: one per class.
pub(super) const CLASSES: [ClassId; 3] = [ClassId::INNOVATION, ClassId::REASONING, ClassId::PRIORITY];

/// Budget of each program: small enough to run out.
const BUDGET: Credits = 20_000_000;

/// A chain with four validators, two issuers, three gateways, two providers, four owners and two evaluators.
pub struct World {
    pub(super) books: Books,
    pub(super) validators: Vec<ed25519::Pair>,
    pub(super) issuers: Vec<ed25519::Pair>,
    pub(super) gateways: Vec<ed25519::Pair>,
    pub(super) providers: Vec<ed25519::Pair>,
    pub(super) owners: Vec<ed25519::Pair>,
    pub(super) evaluators: Vec<ed25519::Pair>,
    pub(super) council: ed25519::Pair,
    pub(super) programs: BTreeMap<u32, ClassId>,
    coverage: Coverage,
    /// Transactions of the fork that is being built.
    fork: Option<Vec<(Option<AccountId>, RuntimeCall)>>,
}

impl World {
    /// Runs a history on a fresh chain; panics with the first thing that does not hold.
    pub fn run(history: &[Act]) -> Coverage {
        Self::run_and_then(history, |world| world.coverage)
    }

    /// The state that a history leaves behind: keys and values, without the runtime's code.
    pub fn state_after(history: &[Act]) -> Vec<(Vec<u8>, Vec<u8>)> {
        Self::run_and_then(history, |_| {
            let (mut state, mut last) = (Vec::new(), Vec::new());
            while let Some(key) = sp_io::storage::next_key(&last) {
                last.clone_from(&key);
                let value = sp_io::storage::get(&key).expect("the key was just found");
                if key != sp_core::storage::well_known_keys::CODE {
                    state.push((key, value.to_vec()));
                }
            }
            state
        })
    }

    fn run_and_then<T>(history: &[Act], then: impl FnOnce(World) -> T) -> T {
        sp_io::TestExternalities::new(genesis()).execute_with(|| {
            let mut world = World::found();
            for act in history {
                world.perform(act);
                world.compare();
            }
            world.end_block(1_000);
            then(world)
        })
    }

    fn found() -> Self {
        let people = |kind: u8, count: u8| -> Vec<ed25519::Pair> {
            (0..count).map(|at| ed25519::Pair::from_seed(&[kind * 16 + at + 1; 32])).collect()
        };
        let mut world = World {
            books: Books::default(),
            validators: [
                Ed25519Keyring::Alice,
                Ed25519Keyring::Bob,
                Ed25519Keyring::Charlie,
                Ed25519Keyring::Dave,
            ]
            .map(|key| key.pair())
            .into(),
            issuers: people(1, 2),
            gateways: people(2, 3),
            providers: people(3, 2),
            owners: people(4, 4),
            evaluators: people(5, 2),
            council: Ed25519Keyring::Alice.pair(),
            programs: BTreeMap::new(),
            coverage: Coverage::new(),
            fork: None,
        };
        world.begin_block(1_000);
        for (role, accounts) in [
            (Role::Issuer, &world.issuers),
            (Role::Gateway, &world.gateways),
            (Role::Provider, &world.providers),
            (Role::Evaluator, &world.evaluators),
        ]
        .map(|(role, pairs)| (role, pairs.iter().map(World::account).collect::<Vec<_>>()))
        {
            for who in accounts {
                world.council_act(pallet_roles::Call::grant_role { who, role, allowance: None }.into());
            }
        }
        world.council_act(pallet_pricing::Call::publish { entries: prices() }.into());
        for (at, class) in CLASSES.into_iter().enumerate() {
            let owner = World::account(&world.issuers[at % 2]);
            let name = name("Program").expect("seven bytes fit");
            world.council_act(
                pallet_entitlements::Call::create_program { name, class, owner, budget: BUDGET }.into(),
            );
        }
        world.council_act(world.first_kind());
        world.end_block(1_000);
        // Until the kind's first rule holds.
        world.end_block(5_000);
        world
    }

    pub(super) fn account(pair: &ed25519::Pair) -> AccountId {
        AccountId::new(pair.public().0)
    }

    pub(super) fn gateway(&self, at: u8) -> &ed25519::Pair {
        &self.gateways[usize::from(at) % self.gateways.len()]
    }

    pub(super) fn genesis(&self) -> H256 {
        System::block_hash(0)
    }

    pub(super) fn next_seq(&self, gateway: &AccountId) -> Sequence {
        Receipts::next_seq(gateway)
    }

    pub(super) fn book(&self) -> u32 {
        Pricing::current_book().map_or(0, |book: PriceBook| book.version)
    }

    fn begin_block(&mut self, ms: u64) {
        let number = System::block_number() + 1;
        let now = pallet_timestamp::Now::<Runtime>::get().max(1_700_000_000_000) + ms;
        System::reset_events();
        System::initialize(&number, &System::block_hash(number - 1), &Default::default());
        pallet_timestamp::Now::<Runtime>::put(now);
        Roles::on_initialize(number);
        Entitlements::on_initialize(number);
        Pricing::on_initialize(number);
        Receipts::on_initialize(number);
        Settlement::on_initialize(number);
    }

    fn end_block(&mut self, ms: u64) {
        let number = System::block_number();
        Settlement::on_idle(number, frame_support::weights::Weight::MAX);
        Merit::on_idle(number, frame_support::weights::Weight::MAX);
        self.read_events();
        Entitlements::on_finalize(number);
        Roles::on_finalize(number);
        Receipts::on_finalize(number);
        Roles::do_try_state().expect("the state of roles is sound");
        Entitlements::do_try_state().expect("the state of entitlements is sound");
        Pricing::do_try_state().expect("the state of pricing is sound");
        Receipts::do_try_state().expect("the state of receipts is sound");
        Settlement::do_try_state().expect("the state of settlement is sound");
        Merit::do_try_state().expect("the state of merit is sound");
        System::finalize();
        self.begin_block(ms);
    }

    fn council_act(&mut self, call: RuntimeCall) {
        let council = World::account(&self.council);
        self.dispatch(Some(council), call).expect("the setting is within every limit");
    }

    /// Carries a call out, as its signer or by its own authority, and enters it in the books.
    pub(super) fn dispatch(&mut self, signer: Option<AccountId>, call: RuntimeCall) -> DispatchResult {
        if let Some(fork) = &mut self.fork {
            fork.push((signer.clone(), call.clone()));
        }
        let origin: RuntimeOrigin = match &signer {
            // The council agrees on everything that is the council's.
            Some(who) if *who == World::account(&self.council) && CouncilsAct::of(&call).is_some() => {
                pallet_collective::RawOrigin::<AccountId, CouncilInstance>::Members(3, 3).into()
            }
            Some(who) => RuntimeOrigin::signed(who.clone()),
            None => match call.authorize(TransactionSource::External) {
                Some(Ok(_)) => frame_system::Origin::<Runtime>::Authorized.into(),
                _ => return Err(DispatchError::BadOrigin),
            },
        };
        call.clone().dispatch(origin).map_err(|error| error.error)?;
        let metadata = call.get_call_metadata();
        self.coverage.insert(format!("{}.{}", metadata.pallet_name, metadata.function_name));
        self.enter(&call);
        self.read_events();
        Ok(())
    }

    fn enter(&mut self, call: &RuntimeCall) {
        match call {
            RuntimeCall::Entitlements(call) => self.enter_grant(call),
            RuntimeCall::Receipts(pallet_receipts::Call::submit_batch { signed }) => {
                self.enter_batch(&signed.batch)
            }
            RuntimeCall::Settlement(pallet_settlement::Call::vote { vote, validator, .. }) => {
                let hash = sp_io::hashing::blake2_256(&vote.verdict.encode());
                self.books.vote(&vote.item, *validator, hash);
            }
            _ => {}
        }
    }

    fn enter_grant(&mut self, call: &pallet_entitlements::Call<Runtime>) {
        use pallet_entitlements::Call;
        match call {
            Call::create_program { class, .. } => {
                let id = self.programs.len() as u32;
                self.programs.insert(id, *class);
            }
            Call::delegate_program { parent, .. } => {
                let (id, class) = (self.programs.len() as u32, self.programs[parent]);
                self.programs.insert(id, class);
            }
            Call::mint { owner, grant } => self.enter_one(owner, grant),
            Call::mint_many { grants } => {
                grants.iter().for_each(|(owner, grant)| self.enter_one(owner, grant))
            }
            Call::mint_signed { request, .. } => {
                let fresh = self.books.requests.insert((request.issuer.clone(), request.idempotency_key));
                assert!(fresh, "a mint request was carried out twice");
                self.enter_one(&request.owner, &request.grant);
            }
            _ => {}
        }
    }

    fn enter_one(&mut self, owner: &AccountId, grant: &Grant) {
        match grant {
            Grant::One { program, amount, .. } => self.books.grant(owner, self.programs[program], *amount),
            Grant::Basket { basket } => {
                let baskets = Entitlements::baskets();
                let (.., lines) = baskets.iter().find(|(id, ..)| id == basket).expect("the mint found it");
                for (program, amount, _) in lines {
                    self.books.grant(owner, self.programs[program], *amount);
                }
            }
        }
    }

    fn enter_batch(&mut self, batch: &Batch) {
        for (seq, record) in (batch.first_seq..).zip(batch.records()) {
            let line = &batch.lines[usize::from(record.line)];
            let book = Pricing::book(line.book).expect("the batch was accepted");
            let entry = book.entry(line.model).expect("the batch was accepted");
            let owner = &batch.wallets[usize::from(record.wallet)];
            let costs = [
                (entry.class, entry.cost(&record.usage)),
                (ClassId::PRIORITY, Credits::from(record.priority_fee)),
            ];
            self.books.charge(&batch.gateway, seq, owner, costs);
        }
        for provider in batch.providers() {
            let item = Item { gateway: batch.gateway.clone(), first_seq: batch.first_seq, provider };
            if let Some(open) = Receipts::open_item(&item) {
                self.books.collected.insert(item, open.collected);
            }
        }
    }

    fn read_events(&mut self) {
        for record in System::events() {
            match record.event {
                RuntimeEvent::Settlement(pallet_settlement::Event::Settled {
                    item,
                    verdict,
                    refunded,
                    ..
                }) => self.books.settle(&item, verdict, refunded, self.validators.len()),
                RuntimeEvent::Merit(pallet_merit::Event::Recorded { wallet, minted, .. }) => {
                    self.books.grant(&wallet, ClassId::PRIORITY, minted)
                }
                _ => {}
            }
        }
        System::reset_events();
    }

    /// Invariants 1 to 4 over all wallets.
    fn compare(&self) {
        let (mut spent, mut uncollected) = (0, 0);
        for owner in &self.owners {
            let owner = World::account(owner);
            for row in Entitlements::wallet(owner.clone()) {
                let (key, a) = ((owner.clone(), row.class), row.amounts);
                let granted = self.books.granted.get(&key).copied().unwrap_or(0);
                assert_eq!(a.granted, granted, "{key:?} was granted something else");
                let sum = a.available + a.reserved + a.spent + a.expired + a.revoked;
                assert_eq!(a.granted, sum, "{key:?} does not add up: {a:?}");
                let reserved: Credits = row.reservations.iter().map(|reservation| reservation.amount).sum();
                assert_eq!(a.reserved, reserved, "{key:?}: gateways can charge what is not reserved");
                let priced = self.books.priced.get(&key).copied().unwrap_or(0);
                assert!(a.spent <= priced, "{key:?} spent {} of {priced} priced", a.spent);
                spent += a.spent;
            }
        }
        for gateway in &self.gateways {
            let account = World::account(gateway);
            uncollected += Receipts::uncollected(&account);
            let charged =
                self.books.charged.range((account.clone(), 0)..=(account.clone(), u64::MAX)).count();
            assert_eq!(self.next_seq(&account), charged as u64, "the sequence of {account} has a gap");
        }
        let priced: Credits = self.books.priced.values().sum();
        assert_eq!(priced, spent + uncollected + self.books.refunded, "credits appeared or vanished");
    }

    pub(super) fn perform(&mut self, act: &Act) {
        // A refusal is as good as an acceptance: the books say whether it was right.
        match act {
            Act::Pass { ms } => self.end_block(*ms),
            Act::Mint { way, issuer, owner, program, amount, lasts, once } => {
                self.mint(*way, *issuer, *owner, *program, *amount, *lasts, *once)
            }
            Act::Budget { what, program, amount } => self.budget(*what, *program, *amount),
            Act::Take { what, who, id, amount } => self.take(*what, *who, *id, *amount),
            Act::Key { what, owner, key, gateway, amount } => {
                self.key(*what, *owner, *key, *gateway, *amount)
            }
            Act::Reserve { release, gateway, rows, lasts } => self.reserve(*release, *gateway, rows, *lasts),
            Act::Batch { gateway, fault, receipts } => {
                let fault = Fault::of(*fault);
                let signed = self.batch(*gateway, fault, receipts);
                let repeats_nothing =
                    fault == Fault::Repeat && signed.batch.first_seq == self.next_seq(&signed.batch.gateway);
                let call = pallet_receipts::Call::submit_batch { signed: Box::new(signed) };
                let accepted = self.dispatch(None, call.into()).is_ok();
                assert!(
                    !accepted || fault == Fault::None || repeats_nothing,
                    "a batch with the fault {fault:?} was accepted"
                );
            }
            Act::Vote { item, validators, verdict, share } => {
                for vote in self.votes(*item, *validators, *verdict, *share) {
                    let _ = self.dispatch(None, vote);
                }
            }
            Act::Merit { what, who, id, weight } => self.merit(*what, *who, *id, *weight),
            Act::Govern { what, who } => self.govern(*what, *who),
            Act::Reorg { fork, drop } => self.reorganise(fork, *drop),
        }
    }

    fn reorganise(&mut self, fork: &[Act], drop: u32) {
        if self.fork.is_some() {
            return;
        }
        let (books, programs) = (self.books.clone(), self.programs.clone());
        self.fork = Some(Vec::new());
        let _ = with_transaction(|| -> TransactionOutcome<Result<(), DispatchError>> {
            for act in fork {
                self.perform(act);
                self.compare();
            }
            TransactionOutcome::Rollback(Ok(()))
        });
        let transactions = self.fork.take().unwrap_or_default();
        (self.books, self.programs) = (books, programs);
        self.compare();
        for (at, (signer, call)) in transactions.into_iter().enumerate() {
            if drop >> (at % 32) & 1 == 0 {
                let _ = self.dispatch(signer, call);
                self.compare();
            }
        }
    }
}

/// The local chain's genesis.
fn genesis() -> sp_core::storage::Storage {
    let preset = sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET.into();
    let patch = stipend_runtime::genesis::preset(&preset).expect("the runtime has the local preset");
    let patch: serde_json::Value = serde_json::from_slice(&patch).expect("a preset is JSON");
    let config = stipend_runtime::RuntimeGenesisConfig::default();
    let mut config = serde_json::to_value(config).expect("a genesis is JSON");
    merge(&mut config, patch);
    let config: stipend_runtime::RuntimeGenesisConfig =
        serde_json::from_value(config).expect("a preset fits the genesis");
    config.build_storage().expect("a preset builds")
}

fn merge(into: &mut serde_json::Value, patch: serde_json::Value) {
    match (into, patch) {
        (serde_json::Value::Object(into), serde_json::Value::Object(patch)) => {
            for (key, value) in patch {
                merge(into.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
        (into, patch) => *into = patch,
    }
}
