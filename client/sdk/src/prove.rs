//! Making proofs that hold without a node: see [`crate::proof`] for what is in them.

use jsonrpsee::rpc_params;
use sp_consensus_grandpa::{AuthorityList, SetId};
use sp_core::{storage::StorageKey, Bytes, Encode};
use stipend_primitives::{AccountId, BlockNumber, ClassId, Sequence};

use self::justification::{HEADERS_MAX, PATIENCE};
use crate::{
    client::Client,
    proof::{storage_keys, PortableReceipt, PortableWallet, ValidatorSet},
    rpc_error::RpcError,
};

mod justification;

/// Why a proof cannot be made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProveError {
    /// The node did not tell what belongs into the proof.
    #[error("the proof cannot be made")]
    Node(#[from] RpcError),
    /// The block is not final.
    #[error("block {0} is not final yet; ask again in a few seconds")]
    NotFinalised(BlockNumber),
    /// The node has no signatures.
    #[error("this node has no validators' signatures for block {0} nor for one of the {max} above it; ask a node that is older than the block, such as a validator's", max = HEADERS_MAX)]
    NotJustified(BlockNumber),
    /// The validators sign nothing.
    #[error("the validators signed nothing for block {0} or above it within {wait} s; finality stands still or this node is cut off: look with `stipend health`", wait = PATIENCE.as_secs())]
    NothingSigned(BlockNumber),
}

impl Client {
    /// The validators that make the blocks after a finalised block final; without `at`, after the newest.
    pub async fn validator_set(&self, at: Option<BlockNumber>) -> Result<ValidatorSet, ProveError> {
        let head = self.finalised_head().await?;
        let hash = match at {
            Some(number) if number > head.number => return Err(ProveError::NotFinalised(number)),
            Some(number) => self.block_hash(number).await?,
            None => head.hash,
        };
        let ledger = self.at(hash);
        let authorities: AuthorityList = ledger.runtime_api("GrandpaApi_grandpa_authorities", ()).await?;
        let set_id: SetId = ledger.runtime_api("GrandpaApi_current_set_id", ()).await?;
        Ok(ValidatorSet::new(self.genesis(), set_id, authorities))
    }

    /// A receipt with a proof that holds without a node. `at` names the block of a batch that the state
    /// has forgotten.
    pub async fn prove_receipt(
        &self,
        gateway: &AccountId,
        sequence: Sequence,
        at: Option<BlockNumber>,
    ) -> Result<PortableReceipt, ProveError> {
        let proof = self.receipt_proof(gateway, sequence, at).await?;
        let header = crate::proof::header(&proof).map_err(|error| unreadable("receipts_proof", error))?;
        Ok(PortableReceipt {
            genesis: self.genesis(),
            gateway: gateway.clone(),
            sequence,
            receipt: proof.receipt,
            path: proof.proof,
            header: proof.header,
            finality: self.finality(&header).await?,
        })
    }

    /// A wallet as of the newest finalised block, with a proof that holds without a node.
    pub async fn prove_wallet(&self, owner: &AccountId) -> Result<PortableWallet, ProveError> {
        #[derive(serde::Deserialize)]
        struct ReadProof {
            proof: Vec<Bytes>,
        }
        let head = self.finalised_head().await?;
        let header = self.header(head.hash).await?;
        let classes = self.at(head.hash).classes().await?;
        let classes: Vec<ClassId> = classes.into_iter().map(|(class, _)| class).collect();
        let keys: Vec<StorageKey> = storage_keys(owner, &classes).into_iter().map(StorageKey).collect();
        let params = rpc_params![keys, head.hash];
        let read: ReadProof = self.inner.connection.request("state_getReadProof", params).await?;
        Ok(PortableWallet {
            genesis: self.genesis(),
            owner: owner.clone(),
            classes,
            finality: self.finality(&header).await?,
            header: header.encode().into(),
            state: read.proof,
        })
    }
}

fn unreadable(method: &str, cause: impl std::fmt::Display) -> RpcError {
    RpcError::Unreadable { method: method.into(), cause: cause.to_string() }
}

#[cfg(test)]
mod tests;
