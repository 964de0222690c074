//! Taking in finalised blocks.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures::{stream, StreamExt, TryStreamExt};
use sp_core::H256;
use stipend_primitives::{key::ApiKey, view::GatewayBalance, AccountId, ClassId, Credits, KeyHash, Sequence};

use super::{FollowError, Follower};
use crate::{
    chain::{BlockRef, Chain, ChainError, Change},
    clock::now_ms,
    keys::Key,
    prices::Prices,
    wallet::{Row, Wallet},
};

/// Owners in one question about balances: some tens of kilobytes of answer.
const OWNERS_PAGE: usize = 512;

/// Wallets looked at again with every block, besides those that something happened to.
const ROTATION: usize = 64;

/// Blocks behind the newest above which all is read anew instead of block by block.
const BEHIND_MAX: u32 = 64;

/// Keys fetched one by one; more are fetched together with all others.
const KEYS_SINGLY_MAX: usize = 128;

/// Blocks after which evidence and policies are looked at again, events or not: both change by themselves at
/// a block.
const EVIDENCE_BLOCKS: u32 = 10;

/// Questions to the node at a time.
const CONCURRENT: usize = 16;

/// Keys as the chain has them.
type NewKeys = Vec<(KeyHash, ApiKey)>;

fn owners_of(keys: &NewKeys) -> impl Iterator<Item = AccountId> + '_ {
    keys.iter().map(|(_, key)| key.owner.clone())
}

impl<C: Chain> Follower<C> {
    /// Takes in the next finalised block.
    pub(super) async fn take_block(&mut self, block: BlockRef) -> Result<(), FollowError> {
        if self.is_far_behind(block).await? {
            let head = self.chain.head().await?;
            return self.take_all(head).await;
        }
        let (changes, next_seq) =
            tokio::try_join!(self.chain.changes(block.hash), self.chain.next_seq(block.hash))?;
        self.finalise(next_seq)?;
        if block.number.is_multiple_of(EVIDENCE_BLOCKS) {
            self.load_evidence(block.hash).await?;
            self.is_alone = self.chain.gateways_count(block.hash).await? <= 1;
        }
        let (mut owners, keys) = self.take_changes(block.hash, changes).await?;
        owners.extend(self.job.iter().flat_map(|job| job.owners()));
        owners.extend(self.rotate());
        owners.extend(self.short_owners());
        self.refresh(block.hash, owners.into_iter().collect()).await?;
        self.insert_keys(keys);
        let prices = self.state.prices.load();
        if prices.changes_by(block.number) {
            self.state.prices.store(Arc::new(prices.at(block.number)));
        }
        self.finish(block, next_seq).await;
        Ok(())
    }

    /// Takes in everything as of one block, whatever is known already.
    pub(super) async fn take_all(&mut self, block: BlockRef) -> Result<(), FollowError> {
        let next_seq = self.chain.next_seq(block.hash).await?;
        self.finalise(next_seq)?;
        let keys = self.load_keys(block.hash).await?;
        self.load_prices(block).await?;
        self.load_suspensions(block.hash).await?;
        self.load_evidence(block.hash).await?;
        self.is_alone = self.chain.gateways_count(block.hash).await? <= 1;
        let known = self.state.wallets.all().into_iter().map(|wallet| wallet.owner.clone());
        let owners: HashSet<AccountId> = known.chain(owners_of(&keys)).collect();
        self.refresh(block.hash, owners.into_iter().collect()).await?;
        self.insert_keys(keys);
        self.finish(block, next_seq).await;
        Ok(())
    }

    async fn is_far_behind(&self, block: BlockRef) -> Result<bool, ChainError> {
        // Blocks come about once a second: only after a pause there can be many to come.
        if now_ms().saturating_sub(self.state.status.block_seen_ms()) < 10_000 {
            return Ok(false);
        }
        Ok(self.chain.head().await?.number.saturating_sub(block.number) > BEHIND_MAX)
    }

