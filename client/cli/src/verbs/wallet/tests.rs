#![allow(clippy::unwrap_used)]

use super::*;
use sp_core::H256;
use stipend_sdk::primitives::{
    settlement::UnattestedPolicy,
    view::{Amounts, Class, ReservationView},
    ClassId,
};

fn balance(available: u128) -> ClassBalance {
    ClassBalance {
        class: ClassId::INNOVATION,
        name: parse::name("Innovation").unwrap(),
        amounts: Amounts {
            granted: 10_000_000,
            available,
            spent: 10_000_000 - available,
            ..Amounts::default()
        },
        reservations: vec![],
        expires_next: Some(0),
        frozen: false,
    }
}

#[test]
fn amounts_are_micro_credits_in_json_and_credits_in_the_table() {
    let wallet = WalletBalance {
        finalised: vec![balance(10_000_000)],
        finalised_at: 4,
        pending: vec![balance(9_999_999)],
        pending_at: 6,
    };
    let answer = show(&parse::account("//Dave").unwrap(), &wallet).unwrap();
    assert_eq!(answer.json["finalised"][0]["amounts"]["available"], "10000000");
    assert_eq!(answer.json["finalised"][0]["name"], "Innovation");
    assert_eq!(answer.json["pending"][0]["amounts"]["spent"], "1");
    assert!(answer.human.contains("10.000000") && answer.human.contains("9.999999"));
    assert!(answer.human.contains("1970-01-01T00:00:00Z"));
}

#[test]
fn what_is_not_finalised_is_shown_only_if_it_differs() {
    let wallet = WalletBalance {
        finalised: vec![balance(1)],
        finalised_at: 4,
        pending: vec![balance(1)],
        pending_at: 6,
    };
    let answer = show(&parse::account("//Dave").unwrap(), &wallet).unwrap();
    assert!(!answer.human.contains("not finalised"));
}

#[test]
fn each_gateways_reservation_is_shown() {
    let mut reserved = balance(1);
    let gateway = parse::account("//Ferdie").unwrap();
    reserved.reservations.push(ReservationView {
        gateway: gateway.clone(),
        amount: 2_000_000,
        expires_at: 0,
    });
    let text = table(&[reserved]);
    assert!(text.contains(&parse::address(&gateway)) && text.contains("2.000000"), "{text}");
}

#[test]
fn an_empty_wallet_says_so() {
    let wallet = WalletBalance { finalised: vec![], finalised_at: 1, pending: vec![], pending_at: 1 };
    let answer = show(&parse::account("//Dave").unwrap(), &wallet).unwrap();
    assert!(answer.human.contains("nothing was granted"));
}

#[test]
fn a_proven_wallet_says_what_is_empty_and_who_vouches() {
    let class = Class { name: parse::name("Render").unwrap(), unattested: UnattestedPolicy::Refund };
    let wallet = VerifiedWallet {
        owner: parse::account("//Dave").unwrap(),
        balances: vec![balance(9_999_999)],
        empty: vec![(ClassId::RENDER, class)],
        block_number: 12,
        block_hash: H256([2; 32]),
        time: 0,
    };
    let set = ValidatorSet { genesis: H256([1; 32]), set_id: 7, authorities: vec![] };
    let answer = verified(&wallet, &set).unwrap();
    assert_eq!(answer.json["balances"][0]["amounts"]["available"], "9999999");
    assert_eq!(answer.json["empty"][0]["name"], "Render");
    assert_eq!(answer.json["validator_set"]["set_id"], 7);
    assert!(answer.human.contains("9.999999") && answer.human.contains("block 12"));
    assert!(answer.human.contains("nothing was ever granted in Render"));
    assert!(answer.human.contains("validator set 7"));
}
