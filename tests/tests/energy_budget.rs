//! An energy budget on a real chain: what a gateway reserves, charges and a provider attests counts against it, and
//! what it does not cover is not reserved.

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use sp_core::bounded::BoundedVec;
use stipend_primitives::{
    batch::{Batch, Line, Record, SignedBatch},
    cost::Usage,
    energy::EnergyBudget,
    view::ClassEnergy,
    BlockNumber, BookVersion, ClassId, Credits, Sequence, MICRO_CREDITS_PER_CREDIT,
};
use stipend_runtime::RuntimeEvent;
use stipend_sdk::Client;
use stipend_tests::{
    company::{prices, Company, MODEL_GENERAL_ID},
    hostile::{Cheat, HostileProvider},
    services::{self, Node},
    try_state,
};

/// What every receipt here uses.
const USAGE: Usage = Usage { input: 1_000, cached_input: 0, output: 250 };

/// Millijoules that a credit costs at most.
const MJ_PER_CREDIT: u64 = 200_000;

/// Credits that the budget covers.
const COVERED: Credits = 40;

/// What each receipt of the frugal provider takes: a quarter of what it can take at most.
const FRUGAL_MJ: u64 = 25_000;

/// What each receipt of the other one takes: many times of it.
const WASTEFUL_MJ: u64 = 5_000_000;

/// Receipts in each batch.
const RECEIPTS: u64 = 8;

/// Finalised blocks within which an item that its provider attests is settled.
const SETTLED_WITHIN: BlockNumber = 40;

struct World {
    node: Node,
    client: Client,
    company: Company,
    book: BookVersion,
    frugal: HostileProvider,
    wasteful: HostileProvider,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_costs_no_more_energy_than_its_budget() -> Result<()> {
    let world = World::found().await?;
    let budget = EnergyBudget {
        // Longer than the test, and never about to end.
        period_ms: u64::MAX,
        millijoules_max: u128::from(MJ_PER_CREDIT) * COVERED,
        mj_per_credit: MJ_PER_CREDIT,
    };
    let call = pallet_entitlements::Call::set_energy_budget {
        class: ClassId::INNOVATION,
        budget: Some(budget.clone()),
    };
    world.company.council.act(&world.client, call).await?;
    ensure!(world.taken().await? == [0, 0], "a new budget is all left");

    // What is reserved is held, and more than is covered is not reserved.
    ensure!(world.reserve(0, 30).await?, "the budget covers 30 credits");
    ensure!(!world.reserve(1, 11).await?, "the budget covers no 41 credits");
    ensure!(world.reserve(1, 10).await?, "the budget covers 40 credits");
    let all = u128::from(MJ_PER_CREDIT) * COVERED;
    ensure!(world.taken().await? == [0, all], "all of it is held");

    // What a batch spends stays held until it is known what it took.
    let cost = u128::from(RECEIPTS) * prices()[0].cost(&USAGE);
    let batch = world.submit(0, &world.frugal).await?;
    ensure!(world.taken().await? == [0, all], "what is charged is held like what is reserved");
    world.frugal.serve(&batch);
    world.wait_until_settled(&batch).await?;
    let used = u128::from(FRUGAL_MJ * RECEIPTS);
    let freed = cost * u128::from(MJ_PER_CREDIT) / MICRO_CREDITS_PER_CREDIT;
    ensure!(world.taken().await? == [used, all - freed], "it took {used} mJ, and holds {freed} less");
    ensure!(world.reserve(1, 2).await?, "what it did not take can be reserved again");

    // More than can be is counted as it is, and nothing more is reserved.
    let batch = world.submit(RECEIPTS, &world.wasteful).await?;
    world.wasteful.serve(&batch);
    let exceeded = world.wait_until_settled(&batch).await?;
    ensure!(exceeded, "the chain says that the budget is exceeded");
    let [used, _] = world.taken().await?;
    ensure!(used == u128::from((FRUGAL_MJ + WASTEFUL_MJ) * RECEIPTS), "{used} mJ are used");
    ensure!(used > all && !world.reserve(1, 1).await?, "nothing is left");

    let block = world.client.finalised_head().await?.hash;
    let checked = try_state::check(&world.node.url, block).await?;
    println!("{} keys are sound; {used} mJ of {all} mJ are used", checked.keys);
    Ok(())
}

impl World {
    async fn found() -> Result<Self> {
        let node = Node::start(&services::work_dir("test-energy-budget")?).await?;
        let client = Client::connect(&node.url).await?;
        let company = Company::new(&["ada", "grace"])?;
        company.found(&client).await?;
        company.mint_baskets(&client).await?;
        for employee in &company.employees {
            let hash = employee.key_hash();
            let register =
                pallet_entitlements::Call::register_key { hash, limits: Default::default(), reserve: None };
            client.submit_finalised(register.into(), &employee.signer).await?;
        }
        let frugal = HostileProvider::start(Cheat::Takes(FRUGAL_MJ), client.genesis()).await?;
        let wasteful = HostileProvider::start(Cheat::Takes(WASTEFUL_MJ), client.genesis()).await?;
        for provider in [&frugal, &wasteful] {
            let role = pallet_roles::Call::grant_role {
                who: provider.signer.account(),
                role: stipend_primitives::Role::Provider,
                allowance: None,
            };
            company.council.act(&client, role).await?;
            company.register_provider(&client, &provider.signer, &provider.url).await?;
        }
        let book = client.finalised().await?.current_book().await?.context("the book was published")?.version;
        Ok(World { node, client, company, book, frugal, wasteful })
    }

