//! What a gateway says of a request, signed: a receipt for whoever paid, before and besides the chain's.

use ed25519_dalek::{Signature as Ed25519, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sp_core::H256;
use stipend_primitives::{
    settlement::VerdictKind,
    view::{decimal, decimal_option, hex_32},
    AccountId, BlockNumber, BookVersion, ClassId, Credits, Digest, ModelId, Moment, PublicKey, Sequence,
};

use super::{canonical, error::ProofError, VerifiedReceipt};
use crate::signer::Signer;

/// The member that holds the signature; it is not part of what is signed.
const SIGNATURE: &str = "signature";

/// Bytes of the largest receipt that is read: one has about 1,500.
const BYTES_MAX: usize = 16 << 10;

/// The format's name and version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// The one version there is.
    #[default]
    #[serde(rename = "stipend-gateway-receipt/1")]
    V1,
}

/// What a gateway says of one request. What it does not know is absent, never zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GatewayReceipt {
    /// Says what this is, so that the signature can be taken for nothing else.
    pub format: Format,
    /// Names the request: its digest, 32 hex digits.
    #[serde(with = "digits")]
    pub id: Digest,
    /// Hash of the chain's first block.
    pub genesis: H256,
    /// The gateway that metered.
    pub gateway: AccountId,
    /// The ed25519 key that signs: the gateway's account's.
    #[serde(with = "hex_32")]
    pub gateway_key: PublicKey,
    /// The receipt's number among the gateway's.
    pub sequence: Sequence,
    /// Who pays.
    pub wallet: AccountId,
    /// Who served.
    pub provider: AccountId,
    /// The model's number in the price book.
    pub model: ModelId,
    /// The model's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
    /// When the receipt was made (Unix time, ms).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<Moment>,
    /// SHA-256 of the request's body, as the gateway received it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_sha256: Option<H256>,
    /// SHA-256 of the answer's body, as the gateway passed it on; of a stream, all of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_sha256: Option<H256>,
    /// Prompt tokens that were computed.
    pub input: u32,
    /// Prompt tokens that came from the engine's cache.
    pub cached_input: u32,
    /// Generated tokens.
    pub output: u32,
    /// The price book that the request is charged by.
    pub price_book: BookVersion,
    /// The class that pays.
    pub class: ClassId,
    /// Micro-credits of that class.
    #[serde(with = "decimal")]
    pub cost: Credits,
    /// Micro-credits of Priority paid for a place in the queue.
    #[serde(with = "decimal")]
    pub priority_fee: Credits,
    /// Micro-credits of the class that were held for the request while it ran.
    #[serde(default, with = "decimal_option", skip_serializing_if = "Option::is_none")]
    pub held: Option<Credits>,
    /// Where a finalised block has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchPlace>,
    /// How the chain settled the provider's part of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Settlement>,
}

/// The batch that holds a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchPlace {
    /// Sequence number of the batch's first receipt.
    pub first_seq: Sequence,
    /// Sequence number of its last one.
    pub last_seq: Sequence,
    /// The block that the batch came in.
    pub block: BlockNumber,
    /// Hash of the batch.
    pub hash: H256,
}

/// A verdict on the part of a batch that one provider served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settlement {
    /// What the validators concluded.
    pub verdict: VerdictKind,
    /// Micro-credits given back for the whole part, all wallets together.
    #[serde(with = "decimal")]
    pub item_refunded: Credits,
    /// Block of the verdict.
    pub block: BlockNumber,
}

/// A [`GatewayReceipt`] whose signature was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedReceipt {
    receipt: GatewayReceipt,
    bytes: Vec<u8>,
}

impl GatewayReceipt {
    /// Signs the receipt; `None` if a number in it is above what JSON keeps exact, or the signer is not its
    /// gateway.
    ///
    /// What is signed is the canonical JSON itself and no hash of it, so that any ed25519 library can check
    /// it. It is longer than everything else that the key signs (32 bytes, or an extrinsic's payload of up to
    /// 256), and says what it is, so it passes for nothing else, nor anything else for it.
    pub fn sign(&self, signer: &Signer) -> Option<SignedReceipt> {
        if self.gateway_key != signer.public() || self.gateway != signer.account() {
            return None;
        }
        let mut document = serde_json::to_value(self).ok()?;
        let signature = signer.sign_bytes(&canonical::bytes(&document)?);
        let signature = Value::String(format!("0x{}", hex::encode(signature)));
        document.as_object_mut()?.insert(SIGNATURE.into(), signature);
        let bytes = canonical::bytes(&document)?;
        Some(SignedReceipt { receipt: self.clone(), bytes })
    }
}

