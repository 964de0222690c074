//! How the command ends: an exit code that a script can act on, and a message for a person.

use stipend_sdk::{merit::MeritError, KeyError, MintError, ProofError, RpcError, SubmitError};

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

/// What to do about a refusal of the chain, as one does with this command: the chain knows no commands.
const ADVICE: [(&str, &str); 17] = [
    ("ProgramUnknown", "`stipend programs list` shows the programs"),
    ("NotProgramOwner", "`stipend programs list` shows whose it is: sign with that key"),
    (
        "BudgetExhausted",
        "`stipend programs list` shows what is left; the council adds to it with `stipend programs increase`",
    ),
    ("ClassUnknown", "`stipend classes list` shows the classes"),
    ("BasketUnknown", "`stipend baskets list` shows the baskets"),
    ("EntitlementUnknown", "`stipend entitlements list OWNER` shows an account's entitlements"),
    ("NotOwner", "sign with the key of its owner, whom `stipend entitlements show` names"),
    ("AlreadyWithdrawn", "`stipend entitlements show` shows what became of it"),
    ("InsufficientAvailable", "`stipend entitlements show` shows how much that is"),
    ("ValidityOver", "give an end that is still to come"),
    (
        "NotIssuer",
        "`stipend roles list --role issuer` shows who is; `stipend roles grant issuer ADDRESS` makes one",
    ),
    ("OwnerFrozen", "`stipend freeze OWNER --lift` lifts it"),
    ("OwnerUnknown", "look whether the address is the one that was meant"),
    ("KeyUnknown", "`stipend api-keys list` shows the keys of an account"),
    ("NotMember", "`stipend council members` shows who has a seat: sign with the key of one of them"),
    ("DuplicateProposal", "the same act is being voted on already: `stipend council list` shows it"),
    ("TooEarly", "not enough members have voted: `stipend council list` shows what is missing"),
];

/// What to do about an error, where its own words do not say it.
pub(crate) fn advice(said: &str) -> Option<&'static str> {
    // As `Pallet.Name:` where a call failed, as `(Name)` where a node refused it before.
    let names = |name: &str| said.contains(&format!(".{name}:")) || said.contains(&format!("({name})"));
    ADVICE.into_iter().find(|(name, _)| names(name)).map(|(_, advice)| advice)
}

/// An error in words.
pub(crate) fn in_words(error: &anyhow::Error) -> String {
    let said = format!("{error:#}");
    match advice(&said) {
        Some(advice) => format!("{}; {advice}", said.trim_end_matches('.')),
        None => said,
    }
}

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
        match cause.downcast_ref::<MeritError>() {
            Some(MeritError::Rpc(error) | MeritError::Submit(SubmitError::Rpc(error))) => {
                return of_rpc(error)
            }
            Some(MeritError::KindUnknown { .. } | MeritError::NoOutcome(_)) => return NOT_FOUND,
            _ => {}
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
            (MeritError::Rpc(unreachable()).into(), UNREACHABLE),
            (MeritError::NoSource.into(), FAILED),
            (MeritError::NoOutcome(Default::default()).into(), NOT_FOUND),
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
    fn what_the_chain_refuses_is_told_with_the_command_that_helps() {
        for said in [
            "the call failed in block 6: Council.NotMember: Account is not a member",
            "the node refused entitlements_mint: The chain refuses the mint (ProgramUnknown). No program has this number.",
        ] {
            let words = in_words(&anyhow::anyhow!(said));
            assert!(words.starts_with(said.trim_end_matches('.')) && words.contains("; `stipend "), "{words}");
        }
        assert_eq!(in_words(&anyhow::anyhow!("something else.")), "something else.");
    }

    #[test]
    fn a_sentence_around_an_error_keeps_its_exit_code() {
        let error = Err::<(), _>(Failure::bad_input("row 3")).context("the file");
        assert!(matches!(error, Err(error) if exit_code(&error) == BAD_INPUT));
    }
}
