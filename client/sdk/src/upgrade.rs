//! Replacing the runtime: the council authorises a hash, and anybody with a role brings the code.

use sp_core::{Blake2Hasher, Hasher, H256};
use stipend_runtime::{RuntimeCall, RuntimeEvent};

use crate::{
    client::{BlockRef, Client},
    rpc_error::RpcError,
    signer::Signer,
    snapshot::Snapshot,
    submit::{Finalised, SubmitError},
};

/// The call with which the council authorises a runtime.
pub fn authorize(code: &[u8]) -> RuntimeCall {
    pallet_governance::Call::authorize_upgrade { code_hash: hash(code) }.into()
}

/// What the council authorises of a runtime: BLAKE2b-256 of its code, compressed or not, as it is
/// brought.
pub fn hash(code: &[u8]) -> H256 {
    Blake2Hasher::hash(code)
}

/// Whether bytes can be a runtime: WebAssembly, or the SDK's compressed form of it.
pub fn is_runtime(code: &[u8]) -> bool {
    const WASM: &[u8] = b"\0asm";
    const COMPRESSED: &[u8] = &[82, 188, 83, 118, 70, 219, 142, 5];
    code.starts_with(WASM) || code.starts_with(COMPRESSED)
}

impl Client {
    /// Brings the code of a runtime that the council authorised. From the block after the answer's on
    /// it is in force.
    pub async fn apply_upgrade(&self, code: Vec<u8>, signer: &Signer) -> Result<Finalised, SubmitError> {
        let call = frame_system::Call::apply_authorized_upgrade { code };
        let done = self.submit_finalised(call.into(), signer).await?;
        for event in &done.events {
            if let RuntimeEvent::System(frame_system::Event::RejectedInvalidAuthorizedUpgrade {
                error, ..
            }) = event
            {
                let at = BlockRef { number: done.block_number, hash: done.block_hash };
                return Err(SubmitError::Failed { failure: (*error).into(), at });
            }
        }
        Ok(done)
    }
}

impl Snapshot {
    /// Hash of the runtime that the council authorised and nobody brought yet.
    pub async fn authorized_upgrade(&self) -> Result<Option<H256>, RpcError> {
        let authorized: Option<(H256, bool)> = self.storage("System", "AuthorizedUpgrade").await?;
        Ok(authorized.map(|(hash, _checks_version)| hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_told_from_other_files() {
        assert!(is_runtime(b"\0asm\x01\0\0\0"));
        assert!(is_runtime(stipend_runtime::WASM_BINARY.unwrap_or(b"\0asm")));
        assert!(!is_runtime(b"{}") && !is_runtime(b""));
    }

    #[test]
    fn what_is_authorised_is_the_hash_of_the_file() {
        let RuntimeCall::Governance(pallet_governance::Call::authorize_upgrade { code_hash }) =
            authorize(b"code")
        else {
            panic!("another call")
        };
        assert_eq!(code_hash, hash(b"code"));
    }
}
