//! Why a node's transaction pool did not take a transaction.

use pallet_receipts::Refusal;
use pallet_roles::{NOT_ADMITTED, TOO_LONG};
use stipend_primitives::batch::Malformed;

use crate::rpc_error::RpcError;

/// A refusal before the transaction got anywhere: nothing happened on the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolRefusal {
    /// The chain will not take it, now or later.
    #[error("the transaction is not valid: {0}")]
    Invalid(String),
    /// A reason of Stipend's own pallets, by its code.
    #[error("the transaction is not valid: {explanation} (code {code})")]
    Custom {
        /// The code.
        code: u8,
        /// What it stands for.
        explanation: String,
    },
    /// The chain is past it: the nonce or the sequence numbers are used.
    #[error("the chain is past this transaction: it was carried out already, or another one took its number; look whether what it does is done before sending it again")]
    Stale,
    /// Another transaction with the same nonce waits in the pool.
    #[error("another transaction of this account was sent at the same time; send this one again")]
    NonceTaken,
    /// The signer has neither a role nor an entitlement.
    #[error("the signer has neither a role nor an entitlement, so the chain takes nothing from it; have the council grant it a role or an issuer mint for it, or sign with another key")]
    NotAdmitted,
    /// The node saw it lately and remembers it as done or useless.
    #[error("the node has seen this transaction lately and will not look at it again for a while; check whether it was carried out")]
    Banned,
    /// There is no room now: in the pool, in a block, in the account's allowance, or among the
    /// gateway's unsettled batches.
    #[error("there is no room for the transaction now: the pool is full, the account used up its transactions of this block, or too many batches of the gateway are unsettled; send it again in a few seconds")]
    Full,
    /// The node cannot say whether it is valid.
    #[error("the node cannot judge the transaction ({0}); it may still be syncing: try again later")]
    Unknown(String),
}

/// JSON-RPC error codes of `author_submitExtrinsic`.
mod code {
    pub(super) const VERIFICATION: i32 = 1002;
    pub(super) const INVALID: i32 = 1010;
    pub(super) const UNKNOWN: i32 = 1011;
    pub(super) const BANNED: i32 = 1012;
    pub(super) const ALREADY_IMPORTED: i32 = 1013;
    pub(super) const TOO_LOW_PRIORITY: i32 = 1014;
    pub(super) const DROPPED: i32 = 1016;
    pub(super) const FUTURE: i32 = 1021;
}

/// What became of handing a transaction to the pool.
pub(crate) enum Pushed {
    /// The node had it already.
    AlreadyThere,
    /// The node will not have it.
    Refused(PoolRefusal),
    /// Something else went wrong.
    Failed(RpcError),
}

/// Reads an error of `author_submitExtrinsic`.
pub(crate) fn read(error: RpcError) -> Pushed {
    let RpcError::Call { code, message, data, .. } = &error else { return Pushed::Failed(error) };
    let reason = data.as_deref().unwrap_or(message).trim_matches('"').to_owned();
    Pushed::Refused(match *code {
        code::ALREADY_IMPORTED => return Pushed::AlreadyThere,
        code::INVALID if reason.contains("outdated") || reason.contains("Stale") => PoolRefusal::Stale,
        code::INVALID if reason.contains("exhaust") => PoolRefusal::Full,
        code::INVALID if reason.contains("in the future") => PoolRefusal::Unknown(reason),
        // What `CheckNonce` says of an account that nothing on the chain refers to.
        code::INVALID if reason.contains("pay some fees") || reason == "Payment" => PoolRefusal::NotAdmitted,
        code::INVALID | code::VERIFICATION => match custom_code(&reason) {
            Some(NOT_ADMITTED) => PoolRefusal::NotAdmitted,
            Some(code) => PoolRefusal::Custom { code, explanation: explain(code) },
            None => PoolRefusal::Invalid(reason),
        },
        code::UNKNOWN => PoolRefusal::Unknown(reason),
        code::BANNED => PoolRefusal::Banned,
        code::TOO_LOW_PRIORITY => PoolRefusal::NonceTaken,
        code::DROPPED | code::FUTURE => PoolRefusal::Full,
        _ => return Pushed::Failed(error),
    })
}

