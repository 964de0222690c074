//! Validators that break the rules of consensus are suspended, by reports with real signatures.

use codec::{Decode, Encode};
use frame_support::{assert_ok, traits::KeyOwnerProofSystem};
use pallet_roles::Misconduct;
use sp_consensus_aura::{Slot, AURA_ENGINE_ID};
use sp_consensus_grandpa::{localized_payload, KEY_TYPE};
use sp_consensus_slots::EquivocationProof;
use sp_core::H256;
use sp_keyring::{
    Ed25519Keyring::{self, Bob, Eve},
    Sr25519Keyring,
};
use sp_runtime::{
    traits::Header as _,
    transaction_validity::{InvalidTransaction, TransactionSource},
    Digest, DigestItem,
};
use stipend_runtime::{
    authorized_extrinsic, Header, Historical, Roles, Runtime, RuntimeCall, RuntimeEvent, Session, System,
    UncheckedExtrinsic,
};

use crate::chain::{apply, begin_block, empty_blocks, end_block, new_chain, validate, validate_from};

/// Two precommits of one GRANDPA key in one round of the first authority set.
fn two_votes(voter: Ed25519Keyring, owner: Ed25519Keyring) -> RuntimeCall {
    let (set, round) = (0_u64, 9_u64);
    let vote = |block: u8| {
        let target = (H256::repeat_byte(block), u32::from(block));
        // As `finality_grandpa::Message::Precommit` is encoded.
        let signature = voter.sign(&localized_payload(round, set, &(1_u8, target)));
        (target, signature)
    };
    let proof = (set, 1_u8, round, voter.public(), vote(7), vote(8)).encode();
    let equivocation_proof = Decode::decode(&mut &proof[..]).unwrap();
    let key_owner_proof = Historical::prove((KEY_TYPE, owner.public())).unwrap();
    pallet_grandpa::Call::report_equivocation_unsigned { equivocation_proof, key_owner_proof }.into()
}

/// Two children of the first block by one author.
fn two_blocks(author: Sr25519Keyring) -> RuntimeCall {
    let slot = Slot::from(2);
    let parent = H256::repeat_byte(4);
    // The blocks of these tests have no hashes of their own.
    frame_system::BlockHash::<Runtime>::insert(1, parent);
    let block = |content: u8| {
        let digest = Digest { logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, slot.encode())] };
        let mut header = Header::new(2, H256::repeat_byte(content), H256::zero(), parent, digest);
        let seal = author.sign(header.hash().as_ref());
        header.digest_mut().push(DigestItem::Seal(AURA_ENGINE_ID, seal.encode()));
        header
    };
    let proof = EquivocationProof {
        offender: author.public().into(),
        slot,
        first_header: block(1),
        second_header: block(2),
    };
    pallet_governance::Call::report_equivocation { proof: Box::new(proof) }.into()
}

fn misbehaviours() -> Vec<(Misconduct, bool)> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Roles(pallet_roles::Event::ValidatorMisbehaved { who, misconduct, suspended }) => {
                assert_eq!(who, Bob.to_account_id());
                Some((misconduct, suspended))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn two_votes_in_one_round_suspend_their_validator() {
    new_chain("local_testnet").execute_with(|| {
        empty_blocks(1, 1);
        let report = UncheckedExtrinsic::new_bare(two_votes(Bob, Bob));
        // A node hands the report to its own pool; nobody else's is taken.
        assert!(validate(report.clone()).is_err());
        assert_ok!(validate_from(TransactionSource::Local, report.clone()));
        begin_block(2);
        assert_ok!(apply(report.clone()).unwrap());
        assert_eq!(misbehaviours(), [(Misconduct::TwoVotes, true)]);
        assert_eq!(Roles::suspended(), [Bob.to_account_id()]);
        assert_eq!(Session::disabled_validators().len(), 1);
        assert_eq!(apply(report), Err(InvalidTransaction::Stale.into()));
    });
}

#[test]
fn votes_of_a_key_that_is_no_validators_prove_nothing() {
    new_chain("local_testnet").execute_with(|| {
        empty_blocks(1, 1);
        begin_block(2);
        let report = UncheckedExtrinsic::new_bare(two_votes(Eve, Bob));
        assert_eq!(apply(report), Err(InvalidTransaction::BadProof.into()));
        assert!(misbehaviours().is_empty());
    });
}

#[test]
fn two_blocks_in_one_slot_suspend_their_author() {
    new_chain("local_testnet").execute_with(|| {
        empty_blocks(1, 2);
        let report = authorized_extrinsic(two_blocks(Sr25519Keyring::Bob));
        assert_ok!(validate(report.clone()));
        begin_block(3);
        assert_ok!(apply(report.clone()).unwrap());
        assert_eq!(misbehaviours(), [(Misconduct::TwoBlocks, true)]);
        assert_eq!(apply(report), Err(InvalidTransaction::Stale.into()));
    });
}

#[test]
#[should_panic(expected = "is disabled and should not be attempting to author blocks")]
fn a_suspended_author_makes_no_more_blocks() {
    new_chain("local_testnet").execute_with(|| {
        empty_blocks(1, 2);
        begin_block(3);
        assert_ok!(apply(authorized_extrinsic(two_blocks(Sr25519Keyring::Bob))).unwrap());
        end_block();
        // Slots go round: one of the next four is the suspended author's.
        empty_blocks(4, 7);
    });
}
