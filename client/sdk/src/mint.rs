//! Grants with a detached signature: the issuer signs, a second one too where the grant is large, and
//! anyone may carry.

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use sp_core::{Bytes, H256};
use stipend_primitives::{
    mint::{Cosignature, Grant, MintRequest},
    signing,
    view::IssuerAllowance,
    AccountId, Credits, EntitlementId, Signature, MICRO_CREDITS_PER_CREDIT,
};
use stipend_rpc::{error::Code, EntitlementsRpcClient, Exhausted, Large};

use crate::{client::Client, rpc_error::RpcError, signer::Signer};

/// Finalised blocks after which a request that is still missing is carried again.
const RESEND_BLOCKS: u32 = 8;

/// Finalised blocks after which a request counts as lost.
const PATIENCE_BLOCKS: u32 = 64;

/// Why a signed grant was not carried out.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MintError {
    /// The node could not be asked, or refused for a reason of its own.
    #[error(transparent)]
    Rpc(RpcError),
    /// The idempotency key was used: nothing new was minted.
    #[error("this request was carried out before and minted {ids:?}; nothing new was minted: use a new idempotency key for a new grant")]
    AlreadyMinted {
        /// What it minted then.
        ids: Vec<EntitlementId>,
    },
    /// A signature is not its signer's.
    #[error("a signature is not its issuer's over this request on this chain; sign the request with the issuer's key and this chain's genesis hash")]
    BadSignature,
    /// The issuer has less left in this period than the grant takes.
    #[error("the issuer has {} credits of class {} left to mint in this period, and the grant takes {}; send the same request again in the next period, which begins at Unix time {} ms, grant less, or ask the council to raise the allowance", credits(.0.left), .0.class.0, credits(.0.asked), .0.period_ends_at)]
    AllowanceExhausted(Exhausted),
    /// The grant takes the signatures of two issuers.
    #[error("one issuer alone grants up to {} credits at once; have another issuer sign the same request", credits(.0.large_mint))]
    SecondIssuerNeeded(Large),
    /// The signer is no issuer.
    #[error("{0}")]
    NotIssuer(String),
    /// The request was sent and no block carried it out.
    #[error("no finalised block carried the request out so far; the budget may be used up or the chain overloaded: look at the program, then send the same request again, which cannot mint twice")]
    Lost,
}

impl From<RpcError> for MintError {
    fn from(error: RpcError) -> Self {
        match (error.code(), &error) {
            (Some(Code::AlreadyMinted), _) => {
                MintError::AlreadyMinted { ids: data_of(&error).unwrap_or_default() }
            }
            (Some(Code::AllowanceExhausted), _) => match data_of(&error) {
                Some(exhausted) => MintError::AllowanceExhausted(exhausted),
                None => MintError::Rpc(error),
            },
            (Some(Code::SecondIssuerNeeded), _) => match data_of(&error) {
                Some(large) => MintError::SecondIssuerNeeded(large),
                None => MintError::Rpc(error),
            },
            (Some(Code::BadSignature), _) => MintError::BadSignature,
            (Some(Code::NotIssuer), RpcError::Call { message, .. }) => MintError::NotIssuer(message.clone()),
            _ => MintError::Rpc(error),
        }
    }
}

/// The data that a node's error carries, if it is what was expected.
fn data_of<T: serde::de::DeserializeOwned>(error: &RpcError) -> Option<T> {
    match error {
        RpcError::Call { data: Some(data), .. } => serde_json::from_str(data).ok(),
        _ => None,
    }
}

/// Credits with all six decimals.
fn credits(micro: Credits) -> String {
    format!("{}.{:06}", micro / MICRO_CREDITS_PER_CREDIT, micro % MICRO_CREDITS_PER_CREDIT)
}

/// Why a second signature was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    /// What is there already is not signed by its issuer for this chain.
    #[error("the request is not signed by its issuer for this chain; have the issuer sign it anew")]
    NotSigned,
    /// The second issuer is the first.
    #[error("the request is the signing key's own; another issuer must sign it too")]
    OwnRequest,
    /// The grant is a basket.
    #[error("a basket takes no second signature: one issuer grants it alone, and what it holds can change after it is signed")]
    Basket,
}

/// A mint request with its issuer's signature, and a second issuer's where there is one: the parameters
/// of `entitlements_mint`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedMint {
    /// What is granted to whom.
    pub request: MintRequest,
    /// The issuer's signature over [`MintRequest::signing_payload`], in hex.
    #[serde(with = "stipend_primitives::view::hex_64")]
    pub signature: Signature,
    /// A second issuer's signature over the same bytes; a large grant needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosignature: Option<Cosignature>,
}

