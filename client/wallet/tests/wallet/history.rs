//! Random histories: grants, charges, shortfalls, refunds, energy, expiry.

use std::{collections::BTreeMap, sync::Arc};

use rand::{rngs::StdRng, Rng, SeedableRng};
use sp_core::H256;
use stipend_primitives::{
    attestation::GpuUse,
    batch::{Batch, Line, Record, RECORD_LEN},
    cost::Usage,
    key::{ApiKey, KeyLimits},
    settlement::{Item, Refund, VerdictKind},
    view::{Amounts, ClassBalance, EntitlementView, Program},
    AccountId, ClassId, Credits, Sequence,
};
use stipend_wallet::chain::{Act, Note};

use super::fake::{account, book, classes, name, Fake, Ledger, BEGIN_MS, GENERAL, REASONING};

pub const GATEWAYS: [u8; 2] = [201, 202];
pub const PROVIDERS: [u8; 2] = [211, 212];
pub const HR: u8 = 221;
pub const OTHER_HR: u8 = 222;

/// A wallet of four classes as the fake keeps it.
type Grants = BTreeMap<u64, EntitlementView>;

/// What an item cost whom, by class.
type Charges = Vec<(AccountId, ClassId, Credits)>;

pub struct History {
    pub fake: Arc<Fake>,
    random: StdRng,
    moment: u64,
    ledger: Ledger,
    grants: Grants,
    next_grant: u64,
    next_seq: BTreeMap<u8, Sequence>,
    open: Vec<(Item, Charges)>,
    owners: Vec<AccountId>,
    waiting: Vec<Act>,
    /// Millijoules of all settled items.
    pub energy_mj: u128,
    /// Milliseconds between blocks.
    pub step_ms: u64,
}

fn program(owner: u8, text: &str, class: ClassId, budget: Credits) -> Program {
    Program {
        owner: account(owner),
        name: name(text),
        class,
        parent: None,
        budget,
        unminted: budget,
        granted: 0,
        delegated: 0,
    }
}

impl History {
    pub fn new(seed: u64, owners: Vec<AccountId>) -> Self {
        let budget = 1_000_000_000_000;
        let programs = vec![
            (0, program(HR, "Research credits", ClassId::INNOVATION, budget)),
            (1, program(HR, "Priority pool", ClassId::PRIORITY, budget)),
            (2, program(OTHER_HR, "Reasoning pilot", ClassId::REASONING, budget)),
        ];
        let fake = Fake::new(programs.clone());
        History {
            fake,
            random: StdRng::seed_from_u64(seed),
            moment: BEGIN_MS,
            ledger: Ledger { programs, ..Ledger::default() },
            grants: Grants::new(),
            next_grant: 0,
            next_seq: BTreeMap::new(),
            open: vec![],
            owners,
            waiting: vec![],
            energy_mj: 0,
            step_ms: 3_600_000,
        }
    }

    /// Makes blocks in which random things happen.
    pub fn run(&mut self, blocks: u32) {
        for _ in 0..blocks {
            self.moment += self.step_ms;
            let now = self.moment;
            for grant in self.grants.values_mut() {
                if grant.valid_until.is_some_and(|until| until <= now) {
                    grant.amounts.expired += std::mem::take(&mut grant.amounts.available);
                }
            }
            let mut acts = vec![];
            for _ in 0..self.random.gen_range(0..4) {
                match self.random.gen_range(0..10) {
                    0 | 1 => self.mint(&mut acts),
                    2 => self.register_key(&mut acts),
                    3 => acts.push(Act::Grid(account(PROVIDERS[0]), Some(self.random.gen_range(1..500_000)))),
                    4..=6 => self.settle(&mut acts),
                    _ => self.batch(&mut acts),
                }
            }
            self.close(acts);
        }
    }

    /// Settles everything that is open.
    pub fn settle_all(&mut self) {
        let mut acts = vec![];
        while !self.open.is_empty() {
            self.settle(&mut acts);
        }
        self.close(acts);
    }

    fn close(&mut self, acts: Vec<Act>) {
        self.ledger = self.rendered();
        self.fake.push(self.moment, acts, self.ledger.clone());
    }

    /// The ledger with its wallets as the grants make them.
    fn rendered(&self) -> Ledger {
        let mut ledger = self.ledger.clone();
        ledger.wallets.clear();
        for grant in self.grants.values() {
            let (balances, grants) = ledger.wallets.entry(grant.owner.clone()).or_default();
            grants.push(grant.clone());
            let at = match balances.iter().position(|row: &ClassBalance| row.class == grant.class) {
                Some(at) => at,
                None => {
                    let (_, class) = classes().into_iter().find(|(id, _)| *id == grant.class).unwrap();
                    balances.push(ClassBalance {
                        class: grant.class,
                        name: class.name,
                        amounts: Amounts::default(),
                        reservations: vec![],
                        expires_next: None,
                        frozen: false,
                    });
                    balances.len() - 1
                }
            };
            let row = &mut balances[at];
            row.amounts.granted += grant.amounts.granted;
            row.amounts.available += grant.amounts.available;
            row.amounts.spent += grant.amounts.spent;
            row.amounts.expired += grant.amounts.expired;
            if grant.amounts.available > 0 {
                row.expires_next = row.expires_next.into_iter().chain(grant.valid_until).min();
            }
            balances.sort_by_key(|row| row.class);
        }
        ledger
    }

