//! `wallet_*`: balances, finalised and pending.

use std::{future::Future, time::Duration};

use futures::{FutureExt, StreamExt};
use jsonrpsee::{
    core::{async_trait, RpcResult, SubscriptionResult},
    PendingSubscriptionSink, SubscriptionMessage, SubscriptionSink,
};
use sc_client_api::BlockchainEvents;
use sp_api::ProvideRuntimeApi;
use stipend_primitives::{view::ClassBalance, AccountId};
use stipend_rpc::{WalletBalance, WalletRpcServer};
use stipend_runtime_api::EntitlementsApi;

use super::{runtime, Answer, Chain, Head};

/// A subscriber that takes no message for this long is dropped: what it was not told would pile up
/// in the node.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);

/// Answers `wallet_*`.
pub struct Wallet {
    chain: Chain,
}

impl Wallet {
    /// Over a chain.
    pub(super) fn new(chain: Chain) -> Self {
        Wallet { chain }
    }
}

#[async_trait]
impl WalletRpcServer for Wallet {
    async fn balance(&self, owner: AccountId) -> RpcResult<WalletBalance> {
        Watched::new(self.chain.clone(), owner).look().await
    }

    async fn subscribe_balance(
        &self,
        pending: PendingSubscriptionSink,
        owner: AccountId,
    ) -> SubscriptionResult {
        let mut wallet = Watched::new(self.chain.clone(), owner);
        // Listening begins before the first look, or a block between the two would be missed.
        let best = self.chain.client.import_notification_stream().filter(|block| {
            let best = block.is_new_best;
            async move { best }
        });
        let finalised = self.chain.client.finality_notification_stream();
        let mut blocks = futures::stream::select(best.map(drop).boxed(), finalised.map(drop).boxed());
        let sink = pending.accept().await?;
        let mut told = None;
        loop {
            let now = wallet.look().await?;
            if told.as_ref().is_none_or(|told| differs(told, &now)) {
                send(&sink, &now).await?;
                told = Some(now);
            }
            tokio::select! {
                block = blocks.next() => if block.is_none() { return Ok(()) },
                () = sink.closed() => return Ok(()),
            }
            // Several blocks at once are one change.
            while blocks.next().now_or_never().flatten().is_some() {}
        }
    }
}

/// Sends one balance, or fails if the subscriber is gone or asleep.
async fn send(sink: &SubscriptionSink, balance: &WalletBalance) -> SubscriptionResult {
    sink.send_timeout(SubscriptionMessage::from_json(balance)?, SEND_TIMEOUT).await?;
    Ok(())
}

/// Whether a subscriber wants to know: new block numbers alone are no change.
fn differs(told: &WalletBalance, now: &WalletBalance) -> bool {
    told.finalised != now.finalised || told.pending != now.pending
}

/// A wallet at two heads; a head that did not move is not asked again.
struct Watched {
    chain: Chain,
    owner: AccountId,
    finalised: Option<(Head, Vec<ClassBalance>)>,
    pending: Option<(Head, Vec<ClassBalance>)>,
}

impl Watched {
    fn new(chain: Chain, owner: AccountId) -> Self {
        Watched { chain, owner, finalised: None, pending: None }
    }

    async fn look(&mut self) -> Answer<WalletBalance> {
        let (finalised_at, pending_at) = (self.chain.finalised(), self.chain.best());
        let (chain, owner) = (self.chain.clone(), self.owner.clone());
        let ask = |head: Head| {
            let owner = owner.clone();
            chain.compute(move |chain| runtime(chain.client.runtime_api().wallet(head.hash, owner)))
        };
        let finalised = refresh(&mut self.finalised, finalised_at, ask).await?;
        let pending = refresh(&mut self.pending, pending_at, ask).await?;
        Ok(WalletBalance {
            finalised,
            finalised_at: finalised_at.number,
            pending,
            pending_at: pending_at.number,
        })
    }
}

/// The rows at `head`: those known, if they are of this head, or newly asked ones.
async fn refresh<Asked: Future<Output = Answer<Vec<ClassBalance>>>>(
    known: &mut Option<(Head, Vec<ClassBalance>)>,
    head: Head,
    ask: impl FnOnce(Head) -> Asked,
) -> Answer<Vec<ClassBalance>> {
    if let Some((at, rows)) = known {
        if *at == head {
            return Ok(rows.clone());
        }
    }
    let rows = ask(head).await?;
    *known = Some((head, rows.clone()));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sp_core::H256;
    use stipend_primitives::{view::Amounts, ClassId};

    fn rows(available: u128) -> Vec<ClassBalance> {
        vec![ClassBalance {
            class: ClassId::INNOVATION,
            name: Default::default(),
            amounts: Amounts { granted: 10, available, ..Default::default() },
            reservations: vec![],
            expires_next: None,
            frozen: false,
        }]
    }

    fn balance(finalised: u128, pending: u128, at: u32) -> WalletBalance {
        WalletBalance {
            finalised: rows(finalised),
            finalised_at: at,
            pending: rows(pending),
            pending_at: at + 2,
        }
    }

    #[test]
    fn a_block_that_leaves_the_wallet_alone_is_no_change() {
        assert!(!differs(&balance(10, 9, 4), &balance(10, 9, 5)));
    }

    #[test]
    fn a_pending_charge_and_its_finalisation_are_two_changes() {
        assert!(differs(&balance(10, 10, 4), &balance(10, 9, 5)));
        assert!(differs(&balance(10, 9, 5), &balance(9, 9, 6)));
    }

    #[test]
    fn a_head_that_did_not_move_is_not_asked_again() {
        let head = Head { hash: H256::repeat_byte(1), number: 1 };
        let next = Head { hash: H256::repeat_byte(2), number: 2 };
        let mut known = None;
        let asked = std::cell::Cell::new(0);
        let ask = |_| {
            asked.set(asked.get() + 1);
            async { Ok(rows(asked.get())) }
        };
        futures::executor::block_on(async {
            assert_eq!(refresh(&mut known, head, ask).await.unwrap(), rows(1));
            assert_eq!(refresh(&mut known, head, ask).await.unwrap(), rows(1));
            assert_eq!(refresh(&mut known, next, ask).await.unwrap(), rows(2));
        });
        assert_eq!(asked.get(), 2);
    }
}
