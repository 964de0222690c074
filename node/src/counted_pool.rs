//! The transaction pool, with a count of what it refuses and why.
//!
//! JSON-RPC and peers submit through this one.

use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

use jsonrpsee::core::async_trait;
use sc_transaction_pool_api::{
    error::{Error, IntoPoolError},
    ChainEvent, ImportNotificationStream, MaintainedTransactionPool, PoolStatus, ReadyTransactions,
    TransactionFor, TransactionPool, TransactionSource, TransactionStatusStreamFor, TxHash,
    TxInvalidityReportMap,
};
use sp_core::H256;
use sp_runtime::transaction_validity::{InvalidTransaction, UnknownTransaction};
use stipend_runtime::opaque::Block;
use substrate_prometheus_endpoint::{CounterVec, U64};

use crate::service::Pool;

type InPool = <Pool as TransactionPool>::InPoolTransaction;
type Fault = <Pool as TransactionPool>::Error;
type Ready = Box<dyn ReadyTransactions<Item = Arc<InPool>> + Send>;

/// The pool and its count.
pub struct CountedPool {
    /// The pool.
    pub pool: Arc<Pool>,
    /// One count per reason, where metrics are kept.
    pub refused: Option<CounterVec<U64>>,
}

impl CountedPool {
    fn count<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        let Some(refused) = &self.refused else { return result };
        result.map_err(|fault| match fault.into_pool_error() {
            Ok(error) => {
                if let Some(reason) = reason(&error) {
                    refused.with_label_values(&[reason]).inc();
                }
                error.into()
            }
            Err(fault) => fault,
        })
    }
}

/// Why a transaction was refused, in a word; `None` for one that was there already.
fn reason(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::AlreadyImported(_) => return None,
        Error::InvalidTransaction(InvalidTransaction::Custom(pallet_roles::NOT_ADMITTED)) => "not_admitted",
        Error::InvalidTransaction(InvalidTransaction::Custom(pallet_roles::TOO_LONG)) => "too_long",
        Error::InvalidTransaction(InvalidTransaction::BadProof) => "wrong_signature",
        Error::InvalidTransaction(InvalidTransaction::Stale) => "stale",
        Error::InvalidTransaction(InvalidTransaction::Future) => "too_early",
        Error::InvalidTransaction(InvalidTransaction::ExhaustsResources) => "over_limit",
        Error::InvalidTransaction(_) => "invalid",
        Error::UnknownTransaction(UnknownTransaction::Custom(_)) => "unknown_book",
        Error::UnknownTransaction(_) => "unknown",
        Error::TemporarilyBanned => "banned",
        Error::ImmediatelyDropped => "pool_full",
        Error::TooLowPriority { .. } => "too_low_priority",
        _ => "other",
    })
}

#[async_trait]
impl TransactionPool for CountedPool {
    type Block = Block;
    type Hash = H256;
    type InPoolTransaction = InPool;
    type Error = Fault;

    async fn submit_at(
        &self,
        at: H256,
        source: TransactionSource,
        transactions: Vec<TransactionFor<Self>>,
    ) -> Result<Vec<Result<TxHash<Self>, Fault>>, Fault> {
        let results = self.pool.submit_at(at, source, transactions).await?;
        Ok(results.into_iter().map(|result| self.count(result)).collect())
    }

    async fn submit_one(
        &self,
        at: H256,
        source: TransactionSource,
        transaction: TransactionFor<Self>,
    ) -> Result<TxHash<Self>, Fault> {
        self.count(self.pool.submit_one(at, source, transaction).await)
    }

    async fn submit_and_watch(
        &self,
        at: H256,
        source: TransactionSource,
        transaction: TransactionFor<Self>,
    ) -> Result<Pin<Box<TransactionStatusStreamFor<Self>>>, Fault> {
        self.count(self.pool.submit_and_watch(at, source, transaction).await)
    }

    async fn ready_at(&self, at: H256) -> Ready {
        self.pool.ready_at(at).await
    }

    fn ready(&self) -> Ready {
        self.pool.ready()
    }

    async fn report_invalid(
        &self,
        at: Option<H256>,
        errors: TxInvalidityReportMap<TxHash<Self>>,
    ) -> Vec<Arc<InPool>> {
        self.pool.report_invalid(at, errors).await
    }

    fn futures(&self) -> Vec<InPool> {
        self.pool.futures()
    }

    fn status(&self) -> PoolStatus {
        self.pool.status()
    }

    fn import_notification_stream(&self) -> ImportNotificationStream<TxHash<Self>> {
        self.pool.import_notification_stream()
    }

    fn on_broadcasted(&self, propagations: HashMap<TxHash<Self>, Vec<String>>) {
        self.pool.on_broadcasted(propagations);
    }

    fn hash_of(&self, transaction: &TransactionFor<Self>) -> TxHash<Self> {
        self.pool.hash_of(transaction)
    }

    fn ready_transaction(&self, hash: &TxHash<Self>) -> Option<Arc<InPool>> {
        self.pool.ready_transaction(hash)
    }

    async fn ready_at_with_timeout(&self, at: H256, timeout: Duration) -> Ready {
        self.pool.ready_at_with_timeout(at, timeout).await
    }
}

#[async_trait]
impl MaintainedTransactionPool for CountedPool {
    async fn maintain(&self, event: ChainEvent<Block>) {
        self.pool.maintain(event).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_counted_by_its_reason_and_a_repetition_is_none() {
        let invalid = |code| Error::InvalidTransaction(InvalidTransaction::Custom(code));
        assert_eq!(reason(&invalid(pallet_roles::NOT_ADMITTED)), Some("not_admitted"));
        assert_eq!(reason(&invalid(pallet_roles::TOO_LONG)), Some("too_long"));
        assert_eq!(reason(&Error::InvalidTransaction(InvalidTransaction::BadProof)), Some("wrong_signature"));
        assert_eq!(reason(&Error::ImmediatelyDropped), Some("pool_full"));
        assert_eq!(reason(&Error::AlreadyImported(Box::new(()))), None);
    }
}
