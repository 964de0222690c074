//! A chain in memory: a block when a test says so, or every few milliseconds.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};

use futures::{stream, stream::BoxStream, StreamExt};
use parking_lot::Mutex;
use sp_core::H256;
use stipend_primitives::{
    attestation::GpuUse,
    batch::SignedBatch,
    cost::{PriceBook, PriceEntry},
    key::{self, ApiKey, KeyLimits},
    settlement::VerdictKind,
    signing,
    view::{GatewayBalance, Settled},
    AccountId, BlockNumber, BookVersion, ClassId, Credits, Digest, KeyHash, ModelId, Moment, Sequence,
};
use tokio::sync::watch;

use crate::{
    chain::{BlockRef, Chain, ChainError, Change, Evidence, PlacedBatch, Row, Submitted},
    clock::now_ms,
};

type Answer<T> = Result<T, ChainError>;

/// One wallet in one class.
#[derive(Clone, Debug, Default)]
pub(super) struct Pot {
    pub(super) available: Credits,
    pub(super) reserved: Credits,
    pub(super) expires_at: Moment,
    pub(super) spent: Credits,
}

/// Everything as of one block.
#[derive(Clone, Default)]
pub(super) struct Ledger {
    pub(super) keys: HashMap<KeyHash, ApiKey>,
    pub(super) pots: HashMap<(AccountId, ClassId), Pot>,
    pub(super) frozen: HashSet<AccountId>,
    /// Classes whose energy budget covers no more than what wallets have available here.
    pub(super) energy_bound: HashSet<ClassId>,
    pub(super) books: Vec<PriceBook>,
    pub(super) next_seq: Sequence,
    pub(super) suspended: HashSet<AccountId>,
    /// What other gateways have reserved.
    pub(super) elsewhere: HashMap<(AccountId, ClassId), Credits>,
    pub(super) gateways_count: usize,
    evidence: Evidence,
    pub(super) uncollected: Credits,
    /// Every receipt that was charged.
    pub(super) digests: Vec<Digest>,
    /// Every batch that was charged, settled at once as a match.
    pub(super) batches: Vec<PlacedBatch>,
    changes: Vec<Change>,
}

#[derive(Default)]
struct Inner {
    /// One ledger per finalised block.
    history: Vec<Ledger>,
    /// What the next block will show.
    next: Ledger,
    pool: Vec<SignedBatch>,
    /// Hashes of all batches that were ever handed in, by their first number.
    seen: HashMap<Sequence, HashSet<H256>>,
    /// The answer to batches; `None`: they are taken.
    verdict: Option<Submitted>,
}

pub(super) struct FakeChain {
    gateway: AccountId,
    inner: Mutex<Inner>,
    head: watch::Sender<BlockNumber>,
    down: AtomicBool,
    /// Nothing may be reserved.
    pub(super) stingy: AtomicBool,
    /// Milliseconds that a question about balances takes.
    pub(super) balances_ms: AtomicU64,
}

impl FakeChain {
    pub(super) fn new(gateway: AccountId) -> Arc<Self> {
        let mut inner = Inner::default();
        inner.next.books.push(book(1, 0, 1));
        inner.history.push(inner.next.clone());
        Arc::new(FakeChain {
            gateway,
            inner: Mutex::new(inner),
            head: watch::channel(0).0,
            down: AtomicBool::new(false),
            stingy: AtomicBool::new(false),
            balances_ms: AtomicU64::new(0),
        })
    }

