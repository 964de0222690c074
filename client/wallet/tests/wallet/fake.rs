//! A chain that is made up: blocks with what happened in them, and the state after each.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use futures::{stream, stream::BoxStream, StreamExt};
use sp_core::H256;
use stipend_primitives::{
    cost::{PriceBook, PriceEntries, PriceEntry},
    key::ApiKey,
    view::{Class, ClassBalance, EntitlementView, Program},
    AccountId, BlockNumber, ClassId, KeyHash, ModelId, Name, ProgramId, Role, Sequence,
};
use stipend_rpc::WalletBalance;
use stipend_sdk::{
    grant_list::{Fault, Row},
    Prepared, RuntimeCall, SubmitError, Unsigned,
};
use stipend_wallet::chain::{Act, Answer, Block, BlockRef, Source, SourceError, State, Wanted};
use tokio::sync::watch;

use super::carrier::{Carried, Pool};

/// The first block's time: 2026-11-01.
pub const BEGIN_MS: u64 = 1_793_491_200_000;

pub const GENERAL: ModelId = ModelId(1);
pub const REASONING: ModelId = ModelId(2);

/// State after a block.
#[derive(Clone, Default)]
pub struct Ledger {
    pub wallets: BTreeMap<AccountId, (Vec<ClassBalance>, Vec<EntitlementView>)>,
    pub programs: Vec<(ProgramId, Program)>,
    pub keys: BTreeMap<KeyHash, ApiKey>,
}

pub struct Fake {
    own: Weak<Fake>,
    pending: parking_lot::Mutex<Option<Ledger>>,
    blocks: parking_lot::Mutex<Vec<(Block, Arc<Ledger>)>>,
    height: watch::Sender<BlockNumber>,
    pub roles: parking_lot::Mutex<BTreeMap<AccountId, Vec<Role>>>,
    /// Questions that are answered before the source fails once.
    pub fails_after: parking_lot::Mutex<Option<u32>>,
    pub pool: Pool,
}

