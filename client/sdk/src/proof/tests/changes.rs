//! No byte of a proof can be changed: every one is, and the proof must then be refused.

use super::made_up::{finality, set, GENESIS};
use super::wallets::portable_wallet;
use super::*;

const SET_ID: u64 = 5;

/// What a byte is changed by: each of its bits, and all of them.
const MASKS: [u8; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 255];

/// Receipt 130 of a batch of 200, in a block below three others, signed by three of four.
fn portable_receipt() -> PortableReceipt {
    let proof = proven(200, 130);
    PortableReceipt {
        genesis: GENESIS,
        gateway: gateway(),
        sequence: FIRST_SEQ + 130,
        finality: finality(&header(&proof).unwrap(), SET_ID, 3),
        receipt: proof.receipt,
        path: proof.proof,
        header: proof.header,
    }
}

/// Changes every byte of one part, each by each mask, and returns how many bytes there were. `verify`
/// must refuse all of that, and the part cut short or with a byte more.
fn change_all<P: Clone>(
    honest: &P,
    part: impl Fn(&mut P) -> &mut Vec<u8>,
    verify: impl Fn(&P) -> Result<(), ProofError>,
) -> usize {
    let mut changed = honest.clone();
    assert_eq!(verify(&changed), Ok(()), "the proof holds before it is changed");
    let length = part(&mut changed).len();
    for at in 0..length {
        for mask in MASKS {
            part(&mut changed)[at] ^= mask;
            assert!(verify(&changed).is_err(), "byte {at} of {length} changed by {mask:#04x}");
            part(&mut changed)[at] ^= mask;
        }
    }
    part(&mut changed).push(0);
    assert!(verify(&changed).is_err(), "a byte more");
    part(&mut changed).truncate(length.saturating_sub(1));
    assert!(verify(&changed).is_err(), "a byte less");
    length
}

fn verify_receipt(proof: &PortableReceipt) -> Result<(), ProofError> {
    let verified = proof.verify(&set(SET_ID, 4))?;
    assert_eq!(verified.receipt, receipt(FIRST_SEQ + 130), "another receipt was believed");
    Ok(())
}

fn verify_wallet(proof: &PortableWallet) -> Result<(), ProofError> {
    proof.verify(&set(SET_ID, 4)).map(|_| ())
}

#[test]
fn no_byte_of_a_receipts_proof_can_be_changed() {
    let honest = portable_receipt();
    let bytes = [
        change_all(&honest, |proof| &mut proof.receipt.0, verify_receipt),
        change_all(&honest, |proof| &mut proof.path.0, verify_receipt),
        change_all(&honest, |proof| &mut proof.header.0, verify_receipt),
        change_all(&honest, |proof| &mut proof.finality.headers[0].0, verify_receipt),
        change_all(&honest, |proof| &mut proof.finality.headers[1].0, verify_receipt),
        change_all(&honest, |proof| &mut proof.finality.headers[2].0, verify_receipt),
        change_all(&honest, |proof| &mut proof.finality.justification.0, verify_receipt),
    ];
    assert_eq!(bytes[0], RECEIPT_LEAF_LEN);
    assert!(bytes.iter().all(|length| *length > 90), "{bytes:?}");
}

#[test]
fn no_byte_of_a_wallets_proof_can_be_changed() {
    let honest = portable_wallet(SET_ID);
    assert!(honest.state.len() > 5, "a trie of some depth");
    for node in 0..honest.state.len() {
        change_all(&honest, |proof| &mut proof.state[node].0, verify_wallet);
    }
    change_all(&honest, |proof| &mut proof.header.0, verify_wallet);
    for header in 0..honest.finality.headers.len() {
        change_all(&honest, |proof| &mut proof.finality.headers[header].0, verify_wallet);
    }
    change_all(&honest, |proof| &mut proof.finality.justification.0, verify_wallet);
}

#[test]
fn no_bit_of_genesis_gateway_owner_or_any_number_can_be_changed() {
    let (receipt, wallet) = (portable_receipt(), portable_wallet(SET_ID));
    for bit in 0..256 {
        let flip = |bytes: &mut [u8]| bytes[bit / 8] ^= 1 << (bit % 8);
        let mut changed = (receipt.clone(), wallet.clone());
        flip(&mut changed.0.genesis.0);
        flip(&mut changed.1.genesis.0);
        assert!(matches!(verify_receipt(&changed.0), Err(ProofError::OtherChain { .. })));
        assert!(matches!(verify_wallet(&changed.1), Err(ProofError::OtherChain { .. })));
        let mut changed = (receipt.clone(), wallet.clone());
        flip(changed.0.gateway.as_mut());
        flip(changed.1.owner.as_mut());
        assert!(matches!(verify_receipt(&changed.0), Err(ProofError::NotCommitted { .. })));
        assert!(verify_wallet(&changed.1).is_err());
    }
    for bit in 0..64 {
        let mut changed = (receipt.clone(), wallet.clone());
        changed.0.sequence ^= 1 << bit;
        assert!(verify_receipt(&changed.0).is_err());
        let mut changed = (receipt.clone(), wallet.clone());
        changed.0.finality.set_id ^= 1 << bit;
        changed.1.finality.set_id ^= 1 << bit;
        assert!(matches!(verify_receipt(&changed.0), Err(ProofError::OtherSet { .. })));
        assert!(matches!(verify_wallet(&changed.1), Err(ProofError::OtherSet { .. })));
    }
    for class in 0..wallet.classes.len() {
        for bit in 0..16 {
            let mut changed = wallet.clone();
            changed.classes[class].0 ^= 1 << bit;
            assert!(verify_wallet(&changed).is_err(), "bit {bit} of class {class}");
        }
    }
}

#[test]
fn no_node_of_a_wallets_state_can_be_left_out() {
    let honest = portable_wallet(SET_ID);
    for node in 0..honest.state.len() {
        let mut changed = honest.clone();
        changed.state.remove(node);
        assert!(matches!(verify_wallet(&changed), Err(ProofError::NotInState(_))), "node {node}");
    }
}

#[test]
fn the_validators_own_keys_and_chain_decide_what_holds() {
    let honest = portable_receipt();
    for bit in 0..256 {
        let mut other = set(SET_ID, 4);
        other.authorities[1].key.0[bit / 8] ^= 1 << (bit % 8);
        assert!(honest.verify(&other).is_err(), "bit {bit} of a validator's key");
    }
}