    fn owner(&mut self) -> AccountId {
        self.owners[self.random.gen_range(0..self.owners.len())].clone()
    }

    fn mint(&mut self, acts: &mut Vec<Act>) {
        let owner = self.owner();
        let amount = self.random.gen_range(100_000..40_000_000);
        self.mint_to(&owner, self.next_grant as usize % 3, amount, acts);
    }

    pub fn mint_to(&mut self, owner: &AccountId, at: usize, amount: Credits, acts: &mut Vec<Act>) {
        let (id, program) = &mut self.ledger.programs[at];
        program.unminted -= amount;
        program.granted += amount;
        let (program_id, class, issuer) = (*id, program.class, program.owner.clone());
        let lasts = self.random.gen_range(1..60u64) * 86_400_000;
        let number = self.next_grant;
        self.next_grant += 1;
        let grant = EntitlementView {
            id: number,
            owner: owner.clone(),
            class,
            issuer: issuer.clone(),
            program: program_id,
            valid_from: self.moment,
            valid_until: self.random.gen_bool(0.7).then(|| self.moment + lasts),
            amounts: Amounts { granted: amount, available: amount, ..Amounts::default() },
        };
        self.grants.insert(number, grant);
        acts.extend([
            Act::Touched(owner.clone()),
            Act::Programs,
            Act::Noted(Note {
                kind: "Minted",
                owner: Some(owner.clone()),
                entitlement: Some(number),
                program: Some(program_id),
                class: Some(class),
                actor: Some(issuer),
                amount: Some(amount),
            }),
        ]);
    }

    fn register_key(&mut self, acts: &mut Vec<Act>) {
        let owner = self.owner();
        let hash = H256(self.random.gen());
        let limits = KeyLimits { request_cost_max: Some(5_000_000), ..KeyLimits::default() };
        self.ledger.keys.insert(hash, ApiKey { owner: owner.clone(), limits });
        acts.extend([Act::Touched(owner), Act::Key(hash)]);
    }

    /// Takes up to `amount` from a wallet; returns what it lacked.
    fn charge(&mut self, owner: &AccountId, class: ClassId, mut amount: Credits) -> Credits {
        for grant in self.grants.values_mut().filter(|one| one.owner == *owner && one.class == class) {
            let part = grant.amounts.available.min(amount);
            grant.amounts.available -= part;
            grant.amounts.spent += part;
            amount -= part;
        }
        amount
    }

    pub fn batch(&mut self, acts: &mut Vec<Act>) {
        let gateway = GATEWAYS[self.random.gen_range(0..GATEWAYS.len())];
        let first_seq = *self.next_seq.entry(gateway).or_default();
        let count = self.random.gen_range(1..60);
        let wallets = self.owners.clone();
        let line = |at: usize, model| Line { provider: account(PROVIDERS[at]), book: 1, model };
        let lines = vec![line(0, GENERAL), line(1, REASONING), line(1, GENERAL)];
        let mut records = Vec::new();
        let mut sums: BTreeMap<(AccountId, ClassId), Credits> = BTreeMap::new();
        let mut parts: BTreeMap<AccountId, BTreeMap<(AccountId, ClassId), Credits>> = BTreeMap::new();
        for _ in 0..count {
            let wallet = self.random.gen_range(0..wallets.len());
            let at = self.random.gen_range(0..lines.len());
            let usage = Usage {
                input: self.random.gen_range(0..3_000),
                cached_input: self.random.gen_range(0..500),
                output: self.random.gen_range(1..800),
            };
            let priority_fee = if self.random.gen_bool(0.2) { self.random.gen_range(1..9_000) } else { 0 };
            let digest = self.random.gen();
            let record = Record { wallet: wallet as u16, line: at as u16, usage, priority_fee, digest };
            records.extend(record.to_bytes());
            let entry = book().entry(lines[at].model).unwrap().clone();
            let owner = wallets[wallet].clone();
            let part = parts.entry(lines[at].provider.clone()).or_default();
            for (class, amount) in
                [(entry.class, entry.cost(&usage)), (ClassId::PRIORITY, priority_fee.into())]
            {
                if amount > 0 {
                    *sums.entry((owner.clone(), class)).or_default() += amount;
                    *part.entry((owner.clone(), class)).or_default() += amount;
                }
            }
        }
        assert_eq!(records.len() % RECORD_LEN, 0);
        self.next_seq.insert(gateway, first_seq + count);
        let mut uncollected = 0;
        for ((owner, class), amount) in &sums {
            let lacking = self.charge(owner, *class, *amount);
            uncollected += lacking;
            // What nobody paid cannot be refunded; whose receipts that were is not the point here.
            if lacking > 0 {
                parts.values_mut().for_each(|part| {
                    part.remove(&(owner.clone(), *class));
                });
            }
        }
        for (provider, part) in parts {
            let item = Item { gateway: account(gateway), first_seq, provider };
            let charged = part.into_iter().map(|((owner, class), amount)| (owner, class, amount));
            self.open.push((item, charged.collect()));
        }
        let batch = Batch {
            gateway: account(gateway),
            first_seq,
            wallets: wallets.try_into().unwrap(),
            lines: lines.try_into().unwrap(),
            records: records.try_into().unwrap(),
        };
        acts.push(Act::Batch { batch, uncollected });
    }