pub fn account(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

pub fn name(text: &str) -> Name {
    Name::truncate_from(text.as_bytes().to_vec())
}

pub fn classes() -> Vec<(ClassId, Class)> {
    ["Innovation", "Priority", "Render", "Reasoning"]
        .into_iter()
        .zip(0..)
        .map(|(text, id)| (ClassId(id), Class { name: name(text), unattested: Default::default() }))
        .collect()
}

pub fn book() -> PriceBook {
    let entry = |model, text, class, c_input, weight| PriceEntry {
        model,
        name: name(text),
        class,
        premium: false,
        c_input,
        c_cached: c_input / 10,
        c_output: c_input * 4,
        c_model: 50,
        weight,
        reference_input: 2_500_000,
        reference_output: 10_000_000,
    };
    PriceBook {
        version: 1,
        effective_at: 0,
        chargeable_until: None,
        entries: PriceEntries::truncate_from(vec![
            entry(GENERAL, "stipend-general", ClassId::INNOVATION, 250, 1),
            entry(REASONING, "stipend-reasoning", ClassId::REASONING, 1_000, 4),
        ]),
    }
}

impl Fake {
    pub fn new(programs: Vec<(ProgramId, Program)>) -> Arc<Self> {
        let ledger = Ledger { programs, ..Ledger::default() };
        let first = Block { at: at(0), moment: 0, acts: vec![] };
        let (height, _) = watch::channel(0);
        Arc::new_cyclic(|own| Fake {
            own: own.clone(),
            pending: Default::default(),
            blocks: parking_lot::Mutex::new(vec![(first, Arc::new(ledger))]),
            height,
            roles: Default::default(),
            fails_after: Default::default(),
            pool: Pool::default(),
        })
    }

    pub fn push(&self, moment: u64, acts: Vec<Act>, ledger: Ledger) {
        let mut blocks = self.blocks.lock();
        let number = blocks.len() as BlockNumber;
        blocks.push((Block { at: at(number), moment, acts }, Arc::new(ledger)));
        drop(blocks);
        self.height.send_replace(number);
    }

    pub fn head(&self) -> (Block, Arc<Ledger>) {
        self.blocks.lock().last().unwrap().clone()
    }

    pub fn height(&self) -> BlockRef {
        self.blocks.lock().last().unwrap().0.at
    }

    pub fn grant(&self, who: &AccountId, role: Role) {
        self.roles.lock().entry(who.clone()).or_default().push(role);
    }

    fn tick(&self) -> Answer<()> {
        let mut left = self.fails_after.lock();
        match left.as_mut() {
            Some(0) => {
                *left = None;
                Err(SourceError("made to fail".into()))
            }
            Some(count) => {
                *count -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

pub fn at(number: BlockNumber) -> BlockRef {
    BlockRef { number, hash: H256(sp_crypto_hashing::blake2_256(&number.to_le_bytes())) }
}

/// Somebody whose policy permits no grant.
pub const BOUND: AccountId = AccountId::new([0xB0; 32]);

impl Source for Fake {
    fn genesis(&self) -> H256 {
        at(0).hash
    }

    async fn finalised(&self) -> Answer<BlockRef> {
        Ok(self.height())
    }

    fn blocks(&self, after: Option<BlockNumber>) -> BoxStream<'static, Answer<BlockRef>> {
        let first = after.map_or(0, |number| number + 1);
        let heights = self.height.subscribe();
        stream::unfold((heights, first), |(mut heights, next)| async move {
            heights.wait_for(|height| *height >= next).await.ok()?;
            Some((Ok(at(next)), (heights, next + 1)))
        })
        .boxed()
    }

    async fn block(&self, at: BlockRef) -> Answer<Block> {
        self.tick()?;
        Ok(self.blocks.lock()[at.number as usize].0.clone())
    }

    async fn state(&self, at: BlockRef, wanted: Wanted) -> Answer<State> {
        self.tick()?;
        let ledger = self.blocks.lock()[at.number as usize].1.clone();
        let wallet = |owner: AccountId| {
            let (balances, grants) = ledger.wallets.get(&owner).cloned().unwrap_or_default();
            (owner, balances, grants)
        };
        Ok(State {
            wallets: wanted.owners.into_iter().map(wallet).collect(),
            keys: wanted
                .keys
                .into_iter()
                .filter_map(|hash| Some((hash, ledger.keys.get(&hash)?.clone())))
                .collect(),
            books: wanted.books.into_iter().map(|_| book()).collect(),
            programs: if wanted.programs { ledger.programs.clone() } else { vec![] },
            classes: if wanted.classes { classes() } else { vec![] },
        })
    }

    async fn balance(&self, owner: AccountId) -> Answer<WalletBalance> {
        Ok(self.figures(&owner))
    }

    fn watch(&self, owner: AccountId) -> BoxStream<'static, Answer<WalletBalance>> {
        let (heights, fake) = (self.height.subscribe(), self.own.clone());
        stream::unfold((heights, true), move |(mut heights, first)| {
            let (fake, owner) = (fake.clone(), owner.clone());
            async move {
                if !first {
                    heights.changed().await.ok()?;
                }
                let figures = fake.upgrade()?.figures(&owner);
                Some((Ok(figures), (heights, false)))
            }
        })
        .boxed()
    }

    async fn roles(&self, who: AccountId) -> Answer<Vec<Role>> {
        Ok(self.roles.lock().get(&who).cloned().unwrap_or_default())
    }

    async fn unsigned(
        &self,
        call: RuntimeCall,
        account: AccountId,
        as_of: BlockRef,
    ) -> Result<Unsigned, SubmitError> {
        Ok(self.unsigned_for(call, account, as_of))
    }

    async fn send(&self, signed: &Prepared) -> Result<(), SubmitError> {
        self.take(signed)
    }

    async fn follow(
        &self,
        signed: &Prepared,
        in_block: impl FnOnce(BlockNumber) + Send,
    ) -> Result<BlockNumber, SubmitError> {
        self.decided(signed, in_block).await
    }

    async fn calls_of(&self, block: H256, signer: AccountId) -> Answer<Vec<RuntimeCall>> {
        let of = |one: &Carried| at(one.block).hash == block && one.account == signer && one.failed.is_none();
        Ok(self.carried().into_iter().filter(of).map(|one| one.call).collect())
    }

    async fn issuing(&self, issuer: AccountId, _: BlockRef) -> Answer<stipend_sdk::grant_list::Ledger> {
        Ok(self.issuing_of(issuer))
    }

    async fn forbidden(&self, rows: Vec<Row>, _: BlockRef) -> Answer<Vec<Fault>> {
        let of_bound = rows.iter().filter(|row| row.owner == BOUND);
        Ok(of_bound.map(|row| Fault::at(row.line, "a policy forbids it").in_column("owner")).collect())
    }

    async fn proof(&self, _: AccountId, seq: Sequence, block: BlockNumber) -> Answer<serde_json::Value> {
        Ok(serde_json::json!({ "sequence": seq, "block": block }))
    }
}

impl Fake {
    /// Sets what the newest block, which is not final, says.
    pub fn foresee(&self, ledger: Option<Ledger>) {
        *self.pending.lock() = ledger;
        self.height.send_modify(|_| {});
    }

    fn figures(&self, owner: &AccountId) -> WalletBalance {
        let (block, ledger) = self.head();
        let of = |ledger: &Ledger| ledger.wallets.get(owner).cloned().unwrap_or_default().0;
        let finalised = of(&ledger);
        let pending = self.pending.lock().as_ref().map_or(finalised.clone(), of);
        let number = block.at.number;
        WalletBalance { finalised, finalised_at: number, pending, pending_at: number + 2 }
    }
}
