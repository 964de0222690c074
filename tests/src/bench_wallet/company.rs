//! A made-up company whose chain the wallet service follows: what is in its blocks follows from their numbers.

use std::collections::{BTreeMap, HashMap};

use rand::{rngs::StdRng, Rng, SeedableRng};
use stipend_primitives::{
    attestation::GpuUse,
    batch::{Batch, Line, Record, RECORD_LEN},
    cost::{PriceBook, Usage},
    settlement::{Item, Refund, VerdictKind},
    view::{Amounts, Class, ClassBalance, EntitlementView, Program},
    AccountId, BlockNumber, ClassId, Credits, Moment, ProgramId, Sequence,
};
use stipend_wallet::chain::{Act, Block, Note};

use super::registry::{at, book, classes, gateway, name, named, CLASSES};

/// The first block's time: 2026-09-01.
const BEGIN_MS: Moment = 1_788_220_800_000;

/// The days that the receipts are spread over.
const DAYS_MS: Moment = 60 * 86_400_000;

/// Grants of one wallet: two per class.
const GRANTS: u64 = 8;

/// Micro-credits of one grant: more than is ever used.
const GRANTED: Credits = 1_000_000_000_000_000;

/// Micro-credits of a refund.
const REFUND: Credits = 1_000;

/// Receipts of a block that comes while pages are asked for.
const LIVE_RECEIPTS: u64 = 100;

/// What a block charges, less what it gives back: by wallet and class.
pub(super) type Charges = HashMap<(u32, ClassId), i128>;

/// How large the company is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) receipts: u64,
    pub(super) wallets: u32,
    pub(super) per_block: u64,
}

/// The company. Wallet 0 pays for a fifth of all receipts; the others for the fewer, the higher their number.
pub(super) struct Company {
    size: Size,
    owners: Vec<AccountId>,
    numbers: HashMap<AccountId, u32>,
    book: PriceBook,
}

impl Company {
    pub(super) fn new(size: Size) -> Self {
        let owners: Vec<AccountId> = (0..size.wallets).map(|number| named("wallet", number)).collect();
        let numbers = owners.iter().cloned().zip(0..).collect();
        Company { size, owners, numbers, book: book() }
    }

    /// The block that ends what is measured.
    pub(super) fn last_block(&self) -> BlockNumber {
        (self.size.receipts.div_ceil(self.size.per_block) + 1) as BlockNumber
    }

    pub(super) fn owner(&self, number: u32) -> AccountId {
        self.owners[number as usize].clone()
    }

    pub(super) fn number_of(&self, owner: &AccountId) -> Option<u32> {
        self.numbers.get(owner).copied()
    }

    pub(super) fn book(&self) -> PriceBook {
        self.book.clone()
    }

    pub(super) fn programs(&self) -> Vec<(ProgramId, Program)> {
        let granted = GRANTED * Credits::from(self.size.wallets);
        let program = |number: u64| Program {
            owner: named("hr", 0),
            name: name(&format!("{} {}", CLASSES[number as usize / 2], 1 + number % 2)),
            class: ClassId(number as u16 / 2),
            parent: None,
            budget: granted * 2,
            unminted: granted,
            granted,
            delegated: 0,
        };
        (0..GRANTS).map(|number| (number as ProgramId, program(number))).collect()
    }

    fn moment(&self, number: BlockNumber) -> Moment {
        let last = self.last_block();
        let built = DAYS_MS / Moment::from(last) * Moment::from(number.min(last));
        BEGIN_MS + built + 1_000 * Moment::from(number.saturating_sub(last))
    }

    /// A block, and what it charges.
    pub(super) fn block(&self, number: BlockNumber) -> (Block, Charges) {
        let (mut acts, mut charges) = (Vec::new(), Charges::new());
        match number {
            0 => {}
            1 => self.mint(&mut acts),
            _ => {
                acts.push(self.batch(number, &mut charges));
                if number >= 4 {
                    self.settle(number, &mut acts, &mut charges);
                }
            }
        }
        (Block { at: at(number), moment: self.moment(number), acts }, charges)
    }

    fn mint(&self, acts: &mut Vec<Act>) {
        acts.push(Act::Programs);
        for (owner, number) in self.owners.iter().zip(0..) {
            acts.push(Act::Touched(owner.clone()));
            acts.extend((0..GRANTS).map(|grant| {
                Act::Noted(Note {
                    kind: "Minted",
                    owner: Some(owner.clone()),
                    entitlement: Some(number * GRANTS + grant),
                    program: Some(grant as ProgramId),
                    class: Some(ClassId(grant as u16 / 2)),
                    actor: Some(named("hr", 0)),
                    amount: Some(GRANTED),
                })
            }));
        }
    }

    fn count(&self, number: BlockNumber) -> u64 {
        if number <= self.last_block() {
            self.size.per_block
        } else {
            LIVE_RECEIPTS
        }
    }