    fn settle(&mut self, acts: &mut Vec<Act>) {
        // One that came in this very block cannot be settled in it.
        let is_new = |item: &Item, acts: &[Act]| {
            acts.iter().any(|act| {
                matches!(act, Act::Batch { batch, .. }
                if batch.gateway == item.gateway && batch.first_seq == item.first_seq)
            })
        };
        let Some(at) = self.open.iter().position(|(item, _)| !is_new(item, acts)) else { return };
        let (item, charged) = self.open.remove(at);
        let gpu = GpuUse {
            time_ms: Some(10),
            energy_mj: self.random.gen_bool(0.8).then(|| self.random.gen_range(1..900_000)),
        };
        self.energy_mj += u128::from(gpu.energy_mj.unwrap_or_default());
        let (mut refunds, mut refunded) = (vec![], 0);
        if self.random.gen_bool(0.4) {
            for (owner, class, amount) in charged {
                let amount = self.random.gen_range(0..=amount);
                let mut left = amount;
                for grant in self.grants.values_mut().filter(|one| one.owner == owner && one.class == class) {
                    let part = grant.amounts.spent.min(left);
                    grant.amounts.spent -= part;
                    grant.amounts.available += part;
                    left -= part;
                }
                refunded += amount - left;
                if amount > left {
                    refunds.push(Refund { owner, class, amount: amount - left });
                }
            }
        }
        let verdict = if refunds.is_empty() { VerdictKind::Match } else { VerdictKind::Adjust };
        acts.push(Act::Refunds(item.clone(), refunds));
        acts.push(Act::Settled { item, verdict, refunded, gpu });
    }
}

impl History {
    /// Gives the first two budgets to one owner and the third to another.
    pub fn hand_programs_to(&mut self, first: &AccountId, third: &AccountId) {
        for (id, program) in &mut self.ledger.programs {
            program.owner = if *id < 2 { first.clone() } else { third.clone() };
        }
        self.moment += self.step_ms;
        self.close(vec![Act::Programs]);
    }

    /// Grants something to one more owner.
    pub fn also_own(&mut self, owner: AccountId) {
        let mut acts = vec![];
        self.mint_to(&owner, 0, 5_000_000, &mut acts);
        self.moment += self.step_ms;
        self.close(acts);
    }

    /// A gateway that has submitted something.
    pub fn some_gateway(&self) -> Option<u8> {
        self.next_seq.keys().next().copied()
    }
}

impl History {
    /// Grants something in a block that is not final yet.
    pub fn also_own_soon(&mut self, owner: AccountId, amount: Credits) {
        let mut acts = vec![];
        self.mint_to(&owner, 0, amount, &mut acts);
        self.moment += self.step_ms;
        self.waiting = acts;
        let ledger = self.rendered();
        self.fake.foresee(Some(ledger));
    }

    /// A block on top, not final, in which an owner's wallet looks different.
    pub fn branch(&mut self, owner: &AccountId, spent: Credits) {
        let mut ledger = self.rendered();
        let (balances, grants) = ledger.wallets.entry(owner.clone()).or_default();
        balances.iter_mut().for_each(|row| row.amounts.spent += spent);
        grants.clear();
        self.fake.foresee(Some(ledger));
    }

    /// Makes that block final.
    pub fn becomes_final(&mut self) {
        let acts = std::mem::take(&mut self.waiting);
        self.fake.foresee(None);
        self.close(acts);
    }

    /// The address of a receipt of an owner, as the API gives it to an auditor.
    pub async fn some_receipt_of(
        &self,
        service: &super::service::Service,
        owner: &stipend_sdk::Signer,
        auditor: &stipend_sdk::Signer,
    ) -> String {
        let token = service.sign_in(auditor).await;
        let path = format!("/api/v1/wallets/{}/receipts", owner.address());
        let list: serde_json::Value = service.get(&path, &token).await.json().await.unwrap();
        let rows = list["receipts"].as_array().unwrap();
        let row = rows.iter().find(|row| row["energy_mj"].is_number()).unwrap_or(&rows[0]);
        format!("/receipts/{}/{}", row["gateway"].as_str().unwrap(), row["sequence"])
    }
}
