//! Transactions whose key is elsewhere: what is to be signed leaves, a signature comes back.

use std::{pin::pin, time::Duration};

use codec::{Decode, DecodeLimit, Encode};
use ed25519_dalek::{Signature as DalekSignature, VerifyingKey};
use sp_core::{Bytes, H256};
use sp_runtime::traits::{BlakeTwo256, Hash};
use stipend_primitives::{AccountId, BlockNumber, Signature};
use stipend_runtime::{RuntimeCall, VERSION};
use tokio::time::sleep;

use crate::{
    client::{BlockRef, Client},
    extrinsic::{self, Binding},
    rpc_error::RpcError,
    submit::{Finalised, Prepared, SubmitError},
};

/// Between two looks at the newest block: half a slot.
const LOOK: Duration = Duration::from_millis(500);

/// How deep the calls of a call may lie in each other when one is read.
const DEPTH_MAX: u32 = 16;

/// A transaction that an account is to sign: a call, and all that the signature binds it to.
///
/// Its number is the one that the account had as of block `birth`. So it can be carried out only if no other
/// transaction of the account was carried out after that block: whatever its maker read there of this
/// account's own doing still holds.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Unsigned {
    /// Who is to sign.
    pub account: AccountId,
    /// What the account is to call.
    pub call: RuntimeCall,
    /// The transaction's number among its account's.
    pub nonce: u32,
    /// The block that it was made as of; only blocks after it can hold it.
    pub birth: BlockNumber,
    /// Hash of that block.
    pub birth_hash: H256,
    /// Hash of the chain's first block.
    pub genesis: H256,
    /// Version of the runtime that carries it out.
    pub spec_version: u32,
}

impl Unsigned {
    /// Reads what [`Encode`] wrote; `None` if it is anything else.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Unsigned::decode_all_with_depth_limit(DEPTH_MAX, &mut &*bytes).ok()
    }

    fn binding(&self) -> Binding {
        Binding {
            genesis: self.genesis,
            spec_version: self.spec_version,
            transaction_version: VERSION.transaction_version,
            nonce: self.nonce,
            birth: BlockRef { number: self.birth, hash: self.birth_hash },
        }
    }

    /// What the signature covers: the call first, then what it is bound to. The key signs these bytes, or
    /// their BLAKE2b-256 where they are more than 256: [`Self::to_sign`].
    pub fn payload(&self) -> Vec<u8> {
        extrinsic::payload(&self.call, &self.binding())
    }

    /// The bytes that the account's key signs.
    pub fn to_sign(&self) -> Vec<u8> {
        extrinsic::to_sign(self.payload())
    }

    /// The transaction with its signature; `None` if that is not the account's over what [`Self::to_sign`] says.
    pub fn signed(&self, signature: &Signature) -> Option<Prepared> {
        let key = VerifyingKey::from_bytes(self.account.as_ref()).ok()?;
        key.verify_strict(&self.to_sign(), &DalekSignature::from_bytes(signature)).ok()?;
        let binding = self.binding();
        let bytes = extrinsic::attach(self.call.clone(), &self.account, *signature, &binding);
        Some(Prepared {
            hash: BlakeTwo256::hash(&bytes),
            account: self.account.clone(),
            nonce: self.nonce,
            birth: self.birth,
            death: binding.death(),
            bytes: Bytes(bytes),
        })
    }
}

impl Prepared {
    /// The call, if the transaction is one that its account signed.
    pub fn call(&self) -> Option<RuntimeCall> {
        extrinsic::call_signed_by(&self.account, &self.bytes)
    }
}

impl Client {
    /// A transaction for an account to sign, as of a block: see [`Unsigned`].
    pub async fn unsigned(
        &self,
        call: RuntimeCall,
        account: AccountId,
        as_of: BlockRef,
    ) -> Result<Unsigned, SubmitError> {
        let snapshot = self.at(as_of.hash);
        let (version, nonce) = tokio::try_join!(self.runtime_version(), snapshot.nonce(&account))?;
        if version.spec_name != VERSION.spec_name
            || version.transaction_version != VERSION.transaction_version
        {
            let chain = version.spec_name.to_string();
            return Err(SubmitError::Version { chain, version: version.transaction_version });
        }
        Ok(Unsigned {
            account,
            call,
            nonce,
            birth: as_of.number,
            birth_hash: as_of.hash,
            genesis: self.genesis(),
            spec_version: version.spec_version,
        })
    }

