//! Which signatures make a block final, and which do not.

use super::made_up::{above, child, finality, justification, set, vote, vote_at, votes, Vote};
use super::*;

const SET_ID: u64 = 5;

/// The block that is to be shown final.
fn block() -> Header {
    Header::new(42, H256([4; 32]), H256([5; 32]), H256([6; 32]), Digest::default())
}

/// A proof of the block by a justification of its own.
fn signed_itself(justification: sp_core::Bytes) -> Finality {
    Finality { set_id: SET_ID, headers: vec![], justification }
}

#[test]
fn a_block_is_final_by_its_own_signatures_or_by_those_of_a_block_above() {
    let own = signed_itself(justification(&block(), votes(3, &block(), SET_ID), vec![]));
    assert_eq!(own.verify(&block(), &set(SET_ID, 4)), Ok(()));
    assert_eq!(finality(&block(), SET_ID, 3).verify(&block(), &set(SET_ID, 4)), Ok(()));
}

#[test]
fn more_than_two_thirds_are_enough_and_exactly_two_thirds_are_not() {
    for validators in 1..=12 {
        for signers in 1..=validators {
            let verified = finality(&block(), SET_ID, signers).verify(&block(), &set(SET_ID, validators));
            let (signed, total) = (u64::from(signers), u64::from(validators));
            let expected =
                if 3 * signed > 2 * total { Ok(()) } else { Err(ProofError::TooFewSigned { signed, total }) };
            assert_eq!(verified, expected, "{signers} of {validators}");
        }
    }
    let nobody = signed_itself(justification(&block(), vec![], vec![]));
    let error = nobody.verify(&block(), &set(SET_ID, 4)).unwrap_err();
    assert_eq!(error, ProofError::TooFewSigned { signed: 0, total: 4 });
}

#[test]
fn votes_count_by_their_weight() {
    let mut set = set(SET_ID, 4);
    set.authorities[0].weight = 6;
    let heavy = |names: &[u8]| {
        let votes = names.iter().map(|name| vote(*name, &block(), SET_ID)).collect();
        signed_itself(justification(&block(), votes, vec![])).verify(&block(), &set)
    };
    assert_eq!(heavy(&[1, 2]), Ok(()));
    assert_eq!(heavy(&[1]), Err(ProofError::TooFewSigned { signed: 6, total: 9 }));
    assert_eq!(heavy(&[2, 3, 4]), Err(ProofError::TooFewSigned { signed: 3, total: 9 }));
}

#[test]
fn a_validator_counts_once_however_often_it_signs() {
    let twice = [votes(2, &block(), SET_ID), votes(2, &block(), SET_ID)].concat();
    let error =
        signed_itself(justification(&block(), twice, vec![])).verify(&block(), &set(SET_ID, 4)).unwrap_err();
    assert_eq!(error, ProofError::TooFewSigned { signed: 2, total: 4 });
}

#[test]
fn a_strangers_signature_is_refused_even_where_enough_others_signed() {
    for validators in [2, 3] {
        let mut votes = votes(validators, &block(), SET_ID);
        votes.push(vote(200, &block(), SET_ID));
        let error = signed_itself(justification(&block(), votes, vec![]))
            .verify(&block(), &set(SET_ID, 4))
            .unwrap_err();
        assert!(matches!(error, ProofError::Stranger(_)), "{error}");
    }
}

#[test]
fn a_signature_under_another_validators_name_is_refused() {
    let mut votes = votes(4, &block(), SET_ID);
    votes[0].id = votes[1].id.clone();
    let error =
        signed_itself(justification(&block(), votes, vec![])).verify(&block(), &set(SET_ID, 4)).unwrap_err();
    assert!(matches!(error, ProofError::BadSignature(_)), "{error}");
}

#[test]
fn the_signatures_of_one_set_do_not_hold_for_another_with_the_same_keys() {
    for other in [SET_ID - 1, SET_ID + 1] {
        let mut proof = finality(&block(), SET_ID, 4);
        let error = proof.verify(&block(), &set(other, 4)).unwrap_err();
        assert_eq!(error, ProofError::OtherSet { expected: other, found: SET_ID });
        proof.set_id = other;
        let error = proof.verify(&block(), &set(other, 4)).unwrap_err();
        assert!(matches!(error, ProofError::BadSignature(_)), "{error}");
    }
}

