//! How the command ends: an exit code that a script can act on, and a message for a person.

use stipend_sdk::{KeyError, MintError, ProofError, RpcError, SubmitError};

/// The chain or the node refused, or something failed.
pub(crate) const FAILED: u8 = 1;
/// The command line cannot be understood (also what the argument parser uses).
pub(crate) const USAGE: u8 = 2;
/// The node could not be reached, or did not answer in time.
pub(crate) const UNREACHABLE: u8 = 3;
/// There is no such thing on the chain.
pub(crate) const NOT_FOUND: u8 = 4;
/// The proof does not hold.
pub(crate) const NOT_PROVEN: u8 = 5;
/// A file or key given to the command is not right; nothing was sent.
pub(crate) const BAD_INPUT: u8 = 64;

/// An error with the exit code that it ends the command with.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// There is no such thing on the chain.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Failure { code: NOT_FOUND, message: message.into() }
    }

    /// A file or key given to the command is not right.
    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Failure { code: BAD_INPUT, message: message.into() }
    }

    /// Something that should answer does not.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Failure { code: UNREACHABLE, message: message.into() }
    }

    /// The arguments do not go together.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure { code: USAGE, message: message.into() }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The exit code of an error.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.code;
        }
        if cause.is::<KeyError>() {
            return BAD_INPUT;
        }
        if let Some(error) = cause.downcast_ref::<ProofError>() {
            return if matches!(error, ProofError::Node(_)) { UNREACHABLE } else { NOT_PROVEN };
        }
        let rpc = match (cause.downcast_ref(), cause.downcast_ref(), cause.downcast_ref()) {
            (Some(error), _, _) => Some(error),
            (_, Some(SubmitError::Rpc(error)), _) => Some(error),
            (_, _, Some(MintError::Rpc(error))) => Some(error),
            _ => None,
        };
        if let Some(error) = rpc {
            return of_rpc(error);
        }
    }
    FAILED
}

fn of_rpc(error: &RpcError) -> u8 {
    use stipend_sdk::rpc::error::Code;
    match error {
        RpcError::BadUrl { .. } => USAGE,
        error if error.is_transient() => UNREACHABLE,
        RpcError::NoSuchBlock(_) | RpcError::NoSuchProposal(_) => NOT_FOUND,
        error if error.code() == Some(Code::NotFound) => NOT_FOUND,
        _ => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn every_kind_of_failure_has_its_exit_code() {
        let unreachable = || RpcError::Unreachable { url: "ws://x".into(), cause: "refused".into() };
        let cases: Vec<(anyhow::Error, u8)> = vec![
            (unreachable().into(), UNREACHABLE),
            (SubmitError::Rpc(unreachable()).into(), UNREACHABLE),
            (MintError::Rpc(unreachable()).into(), UNREACHABLE),
            (RpcError::BadUrl { url: "x".into() }.into(), USAGE),
            (SubmitError::Expired { last_block: 3 }.into(), FAILED),
            (ProofError::NotUnderRoot.into(), NOT_PROVEN),
            (KeyError::BadUri.into(), BAD_INPUT),
            (Failure::not_found("no").into(), NOT_FOUND),
            (anyhow::anyhow!("else"), FAILED),
        ];
        for (error, code) in cases {
            assert_eq!(exit_code(&error), code, "{error}");
        }
    }

    #[test]
    fn a_sentence_around_an_error_keeps_its_exit_code() {
        let error = Err::<(), _>(Failure::bad_input("row 3")).context("the file");
        assert!(matches!(error, Err(error) if exit_code(&error) == BAD_INPUT));
    }
}