    /// Makes a block every few milliseconds until the test ends.
    pub(super) fn run(self: &Arc<Self>) {
        let chain = Arc::downgrade(self);
        tokio::spawn(async move {
            while let Some(chain) = chain.upgrade() {
                chain.produce();
                drop(chain);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
    }

    /// Makes and finalises a block.
    pub(super) fn produce(&self) {
        if self.down.load(Ordering::SeqCst) {
            return;
        }
        let mut inner = self.inner.lock();
        let mut pool = std::mem::take(&mut inner.pool);
        pool.sort_by_key(|signed| signed.batch.first_seq);
        for signed in pool {
            if signed.batch.first_seq == inner.next.next_seq {
                inner.next.charge(&self.gateway, &signed);
            } else if signed.batch.first_seq > inner.next.next_seq {
                inner.pool.push(signed);
            }
        }
        let block = inner.next.clone();
        inner.next.changes.clear();
        inner.history.push(block);
        let number = inner.history.len() as BlockNumber - 1;
        drop(inner);
        self.head.send_replace(number);
    }

    /// Changes what the next block will show.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> T {
        change(&mut self.inner.lock().next)
    }

    /// The newest block's ledger.
    pub(super) fn now<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(self.inner.lock().history.last().unwrap())
    }

    pub(super) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub(super) fn set_verdict(&self, verdict: Option<Submitted>) {
        self.inner.lock().verdict = verdict;
    }

    pub(super) fn forget_pool(&self) {
        self.inner.lock().pool.clear();
    }

    /// How many different batches were handed in for each first number.
    pub(super) fn variants(&self) -> Vec<usize> {
        self.inner.lock().seen.values().map(HashSet::len).collect()
    }

    fn ask<T>(&self, at: Option<H256>, look: impl FnOnce(&Ledger) -> T) -> Answer<T> {
        if self.down.load(Ordering::SeqCst) {
            return Err(ChainError("the chain is down".into()));
        }
        let inner = self.inner.lock();
        let number = at.map_or(inner.history.len() as u64 - 1, |hash| hash.to_low_u64_be());
        Ok(look(&inner.history[number as usize]))
    }

    /// Puts a call into the next block and waits for it.
    async fn call(&self, call: impl FnOnce(&mut Ledger)) -> Answer<BlockNumber> {
        let number = {
            if self.down.load(Ordering::SeqCst) {
                return Err(ChainError("the chain is down".into()));
            }
            let mut inner = self.inner.lock();
            call(&mut inner.next);
            inner.history.len() as BlockNumber
        };
        let mut head = self.head.subscribe();
        head.wait_for(|head| *head >= number).await.map_err(|error| ChainError(error.to_string()))?;
        Ok(number)
    }
}

impl Ledger {
    /// Gives an owner a wallet and a key.
    pub(super) fn endow(&mut self, owner: &AccountId, class: ClassId, amount: Credits) {
        self.pots.entry((owner.clone(), class)).or_default().available += amount;
        self.changes.push(Change::Owner(owner.clone()));
    }

    pub(super) fn set_key(&mut self, text: &str, owner: &AccountId, limits: KeyLimits) {
        let hash = key::hash(text);
        self.keys.insert(hash, ApiKey { owner: owner.clone(), limits });
        self.changes.extend([Change::Key(hash), Change::Owner(owner.clone())]);
    }

    pub(super) fn revoke_key(&mut self, text: &str) {
        let hash = key::hash(text);
        self.keys.remove(&hash);
        self.changes.push(Change::KeyGone(hash));
    }

    pub(super) fn freeze(&mut self, owner: &AccountId) {
        self.frozen.insert(owner.clone());
        self.changes.push(Change::Owner(owner.clone()));
    }

    /// Suspends a provider, or reinstates it.
    pub(super) fn suspend(&mut self, provider: &AccountId, suspended: bool) {
        match suspended {
            true => self.suspended.insert(provider.clone()),
            false => self.suspended.remove(provider),
        };
        self.changes.push(Change::Providers);
    }

    /// Changes the evidence in force and what classes ask for.
    pub(super) fn set_evidence(&mut self, evidence: Evidence) {
        self.evidence = evidence;
        self.changes.push(Change::Evidence);
    }

    /// Publishes a book in force from the next block on; older ones are retired.
    pub(super) fn publish(&mut self, price: u64) {
        let version = self.books.len() as u32 + 1;
        self.books = vec![book(version, 0, price)];
        self.changes.push(Change::Prices);
    }

    pub(super) fn pot(&self, owner: &AccountId, class: ClassId) -> Pot {
        self.pots.get(&(owner.clone(), class)).cloned().unwrap_or_default()
    }

