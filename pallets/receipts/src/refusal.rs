//! Why a batch is refused, in the pool and in a block.

use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError, UnknownTransaction};
use stipend_primitives::{batch::Malformed, ledger::PriceError};

use crate::{Config, Error};

/// Why a batch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its signer has no gateway role.
    NotGateway,
    /// Its form is wrong.
    Malformed(Malformed),
    /// A line names a price book that is not known, or not in effect, here and now.
    UnknownBook,
    /// A line names a price book whose grace period is over.
    RetiredBook,
    /// A line names a model that its price book does not have.
    UnknownModel,
    /// The signature is not the gateway's.
    WrongSignature,
    /// Its lines charge more than [`CLASSES_MAX`](stipend_primitives::batch::CLASSES_MAX) classes.
    TooManyClasses,
    /// It charges more than [`DEBITS_MAX`](stipend_primitives::batch::DEBITS_MAX) pairs of wallet and class.
    TooManyDebits,
    /// It begins before the gateway's next sequence number.
    Repeat,
    /// It begins after the gateway's next sequence number.
    Gap,
    /// The gateway has [`UNSETTLED_MAX`](crate::UNSETTLED_MAX) unsettled batches.
    TooManyUnsettled,
}

impl Refusal {
    /// The code in `InvalidTransaction::Custom` or `UnknownTransaction::Custom`.
    pub fn code(self) -> u8 {
        match self {
            Refusal::NotGateway => 1,
            Refusal::Malformed(_) => 2,
            Refusal::UnknownBook => 3,
            Refusal::RetiredBook => 4,
            Refusal::UnknownModel => 5,
            Refusal::WrongSignature => 6,
            Refusal::TooManyClasses => 7,
            Refusal::TooManyDebits => 8,
            Refusal::Repeat => 9,
            Refusal::Gap => 10,
            Refusal::TooManyUnsettled => 11,
        }
    }
}

impl From<Refusal> for TransactionValidityError {
    /// The pool bans what is invalid for half an hour, so only what can never become valid is
    /// `Custom`: a book may be unknown to a node that lags behind, and a full block or a late
    /// settlement passes.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Repeat => InvalidTransaction::Stale.into(),
            Refusal::Gap => InvalidTransaction::Future.into(),
            Refusal::TooManyUnsettled => InvalidTransaction::ExhaustsResources.into(),
            Refusal::UnknownBook => UnknownTransaction::Custom(refusal.code()).into(),
            other => InvalidTransaction::Custom(other.code()).into(),
        }
    }
}

impl<T: Config> From<Refusal> for Error<T> {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotGateway => Error::NotGateway,
            Refusal::Malformed(_) => Error::Malformed,
            Refusal::UnknownBook => Error::UnknownBook,
            Refusal::RetiredBook => Error::RetiredBook,
            Refusal::UnknownModel => Error::UnknownModel,
            Refusal::WrongSignature => Error::WrongSignature,
            Refusal::TooManyClasses => Error::TooManyClasses,
            Refusal::TooManyDebits => Error::TooManyDebits,
            Refusal::Repeat => Error::Repeat,
            Refusal::Gap => Error::Gap,
            Refusal::TooManyUnsettled => Error::TooManyUnsettled,
        }
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Refusal::Malformed(malformed)
    }
}

impl From<PriceError> for Refusal {
    fn from(error: PriceError) -> Self {
        match error {
            PriceError::UnknownBook => Refusal::UnknownBook,
            PriceError::RetiredBook => Refusal::RetiredBook,
            PriceError::UnknownModel => Refusal::UnknownModel,
        }
    }
}
