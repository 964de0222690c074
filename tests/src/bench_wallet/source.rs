//! The company's chain as a source of the wallet service.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{stream, stream::BoxStream, StreamExt};
use sp_core::H256;
use stipend_primitives::{AccountId, BlockNumber, ClassId, Credits, Role, Sequence};

use stipend_sdk::{
    grant_list::{Fault, Ledger, Row},
    rpc::WalletBalance,
    Prepared, RuntimeCall, SubmitError, Unsigned,
};
use stipend_wallet::chain::{Answer, Block, BlockRef, Source, SourceError, State, Wanted};
use tokio::sync::watch;

use super::{
    company::{Charges, Company},
    registry::{at, classes},
};

/// What has been spent by a block, and what blocks after it charge.
#[derive(Default)]
struct Books {
    spent: BTreeMap<(u32, ClassId), Credits>,
    written: BlockNumber,
    coming: BTreeMap<BlockNumber, Charges>,
}

/// The benchmark reads; its chain takes no transaction.
const NO_TRANSACTIONS: SubmitError = SubmitError::Expired { last_block: 0 };

/// A chain that grows when it is told to.
pub(super) struct MadeUp {
    pub(super) company: Company,
    pub(super) auditor: AccountId,
    books: Mutex<Books>,
    height: watch::Sender<BlockNumber>,
}

impl MadeUp {
    pub(super) fn new(company: Company, auditor: AccountId) -> Arc<Self> {
        let (height, _) = watch::channel(company.last_block());
        Arc::new(MadeUp { company, auditor, books: Mutex::default(), height })
    }

    /// One more block.
    pub(super) fn grow(&self) {
        self.height.send_modify(|height| *height += 1);
    }

    fn books(&self) -> std::sync::MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for MadeUp {
    fn genesis(&self) -> H256 {
        at(0).hash
    }

    async fn finalised(&self) -> Answer<BlockRef> {
        Ok(at(*self.height.borrow()))
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
        let (block, charges) = self.company.block(at.number);
        self.books().coming.insert(at.number, charges);
        Ok(block)
    }

    async fn state(&self, at: BlockRef, wanted: Wanted) -> Answer<State> {
        let mut books = self.books();
        // In the order of the blocks, each once.
        while books.written < at.number {
            let next = books.written + 1;
            let missing = || SourceError(format!("block {next} was not asked for"));
            for (key, charged) in books.coming.remove(&next).ok_or_else(missing)? {
                let spent = books.spent.entry(key).or_default();
                *spent = spent.saturating_add_signed(charged);
            }
            books.written = next;
        }
        let wallet = |owner: AccountId| {
            let number = self.company.number_of(&owner)?;
            let (balances, grants) = self.company.wallet(number, &books.spent);
            Some((owner, balances, grants))
        };
        Ok(State {
            wallets: wanted.owners.into_iter().filter_map(wallet).collect(),
            keys: vec![],
            books: wanted.books.into_iter().map(|_| self.company.book()).collect(),
            programs: if wanted.programs { self.company.programs() } else { vec![] },
            classes: if wanted.classes { classes() } else { vec![] },
        })
    }

    async fn balance(&self, owner: AccountId) -> Answer<WalletBalance> {
        let books = self.books();
        let number = self.company.number_of(&owner).ok_or_else(|| SourceError("no such wallet".into()))?;
        let (finalised, _) = self.company.wallet(number, &books.spent);
        let pending = finalised.clone();
        Ok(WalletBalance { finalised, finalised_at: books.written, pending, pending_at: books.written })
    }

    fn watch(&self, _: AccountId) -> BoxStream<'static, Answer<WalletBalance>> {
        stream::pending().boxed()
    }

    async fn roles(&self, who: AccountId) -> Answer<Vec<Role>> {
        // One person who may see every page: HR's too.
        Ok(if who == self.auditor { vec![Role::Auditor, Role::Issuer] } else { vec![] })
    }

    async fn unsigned(&self, _: RuntimeCall, _: AccountId, _: BlockRef) -> Result<Unsigned, SubmitError> {
        Err(NO_TRANSACTIONS)
    }

    async fn send(&self, _: &Prepared) -> Result<(), SubmitError> {
        Err(NO_TRANSACTIONS)
    }

    async fn follow(
        &self,
        _: &Prepared,
        _: impl FnOnce(BlockNumber) + Send,
    ) -> Result<BlockNumber, SubmitError> {
        Err(NO_TRANSACTIONS)
    }

    async fn calls_of(&self, _: H256, _: AccountId) -> Answer<Vec<RuntimeCall>> {
        Ok(vec![])
    }

    async fn issuing(&self, _: AccountId, _: BlockRef) -> Answer<Ledger> {
        Err(SourceError("nobody grants anything on this chain".into()))
    }

    async fn forbidden(&self, _: Vec<Row>, _: BlockRef) -> Answer<Vec<Fault>> {
        Ok(vec![])
    }

    async fn proof(&self, _: AccountId, seq: Sequence, block: BlockNumber) -> Answer<serde_json::Value> {
        Ok(serde_json::json!({ "sequence": seq, "block": block }))
    }
}