/// The number in `Custom error: 7`, as the node writes it, or `Custom(7)`.
fn custom_code(reason: &str) -> Option<u8> {
    let after = reason.split_once("Custom")?.1;
    let digits: String = after
        .chars()
        .skip_while(|letter| !letter.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

/// What a code of Stipend's own pallets stands for. Codes of batches and of signed transactions do
/// not overlap; signed mint requests have codes of their own, but only nodes hand those in.
fn explain(code: u8) -> String {
    let batch = |refusal: Refusal| refusal.code() == code;
    let sentence = if code == TOO_LONG {
        "it is longer than any call that an account without a role may make; have the council grant the role that the call needs"
    } else if batch(Refusal::NotGateway) {
        "the batch's signer is not a gateway; the council grants the role"
    } else if batch(Refusal::Malformed(Malformed::Empty)) {
        "the batch's form is wrong; run the gateway that belongs to this chain"
    } else if batch(Refusal::UnknownBook) {
        "the batch names a price book that does not exist; run the gateway that belongs to this chain"
    } else if batch(Refusal::RetiredBook) {
        "the grace period of a price book that the batch names is over; it came too late to be charged"
    } else if batch(Refusal::UnknownModel) {
        "the batch names a model that its price book does not have; run the gateway that belongs to this chain"
    } else if batch(Refusal::WrongSignature) {
        "the batch is not signed by its gateway for this chain; check the gateway's key and the node's chain"
    } else if batch(Refusal::TooManyClasses) {
        "the batch charges too many classes; make smaller batches"
    } else if batch(Refusal::TooManyDebits) {
        "the batch charges too many wallets; make smaller batches"
    } else {
        "this client does not know why; install the client that belongs to the node"
    };
    sentence.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: i32, data: &str) -> Option<PoolRefusal> {
        let error = RpcError::Call {
            method: "author_submitExtrinsic".into(),
            code,
            message: "Invalid Transaction".into(),
            data: Some(format!("\"{data}\"")),
        };
        match read(error) {
            Pushed::Refused(refusal) => Some(refusal),
            Pushed::AlreadyThere | Pushed::Failed(_) => None,
        }
    }

    #[test]
    fn what_the_node_says_becomes_a_reason() {
        let cases = [
            (1010, "Transaction is outdated", PoolRefusal::Stale),
            (1010, "Custom error: 100", PoolRefusal::NotAdmitted),
            (1010, "Inability to pay some fees (e.g. account balance too low)", PoolRefusal::NotAdmitted),
            (1010, "Transaction would exhaust the block limits", PoolRefusal::Full),
            (
                1010,
                "Transaction has a bad signature",
                PoolRefusal::Invalid("Transaction has a bad signature".into()),
            ),
            (1011, "Custom(3)", PoolRefusal::Unknown("Custom(3)".into())),
            (1012, "", PoolRefusal::Banned),
            (1014, "", PoolRefusal::NonceTaken),
            (1016, "", PoolRefusal::Full),
        ];
        for (code, data, expected) in cases {
            assert_eq!(refusal(code, data), Some(expected), "{code} {data}");
        }
    }

    #[test]
    fn every_code_of_a_batch_is_explained() {
        for reason in [
            Refusal::NotGateway,
            Refusal::Malformed(Malformed::TornRecord),
            Refusal::UnknownBook,
            Refusal::RetiredBook,
            Refusal::UnknownModel,
            Refusal::WrongSignature,
            Refusal::TooManyClasses,
            Refusal::TooManyDebits,
        ] {
            let refused = refusal(1010, &format!("Custom error: {}", reason.code()));
            let text = refused.map(|refusal| refusal.to_string()).unwrap_or_default();
            assert!(text.contains("batch") && !text.contains("does not know why"), "{reason:?}: {text}");
        }
    }

    #[test]
    fn a_transaction_that_is_there_already_is_no_failure() {
        let error = RpcError::Call { method: "m".into(), code: 1013, message: "m".into(), data: None };
        assert!(matches!(read(error), Pushed::AlreadyThere));
        let error = RpcError::Timeout { method: "m".into(), seconds: 1 };
        assert!(matches!(read(error), Pushed::Failed(_)));
    }
}
