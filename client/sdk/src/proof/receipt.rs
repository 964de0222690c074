//! A receipt that anybody can check who knows the chain's validators.

use serde::{Deserialize, Serialize};
use sp_core::{Bytes, H256};
use stipend_primitives::{AccountId, Sequence};
use stipend_rpc::ReceiptProof;

use super::{
    error::ProofError, finality::Finality, header, validators::ValidatorSet, verify, VerifiedReceipt,
};

/// A receipt with everything that shows it to be in a final block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortableReceipt {
    /// Hash of the chain's first block.
    pub genesis: H256,
    /// The gateway that metered.
    pub gateway: AccountId,
    /// The receipt's number.
    pub sequence: Sequence,
    /// The receipt: SCALE-encoded `ReceiptLeaf`.
    pub receipt: Bytes,
    /// The way from the receipt to its batch's root: SCALE-encoded `merkle::Proof`.
    pub path: Bytes,
    /// SCALE-encoded header of the block that the batch came in; its digest has the root.
    pub header: Bytes,
    /// That this block is final.
    pub finality: Finality,
}

impl PortableReceipt {
    /// Checks all of it: receipt, root, header, the headers above it, signatures.
    ///
    /// Pure: the one thing to be trusted is `set`.
    pub fn verify(&self, set: &ValidatorSet) -> Result<VerifiedReceipt, ProofError> {
        if self.genesis != set.genesis {
            return Err(ProofError::OtherChain { expected: set.genesis, found: self.genesis });
        }
        let proof = self.proof()?;
        let verified = verify(&proof, proof.block_hash, &self.gateway, self.sequence)?;
        self.finality.verify(&header(&proof)?, set)?;
        Ok(verified)
    }

    /// The part that leads to the header, for whoever knows by other means which blocks are final.
    pub fn proof(&self) -> Result<ReceiptProof, ProofError> {
        let mut proof = ReceiptProof {
            receipt: self.receipt.clone(),
            proof: self.path.clone(),
            header: self.header.clone(),
            block_hash: H256::zero(),
        };
        proof.block_hash = header(&proof)?.hash();
        Ok(proof)
    }
}