    fn charge(&mut self, gateway: &AccountId, signed: &SignedBatch) {
        let batch = &signed.batch;
        let payload = batch.signing_payload(&genesis());
        assert_eq!(batch.gateway, *gateway);
        assert!(signing::verify(&payload, &signed.signature, gateway.as_ref()), "a batch is signed wrongly");
        batch.check().expect("a batch is malformed");
        for record in batch.records() {
            let line = &batch.lines[usize::from(record.line)];
            let owner = &batch.wallets[usize::from(record.wallet)];
            let book = self.books.iter().find(|book| book.version == line.book).expect("the book is known");
            let entry = book.entry(line.model).expect("the model is known").clone();
            self.take(owner, entry.class, entry.cost(&record.usage));
            self.take(owner, ClassId::PRIORITY, record.priority_fee.into());
            self.digests.push(record.digest);
        }
        self.next_seq = batch.last_seq() + 1;
        let settled = Settled {
            gpu: GpuUse::default(),
            verdict: VerdictKind::Match,
            refunded: 0,
            at: SUBMITTED_AT + 3,
        };
        self.batches.push(PlacedBatch {
            first_seq: batch.first_seq,
            last_seq: batch.last_seq(),
            block: SUBMITTED_AT,
            hash: batch.hash(),
            settled: batch.providers().into_iter().map(|provider| (provider, settled.clone())).collect(),
        });
    }

    fn take(&mut self, owner: &AccountId, class: ClassId, amount: Credits) {
        if amount == 0 {
            return;
        }
        let pot = self.pots.entry((owner.clone(), class)).or_default();
        let reserved = amount.min(pot.reserved);
        let available = (amount - reserved).min(pot.available);
        pot.reserved -= reserved;
        pot.available -= available;
        pot.spent += reserved + available;
        self.uncollected += amount - reserved - available;
    }
}

/// The block that every batch says it came in.
pub(super) const SUBMITTED_AT: BlockNumber = 77;

pub(super) fn genesis() -> H256 {
    H256::repeat_byte(0x9e)
}

/// Model "m" at `price` per token in Innovation, "premium" in Reasoning, "unserved" that nobody serves.
pub(super) fn book(version: u32, effective_at: BlockNumber, price: u64) -> PriceBook {
    let entry = |model: u16, name: &str, class, premium| PriceEntry {
        model: ModelId(model),
        name: name.as_bytes().to_vec().try_into().unwrap(),
        class,
        premium,
        c_input: price,
        c_cached: price,
        c_output: 10 * price,
        c_model: 1,
        weight: 5,
        reference_input: 0,
        reference_output: 0,
    };
    let entries = vec![
        entry(1, "m", ClassId::INNOVATION, false),
        entry(2, "premium", ClassId::REASONING, true),
        entry(3, "unserved", ClassId::INNOVATION, false),
        entry(4, "painter", ClassId::RENDER, false),
    ];
    PriceBook { version, effective_at, chargeable_until: None, entries: entries.try_into().unwrap() }
}

fn block(number: BlockNumber) -> BlockRef {
    BlockRef { number, hash: H256::from_low_u64_be(number.into()) }
}

impl Chain for FakeChain {
    fn genesis(&self) -> H256 {
        genesis()
    }

    async fn head(&self) -> Answer<BlockRef> {
        self.ask(None, |_| ())?;
        Ok(block(*self.head.borrow()))
    }

    fn blocks_after(&self, number: BlockNumber) -> BoxStream<'static, Answer<BlockRef>> {
        let head = self.head.subscribe();
        stream::unfold((head, number), |(mut head, number)| async move {
            head.wait_for(|head| *head > number).await.ok()?;
            Some((Ok(block(number + 1)), (head, number + 1)))
        })
        .boxed()
    }

    async fn changes(&self, at: H256) -> Answer<Vec<Change>> {
        self.ask(Some(at), |ledger| ledger.changes.clone())
    }

    async fn next_seq(&self, at: H256) -> Answer<Sequence> {
        self.ask(Some(at), |ledger| ledger.next_seq)
    }

    async fn keys(&self, at: H256) -> Answer<Vec<(KeyHash, ApiKey)>> {
        self.ask(Some(at), |ledger| ledger.keys.clone().into_iter().collect())
    }

    async fn key(&self, at: H256, hash: KeyHash) -> Answer<Option<ApiKey>> {
        self.ask(Some(at), |ledger| ledger.keys.get(&hash).cloned())
    }

