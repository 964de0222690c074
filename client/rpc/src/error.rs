//! Typed errors of the methods: a code that a program can match and a sentence that a person can
//! act on.

use jsonrpsee::types::ErrorObjectOwned;

/// Why a method could not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    /// A parameter does not mean what it should.
    InvalidParameter = 7001,
    /// The signature is not the issuer's over these bytes on this chain.
    BadSignature = 7002,
    /// The signer is not an issuer.
    NotIssuer = 7003,
    /// The idempotency key was used: nothing new was minted.
    AlreadyMinted = 7004,
    /// The transaction pool did not take the transaction.
    PoolRefused = 7005,
    /// There is no such thing on the chain.
    NotFound = 7006,
    /// It is there but its block is not finalised yet.
    NotFinalised = 7007,
    /// The issuer has less left in this period than the grant takes.
    AllowanceExhausted = 7008,
    /// The grant takes the signatures of two issuers.
    SecondIssuerNeeded = 7009,
    /// The policy of the owner's kind of wallet forbids the grant; the data name which rule of it.
    PolicyForbids = 7010,
    /// The node could not compute the answer.
    Internal = 7099,
}

/// Makes the error that a caller sees.
pub fn error(code: Code, message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code as i32, message, None::<()>)
}

/// Makes an error that carries data for programs.
pub fn error_with(code: Code, message: impl Into<String>, data: impl serde::Serialize) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code as i32, message, Some(data))
}
