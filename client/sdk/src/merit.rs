//! Outcomes: recording them, taking them back, looking at them.

use sp_core::H256;
use stipend_primitives::{
    merit::{
        EvaluatorUse, KindId, KindView, Outcome, OutcomeId, OutcomeView, Record, Source, Standing,
        WalletMerit,
    },
    AccountId, Credits,
};
use stipend_rpc::MeritRpcClient;
use stipend_runtime::RuntimeEvent;

use crate::{
    client::Client,
    rpc_error::RpcError,
    signer::Signer,
    submit::{Finalised, SubmitError},
};

use pallet_merit::{Call, Event, RECORDS_MAX};

/// An outcome as an evaluator knows it: by names instead of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOutcome {
    /// Name of its kind.
    pub kind: String,
    /// Whose compute led to it.
    pub wallet: AccountId,
    /// How much of it.
    pub weight: u32,
    /// Hash of what shows it.
    pub evidence: [u8; 32],
    /// Ids of the receipts that it came from, in any order.
    pub receipts: Vec<[u8; 32]>,
    /// The purpose tag of the requests that it came from; heeded where no receipts are named.
    pub purpose: Option<String>,
}

impl NewOutcome {
    /// What is said of it on a chain with these kinds.
    pub fn record(&self, kinds: &[KindView]) -> Result<Record, MeritError> {
        let source = Source::of_receipts(self.receipts.clone());
        let source = source.or_else(|| self.purpose.as_deref().map(Source::of_purpose));
        Ok(Record {
            kind: kind_of(kinds, &self.kind)?.id,
            wallet: self.wallet.clone(),
            weight: self.weight,
            evidence: H256(self.evidence),
            source: source.ok_or(MeritError::NoSource)?,
        })
    }
}

/// The kind of a name.
pub fn kind_of<'a>(kinds: &'a [KindView], name: &str) -> Result<&'a KindView, MeritError> {
    kinds.iter().find(|kind| kind.name[..] == *name.as_bytes()).ok_or_else(|| {
        let known = kinds.iter().map(|kind| String::from_utf8_lossy(&kind.name).into_owned()).collect();
        MeritError::KindUnknown { name: name.to_owned(), known }
    })
}

/// An outcome that was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its number.
    pub id: OutcomeId,
    /// Micro-credits earned.
    pub earned: Credits,
    /// Micro-credits of them that were granted; the rest paid what the wallet owed.
    pub minted: Credits,
    /// Where that is on the chain.
    pub at: Finalised,
}

/// An outcome that was taken back.
#[derive(Clone, Debug)]
pub struct TakenBack {
    /// Its number.
    pub id: OutcomeId,
    /// Of which kind.
    pub kind: KindId,
    /// Micro-credits taken back.
    pub taken: Credits,
    /// Micro-credits that the wallet owes for it.
    pub owed: Credits,
    /// Where that is on the chain.
    pub at: Finalised,
}

/// What came of many outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ManyRecorded {
    /// How many were recorded.
    pub recorded: u32,
    /// How many the chain refused: counted before, beyond a cap, or of a wallet that holds nothing.
    pub skipped: u32,
}

/// Why an outcome was not recorded or taken back.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MeritError {
    /// The node could not be asked.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The call was not carried out, or was refused.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// There is no such kind.
    #[error("there is no kind of outcome \"{name}\"; there are {known:?}: take one of them, or ask the council to register it")]
    KindUnknown {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// Nothing says where the outcome came from.
    #[error("the outcome names neither receipts nor a purpose; name the requests that led to it, or their purpose tag")]
    NoSource,
    /// No outcome of this evidence can be taken back by the signer.
    #[error("there is no outcome of the evidence {0:?} that this evaluator recorded and that still counts; it was recorded by another one, was reverted before, or is forgotten")]
    NoOutcome(H256),
}

/// Looking at outcomes, as of the newest finalised block.
impl Client {
    /// All kinds of outcomes, with the rule that holds and the one announced.
    pub async fn merit_kinds(&self) -> Result<Vec<KindView>, RpcError> {
        let ask = self
            .inner
            .connection
            .call("merit_kinds", |client| async move { MeritRpcClient::kinds(&*client).await });
        ask.await
    }

    /// One outcome, while the chain remembers it.
    pub async fn merit_outcome(&self, id: OutcomeId) -> Result<Option<OutcomeView>, RpcError> {
        let ask = self
            .inner
            .connection
            .call("merit_outcome", |client| async move { MeritRpcClient::outcome(&*client, id).await });
        ask.await
    }

    /// What a wallet earned and owes, and its newest outcomes.
    pub async fn merit_wallet(&self, owner: &AccountId) -> Result<WalletMerit, RpcError> {
        let ask = self.inner.connection.call("merit_wallet", |client| {
            let owner = owner.clone();
            async move { MeritRpcClient::wallet(&*client, owner).await }
        });
        ask.await
    }

    /// The remembered outcomes of an evidence, at most one of each kind.
    pub async fn merit_by_evidence(&self, evidence: [u8; 32]) -> Result<Vec<OutcomeView>, RpcError> {
        let ask = self.inner.connection.call("merit_byEvidence", |client| async move {
            MeritRpcClient::by_evidence(&*client, H256(evidence)).await
        });
        ask.await
    }

    /// Contested outcomes that the council has to decide on, oldest first.
    pub async fn merit_contests(&self, limit: Option<u32>) -> Result<Vec<OutcomeView>, RpcError> {
        let ask = self
            .inner
            .connection
            .call("merit_contests", |client| async move { MeritRpcClient::contests(&*client, limit).await });
        ask.await
    }