    /// Waits for the finalised block that decides a transaction which was sent; says on the way in which
    /// newest block it was first seen.
    pub async fn follow_sent(
        &self,
        sent: &Prepared,
        in_block: impl FnOnce(BlockRef) + Send,
    ) -> Result<Finalised, SubmitError> {
        let mut decided = pin!(self.watch(sent));
        tokio::select! {
            biased;
            done = &mut decided => return done,
            block = self.first_seen(sent) => in_block(block),
        }
        decided.await
    }

    /// The newest block, as soon as its chain holds the account's transaction of this number.
    async fn first_seen(&self, sent: &Prepared) -> BlockRef {
        loop {
            // What is not seen now is seen at the next look, or is final by then.
            if let Ok(newest) = self.best_head().await {
                let counted = self.at(newest.hash).nonce(&sent.account).await;
                if counted.is_ok_and(|nonce| nonce > sent.nonce) {
                    return newest;
                }
            }
            sleep(LOOK).await;
        }
    }

    /// The calls that an account signed and that were carried out in a block, in order.
    pub async fn calls_of(&self, block: H256, signer: &AccountId) -> Result<Vec<RuntimeCall>, RpcError> {
        let (body, records) =
            tokio::try_join!(self.block_body(block), async { self.at(block).event_records().await })?;
        let calls = body.iter().enumerate().filter_map(|(index, bytes)| {
            let call = extrinsic::call_signed_by(signer, bytes)?;
            let at = u32::try_from(index).ok()?;
            extrinsic::was_carried_out(&records, at).then_some(call)
        });
        Ok(calls.collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::signer::Signer;

    fn unsigned(signer: &Signer) -> Unsigned {
        Unsigned {
            account: signer.account(),
            call: RuntimeCall::System(frame_system::Call::remark { remark: vec![7; 300] }),
            nonce: 5,
            birth: 1_000,
            birth_hash: H256([2; 32]),
            genesis: H256([1; 32]),
            spec_version: 7,
        }
    }

    #[test]
    fn a_signature_from_elsewhere_makes_the_transaction_that_the_key_itself_would_have_made() {
        let signer = Signer::generate();
        let unsigned = unsigned(&signer);
        let signature = signer.sign_bytes(&unsigned.to_sign());
        let made = unsigned.signed(&signature).unwrap();
        let own = extrinsic::signed(unsigned.call.clone(), &signer, &unsigned.binding());
        assert_eq!(made.bytes.0, own);
        assert_eq!((made.nonce, made.birth, made.death), (5, 1_000, 1_064));
        assert_eq!(made.call(), Some(unsigned.call));
        assert_eq!(extrinsic::call_signed_by(&Signer::generate().account(), &own), None);
    }

    #[test]
    fn another_keys_signature_or_one_over_something_else_makes_nothing() {
        let (signer, other) = (Signer::generate(), Signer::generate());
        let unsigned = unsigned(&signer);
        assert!(unsigned.signed(&other.sign_bytes(&unsigned.payload())).is_none());
        let signature = signer.sign_bytes(&unsigned.to_sign());
        for changed in [
            Unsigned { nonce: 6, ..unsigned.clone() },
            Unsigned { genesis: H256([9; 32]), ..unsigned.clone() },
            Unsigned { birth_hash: H256([9; 32]), ..unsigned.clone() },
            Unsigned { account: other.account(), ..unsigned.clone() },
        ] {
            assert!(changed.signed(&signature).is_none(), "{changed:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_is_read() {
        let unsigned = unsigned(&Signer::generate());
        let bytes = unsigned.encode();
        assert_eq!(Unsigned::read(&bytes), Some(unsigned));
        assert_eq!(Unsigned::read(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Unsigned::read(&[&bytes[..], &[0]].concat()), None);
    }
}