impl SignedReceipt {
    /// Reads a receipt and checks its form and its signature: every byte of it counts.
    ///
    /// Pure. It shows that the holder of the gateway's key said so; not that the chain did.
    pub fn read(bytes: &[u8]) -> Result<Self, ProofError> {
        let unreadable = |cause: String| ProofError::Unreadable { part: "gateway's receipt", cause };
        if bytes.len() > BYTES_MAX {
            return Err(unreadable(format!(
                "it has {} bytes, and no receipt has more than {BYTES_MAX}",
                bytes.len()
            )));
        }
        let document: Value = serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
        if canonical::bytes(&document).as_deref() != Some(bytes) {
            return Err(ProofError::NotCanonical);
        }
        let mut signed = document;
        let signature = signed.as_object_mut().and_then(|members| members.remove(SIGNATURE));
        let signature = signature.as_ref().and_then(read_signature);
        let signature = signature.ok_or_else(|| unreadable("it has no signature of 64 bytes".into()))?;
        let message = canonical::bytes(&signed).ok_or(ProofError::NotCanonical)?;
        let receipt: GatewayReceipt =
            serde_json::from_value(signed).map_err(|error| unreadable(error.to_string()))?;
        // One value has one text: an address with another prefix or a digit in capitals is not it.
        let again = serde_json::to_value(&receipt).ok();
        if again.as_ref().and_then(canonical::bytes).as_ref() != Some(&message) {
            return Err(ProofError::NotCanonical);
        }
        let signer: &PublicKey = receipt.gateway.as_ref();
        let holds = receipt.gateway_key == *signer
            && VerifyingKey::from_bytes(signer)
                .is_ok_and(|key| key.verify_strict(&message, &Ed25519::from_bytes(&signature)).is_ok());
        if !holds {
            return Err(ProofError::NotTheGateways(receipt.gateway));
        }
        Ok(SignedReceipt { receipt, bytes: bytes.to_vec() })
    }

    /// What it says.
    pub fn receipt(&self) -> &GatewayReceipt {
        &self.receipt
    }

    /// The file: canonical JSON, the signature in it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks that the chain's record of the request says the same: a gateway that tells the wallet's owner
    /// one thing and the chain another has signed the proof of it.
    ///
    /// `genesis` and `gateway` are those that the proof was verified for. The cost is not part of the chain's
    /// record; it follows from the usage and the price book.
    pub fn agrees_with(
        &self,
        genesis: &H256,
        gateway: &AccountId,
        chain: &VerifiedReceipt,
    ) -> Result<(), ProofError> {
        let (own, theirs, usage) = (&self.receipt, &chain.receipt, &chain.receipt.leaf.usage);
        if own.genesis != *genesis {
            return Err(ProofError::OtherChain { expected: *genesis, found: own.genesis });
        }
        let place = own.batch.map(|batch| (batch.first_seq, batch.last_seq, batch.block));
        let commitment = &chain.commitment;
        let committed = (commitment.first_seq, commitment.last_seq, chain.block_number);
        for (what, is_same) in [
            ("gateway", own.gateway == *gateway),
            ("sequence", own.sequence == theirs.leaf.seq),
            ("id", own.id == theirs.leaf.digest),
            ("wallet", own.wallet == theirs.wallet),
            ("provider", own.provider == theirs.provider),
            ("model", own.model == theirs.leaf.model),
            ("input", own.input == usage.input),
            ("cachedInput", own.cached_input == usage.cached_input),
            ("output", own.output == usage.output),
            ("priceBook", own.price_book == theirs.book),
            ("priorityFee", own.priority_fee == Credits::from(theirs.priority_fee)),
            ("batch", place.is_none_or(|place| place == committed)),
        ] {
            if !is_same {
                return Err(ProofError::GatewayContradicts(what));
            }
        }
        Ok(())
    }
}

fn read_signature(value: &Value) -> Option<[u8; 64]> {
    let mut signature = [0; 64];
    hex::decode_to_slice(value.as_str()?.strip_prefix("0x")?, &mut signature).ok()?;
    // The canonical text of bytes has small digits.
    (value.as_str()? == format!("0x{}", hex::encode(signature))).then_some(signature)
}

/// A digest in JSON: its hex digits and nothing else, as in the answer's header.
mod digits {
    use serde::{Deserialize, Deserializer, Serializer};
    use stipend_primitives::Digest;

    pub(super) fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(digest))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let mut digest = Digest::default();
        hex::decode_to_slice(String::deserialize(deserializer)?, &mut digest)
            .map_err(|_| serde::de::Error::custom("an id has 32 hex digits"))?;
        Ok(digest)
    }
}