    /// Counts what finalised batches have charged. Balances of the same block must follow.
    fn finalise(&self, next_seq: Sequence) -> Result<(), FollowError> {
        for batch in self.work.finalise(next_seq)? {
            tracing::debug!(first_seq = batch.first_seq, last_seq = batch.last_seq, "a batch is finalised");
            self.state.wallets.count_charged(&batch.charges);
        }
        Ok(())
    }

    async fn finish(&mut self, block: BlockRef, next_seq: Sequence) {
        self.at = block;
        self.state.status.saw_block(block.number, next_seq, now_ms());
        self.take_landing_if_reached().await;
        self.let_go();
        self.share();
        if !self.pending.is_empty() || !self.leaving.is_empty() {
            self.begin_job().await;
        }
    }

    /// Applies what happened; returns the owners to look at, and the keys that are good once that is done.
    async fn take_changes(
        &mut self,
        at: H256,
        changes: Vec<Change>,
    ) -> Result<(HashSet<AccountId>, NewKeys), FollowError> {
        let mut owners = HashSet::new();
        let mut keys = HashSet::new();
        let (mut new_prices, mut new_suspensions, mut new_evidence) = (false, false, false);
        for change in changes {
            match change {
                Change::Key(hash) => drop(keys.insert(hash)),
                Change::KeyGone(hash) => {
                    keys.remove(&hash);
                    self.remove_key(&hash);
                }
                Change::Owner(owner) => drop(owners.insert(owner)),
                Change::Prices => new_prices = true,
                Change::Providers => new_suspensions = true,
                Change::Evidence => new_evidence = true,
            }
        }
        let keys: NewKeys = if keys.len() > KEYS_SINGLY_MAX {
            self.load_keys(at).await?
        } else {
            let chain = self.chain.clone();
            let fetch = |hash| {
                let chain = chain.clone();
                async move { chain.key(at, hash).await.map(|key| (hash, key)) }
            };
            let fetched = stream::iter(keys).map(fetch).buffer_unordered(CONCURRENT);
            let fetched: Vec<(KeyHash, Option<ApiKey>)> = fetched.try_collect().await?;
            fetched.into_iter().filter_map(|(hash, key)| Some((hash, key?))).collect()
        };
        if new_prices {
            self.load_prices(BlockRef { hash: at, number: self.at.number.saturating_add(1) }).await?;
        }
        if new_suspensions {
            self.load_suspensions(at).await?;
        }
        if new_suspensions || new_evidence {
            self.load_evidence(at).await?;
        }
        owners.retain(|owner| self.state.wallets.get(owner).is_some());
        owners.extend(owners_of(&keys));
        Ok((owners, keys))
    }

    /// From now on the keys can be used. The balances of their wallets were taken in before: whoever comes with a
    /// key must not find its wallet empty because nobody looked yet.
    fn insert_keys(&mut self, keys: NewKeys) {
        let entries: Vec<(KeyHash, Arc<Key>)> = keys
            .into_iter()
            .map(|(hash, key)| {
                let known = self.state.keys.known(&hash);
                let wallet = self.state.wallets.get_or_new(&key.owner);
                (hash, Arc::new(Key::new(hash, wallet, key.limits, known)))
            })
            .collect();
        let owners: HashSet<&AccountId> = entries.iter().map(|(_, key)| key.owner()).collect();
        self.departed.retain(|wallet| !owners.contains(&wallet.owner));
        self.state.keys.insert(entries);
    }

    /// All keys that there are; those that are gone are taken out.
    async fn load_keys(&mut self, at: H256) -> Result<NewKeys, FollowError> {
        let keys = self.chain.keys(at).await?;
        let known: HashSet<KeyHash> = keys.iter().map(|(hash, _)| *hash).collect();
        let owners: HashSet<AccountId> = owners_of(&keys).collect();
        self.state.keys.retain(|hash, _| known.contains(hash));
        self.departed = self.state.wallets.all();
        self.departed.retain(|wallet| !owners.contains(&wallet.owner));
        Ok(keys)
    }

