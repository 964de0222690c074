//! A node as the source.

use futures::{stream, stream::BoxStream, StreamExt, TryStreamExt};
use sp_core::H256;
use stipend_primitives::{AccountId, BlockNumber, Moment, Role, Sequence};
use stipend_rpc::WalletBalance;
use stipend_sdk::{
    grant_list::{self, Fault, Ledger, Row},
    proof::Document,
    Client, Prepared, RpcError, RuntimeCall, SubmitError, Unsigned,
};

use crate::project::now_ms;

use super::{read, Answer, Block, BlockRef, Source, SourceError, State, Wanted};

/// Questions to the node at a time.
const CONCURRENT: usize = 16;

/// A node. To build the tables from the first block on it has to keep old state.
#[derive(Clone)]
pub struct SdkSource(Client);

impl SdkSource {
    /// Over a connection.
    pub fn new(client: Client) -> Self {
        SdkSource(client)
    }
}

impl From<RpcError> for SourceError {
    fn from(error: RpcError) -> Self {
        SourceError(error.to_string())
    }
}

impl Source for SdkSource {
    fn genesis(&self) -> H256 {
        self.0.genesis()
    }

    async fn finalised(&self) -> Answer<BlockRef> {
        Ok(self.0.finalised_head().await?)
    }

    fn blocks(&self, after: Option<BlockNumber>) -> BoxStream<'static, Answer<BlockRef>> {
        match after {
            Some(number) => self.0.finalised_blocks_after(number).map_err(SourceError::from).boxed(),
            None => {
                let client = self.0.clone();
                let first = async move { Ok(BlockRef { number: 0, hash: client.genesis() }) };
                stream::once(first).chain(self.blocks(Some(0))).boxed()
            }
        }
    }

    async fn block(&self, at: BlockRef) -> Answer<Block> {
        let snapshot = self.0.at(at.hash);
        let moment = async {
            Ok::<_, RpcError>(snapshot.storage::<Moment>("Timestamp", "Now").await?.unwrap_or_default())
        };
        let (body, events, moment) =
            tokio::try_join!(self.0.block_body(at.hash), snapshot.event_records(), moment)?;
        Ok(Block { at, moment, acts: read::acts(&body, events) })
    }

    async fn state(&self, at: BlockRef, wanted: Wanted) -> Answer<State> {
        let snapshot = self.0.at(at.hash);
        let wallets = stream::iter(wanted.owners)
            .map(|owner| {
                let snapshot = snapshot.clone();
                async move {
                    let both = tokio::try_join!(snapshot.wallet(&owner), snapshot.entitlements(&owner));
                    both.map(|(balances, entitlements)| (owner, balances, entitlements))
                }
            })
            .buffered(CONCURRENT)
            .try_collect()
            .await?;
        let mut state = State { wallets, ..State::default() };
        for hash in wanted.keys {
            state.keys.extend(snapshot.api_key(hash).await?.map(|key| (hash, key)));
        }
        for version in wanted.books {
            state.books.extend(snapshot.book(version).await?);
        }
        if wanted.programs {
            state.programs = snapshot.programs().await?;
        }
        if wanted.classes {
            state.classes = snapshot.classes().await?;
        }
        Ok(state)
    }

    async fn balance(&self, owner: AccountId) -> Answer<WalletBalance> {
        Ok(self.0.wallet_balance(&owner).await?)
    }

    fn watch(&self, owner: AccountId) -> BoxStream<'static, Answer<WalletBalance>> {
        self.0.watch_wallet(owner).map_err(SourceError::from).boxed()
    }

    async fn roles(&self, who: AccountId) -> Answer<Vec<Role>> {
        Ok(self.0.finalised().await?.roles(&who).await?)
    }

    async fn unsigned(
        &self,
        call: RuntimeCall,
        account: AccountId,
        as_of: BlockRef,
    ) -> Result<Unsigned, SubmitError> {
        self.0.unsigned(call, account, as_of).await
    }

    async fn send(&self, signed: &Prepared) -> Result<(), SubmitError> {
        self.0.send(signed).await.map(drop)
    }

    async fn follow(
        &self,
        signed: &Prepared,
        in_block: impl FnOnce(BlockNumber) + Send,
    ) -> Result<BlockNumber, SubmitError> {
        let done = self.0.follow_sent(signed, |block| in_block(block.number)).await?;
        Ok(done.block_number)
    }

    async fn calls_of(&self, block: H256, signer: AccountId) -> Answer<Vec<RuntimeCall>> {
        Ok(self.0.calls_of(block, &signer).await?)
    }

    async fn issuing(&self, issuer: AccountId, at: BlockRef) -> Answer<Ledger> {
        let snapshot = self.0.at(at.hash);
        let (allowance, programs, baskets) =
            tokio::try_join!(snapshot.mint_allowance(&issuer), snapshot.programs(), snapshot.baskets())?;
        Ok(Ledger::new(issuer, allowance, programs, baskets))
    }

    async fn forbidden(&self, rows: Vec<Row>, at: BlockRef) -> Answer<Vec<Fault>> {
        Ok(grant_list::forbidden(&self.0.at(at.hash), &rows, now_ms()).await?)
    }

    async fn proof(
        &self,
        gateway: AccountId,
        seq: Sequence,
        block: BlockNumber,
    ) -> Answer<serde_json::Value> {
        let said = |error: String| SourceError(error);
        let proof = self.0.prove_receipt(&gateway, seq, Some(block)).await;
        let document = Document::Receipt(proof.map_err(|error| said(error.to_string()))?);
        serde_json::to_value(document).map_err(|error| said(error.to_string()))
    }
}
