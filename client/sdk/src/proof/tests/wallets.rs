//! What is proven of a wallet, and what is not.

use frame_support::traits::{GetStorageVersion, StorageVersion};
use pallet_entitlements::{Classes, Reservation, Slice, Wallet, Wallets};
use sp_core::storage::Storage;
use sp_runtime::{traits::BlakeTwo256, StateVersion};
use sp_state_machine::{prove_read, BasicExternalities, InMemoryBackend};
use stipend_primitives::{settlement::UnattestedPolicy, view::Class, ClassId, Moment};
use stipend_runtime::{Entitlements, Runtime};

use super::made_up::{finality, set, GENESIS};
use super::*;

const SET_ID: u64 = 5;
const NOW: Moment = 1_900_000_000_000;
const CLASSES: [ClassId; 4] = [ClassId::INNOVATION, ClassId::PRIORITY, ClassId::RENDER, ClassId::REASONING];

fn owner() -> AccountId {
    AccountId::new([1; 32])
}

fn slice(id: u64, available: u128, valid_until: Option<Moment>) -> Slice {
    Slice {
        id,
        program: 0,
        valid_from: 0,
        valid_until,
        available,
        reserved: 0,
        spent: 3,
        expired: 0,
        revoked: 0,
        closing: false,
    }
}

/// A state with four classes, fifty owners with a wallet in class 0, and two wallets of [`owner`]'s.
fn state() -> Storage {
    let mut storage = Storage::default();
    BasicExternalities::execute_with_storage(&mut storage, || {
        Entitlements::in_code_storage_version().put::<Entitlements>();
        pallet_timestamp_put(NOW);
        for class in CLASSES {
            let name = format!("class {}", class.0).into_bytes().try_into().unwrap();
            Classes::<Runtime>::insert(class, Class { name, unattested: UnattestedPolicy::Refund });
        }
        for other in 100..150 {
            let wallet = Wallet { slices: vec![slice(9, 10, None)].try_into().unwrap(), ..Wallet::default() };
            Wallets::<Runtime>::insert(AccountId::new([other; 32]), ClassId::INNOVATION, wallet);
        }
        let mut held = Wallet::default();
        let mut reserved = slice(2, 500, Some(NOW + 1));
        reserved.reserved = 70;
        held.slices = vec![slice(1, 1_000, Some(NOW)), reserved].try_into().unwrap();
        let reservation = Reservation { gateway: gateway(), amount: 70, expires_at: NOW + 9 };
        held.reservations = vec![reservation].try_into().unwrap();
        Wallets::<Runtime>::insert(owner(), ClassId::INNOVATION, held);
        let render = Wallet { slices: vec![slice(3, 8, None)].try_into().unwrap(), ..Wallet::default() };
        Wallets::<Runtime>::insert(owner(), ClassId::RENDER, render);
    });
    storage
}

fn pallet_timestamp_put(now: Moment) {
    let key = frame_support::storage::storage_prefix(b"Timestamp", b"Now");
    frame_support::storage::unhashed::put(&key, &now);
}

/// The proof of a wallet in a state.
fn prove(state: Storage, owner: AccountId, classes: &[ClassId], set_id: u64) -> PortableWallet {
    let backend = InMemoryBackend::<BlakeTwo256>::from((state, StateVersion::V1));
    let root = *backend.root();
    let nodes = prove_read(backend, storage_keys(&owner, classes)).unwrap();
    let header = Header::new(42, H256([4; 32]), root, H256([6; 32]), Digest::default());
    PortableWallet {
        genesis: GENESIS,
        owner,
        classes: classes.to_vec(),
        finality: finality(&header, set_id, 3),
        header: header.encode().into(),
        state: nodes.into_iter_nodes().map(Into::into).collect(),
    }
}

/// A proof of [`owner`]'s wallet.
pub(super) fn portable_wallet(set_id: u64) -> PortableWallet {
    prove(state(), owner(), &CLASSES, set_id)
}

fn verify(proof: &PortableWallet) -> Result<VerifiedWallet, ProofError> {
    proof.verify(&set(SET_ID, 4))
}