    /// What an evaluator's outcomes may still earn in this period, per kind.
    pub async fn merit_evaluator(&self, who: &AccountId) -> Result<Vec<EvaluatorUse>, RpcError> {
        let ask = self.inner.connection.call("merit_evaluator", |client| {
            let who = who.clone();
            async move { MeritRpcClient::evaluator(&*client, who).await }
        });
        ask.await
    }
}

/// Evaluators.
impl Client {
    /// Records an outcome, and waits until that is final.
    pub async fn record_outcome(
        &self,
        outcome: &NewOutcome,
        evaluator: &Signer,
    ) -> Result<Recorded, MeritError> {
        let record = outcome.record(&self.merit_kinds().await?)?;
        let at = self.submit_finalised(Call::record { record }.into(), evaluator).await?;
        let found = at.events.iter().find_map(|event| match event {
            RuntimeEvent::Merit(Event::Recorded { outcome, earned, minted, .. }) => {
                Some((*outcome, *earned, *minted))
            }
            _ => None,
        });
        let (id, earned, minted) = found.ok_or_else(|| silent("record"))?;
        Ok(Recorded { id, earned, minted, at })
    }

    /// Records many outcomes; those that the chain refuses are skipped. Waits until all are final.
    pub async fn record_outcomes(
        &self,
        outcomes: &[NewOutcome],
        evaluator: &Signer,
    ) -> Result<ManyRecorded, MeritError> {
        let kinds = self.merit_kinds().await?;
        let records: Vec<Record> =
            outcomes.iter().map(|outcome| outcome.record(&kinds)).collect::<Result<_, _>>()?;
        let mut sent = Vec::new();
        for rows in records.chunks(RECORDS_MAX as usize) {
            let records = sp_core::bounded::BoundedVec::truncate_from(rows.to_vec());
            sent.push(self.send_new(Call::record_many { records }.into(), evaluator).await?);
        }
        let mut sum = ManyRecorded::default();
        for prepared in &sent {
            let done = self.watch(prepared).await?;
            for event in &done.events {
                if let RuntimeEvent::Merit(Event::ManyRecorded { recorded, skipped, .. }) = event {
                    sum.recorded += recorded;
                    sum.skipped += skipped;
                }
            }
        }
        Ok(sum)
    }

    /// Withdraws what this evaluator recorded by an evidence, of every kind; waits until that is final.
    pub async fn withdraw_outcome(
        &self,
        evidence: [u8; 32],
        evaluator: &Signer,
    ) -> Result<Vec<TakenBack>, MeritError> {
        let own = evaluator.account();
        let counts = |outcome: &Outcome| outcome.evaluator == own && !outcome.standing.is_reverted();
        let found = self.merit_by_evidence(evidence).await?;
        let mut withdrawn = Vec::new();
        for view in found.into_iter().filter(|view| counts(&view.outcome)) {
            let call = Call::withdraw { outcome: view.id };
            let at = self.submit_finalised(call.into(), evaluator).await?;
            let amounts = at.events.iter().find_map(|event| match event {
                RuntimeEvent::Merit(Event::Reverted { taken, owed, .. }) => Some((*taken, *owed)),
                _ => None,
            });
            let (taken, owed) = amounts.ok_or_else(|| silent("withdraw"))?;
            withdrawn.push(TakenBack { id: view.id, kind: view.outcome.record.kind, taken, owed, at });
        }
        if withdrawn.is_empty() {
            return Err(MeritError::NoOutcome(H256(evidence)));
        }
        Ok(withdrawn)
    }
}

/// A call that was carried out says so; if not, client and chain do not belong together.
fn silent(call: &str) -> RpcError {
    RpcError::Unreadable { method: format!("Merit.{call}"), cause: "its event is missing".into() }
}

/// Whether an outcome can still be contested or withdrawn at a moment (Unix time, ms).
pub fn is_open(outcome: &Outcome, now: stipend_primitives::Moment) -> bool {
    match outcome.standing {
        Standing::Open | Standing::Upheld => now < outcome.closes_at,
        Standing::Contested => true,
        Standing::Withdrawn | Standing::Overturned => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_primitives::{merit::Sums, ClassId, Name};

    fn kind(id: KindId, name: &str) -> KindView {
        KindView {
            id,
            name: Name::truncate_from(name.as_bytes().to_vec()),
            class: ClassId::PRIORITY,
            in_force: None,
            announced: None,
            outcomes: 0,
            reverted: 0,
            sums: Sums::default(),
        }
    }

    fn outcome() -> NewOutcome {
        NewOutcome {
            kind: "thesis".into(),
            wallet: AccountId::new([1; 32]),
            weight: 3,
            evidence: [2; 32],
            receipts: vec![[9; 32], [8; 32]],
            purpose: Some("lab".into()),
        }
    }

    #[test]
    fn a_kind_is_found_by_its_name() {
        let kinds = [kind(0, "commit"), kind(1, "thesis")];
        assert_eq!(outcome().record(&kinds).unwrap().kind, 1);
        let error = outcome().record(&kinds[..1]).unwrap_err().to_string();
        assert!(error.contains("\"thesis\"") && error.contains("commit"), "{error}");
    }

    #[test]
    fn receipts_say_more_than_a_purpose_and_something_must_be_said() {
        let kinds = [kind(0, "thesis")];
        let source = |change: fn(&mut NewOutcome)| {
            let mut outcome = outcome();
            change(&mut outcome);
            outcome.record(&kinds).map(|record| record.source)
        };
        assert!(matches!(source(|_| ()).unwrap(), Source::Receipts(ids) if ids[0] == H256([8; 32])));
        assert_eq!(source(|it| it.receipts.clear()).unwrap(), Source::of_purpose("lab"));
        let nothing = source(|it| (it.receipts, it.purpose) = (vec![], None));
        assert!(matches!(nothing, Err(MeritError::NoSource)));
    }
}
