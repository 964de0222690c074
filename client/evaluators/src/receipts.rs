//! Receipts that owners hand in: the only way to say whose compute something was.
//!
//! A gateway gives its signed receipt to keys of the wallet that paid and to nobody else, so who has it has it
//! from the owner. Names and mail addresses of commits say nothing here, and a receipt earns for the
//! wallet that stands in it, whoever names it.

use sp_core::H256;
use stipend_primitives::AccountId;
use stipend_sdk::{proof::SignedReceipt, ProofError};

use crate::config::Config;

/// Why a receipt is not believed.
#[derive(Debug, thiserror::Error)]
pub enum NotBelieved {
    /// It is no receipt, or not as its gateway signed it.
    #[error("{0}")]
    Unsigned(#[from] ProofError),
    /// It is of another chain.
    #[error("the receipt is of the chain {0:?}, and outcomes are recorded on another one")]
    OtherChain(H256),
    /// Its gateway is not among those that are believed.
    #[error(
        "the receipt is of the gateway {0}, which is not among `gateways` of the evaluator's configuration"
    )]
    OtherGateway(AccountId),
}

/// Reads a receipt and checks whose word it is.
pub fn believe(config: &Config, bytes: &[u8]) -> Result<SignedReceipt, NotBelieved> {
    let signed = SignedReceipt::read(bytes.trim_ascii_end())?;
    let receipt = signed.receipt();
    if receipt.genesis != config.genesis {
        return Err(NotBelieved::OtherChain(receipt.genesis));
    }
    if !config.gateways.contains(&receipt.gateway) {
        return Err(NotBelieved::OtherGateway(receipt.gateway.clone()));
    }
    Ok(signed)
}
