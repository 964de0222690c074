//! Waiting where nothing becomes final: for the newest block instead.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    client::{BlockRef, Client},
    submit::{Finalised, Prepared, SubmitError},
};

/// Between two looks at the newest block: half a slot.
const LOOK: Duration = Duration::from_millis(500);

/// Looks after which a transaction that is still missing is sent again.
const LOOKS_UNTIL_RESENT: u32 = 16;

impl Client {
    /// Waits until the newest block's chain holds the block that decides a transaction.
    pub(crate) async fn watch_newest(&self, sent: &Prepared) -> Result<Finalised, SubmitError> {
        let mut looks = 0_u32;
        loop {
            let newest = self.best_head().await?;
            if self.at(newest.hash).nonce(&sent.account).await? > sent.nonce {
                return self.search_back(newest, sent).await;
            }
            if newest.number >= sent.death {
                return Err(SubmitError::Expired { last_block: sent.death.saturating_sub(1) });
            }
            looks += 1;
            if looks.is_multiple_of(LOOKS_UNTIL_RESENT) {
                if let Err(error) = self.push(&sent.bytes).await {
                    tracing::debug!(%error, "sent the transaction again, in vain");
                }
            }
            sleep(LOOK).await;
        }
    }

    /// Finds a transaction among the blocks between its birth and `newest`.
    async fn search_back(&self, newest: BlockRef, sent: &Prepared) -> Result<Finalised, SubmitError> {
        let mut at = newest;
        while at.number > sent.birth {
            if self.index_in(at.hash, sent.hash).await?.is_some() {
                return self.outcome_in(at, sent).await;
            }
            let hash = self.header(at.hash).await?.parent_hash;
            at = BlockRef { number: at.number - 1, hash };
        }
        Err(SubmitError::Replaced { nonce: sent.nonce, at: newest })
    }
}