impl SignedMint {
    /// Signs a grant. `idempotency_key` is never used twice: a request sent again mints nothing.
    pub fn new(
        signer: &Signer,
        genesis: &H256,
        owner: AccountId,
        grant: Grant,
        idempotency_key: [u8; 16],
    ) -> Self {
        let request = MintRequest { issuer: signer.account(), idempotency_key, owner, grant };
        let signature = signer.sign(&request.signing_payload(genesis));
        SignedMint { request, signature, cosignature: None }
    }

    /// Adds the signature of a second issuer, or replaces the one that is there.
    pub fn cosign(self, second: &Signer, genesis: &H256) -> Result<Self, CosignError> {
        if !(SignedMint { cosignature: None, ..self.clone() }).verifies(genesis) {
            return Err(CosignError::NotSigned);
        }
        if second.account() == self.request.issuer {
            return Err(CosignError::OwnRequest);
        }
        if matches!(self.request.grant, Grant::Basket { .. }) {
            return Err(CosignError::Basket);
        }
        let signature = second.sign(&self.request.signing_payload(genesis));
        let cosignature = Some(Cosignature { issuer: second.account(), signature });
        Ok(SignedMint { cosignature, ..self })
    }

    /// Whether each signature is its issuer's on the chain with this genesis.
    pub fn verifies(&self, genesis: &H256) -> bool {
        let payload = self.request.signing_payload(genesis);
        let by =
            |signature: &Signature, issuer: &AccountId| signing::verify(&payload, signature, issuer.as_ref());
        by(&self.signature, &self.request.issuer)
            && self.cosignature.as_ref().is_none_or(|second| by(&second.signature, &second.issuer))
    }
}

impl Client {
    /// What an issuer may still mint in this period, by the newest block; `None` for an account that is no
    /// issuer. [`Snapshot::mint_allowance`](crate::Snapshot::mint_allowance) says it of one block.
    pub async fn mint_allowance(&self, issuer: &AccountId) -> Result<Option<IssuerAllowance>, RpcError> {
        let ask = self.inner.connection.call("entitlements_allowance", |client| {
            let issuer = issuer.clone();
            async move { EntitlementsRpcClient::allowance(&*client, issuer).await }
        });
        ask.await
    }

    /// Carries a signed grant to the chain; returns the transaction's hash once the pool has it.
    pub async fn mint(&self, mint: &SignedMint) -> Result<H256, MintError> {
        let signature = Bytes(mint.signature.to_vec());
        let sent = self.inner.connection.call("entitlements_mint", |client| {
            let SignedMint { request, cosignature, .. } = mint.clone();
            let signature = signature.clone();
            async move { EntitlementsRpcClient::mint(&*client, request, signature, cosignature).await }
        });
        sent.await.map_err(MintError::from)
    }

    /// Carries a signed grant and waits until a finalised block shows what it minted. A request that
    /// was carried out before returns what it minted then.
    pub async fn mint_finalised(&self, mint: &SignedMint) -> Result<Vec<EntitlementId>, MintError> {
        let request = &mint.request;
        let birth = self.finalised_head().await?;
        let minted = self.at(birth.hash).minted(&request.issuer, request.idempotency_key).await?;
        if let Some(ids) = minted {
            return Ok(ids);
        }
        self.carry(mint).await?;
        let mut blocks = self.finalised_blocks_after(birth.number);
        while let Some(block) = blocks.next().await {
            let block = block?;
            let minted = self.at(block.hash).minted(&request.issuer, request.idempotency_key).await?;
            if let Some(ids) = minted {
                return Ok(ids);
            }
            let waited = block.number - birth.number;
            if waited >= PATIENCE_BLOCKS {
                break;
            }
            if waited.is_multiple_of(RESEND_BLOCKS) {
                self.carry(mint).await?;
            }
        }
        Err(MintError::Lost)
    }

