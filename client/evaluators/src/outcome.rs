//! What an evaluator says to the chain.

use std::{fmt, str::FromStr};

use stipend_primitives::{AccountId, Digest};

/// Something of value that compute led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The kind, which the chain has a rule for.
    pub kind: String,
    /// Whose compute it was.
    pub wallet: AccountId,
    /// How much it counts, in units of the kind's rule.
    pub weight: u32,
    /// SHA-256 of the report: names the outcome for good.
    pub evidence: Evidence,
    /// The receipts of the compute, as [`ReceiptId::key`] writes them.
    pub receipts: Vec<[u8; 32]>,
    /// What the compute was for, if the configuration says so.
    pub purpose: Option<String>,
}

/// Takes an outcome back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revert {
    /// The outcome's kind.
    pub kind: String,
    /// The outcome's evidence.
    pub evidence: Evidence,
}

/// SHA-256 of a report.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence(pub [u8; 32]);

impl fmt::Display for Evidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Evidence({self})")
    }
}

/// Names a receipt: the digest that stands in it, `x-stipend-request-id` of the gateway's answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceiptId(pub Digest);

/// A text that names no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a receipt's id has 32 hex digits, as in `x-stipend-request-id`")]
pub struct NoReceiptId;

impl ReceiptId {
    /// The id as outcomes carry it: the digest, and zeros up to 32 bytes.
    pub fn key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key[..self.0.len()].copy_from_slice(&self.0);
        key
    }
}

impl FromStr for ReceiptId {
    type Err = NoReceiptId;

    fn from_str(text: &str) -> Result<Self, NoReceiptId> {
        let mut digest = Digest::default();
        hex::decode_to_slice(text, &mut digest).map_err(|_| NoReceiptId)?;
        Ok(ReceiptId(digest))
    }
}

impl fmt::Display for ReceiptId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ReceiptId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ReceiptId({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_id_is_32_hex_digits_and_nothing_else() {
        let text = "00112233445566778899aabbccddeeff";
        let id: ReceiptId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!((id.key()[15], id.key()[16]), (0xff, 0));
        for bad in ["", &text[1..], "0x00112233445566778899aabbccddeeff", &text.replace('a', "g")] {
            assert_eq!(bad.parse::<ReceiptId>(), Err(NoReceiptId), "{bad}");
        }
    }
}
