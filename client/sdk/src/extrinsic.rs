//! Transactions, built from the runtime's own types.

use codec::{DecodeAll, Encode};
use frame_system::{EventRecord, Phase};
use sp_core::H256;
use sp_runtime::{
    generic::{Era, Preamble},
    traits::{BlakeTwo256, Hash},
    MultiAddress, MultiSignature,
};
use stipend_primitives::{AccountId, BlockNumber, Signature};
use stipend_runtime::{
    authorized_extrinsic, transaction::tx_extension, RuntimeCall, RuntimeEvent, UncheckedExtrinsic,
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

/// Longer ones are signed by their BLAKE2b-256 alone.
const PAYLOAD_LEN_MAX: usize = 256;

/// What a signature covers: the call, the extension, and what the extension does not carry.
pub(crate) fn payload(call: &RuntimeCall, binding: &Binding) -> Vec<u8> {
    (call, tx_extension(binding.era(), binding.nonce), implicit(binding)).encode()
}

/// The bytes that a key signs for a [`payload`].
pub(crate) fn to_sign(payload: Vec<u8>) -> Vec<u8> {
    if payload.len() > PAYLOAD_LEN_MAX {
        BlakeTwo256::hash(&payload).as_bytes().to_vec()
    } else {
        payload
    }
}

/// The transaction of a call and its signature.
pub(crate) fn attach(
    call: RuntimeCall,
    account: &AccountId,
    signature: Signature,
    binding: &Binding,
) -> Vec<u8> {
    let extension = tx_extension(binding.era(), binding.nonce);
    let signature = MultiSignature::Ed25519(signature.into());
    UncheckedExtrinsic::new_signed(call, MultiAddress::Id(account.clone()), signature, extension).encode()
}

/// Signs a call.
pub(crate) fn signed(call: RuntimeCall, signer: &Signer, binding: &Binding) -> Vec<u8> {
    let signature = signer.sign_bytes(&to_sign(payload(&call, binding)));
    attach(call, &signer.account(), signature, binding)
}

/// The call of a transaction, if this account signed it.
pub(crate) fn call_signed_by(signer: &AccountId, bytes: &[u8]) -> Option<RuntimeCall> {
    let transaction = UncheckedExtrinsic::decode_all(&mut &*bytes).ok()?;
    match transaction.preamble {
        Preamble::Signed(MultiAddress::Id(account), ..) if account == *signer => Some(transaction.function),
        _ => None,
    }
}

/// Whether a block's events say that its transaction number `index` was carried out.
pub(crate) fn was_carried_out(records: &[EventRecord<RuntimeEvent, H256>], index: u32) -> bool {
    records.iter().any(|record| {
        record.phase == Phase::ApplyExtrinsic(index)
            && matches!(record.event, RuntimeEvent::System(frame_system::Event::ExtrinsicSuccess { .. }))
    })
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
    use sp_runtime::traits::Verify;
    use stipend_runtime::SignedPayload;

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
    fn what_is_signed_is_what_the_runtime_verifies_however_long_the_call_is() {
        for length in [0, 100, 255, 256, 5_000] {
            let call = RuntimeCall::System(frame_system::Call::remark { remark: vec![7; length] });
            let extension = tx_extension(binding().era(), binding().nonce);
            let theirs = SignedPayload::from_raw(call.clone(), extension, implicit(&binding()));
            let ours = to_sign(payload(&call, &binding()));
            assert!(theirs.using_encoded(|theirs| theirs == ours), "{length}");
        }
    }

    #[test]
    fn only_a_transaction_that_succeeded_was_carried_out() {
        let record = |index, event| EventRecord {
            phase: Phase::ApplyExtrinsic(index),
            event: RuntimeEvent::System(event),
            topics: vec![],
        };
        let dispatch_info = Default::default();
        let dispatch_error = sp_runtime::DispatchError::BadOrigin;
        let records = vec![
            record(1, frame_system::Event::ExtrinsicSuccess { dispatch_info }),
            record(2, frame_system::Event::ExtrinsicFailed { dispatch_error, dispatch_info }),
        ];
        assert!(was_carried_out(&records, 1));
        assert!(!was_carried_out(&records, 2) && !was_carried_out(&records, 3));
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
