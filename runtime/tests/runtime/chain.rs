//! A chain in memory: genesis from a preset, real blocks, signed transactions.

use codec::Encode;
use frame_support::genesis_builder_helper::{build_state, get_preset};
use serde_json::Value;
use sp_consensus_aura::{Slot, AURA_ENGINE_ID};
use sp_core::H256;
use sp_keyring::Ed25519Keyring;
use sp_runtime::{
    generic::Era,
    traits::Header as _,
    transaction_validity::{TransactionSource, TransactionValidity},
    ApplyExtrinsicResult, Digest, DigestItem, DispatchError,
};
use stipend_runtime::{
    configs::{council::CouncilInstance, SLOT_MS},
    genesis,
    transaction::tx_extension,
    BlockNumber, Executive, Header, Nonce, Runtime, RuntimeCall, RuntimeEvent, RuntimeGenesisConfig,
    SignedPayload, System, UncheckedExtrinsic,
};

/// A preset's patch, applied to the empty genesis as the node does it.
pub fn full_genesis(preset: &str) -> Vec<u8> {
    let defaults = get_preset::<RuntimeGenesisConfig>(&None, |_| None).unwrap();
    let mut config: Value = serde_json::from_slice(&defaults).unwrap();
    let patch = genesis::preset(&preset.into()).unwrap();
    merge(&mut config, serde_json::from_slice(&patch).unwrap());
    serde_json::to_vec(&config).unwrap()
}

fn merge(into: &mut Value, patch: Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, patch) => *into = patch,
    }
}

/// The state of a chain of this preset after its genesis.
pub fn new_chain(preset: &str) -> sp_io::TestExternalities {
    let mut state = sp_io::TestExternalities::new_empty();
    state.execute_with(|| build_state::<RuntimeGenesisConfig>(full_genesis(preset)).unwrap());
    state
}

/// Begins block `number`, one slot after the one before it.
pub fn begin_block(number: BlockNumber) {
    let parent = if number == 1 { H256::zero() } else { System::block_hash(number - 1) };
    let slot = Slot::from(u64::from(number));
    let digest = Digest { logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, slot.encode())] };
    let header = Header::new(number, H256::zero(), H256::zero(), parent, digest);
    Executive::initialize_block(&header);
    let now = u64::from(number) * SLOT_MS;
    let inherent = UncheckedExtrinsic::new_bare(pallet_timestamp::Call::set { now }.into());
    Executive::apply_extrinsic(inherent).unwrap().unwrap();
}

/// Ends the block that was begun, and remembers its hash as the next one does.
pub fn end_block() -> Header {
    Executive::finalize_block()
}

/// Makes empty blocks from `first` up to `last`.
pub fn empty_blocks(first: BlockNumber, last: BlockNumber) {
    for number in first..=last {
        begin_block(number);
        end_block();
    }
}

/// A transaction that `signer` signed.
pub fn signed(signer: Ed25519Keyring, nonce: Nonce, call: impl Into<RuntimeCall>) -> UncheckedExtrinsic {
    let payload = SignedPayload::new(call.into(), tx_extension(Era::Immortal, nonce)).unwrap();
    let signature = payload.using_encoded(|payload| signer.sign(payload));
    let (call, extension, _) = payload.deconstruct();
    UncheckedExtrinsic::new_signed(call, signer.to_account_id().into(), signature.into(), extension)
}

/// A proposal to the council that `approvals` of its members carry; one is enough to have it carried
/// out at once, if the council has one member.
pub fn proposal(call: impl Into<RuntimeCall>, approvals: u32) -> RuntimeCall {
    let proposal = Box::new(call.into());
    let length_bound = proposal.encoded_size() as u32;
    pallet_collective::Call::<Runtime, CouncilInstance>::propose {
        threshold: approvals,
        proposal,
        length_bound,
    }
    .into()
}

/// Carries out an act of a council that has `signer` for its only member.
pub fn council_of_one(signer: Ed25519Keyring, nonce: Nonce, call: impl Into<RuntimeCall>) {
    apply(signed(signer, nonce, proposal(call, 1))).unwrap().unwrap();
    assert_eq!(last_verdict(), Ok(()));
}

/// What became of the last act of the council in this block.
pub fn last_verdict() -> Result<(), DispatchError> {
    System::events()
        .into_iter()
        .rev()
        .find_map(|record| match record.event {
            RuntimeEvent::Council(pallet_collective::Event::Executed { result, .. }) => Some(result),
            _ => None,
        })
        .expect("the council did something in this block")
}

/// What the block being made says of a transaction.
pub fn apply(transaction: UncheckedExtrinsic) -> ApplyExtrinsicResult {
    // As the block builder does it: a transaction that is refused leaves no trace.
    frame_support::storage::with_transaction_unchecked(|| {
        let result = Executive::apply_extrinsic(transaction);
        if result.is_ok() {
            sp_runtime::TransactionOutcome::Commit(result)
        } else {
            sp_runtime::TransactionOutcome::Rollback(result)
        }
    })
}

/// What the pool says of a transaction. Leaves the state as it was.
pub fn validate(transaction: UncheckedExtrinsic) -> TransactionValidity {
    validate_from(TransactionSource::External, transaction)
}

/// The same for a transaction that comes from somewhere else than the network.
pub fn validate_from(source: TransactionSource, transaction: UncheckedExtrinsic) -> TransactionValidity {
    frame_support::storage::with_transaction_unchecked(|| {
        let validity = Executive::validate_transaction(source, transaction, System::parent_hash());
        sp_runtime::TransactionOutcome::Rollback(validity)
    })
}