    fn remove_key(&mut self, hash: &KeyHash) {
        let Some(key) = self.state.keys.get(hash) else { return };
        self.state.keys.remove(hash);
        if !self.state.keys.any(|other| other.owner() == key.owner()) {
            self.departed.push(key.wallet.clone());
        }
    }

    /// Without keys nothing new is spent: what is free goes back for other gateways, with every block
    /// until requests that were in flight are done too.
    fn let_go(&mut self) {
        if self.job.is_some() {
            return;
        }
        self.departed.retain(|wallet| {
            wallet.accounts().iter().any(|account| {
                let figures = account.figures();
                figures.reserved > 0 || figures.held > 0
            })
        });
        for wallet in &self.departed {
            self.leaving.extend(wallet.accounts().iter().filter_map(|account| account.hold_all_free()));
        }
    }

    async fn load_prices(&self, block: BlockRef) -> Result<(), FollowError> {
        let (books, names) =
            tokio::try_join!(self.chain.books(block.hash), self.chain.class_names(block.hash))?;
        self.state.prices.store(Arc::new(Prices::new(books, Arc::new(names), block.number)));
        Ok(())
    }

    async fn load_suspensions(&self, at: H256) -> Result<(), FollowError> {
        self.state.upstreams.set_suspended(&self.chain.suspended(at).await?);
        Ok(())
    }

    async fn load_evidence(&self, at: H256) -> Result<(), FollowError> {
        self.state.upstreams.set_evidence(self.chain.evidence(at).await?);
        Ok(())
    }

    /// The next few owners, so that in time every one gets its turn.
    fn rotate(&mut self) -> Vec<AccountId> {
        if self.rotation.is_empty() {
            self.rotation = self.state.wallets.all();
        }
        let left = self.rotation.len().saturating_sub(ROTATION);
        self.rotation.drain(left..).map(|wallet| wallet.owner.clone()).collect()
    }

    /// Takes in the balances of owners as of a block. The charges of that block must have been counted.
    pub(super) async fn refresh(&self, at: H256, owners: Vec<AccountId>) -> Result<(), FollowError> {
        for page in owners.chunks(OWNERS_PAGE) {
            let rows = self.chain.balances(at, page.to_vec()).await?;
            // Of the same block, so that credits on their way from one to the other are seen once.
            let short = page.iter().filter(|owner| self.is_short(owner)).cloned().collect::<Vec<_>>();
            let elsewhere = match short.is_empty() {
                true => HashMap::new(),
                false => self.chain.elsewhere(at, short.clone()).await?,
            };
            let mut by_owner: HashMap<&AccountId, Vec<&GatewayBalance>> = HashMap::new();
            for row in &rows {
                by_owner.entry(&row.owner).or_default().push(row);
            }
            for owner in page {
                let wallet = self.state.wallets.get_or_new(owner);
                let others = short.contains(owner).then_some(&elsewhere);
                self.grant(&wallet, by_owner.get(owner).map_or(&[], Vec::as_slice), others);
            }
        }
        Ok(())
    }

    fn grant(
        &self,
        wallet: &Wallet,
        rows: &[&GatewayBalance],
        others: Option<&HashMap<(AccountId, ClassId), Credits>>,
    ) {
        let now = now_ms();
        wallet.set_frozen(rows.iter().any(|row| row.frozen));
        let elsewhere = |class| {
            others.map(|others| others.get(&(wallet.owner.clone(), class)).copied().unwrap_or_default())
        };
        for row in rows {
            let GatewayBalance { reserved, expires_at, available, energy_bound, class, .. } = **row;
            let row_now = Row { reserved, expires_at, available, elsewhere: elsewhere(class) };
            let account = wallet.account_or_new(class);
            account.set_energy_bound(energy_bound);
            account.grant(row_now, self.state.expiry_margin_ms, now);
        }
        for account in wallet.accounts().iter() {
            if rows.iter().all(|row| row.class != account.class) {
                let row_now = Row { elsewhere: elsewhere(account.class), ..Row::default() };
                account.grant(row_now, self.state.expiry_margin_ms, now);
            }
        }
    }
}
