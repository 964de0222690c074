use codec::Encode;
use frame_support::{assert_noop, assert_ok, traits::Authorize};
use pallet_roles::Misconduct::TwoBlocks;
use sp_consensus_aura::{Slot, AURA_ENGINE_ID};
use sp_consensus_slots::EquivocationProof;
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{self, Bob, Eve};
use sp_runtime::{
    traits::Header as _,
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
    Digest, DigestItem,
};
use stipend_primitives::AccountId;

use super::signed;
use crate::{
    mock::{new_chain, Governance, Roles, RuntimeCall, RuntimeOrigin, System, Test, AUTHORITIES, VALIDATORS},
    Call, Error,
};

type Header = frame_system::pallet_prelude::HeaderFor<Test>;
type Proof = crate::TwoBlocks<Test>;

/// The slot that everything below happens in.
const SLOT: u64 = 17;

/// Block 5 of this chain, as `author` would seal it.
fn sealed(author: Sr25519Keyring, slot: u64, parent: H256, content: u8) -> Header {
    let slot = DigestItem::PreRuntime(AURA_ENGINE_ID, Slot::from(slot).encode());
    let mut header =
        Header::new(5, H256::repeat_byte(content), H256::zero(), parent, Digest { logs: vec![slot] });
    let seal = author.sign(header.hash().as_ref());
    header.digest_mut().push(DigestItem::Seal(AURA_ENGINE_ID, seal.encode()));
    header
}

fn parent() -> H256 {
    H256::repeat_byte(4)
}

/// Two blocks of one author, as good as real ones.
fn proof(author: Sr25519Keyring) -> Proof {
    EquivocationProof {
        offender: author.public().into(),
        slot: SLOT.into(),
        first_header: sealed(author, SLOT, parent(), 1),
        second_header: sealed(author, SLOT, parent(), 2),
    }
}

/// A chain that has four blocks and is past the slot.
fn chain() -> sp_io::TestExternalities {
    let mut chain = new_chain();
    chain.execute_with(|| {
        System::set_block_number(6);
        frame_system::BlockHash::<Test>::insert(4, parent());
        pallet_aura::CurrentSlot::<Test>::put(Slot::from(SLOT + 1));
    });
    chain
}

fn bob() -> AccountId {
    AUTHORITIES[1].0.to_account_id()
}

/// What the pool says of a report.
fn pool(proof: &Proof) -> Result<(), TransactionValidityError> {
    let call: RuntimeCall = Call::report_equivocation { proof: Box::new(proof.clone()) }.into();
    call.authorize(TransactionSource::External).unwrap().map(|_| ())
}

fn report(proof: Proof) -> frame_support::dispatch::DispatchResult {
    Governance::report_equivocation(frame_system::Origin::<Test>::Authorized.into(), Box::new(proof))
}

fn invalid(reason: InvalidTransaction) -> Result<(), TransactionValidityError> {
    Err(TransactionValidityError::Invalid(reason))
}

#[test]
fn two_blocks_of_one_slot_suspend_their_author() {
    chain().execute_with(|| {
        assert_ok!(pool(&proof(Bob)));
        assert_ok!(report(proof(Bob)));
        assert_eq!(Roles::suspended(), [bob()]);
        System::assert_last_event(
            pallet_roles::Event::ValidatorMisbehaved { who: bob(), misconduct: TwoBlocks, suspended: true }
                .into(),
        );
    });
}

#[test]
fn a_proof_counts_once_even_after_the_author_was_reinstated() {
    chain().execute_with(|| {
        assert_ok!(report(proof(Bob)));
        assert_ok!(Roles::reinstate_validator(signed(&VALIDATORS), bob()));
        assert_eq!(pool(&proof(Bob)), invalid(InvalidTransaction::Stale));
        assert_noop!(report(proof(Bob)), Error::<Test>::AlreadyReported);

        let mut earlier = proof(Bob);
        earlier.slot = (SLOT - 1).into();
        earlier.first_header = sealed(Bob, SLOT - 1, parent(), 1);
        earlier.second_header = sealed(Bob, SLOT - 1, parent(), 2);
        assert_noop!(report(earlier), Error::<Test>::AlreadyReported);
    });
}

#[test]
fn a_report_needs_no_signer_but_its_proof() {
    chain().execute_with(|| {
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::root(), signed(&VALIDATORS)] {
            let call = Governance::report_equivocation(origin, Box::new(proof(Bob)));
            assert_noop!(call, sp_runtime::DispatchError::BadOrigin);
        }
    });
}

#[test]
fn one_block_shown_twice_proves_nothing() {
    chain().execute_with(|| {
        let mut proof = proof(Bob);
        proof.second_header = proof.first_header.clone();
        assert_eq!(pool(&proof), invalid(InvalidTransaction::Custom(70)));
        assert_noop!(report(proof), Error::<Test>::NoEquivocation);
    });
}

#[test]
fn blocks_of_two_slots_prove_nothing() {
    chain().execute_with(|| {
        let mut proof = proof(Bob);
        proof.second_header = sealed(Bob, SLOT + 1, parent(), 2);
        assert_eq!(pool(&proof), invalid(InvalidTransaction::Custom(70)));
    });
}

#[test]
fn a_slot_to_come_cannot_be_reported() {
    chain().execute_with(|| {
        let slot = SLOT + 2;
        let proof = EquivocationProof {
            offender: Bob.public().into(),
            slot: slot.into(),
            first_header: sealed(Bob, slot, parent(), 1),
            second_header: sealed(Bob, slot, parent(), 2),
        };
        assert_eq!(pool(&proof), invalid(InvalidTransaction::Custom(70)));
    });
}

#[test]
fn blocks_of_another_chain_prove_nothing() {
    chain().execute_with(|| {
        let mut proof = proof(Bob);
        proof.second_header = sealed(Bob, SLOT, H256::repeat_byte(5), 2);
        assert_eq!(pool(&proof), invalid(InvalidTransaction::Custom(71)));
        assert_noop!(report(proof), Error::<Test>::OtherChain);
    });
}

#[test]
fn whoever_is_no_authority_cannot_be_reported() {
    chain().execute_with(|| {
        assert_eq!(pool(&proof(Eve)), invalid(InvalidTransaction::BadSigner));
        assert_noop!(report(proof(Eve)), Error::<Test>::NotAuthority);
    });
}

#[test]
fn a_block_that_somebody_else_sealed_proves_nothing() {
    chain().execute_with(|| {
        let mut forged = proof(Bob);
        forged.second_header = sealed(Eve, SLOT, parent(), 2);
        assert_eq!(pool(&forged), invalid(InvalidTransaction::BadProof));

        let mut unsealed = proof(Bob);
        unsealed.second_header.digest_mut().pop();
        assert_eq!(pool(&unsealed), invalid(InvalidTransaction::BadProof));

        // The seal is over another block.
        let mut changed = proof(Bob);
        changed.second_header.extrinsics_root = H256::repeat_byte(3);
        assert_eq!(pool(&changed), invalid(InvalidTransaction::BadProof));
    });
}
