//! The model counts votes as the pallet does.
#![allow(clippy::unwrap_used)]

use pallet_settlement::{
    crypto::AuthorityId,
    quorum::{quorum as quorum_of_the_pallet, Tally as TallyOfThePallet},
    types::VoteRecord,
};
use sp_core::{crypto::ByteArray, H256};
use stipend_primitives::{settlement::VerdictKind, PublicKey};
use stipend_settlement_model::{quorum, Tally, Verdict, Vote, Votes};

/// Enough for every way in which members, former members and those who have not voted can be mixed.
const VALIDATORS: u8 = 5;

const VERDICTS: [Option<Verdict>; 5] =
    [None, Some(Verdict::Match), Some(Verdict::Adjust), Some(Verdict::Unattested), Some(Verdict::Invented)];

fn key(validator: u8) -> PublicKey {
    [validator + 1; 32]
}

fn hash(verdict: Verdict) -> H256 {
    H256::repeat_byte(verdict as u8)
}

fn kind(verdict: Verdict) -> VerdictKind {
    match verdict {
        Verdict::Match => VerdictKind::Match,
        Verdict::Unattested => VerdictKind::Unattested,
        Verdict::Adjust | Verdict::Invented | Verdict::Greedy => VerdictKind::Adjust,
    }
}

/// The votes with the number `index` among all that five validators can cast.
fn votes(mut index: usize) -> Votes {
    let mut votes = Votes::default();
    for place in votes.iter_mut().take(usize::from(VALIDATORS)) {
        let verdict = VERDICTS[index % VERDICTS.len()];
        *place = verdict.map(|verdict| Vote { verdict, changes: 0, repeats: 0 });
        index /= VERDICTS.len();
    }
    votes
}

fn records(votes: &Votes) -> Vec<VoteRecord> {
    let record = |(validator, vote): (u8, &Option<Vote>)| {
        let verdict = vote.as_ref()?.verdict;
        Some(VoteRecord {
            validator: key(validator),
            verdict_hash: hash(verdict),
            kind: kind(verdict),
            changes: 0,
        })
    };
    (0..).zip(votes).filter_map(record).collect()
}

fn authorities(set: u8) -> Vec<AuthorityId> {
    let members = (0..VALIDATORS).filter(|validator| set >> validator & 1 == 1);
    members.map(|validator| AuthorityId::from_slice(&key(validator)).unwrap()).collect()
}

#[test]
fn the_quorum_is_the_pallets() {
    for authorities_count in 0..=pallet_settlement::types::AUTHORITIES_MAX {
        assert_eq!(quorum(authorities_count), quorum_of_the_pallet(authorities_count));
    }
}

#[test]
fn every_tally_is_the_pallets() {
    for index in 0..VERDICTS.len().pow(VALIDATORS.into()) {
        let votes = votes(index);
        let records = records(&votes);
        for set in 0..1u8 << VALIDATORS {
            let authorities = authorities(set);
            let model = Tally { set, votes: &votes };
            let pallet = TallyOfThePallet::new(&authorities, &records);
            let shown = format!("{votes:?} with the set {set:#b}");
            assert_eq!(model.attested_is_out_of_reach(), pallet.attested_is_out_of_reach(), "{shown}");
            for verdict in VERDICTS.into_iter().flatten() {
                assert_eq!(model.count(verdict), pallet.count(&hash(verdict)), "{shown}");
            }
        }
    }
}
