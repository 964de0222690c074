//! Transactions, built from the runtime's own types.

use codec::Encode;
use sp_core::H256;
use sp_runtime::{generic::Era, MultiAddress, MultiSignature};
use stipend_primitives::BlockNumber;
use stipend_runtime::{
    authorized_extrinsic, transaction::tx_extension, RuntimeCall, SignedPayload, UncheckedExtrinsic,
};

use crate::{client::BlockRef, signer::Signer};

/// Blocks for which a signed transaction stays valid: a minute, long enough for a full pool to
/// clear, short enough that a lost one is known to be lost.
const LIFETIME_BLOCKS: u64 = 64;

/// What a signature is bound to besides the call.
pub(crate) struct Binding {
    pub(crate) genesis: H256,
    pub(crate) spec_version: u32,
    pub(crate) transaction_version: u32,
    pub(crate) nonce: u32,
    /// The block from which the transaction is valid.
    pub(crate) birth: BlockRef,
}

impl Binding {
    fn era(&self) -> Era {
        Era::mortal(LIFETIME_BLOCKS, u64::from(self.birth.number))
    }

    /// First block in which the transaction is no longer valid.
    pub(crate) fn death(&self) -> BlockNumber {
        let death = self.era().death(u64::from(self.birth.number));
        BlockNumber::try_from(death).unwrap_or(BlockNumber::MAX)
    }
}

/// Signs a call.
pub(crate) fn signed(call: RuntimeCall, signer: &Signer, binding: &Binding) -> Vec<u8> {
    let extension = tx_extension(binding.era(), binding.nonce);
    let payload = SignedPayload::from_raw(call, extension, implicit(binding));
    let signature = payload.using_encoded(|payload| signer.sign_bytes(payload));
    let (call, extension, _) = payload.deconstruct();
    let signature = MultiSignature::Ed25519(signature.into());
    UncheckedExtrinsic::new_signed(call, MultiAddress::Id(signer.account()), signature, extension).encode()
}

/// What the signature covers and the transaction does not carry, in the order of its extension.
fn implicit(binding: &Binding) -> ((), (), u32, u32, H256, H256, (), (), ()) {
    let Binding { spec_version, transaction_version, genesis, birth, .. } = binding;
    ((), (), *spec_version, *transaction_version, *genesis, birth.hash, (), (), ())
}

/// Wraps a call that authorises itself by a signature among its arguments.
pub(crate) fn authorized(call: RuntimeCall) -> Vec<u8> {
    authorized_extrinsic(call).encode()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use codec::DecodeAll;
    use sp_runtime::{generic::Preamble, traits::Verify};

    fn binding() -> Binding {
        let birth = BlockRef { number: 1_000, hash: H256([2; 32]) };
        Binding { genesis: H256([1; 32]), spec_version: 7, transaction_version: 3, nonce: 5, birth }
    }

    fn call() -> RuntimeCall {
        RuntimeCall::System(frame_system::Call::remark { remark: b"hello".to_vec() })
    }

    #[test]
    fn a_signed_transaction_carries_the_signers_signature_over_call_and_binding() {
        let alice = Signer::from_uri("//Alice").unwrap();
        let bytes = signed(call(), &alice, &binding());
        let transaction = UncheckedExtrinsic::decode_all(&mut &bytes[..]).unwrap();
        let Preamble::Signed(address, signature, extension) = transaction.preamble else {
            panic!("not signed")
        };
        assert_eq!(address, MultiAddress::Id(alice.account()));
        let verifies = |binding: &Binding| {
            let implicit = implicit(binding);
            SignedPayload::from_raw(call(), extension.clone(), implicit)
                .using_encoded(|payload| signature.verify(payload, &alice.account()))
        };
        assert!(verifies(&binding()));
        assert!(!verifies(&Binding { genesis: H256([9; 32]), ..binding() }));
        assert!(!verifies(&Binding { spec_version: 8, ..binding() }));
    }

    #[test]
    fn a_transaction_lives_for_a_minute_of_blocks() {
        assert_eq!(binding().death(), 1_064);
    }

    #[test]
    fn an_authorised_transaction_has_no_signer() {
        let bytes = authorized(call());
        let transaction = UncheckedExtrinsic::decode_all(&mut &bytes[..]).unwrap();
        assert!(matches!(transaction.preamble, Preamble::General(..)));
    }
}