    /// The gateway of a block's batch, and the batch's first number.
    fn place(&self, number: BlockNumber) -> (u32, Sequence) {
        let gateway = number % 2;
        let before = (2..number).filter(|earlier| earlier % 2 == gateway);
        (gateway, before.map(|earlier| self.count(earlier)).sum())
    }

    fn payer(&self, at: u64, random: &mut StdRng) -> u32 {
        if at.is_multiple_of(5) {
            return 0;
        }
        let share: f64 = random.gen::<f64>().powi(3);
        1 + (share * f64::from(self.size.wallets - 1)) as u32
    }

    fn batch(&self, number: BlockNumber, charges: &mut Charges) -> Act {
        let mut random = StdRng::seed_from_u64(number.into());
        let (gateway_number, first_seq) = self.place(number);
        let entries = &self.book.entries;
        let providers = [named("provider", 0), named("provider", 1)];
        let line = |at: usize| Line {
            provider: providers[at % 2].clone(),
            book: self.book.version,
            model: entries[at % entries.len()].model,
        };
        let lines: Vec<Line> = (0..6).map(line).collect();
        let (mut wallets, mut places) = (Vec::new(), HashMap::new());
        let mut records = Vec::with_capacity(self.count(number) as usize * RECORD_LEN);
        for at in 0..self.count(number) {
            let payer = self.payer(at, &mut random);
            let wallet = *places.entry(payer).or_insert_with(|| {
                wallets.push(self.owner(payer));
                (wallets.len() - 1) as u16
            });
            let line = at as usize % lines.len();
            let (input, cached_input, output) =
                (random.gen_range(0..3_000), random.gen_range(0..500), random.gen_range(1..800));
            let usage = Usage { input, cached_input, output };
            let priority_fee = if random.gen_bool(0.1) { random.gen_range(1..9_000) } else { 0 };
            let entry = &entries[line % entries.len()];
            *charges.entry((payer, entry.class)).or_default() += entry.cost(&usage) as i128;
            *charges.entry((payer, ClassId::PRIORITY)).or_default() += i128::from(priority_fee);
            let record = Record { wallet, line: line as u16, usage, priority_fee, digest: random.gen() };
            records.extend(record.to_bytes());
        }
        let batch = Batch {
            gateway: gateway(gateway_number),
            first_seq,
            wallets: wallets.try_into().expect("there are fewer wallets than a batch may name"),
            lines: lines.try_into().expect("six lines"),
            records: records.try_into().expect("a block has fewer receipts than a batch may have"),
        };
        Act::Batch { batch, uncollected: 0 }
    }

    /// Settles the batch of two blocks ago; one in ten gives something back.
    fn settle(&self, number: BlockNumber, acts: &mut Vec<Act>, charges: &mut Charges) {
        let (gateway_number, first_seq) = self.place(number - 2);
        for provider in 0..2 {
            let item =
                Item { gateway: gateway(gateway_number), first_seq, provider: named("provider", provider) };
            let gives = provider == 0 && number.is_multiple_of(10);
            let refund = Refund { owner: self.owner(0), class: ClassId::INNOVATION, amount: REFUND };
            let refunds = if gives { vec![refund] } else { vec![] };
            let verdict = if gives { VerdictKind::Adjust } else { VerdictKind::Match };
            let refunded = if gives { REFUND } else { 0 };
            if gives {
                *charges.entry((0, ClassId::INNOVATION)).or_default() -= REFUND as i128;
            }
            let gpu = GpuUse { time_ms: Some(90_000), energy_mj: Some(45_000_000) };
            acts.push(Act::Refunds(item.clone(), refunds));
            acts.push(Act::Settled { item, verdict, refunded, gpu });
        }
    }

    /// A wallet that has spent so much in each class.
    pub(super) fn wallet(
        &self,
        number: u32,
        spent: &BTreeMap<(u32, ClassId), Credits>,
    ) -> (Vec<ClassBalance>, Vec<EntitlementView>) {
        let ends = self.moment(self.last_block()) + 20 * 86_400_000;
        let amounts = |granted: Credits, spent: Credits| Amounts {
            granted,
            available: granted - spent,
            spent,
            ..Amounts::default()
        };
        let spent = |class| spent.get(&(number, class)).copied().unwrap_or_default();
        let balance = |(class, known): (ClassId, Class)| ClassBalance {
            class,
            name: known.name,
            amounts: amounts(2 * GRANTED, spent(class)),
            reservations: vec![],
            expires_next: Some(ends),
            frozen: false,
        };
        let grant = |at: u64| {
            let class = ClassId(at as u16 / 2);
            EntitlementView {
                id: u64::from(number) * GRANTS + at,
                owner: self.owner(number),
                class,
                issuer: named("hr", 0),
                program: at as ProgramId,
                valid_from: BEGIN_MS,
                valid_until: at.is_multiple_of(2).then_some(ends),
                amounts: amounts(GRANTED, if at.is_multiple_of(2) { spent(class) } else { 0 }),
            }
        };
        (classes().into_iter().map(balance).collect(), (0..GRANTS).map(grant).collect())
    }
}