#[test]
fn a_justification_of_another_block_proves_nothing() {
    let sibling = child(&above(&block(), 2)[1], 9);
    let mut proof = finality(&block(), SET_ID, 4);
    proof.justification = justification(&sibling, votes(4, &sibling, SET_ID), vec![]);
    let error = proof.verify(&block(), &set(SET_ID, 4)).unwrap_err();
    assert_eq!(error, ProofError::OtherBlockSigned { led_to: 45, signed: 45 });
}

#[test]
fn headers_that_do_not_lead_up_from_the_block_prove_nothing() {
    let (set, proof) = (set(SET_ID, 4), finality(&block(), SET_ID, 4));
    let other = Header { state_root: H256([9; 32]), ..block() };
    assert_eq!(proof.verify(&other, &set), Err(ProofError::BrokenChain { block: 43 }));

    let mut gap = proof.clone();
    gap.headers.remove(1);
    assert_eq!(gap.verify(&block(), &set), Err(ProofError::BrokenChain { block: 45 }));

    let mut unrelated = proof.clone();
    unrelated.headers.insert(0, child(&other, 1).encode().into());
    assert_eq!(unrelated.verify(&block(), &set), Err(ProofError::BrokenChain { block: 43 }));

    // The right parent and a wrong height.
    let mut jump = child(&block(), 1);
    jump.number = 50;
    let headers = vec![jump.encode().into()];
    let jumped = Finality { headers, ..proof };
    assert_eq!(jumped.verify(&block(), &set), Err(ProofError::BrokenChain { block: 50 }));
}

/// A vote for the block, and two for blocks on different branches above it; with the headers between.
fn votes_above() -> (Vec<Vote>, Vec<Header>) {
    let (left, right) = (above(&block(), 2), child(&block(), 7));
    let votes = vec![vote(1, &block(), SET_ID), vote(2, &left[1], SET_ID), vote(3, &right, SET_ID)];
    (votes, [left, vec![right]].concat())
}

#[test]
fn votes_for_blocks_above_count_for_the_block_below_them() {
    let (votes, headers) = votes_above();
    let proof = signed_itself(justification(&block(), votes, headers));
    assert_eq!(proof.verify(&block(), &set(SET_ID, 4)), Ok(()));
}

#[test]
fn votes_whose_ancestry_is_missing_unrelated_or_superfluous_prove_nothing() {
    let set = set(SET_ID, 4);
    let (votes, headers) = votes_above();
    let refused = |headers: Vec<Header>| {
        let proof = signed_itself(justification(&block(), votes.clone(), headers));
        assert_eq!(proof.verify(&block(), &set), Err(ProofError::VotesDisagree));
    };
    for missing in 0..headers.len() {
        let mut headers = headers.clone();
        headers.remove(missing);
        refused(headers);
    }
    let unrelated = Header { state_root: H256([9; 32]), ..block() };
    refused([headers.clone(), above(&unrelated, 1)].concat());
    refused([headers.clone(), vec![headers[2].clone()]].concat());
    refused([headers.clone(), vec![child(&headers[1], 3)]].concat());
}

#[test]
fn a_vote_for_a_wrong_height_is_refused_though_a_validator_signed_it() {
    let (mut votes, headers) = votes_above();
    for height in [0, 41, 43, 44, u32::MAX] {
        votes[2] = vote_at(3, headers[2].hash(), height, SET_ID);
        let proof = signed_itself(justification(&block(), votes.clone(), headers.clone()));
        let verified = proof.verify(&block(), &set(SET_ID, 4));
        let is_right = height == headers[2].number;
        assert_eq!(verified, if is_right { Ok(()) } else { Err(ProofError::VotesDisagree) }, "{height}");
    }
}

#[test]
fn a_set_that_is_none_is_refused() {
    let proof = finality(&block(), SET_ID, 4);
    let refused = |change: fn(&mut ValidatorSet)| {
        let mut set = set(SET_ID, 4);
        change(&mut set);
        assert_eq!(proof.verify(&block(), &set), Err(ProofError::BadSet));
    };
    refused(|set| set.authorities.clear());
    refused(|set| set.authorities[0].weight = 0);
    refused(|set| set.authorities[0].weight = u64::MAX);
    refused(|set| set.authorities[0] = set.authorities[1].clone());
}

#[test]
fn the_number_of_the_set_that_signed_is_found_by_its_signatures() {
    let signed = justification(&block(), votes(2, &block(), SET_ID), vec![]);
    let read = crate::proof::finality::justification(&signed).unwrap();
    for newest in [SET_ID, SET_ID + 1, 40] {
        assert_eq!(crate::proof::finality::signed_under(&read, newest), Some(SET_ID));
    }
    assert_eq!(crate::proof::finality::signed_under(&read, SET_ID - 1), None);
}
