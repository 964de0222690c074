//! Proofs and validator sets as files.

use serde::{Deserialize, Serialize};

use super::{error::ProofError, receipt::PortableReceipt, validators::ValidatorSet, wallet::PortableWallet};

/// The formats of [`Document`].
const FORMATS: [&str; 3] = ["stipend-receipt-proof/1", "stipend-wallet-proof/1", "stipend-validators/1"];

/// What a file can hold, in JSON. The field `format` says what it is, and in which version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format")]
pub enum Document {
    /// A receipt with its proof.
    #[serde(rename = "stipend-receipt-proof/1")]
    Receipt(PortableReceipt),
    /// A wallet with its proof.
    #[serde(rename = "stipend-wallet-proof/1")]
    Wallet(PortableWallet),
    /// The validators that are trusted.
    #[serde(rename = "stipend-validators/1")]
    Validators(ValidatorSet),
}

impl Document {
    /// Reads a document. A field that does not belong into it, or stands there twice, makes it unreadable:
    /// a reader that skips what it does not know could miss what changes the meaning.
    pub fn read(text: &str) -> Result<Self, ProofError> {
        #[derive(Deserialize)]
        struct Label {
            format: String,
        }
        let unreadable =
            |error: serde_json::Error| ProofError::Unreadable { part: "JSON", cause: error.to_string() };
        let Label { format } = serde_json::from_str(text).map_err(unreadable)?;
        if !FORMATS.contains(&format.as_str()) {
            return Err(ProofError::UnknownFormat(format));
        }
        serde_json::from_str(text).map_err(unreadable)
    }

    /// The receipt in it.
    pub fn receipt(self) -> Result<PortableReceipt, ProofError> {
        match self {
            Document::Receipt(receipt) => Ok(receipt),
            other => Err(other.is_no("proof of a receipt")),
        }
    }

    /// The wallet in it.
    pub fn wallet(self) -> Result<PortableWallet, ProofError> {
        match self {
            Document::Wallet(wallet) => Ok(wallet),
            other => Err(other.is_no("proof of a wallet")),
        }
    }

    /// The validators in it.
    pub fn validators(self) -> Result<ValidatorSet, ProofError> {
        match self {
            Document::Validators(set) => Ok(set),
            other => Err(other.is_no("validator set")),
        }
    }

    fn is_no(&self, expected: &'static str) -> ProofError {
        let found = match self {
            Document::Receipt(_) => "proof of a receipt",
            Document::Wallet(_) => "proof of a wallet",
            Document::Validators(_) => "validator set",
        };
        ProofError::OtherDocument { expected, found }
    }
}