#[test]
fn a_proven_wallet_shows_what_the_chain_shows_at_that_block() {
    let proof = portable_wallet(SET_ID);
    let verified = verify(&proof).unwrap();
    let expected = BasicExternalities::new(state()).execute_with(|| Entitlements::wallet(owner()));
    assert_eq!(verified.balances, expected);
    assert_eq!((verified.block_number, verified.time), (42, NOW));

    let innovation = &verified.balances[0];
    assert_eq!(&innovation.name[..], b"class 0");
    // What the block's time has let expire is expired, though nobody has written that down yet.
    assert_eq!((innovation.amounts.available, innovation.amounts.expired), (500, 1_000));
    assert_eq!((innovation.reservations[0].amount, innovation.amounts.reserved), (70, 70));
    assert_eq!(verified.balances[1].class, ClassId::RENDER);
}

#[test]
fn a_class_without_a_wallet_is_proven_to_be_empty() {
    let verified = verify(&portable_wallet(SET_ID)).unwrap();
    let empty: Vec<ClassId> = verified.empty.iter().map(|(class, _)| *class).collect();
    assert_eq!(empty, [ClassId::PRIORITY, ClassId::REASONING]);
}

#[test]
fn an_account_that_was_never_granted_anything_is_proven_to_have_nothing() {
    let nobody = prove(state(), AccountId::new([2; 32]), &CLASSES, SET_ID);
    let verified = verify(&nobody).unwrap();
    assert_eq!((verified.balances.len(), verified.empty.len()), (0, 4));
}

#[test]
fn a_proof_that_leaves_a_class_out_or_names_one_twice_is_refused() {
    let expected = |named| Err(ProofError::OtherClasses { named, registered: 4 });
    assert_eq!(verify(&prove(state(), owner(), &CLASSES[1..], SET_ID)), expected(3));
    let unknown = [&CLASSES[..], &[ClassId(77)]].concat();
    assert_eq!(verify(&prove(state(), owner(), &unknown, SET_ID)), expected(5));
    let twice = [&CLASSES[1..], &[ClassId::PRIORITY]].concat();
    assert_eq!(verify(&prove(state(), owner(), &twice, SET_ID)), expected(4));
}

#[test]
fn one_owners_proof_is_not_anothers() {
    let mut proof = portable_wallet(SET_ID);
    proof.owner = AccountId::new([120; 32]);
    assert!(matches!(verify(&proof), Err(ProofError::NotInState(_))));
}

#[test]
fn a_state_that_is_not_the_headers_is_refused() {
    let honest = portable_wallet(SET_ID);
    let mut richer = state();
    BasicExternalities::execute_with_storage(&mut richer, || {
        let wallet = Wallet { slices: vec![slice(1, 9, None)].try_into().unwrap(), ..Wallet::default() };
        Wallets::<Runtime>::insert(owner(), ClassId::RENDER, wallet);
    });
    let forged = prove(richer, owner(), &CLASSES, SET_ID);
    let mixed = PortableWallet { state: forged.state.clone(), ..honest.clone() };
    assert!(matches!(verify(&mixed), Err(ProofError::NotInState(_))));
    // With the forger's own header, the validators' signatures are missing.
    let mixed = PortableWallet { header: forged.header, ..mixed };
    assert!(matches!(verify(&mixed), Err(ProofError::BrokenChain { .. })));
}

#[test]
fn a_state_of_another_layout_is_not_guessed_at() {
    let known = Entitlements::in_code_storage_version();
    for version in [StorageVersion::new(0), known + 1] {
        let mut state = state();
        BasicExternalities::execute_with_storage(&mut state, || version.put::<Entitlements>());
        let proof = prove(state, owner(), &CLASSES, SET_ID);
        assert_eq!(verify(&proof), Err(ProofError::OtherLayout));
    }
}

#[test]
fn a_wallet_that_cannot_be_read_is_not_taken_for_none() {
    let mut state = state();
    state.top.insert(Wallets::<Runtime>::hashed_key_for(owner(), ClassId::RENDER), vec![0xff; 3]);
    let proof = prove(state, owner(), &CLASSES, SET_ID);
    assert_eq!(verify(&proof), Err(ProofError::OtherLayout));
}