    async fn balances(&self, at: H256, owners: Vec<AccountId>) -> Answer<Vec<GatewayBalance>> {
        tokio::time::sleep(Duration::from_millis(self.balances_ms.load(Ordering::SeqCst))).await;
        self.ask(Some(at), |ledger| {
            let row = |((owner, class), pot): (&(AccountId, ClassId), &Pot)| GatewayBalance {
                owner: owner.clone(),
                class: *class,
                reserved: pot.reserved,
                expires_at: pot.expires_at,
                available: pot.available,
                frozen: ledger.frozen.contains(owner),
                energy_bound: ledger.energy_bound.contains(class),
            };
            ledger.pots.iter().filter(|((owner, _), _)| owners.contains(owner)).map(row).collect()
        })
    }

    async fn elsewhere(
        &self,
        at: H256,
        owners: Vec<AccountId>,
    ) -> Answer<HashMap<(AccountId, ClassId), Credits>> {
        self.ask(Some(at), |ledger| {
            let others = ledger.elsewhere.iter().filter(|((owner, _), _)| owners.contains(owner));
            others.map(|(whose, amount)| (whose.clone(), *amount)).collect()
        })
    }

    async fn gateways_count(&self, at: H256) -> Answer<usize> {
        self.ask(Some(at), |ledger| ledger.gateways_count)
    }

    async fn books(&self, at: H256) -> Answer<Vec<PriceBook>> {
        self.ask(Some(at), |ledger| ledger.books.clone())
    }

    async fn old_book(&self, at: H256, version: BookVersion) -> Answer<Option<PriceBook>> {
        self.ask(Some(at), |ledger| ledger.books.iter().find(|book| book.version == version).cloned())
    }

    async fn batch(&self, at: H256, seq: Sequence) -> Answer<Option<PlacedBatch>> {
        let holds = |batch: &&PlacedBatch| (batch.first_seq..=batch.last_seq).contains(&seq);
        self.ask(Some(at), |ledger| ledger.batches.iter().find(holds).cloned())
    }

    async fn class_names(&self, _at: H256) -> Answer<HashMap<ClassId, String>> {
        let names = [(ClassId::INNOVATION, "Innovation"), (ClassId::PRIORITY, "Priority")];
        Ok(names.map(|(class, name)| (class, name.to_owned())).into())
    }

    async fn suspended(&self, at: H256) -> Answer<HashSet<AccountId>> {
        self.ask(Some(at), |ledger| ledger.suspended.clone())
    }

    async fn evidence(&self, at: H256) -> Answer<Evidence> {
        self.ask(Some(at), |ledger| ledger.evidence.clone())
    }

    async fn reserve(&self, rows: Vec<Row>, expires_at: Moment) -> Answer<BlockNumber> {
        assert!(expires_at > now_ms());
        let stingy = self.stingy.load(Ordering::SeqCst);
        self.call(|ledger| {
            for (owner, class, amount) in rows {
                let pot = ledger.pots.entry((owner, class)).or_default();
                if pot.available >= amount && !stingy {
                    pot.available -= amount;
                    pot.reserved += amount;
                    pot.expires_at = pot.expires_at.max(expires_at);
                }
            }
        })
        .await
    }

    async fn release(&self, rows: Vec<Row>) -> Answer<BlockNumber> {
        self.call(|ledger| {
            for (owner, class, amount) in rows {
                let pot = ledger.pots.entry((owner, class)).or_default();
                let released = amount.min(pot.reserved);
                pot.reserved -= released;
                pot.available += released;
            }
        })
        .await
    }

    async fn submit(&self, signed: SignedBatch) -> Answer<Submitted> {
        self.ask(None, |_| ())?;
        let mut inner = self.inner.lock();
        let first_seq = signed.batch.first_seq;
        inner.seen.entry(first_seq).or_default().insert(signed.batch.hash());
        if let Some(verdict) = &inner.verdict {
            return Ok(verdict.clone());
        }
        let known = |version| inner.next.books.iter().any(|book| book.version == version);
        if first_seq >= inner.next.next_seq && !signed.batch.lines.iter().all(|line| known(line.book)) {
            return Ok(Submitted::RetiredBook);
        }
        if inner.pool.iter().all(|other| other.batch.first_seq != first_seq) {
            inner.pool.push(signed);
        }
        Ok(Submitted::Taken)
    }
}