    /// Sends a request whose outcome will be read off finalised blocks.
    async fn carry(&self, mint: &SignedMint) -> Result<(), MintError> {
        match self.mint(mint).await {
            // The newest block has it; a finalised one will.
            Ok(_) | Err(MintError::AlreadyMinted { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn signed() -> SignedMint {
        let signer = Signer::from_uri("//Alice").unwrap();
        let grant = Grant::One { program: 1, amount: 5_000_000, valid_from: None, valid_until: Some(9) };
        SignedMint::new(&signer, &H256([3; 32]), AccountId::new([8; 32]), grant, [1; 16])
    }

    #[test]
    fn a_signed_mint_verifies_on_its_chain_only() {
        assert!(signed().verifies(&H256([3; 32])));
        assert!(!signed().verifies(&H256([4; 32])));
    }

    #[test]
    fn changing_anything_breaks_the_signature() {
        let mut changed = signed();
        changed.request.idempotency_key[0] ^= 1;
        assert!(!changed.verifies(&H256([3; 32])));
        let mut changed = signed();
        changed.request.owner = AccountId::new([9; 32]);
        assert!(!changed.verifies(&H256([3; 32])));
    }

    fn second() -> Signer {
        Signer::from_uri("//Bob").unwrap()
    }

    #[test]
    fn a_second_issuer_signs_the_same_request() {
        let genesis = H256([3; 32]);
        let both = signed().cosign(&second(), &genesis).unwrap();
        assert_eq!(both.request, signed().request);
        assert!(both.verifies(&genesis));
        assert!(!both.verifies(&H256([4; 32])));
        let mut changed = both.clone();
        changed.cosignature = Some(Cosignature { issuer: second().account(), signature: both.signature });
        assert!(!changed.verifies(&genesis), "the first issuer's signature is not the second's");
    }

    #[test]
    fn what_cannot_be_cosigned_says_why() {
        let genesis = H256([3; 32]);
        let alice = Signer::from_uri("//Alice").unwrap();
        assert_eq!(signed().cosign(&alice, &genesis), Err(CosignError::OwnRequest));
        assert_eq!(signed().cosign(&second(), &H256([4; 32])), Err(CosignError::NotSigned));
        let grant = Grant::Basket { basket: 1 };
        let basket = SignedMint::new(&alice, &genesis, AccountId::new([8; 32]), grant, [1; 16]);
        assert_eq!(basket.cosign(&second(), &genesis), Err(CosignError::Basket));
    }

    #[test]
    fn a_second_signature_stands_in_the_json_only_where_there_is_one() {
        let alone = serde_json::to_value(signed()).unwrap();
        assert!(alone.get("cosignature").is_none());
        let both = signed().cosign(&second(), &H256([3; 32])).unwrap();
        let json = serde_json::to_value(&both).unwrap();
        assert_eq!(json["cosignature"]["issuer"], second().address());
        assert_eq!(serde_json::from_value::<SignedMint>(json).unwrap(), both);
    }

    #[test]
    fn the_json_of_a_signed_mint_has_amounts_as_strings_and_bytes_in_hex() {
        let json = serde_json::to_value(signed()).unwrap();
        assert_eq!(json["request"]["grant"]["one"]["amount"], "5000000");
        assert_eq!(json["request"]["idempotency_key"], "0x01010101010101010101010101010101");
        assert_eq!(json["signature"].as_str().unwrap().len(), 2 + 128);
        assert_eq!(serde_json::from_value::<SignedMint>(json).unwrap(), signed());
    }

    #[test]
    fn the_codes_of_the_node_become_typed_errors() {
        let call = |code: Code, data: Option<&str>| RpcError::Call {
            method: "entitlements_mint".into(),
            code: code as i32,
            message: "said so".into(),
            data: data.map(str::to_owned),
        };
        assert!(matches!(
            MintError::from(call(Code::AlreadyMinted, Some("[4,5]"))),
            MintError::AlreadyMinted { ids } if ids == [4, 5]
        ));
        assert!(matches!(MintError::from(call(Code::BadSignature, None)), MintError::BadSignature));
        assert!(matches!(MintError::from(call(Code::NotIssuer, None)), MintError::NotIssuer(_)));
        assert!(matches!(MintError::from(call(Code::PoolRefused, None)), MintError::Rpc(_)));
        let data = r#"{"class":1,"asked":"3000000","left":"2500000","period_ends_at":9}"#;
        let exhausted = MintError::from(call(Code::AllowanceExhausted, Some(data)));
        assert!(matches!(&exhausted, MintError::AllowanceExhausted(Exhausted { left: 2_500_000, .. })));
        assert!(exhausted.to_string().contains("2.500000 credits of class 1 left"), "{exhausted}");
        let data = format!(r#"{{"large_mint":"7000000","payload":"0x{}"}}"#, "01".repeat(32));
        let large = MintError::from(call(Code::SecondIssuerNeeded, Some(&data)));
        assert!(matches!(&large, MintError::SecondIssuerNeeded(Large { payload: [1, ..], .. })));
        assert!(large.to_string().contains("up to 7.000000 credits"), "{large}");
        assert!(matches!(MintError::from(call(Code::SecondIssuerNeeded, None)), MintError::Rpc(_)));
    }
}
