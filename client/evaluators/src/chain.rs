//! The chain as the ledger: signed transactions to `pallet-merit`.

use sp_core::H256;
use stipend_sdk::{
    merit::{MeritError, NewOutcome},
    Client, Signer, SubmitError,
};
use tokio::sync::OnceCell;

use crate::{
    ledger::{Ledger, LedgerError},
    outcome::{Evidence, Outcome, Revert},
};

/// Refusals that pass: asking again is right.
const PASSING: [(&str, &str); 2] = [("Runtime", "BadOrigin"), ("Runtime", "Exhausted")];

/// The chain behind a node. It is connected to when there is something to say, and the connection mends itself.
pub struct Chain {
    url: String,
    genesis: H256,
    evaluator: Signer,
    client: OnceCell<Client>,
}

impl Chain {
    /// Prepares to tell the chain of `genesis`, through the node at `url`, in the name of `evaluator`.
    pub fn new(url: String, genesis: H256, evaluator: Signer) -> Self {
        Chain { url, genesis, evaluator, client: OnceCell::new() }
    }

    async fn client(&self) -> Result<&Client, LedgerError> {
        let connect = || async {
            let client = Client::connect(&self.url)
                .await
                .map_err(|error| LedgerError::Unavailable(error.to_string()))?;
            if client.genesis() != self.genesis {
                let found = client.genesis();
                return Err(LedgerError::Unavailable(format!(
                    "the node is on the chain {found:?}, and the configuration says {:?}",
                    self.genesis
                )));
            }
            Ok(client)
        };
        self.client.get_or_try_init(connect).await
    }

    /// Whether this evaluator recorded an evidence, whatever became of it.
    async fn is_recorded(&self, client: &Client, evidence: &Evidence) -> Result<bool, LedgerError> {
        let own = self.evaluator.account();
        let found = client.merit_by_evidence(evidence.0).await;
        let found = found.map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        Ok(found.iter().any(|view| view.outcome.evaluator == own))
    }
}

impl Ledger for Chain {
    async fn record(&self, outcome: &Outcome) -> Result<(), LedgerError> {
        let client = self.client().await?;
        // After a crash it may be there already; a transaction that fails would only cost a place in a block.
        if self.is_recorded(client, &outcome.evidence).await? {
            return Ok(());
        }
        let new = NewOutcome {
            kind: outcome.kind.clone(),
            wallet: outcome.wallet.clone(),
            weight: outcome.weight,
            evidence: outcome.evidence.0,
            receipts: outcome.receipts.clone(),
            purpose: outcome.purpose.clone(),
        };
        match client.record_outcome(&new, &self.evaluator).await {
            Ok(_) => Ok(()),
            // The evidence is a hash over wallet, weight and receipts: whoever recorded it, said the same.
            Err(error) if is(&error, "EvidenceCounted") => Ok(()),
            Err(error) => Err(refusal(error)),
        }
    }

    async fn withdraw(&self, revert: &Revert) -> Result<(), LedgerError> {
        let client = self.client().await?;
        match client.withdraw_outcome(revert.evidence.0, &self.evaluator).await {
            // Nothing of it counts: it was taken back before, or never got in.
            Ok(_) | Err(MeritError::NoOutcome(_)) => Ok(()),
            Err(error) if is(&error, "AlreadyReverted") => Ok(()),
            Err(error) => Err(refusal(error)),
        }
    }
}

fn is(error: &MeritError, name: &str) -> bool {
    matches!(error, MeritError::Submit(error) if error.failure().is_some_and(|failure| failure.is("Merit", name)))
}

/// Refused for good is only what the chain carried out and refused, and what names a kind that it does not have.
fn refusal(error: MeritError) -> LedgerError {
    let text = error.to_string();
    match &error {
        MeritError::Submit(SubmitError::Failed { failure, .. })
            if !PASSING.iter().any(|(pallet, name)| failure.is(pallet, name)) =>
        {
            LedgerError::Refused(text)
        }
        MeritError::KindUnknown { .. } | MeritError::NoSource => LedgerError::Refused(text),
        _ => LedgerError::Unavailable(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stipend_sdk::{BlockRef, DispatchFailure, RpcError};

    fn failed(pallet: &str, error: &str) -> MeritError {
        let failure =
            DispatchFailure { pallet: pallet.into(), error: error.into(), explanation: "it is so".into() };
        SubmitError::Failed { failure, at: BlockRef { number: 1, hash: H256::zero() } }.into()
    }

    #[test]
    fn only_what_the_chain_refused_for_good_is_given_up() {
        let unreachable = RpcError::Unreachable { url: "ws://x".into(), cause: "refused".into() };
        for (error, is_final) in [
            (failed("Merit", "ReceiptCounted"), true),
            (failed("Merit", "WalletCapReached"), true),
            (failed("Runtime", "BadOrigin"), false),
            (failed("Runtime", "Exhausted"), false),
            (MeritError::KindUnknown { name: "x".into(), known: vec![] }, true),
            (unreachable.into(), false),
            (SubmitError::Expired { last_block: 9 }.into(), false),
        ] {
            let text = error.to_string();
            assert_eq!(matches!(refusal(error), LedgerError::Refused(_)), is_final, "{text}");
        }
    }

    #[test]
    fn evidence_that_was_counted_is_told_apart_from_other_refusals() {
        assert!(is(&failed("Merit", "EvidenceCounted"), "EvidenceCounted"));
        assert!(!is(&failed("Merit", "ReceiptCounted"), "EvidenceCounted"));
        assert!(!is(&failed("Receipts", "EvidenceCounted"), "EvidenceCounted"));
    }

    #[tokio::test]
    async fn without_a_node_nothing_is_given_up() {
        // Nobody listens on a port of the system's that was just let go.
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map(|it| it.port());
        let url = format!("ws://127.0.0.1:{}", port.expect("a free port can be asked for"));
        let chain = Chain::new(url, H256::zero(), Signer::generate());
        let revert = Revert { kind: "x".into(), evidence: Evidence([1; 32]) };
        assert!(matches!(chain.withdraw(&revert).await, Err(LedgerError::Unavailable(_))));
    }
}