    async fn status(&self) -> Result<ClassEnergy> {
        let mut classes = self.client.energy_status().await?;
        ensure!(classes.len() == 1, "one class has a budget, not {}", classes.len());
        classes.pop().context("there is one")
    }

    /// Millijoules used and held, as JSON-RPC shows them. What is left is the rest.
    async fn taken(&self) -> Result<[u128; 2]> {
        let row = self.status().await?;
        let left = row.budget.millijoules_max.saturating_sub(row.used_mj).saturating_sub(row.held_mj);
        ensure!(row.left_mj == left, "{} mJ are left, not {left}", row.left_mj);
        Ok([row.used_mj, row.held_mj])
    }

    /// Reserves Innovation credits of an employee for an hour; whether the gateway got them.
    async fn reserve(&self, employee: usize, credits: Credits) -> Result<bool> {
        let owner = self.company.employees[employee].signer.account();
        let rows =
            BoundedVec::truncate_from(vec![(owner, ClassId::INNOVATION, credits * MICRO_CREDITS_PER_CREDIT)]);
        let expires_at = u64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_millis())? + 3_600_000;
        let call = pallet_entitlements::Call::reserve_many { rows, expires_at };
        let done = self.client.submit_finalised(call.into(), &self.company.gateway).await?;
        let made = done.events.iter().find_map(|event| match event {
            RuntimeEvent::Entitlements(pallet_entitlements::Event::ReservationsMade { made, .. }) => {
                Some(*made)
            }
            _ => None,
        });
        Ok(made.context("the call says what it made")? == 1)
    }

    /// Submits a batch of the first employee's receipts by one provider.
    async fn submit(&self, first_seq: Sequence, provider: &HostileProvider) -> Result<Batch> {
        let record = |_| {
            let digest = rand::random();
            Record { wallet: 0, line: 0, usage: USAGE, priority_fee: 0, digest }.to_bytes()
        };
        let batch = Batch {
            gateway: self.company.gateway.account(),
            first_seq,
            wallets: BoundedVec::truncate_from(vec![self.company.employees[0].signer.account()]),
            lines: BoundedVec::truncate_from(vec![Line {
                provider: provider.signer.account(),
                book: self.book,
                model: MODEL_GENERAL_ID,
            }]),
            records: BoundedVec::truncate_from((0..RECEIPTS).flat_map(record).collect()),
        };
        let signature = self.company.gateway.sign(&batch.signing_payload(&self.client.genesis()));
        self.client.submit_batch_finalised(SignedBatch { batch: batch.clone(), signature }).await?;
        let view = self.client.finalised().await?.batch(&batch.gateway, first_seq).await?;
        ensure!(view.is_some_and(|view| view.uncollected == 0), "the wallet paid for everything");
        Ok(batch)
    }

    /// Waits for the verdict on a batch; whether the chain said meanwhile that a budget is exceeded.
    async fn wait_until_settled(&self, batch: &Batch) -> Result<bool> {
        let mut seen = self.client.finalised_head().await?.number;
        let end = seen + SETTLED_WITHIN;
        let mut exceeded = false;
        loop {
            let head = self.client.finalised_head().await?.number;
            ensure!(head < end, "the batch is not settled after {SETTLED_WITHIN} blocks");
            for number in seen..=head {
                let block = self.client.block_hash(number).await?;
                let events = self.client.at(block).events().await?;
                exceeded |= events.iter().any(|event| {
                    use pallet_entitlements::Event::EnergyBudgetExceeded;
                    matches!(event, RuntimeEvent::Entitlements(EnergyBudgetExceeded { .. }))
                });
            }
            seen = head + 1;
            let view = self.client.finalised().await?.batch(&batch.gateway, batch.first_seq).await?;
            if view.is_some_and(|view| view.providers.iter().all(|part| part.settled.is_some())) {
                return Ok(exceeded);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}
