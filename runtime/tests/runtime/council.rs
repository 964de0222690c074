//! Nobody acts alone on a council of several, and each kind of act has its own threshold.

use codec::Encode;
use frame_support::{assert_ok, dispatch::GetDispatchInfo, traits::EnsureOrigin};
use pallet_collective::RawOrigin;
use sp_core::H256;
use sp_keyring::Ed25519Keyring::{self, Alice, Bob, Charlie, Eve};
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    DispatchError,
};
use stipend_primitives::Role;
use stipend_runtime::{
    configs::council::{
        motions, Act, CouncilInstance, EnsureLedger, EnsureMembers, EnsureUpgrade, EnsureValidators,
        MotionDuration, PROPOSALS_PER_MEMBER, SEATS_MAX,
    },
    Nonce, Roles, Runtime, RuntimeCall, RuntimeOrigin,
};

use crate::chain::{apply, begin_block, council_of_one, last_verdict, new_chain, proposal, signed};

type Council = pallet_collective::Call<Runtime, CouncilInstance>;
type CouncilError = pallet_collective::Error<Runtime, CouncilInstance>;

fn grant(role: Role) -> RuntimeCall {
    pallet_roles::Call::grant_role { who: Eve.to_account_id(), role, allowance: None }.into()
}

fn upgrade() -> RuntimeCall {
    pallet_governance::Call::authorize_upgrade { code_hash: H256::repeat_byte(7) }.into()
}

fn vote(call: &RuntimeCall, index: u32, approve: bool) -> RuntimeCall {
    Council::vote { proposal: BlakeTwo256::hash_of(call), index, approve }.into()
}

fn close(call: &RuntimeCall, index: u32) -> RuntimeCall {
    Council::close {
        proposal_hash: BlakeTwo256::hash_of(call),
        index,
        proposal_weight_bound: call.get_dispatch_info().call_weight,
        length_bound: call.encoded_size() as u32,
    }
    .into()
}

/// Has the first members of the local council propose a call, approve it and close the vote.
fn carried_by(members: &[Ed25519Keyring], call: RuntimeCall) -> Result<(), DispatchError> {
    let mut nonces = [(Alice, 0), (Bob, 0), (Charlie, 0)];
    let mut next = |who: Ed25519Keyring| -> Nonce {
        let entry = nonces.iter_mut().find(|(member, _)| *member == who).unwrap();
        entry.1 += 1;
        entry.1 - 1
    };
    let approvals = (members.len() as u32).max(2);
    assert_ok!(apply(signed(Alice, next(Alice), proposal(call.clone(), approvals))).unwrap());
    for member in members {
        assert_ok!(apply(signed(*member, next(*member), vote(&call, 0, true))).unwrap());
    }
    apply(signed(Alice, next(Alice), close(&call, 0))).unwrap()?;
    last_verdict()
}

#[test]
fn a_member_of_three_does_nothing_alone() {
    new_chain("local_testnet").execute_with(|| {
        begin_block(1);
        // Not by a call of its own, not by a proposal that asks for nobody else, not as a member.
        assert_eq!(apply(signed(Alice, 0, grant(Role::Issuer))), Ok(Err(DispatchError::BadOrigin)));
        for (nonce, call) in [(1, grant(Role::Issuer)), (2, upgrade())] {
            assert_ok!(apply(signed(Alice, nonce, proposal(call, 1))).unwrap());
            assert_eq!(last_verdict(), Err(DispatchError::BadOrigin));
        }
        let call = grant(Role::Issuer);
        let execute = Council::execute { length_bound: call.encoded_size() as u32, proposal: Box::new(call) };
        assert_ok!(apply(signed(Alice, 3, execute)).unwrap());
        assert!(!Roles::holds(&Eve.to_account_id(), Role::Issuer));
        // And nobody closes what has too few votes.
        assert_ok!(apply(signed(Alice, 4, proposal(grant(Role::Issuer), 2))).unwrap());
        assert_ok!(apply(signed(Alice, 5, vote(&grant(Role::Issuer), 0, true))).unwrap());
        assert_eq!(
            apply(signed(Alice, 6, close(&grant(Role::Issuer), 0))),
            Ok(Err(CouncilError::TooEarly.into()))
        );
    });
}

#[test]
fn two_of_three_grant_a_role() {
    new_chain("local_testnet").execute_with(|| {
        begin_block(1);
        assert_eq!(carried_by(&[Alice, Bob], grant(Role::Issuer)), Ok(()));
        assert!(Roles::holds(&Eve.to_account_id(), Role::Issuer));
    });
}

#[test]
fn an_upgrade_needs_all_three() {
    new_chain("local_testnet").execute_with(|| {
        begin_block(1);
        assert_eq!(carried_by(&[Alice, Bob], upgrade()), Err(DispatchError::BadOrigin));
    });
    new_chain("local_testnet").execute_with(|| {
        begin_block(1);
        assert_eq!(carried_by(&[Alice, Bob, Charlie], upgrade()), Ok(()));
    });
}

#[test]
fn what_is_voted_on_is_shown_with_its_call_and_votes() {
    new_chain("local_testnet").execute_with(|| {
        begin_block(1);
        let call = grant(Role::Issuer);
        assert_ok!(apply(signed(Alice, 0, proposal(upgrade(), 3))).unwrap());
        assert_ok!(apply(signed(Alice, 1, proposal(call.clone(), 2))).unwrap());
        assert_ok!(apply(signed(Bob, 0, vote(&call, 1, true))).unwrap());
        assert_ok!(apply(signed(Charlie, 0, vote(&call, 1, false))).unwrap());
        let [first, second] = motions().try_into().unwrap();
        assert_eq!((first.index, first.approvals, first.call), (0, 3, upgrade().encode()));
        assert_eq!((first.yes, first.no), (vec![], vec![]));
        assert_eq!(second.hash, BlakeTwo256::hash_of(&call));
        assert_eq!((second.yes, second.no), (vec![Bob.to_account_id()], vec![Charlie.to_account_id()]));
        assert_eq!(second.ends_at, 1 + MotionDuration::get());
    });
}

#[test]
fn a_member_that_leaves_takes_its_votes_along() {
    new_chain("local_testnet").execute_with(|| {
        begin_block(1);
        let call = grant(Role::Issuer);
        assert_ok!(apply(signed(Bob, 0, proposal(call.clone(), 2))).unwrap());
        assert_ok!(apply(signed(Bob, 1, vote(&call, 0, true))).unwrap());
        let leave: RuntimeCall =
            pallet_roles::Call::revoke_role { who: Bob.to_account_id(), role: Role::Council }.into();
        for (who, nonce, call) in [
            (Alice, 0, proposal(leave.clone(), 2)),
            (Alice, 1, vote(&leave, 1, true)),
            (Charlie, 0, vote(&leave, 1, true)),
            (Alice, 2, close(&leave, 1)),
            (Alice, 3, vote(&call, 0, true)),
        ] {
            assert_ok!(apply(signed(who, nonce, call)).unwrap());
        }
        assert_eq!(apply(signed(Alice, 4, close(&call, 0))), Ok(Err(CouncilError::TooEarly.into())));
        assert_ok!(Roles::do_try_state());
    });
}

#[test]
fn the_only_member_acts_at_once() {
    new_chain("development").execute_with(|| {
        begin_block(1);
        council_of_one(Alice, 0, grant(Role::Issuer));
        council_of_one(Alice, 1, upgrade());
        assert!(Roles::holds(&Eve.to_account_id(), Role::Issuer));
    });
}

#[test]
fn whoever_is_not_on_the_council_proposes_nothing() {
    new_chain("local_testnet").execute_with(|| {
        begin_block(1);
        let refusal = CouncilError::NotMember.into();
        // Dave is a validator, so its transactions are admitted.
        let dave = Ed25519Keyring::Dave;
        assert_eq!(apply(signed(dave, 0, proposal(grant(Role::Issuer), 1))), Ok(Err(refusal)));
        assert_eq!(apply(signed(dave, 1, vote(&grant(Role::Issuer), 0, true))), Ok(Err(refusal)));
    });
}

#[test]
fn one_members_proposals_leave_room_for_the_others() {
    new_chain("local_testnet").execute_with(|| {
        begin_block(1);
        let remark = |number: u32| -> RuntimeCall {
            frame_system::Call::remark { remark: number.to_le_bytes().to_vec() }.into()
        };
        for number in 0..PROPOSALS_PER_MEMBER {
            assert_ok!(apply(signed(Alice, number, proposal(remark(number), 2))).unwrap());
        }
        let nonce = PROPOSALS_PER_MEMBER;
        let one_more = apply(signed(Alice, nonce, proposal(remark(nonce), 2)));
        assert_eq!(one_more, Ok(Err(CouncilError::TooManyProposals.into())));
        assert_ok!(apply(signed(Bob, 0, proposal(remark(nonce), 2))).unwrap());

        // One that is voted down makes room for another.
        assert_ok!(apply(signed(Bob, 1, vote(&remark(0), 0, false))).unwrap());
        assert_ok!(apply(signed(Charlie, 0, vote(&remark(0), 0, false))).unwrap());
        assert_ok!(apply(signed(Charlie, 1, close(&remark(0), 0))).unwrap());
        assert_ok!(apply(signed(Alice, nonce + 1, proposal(remark(nonce + 1), 2))).unwrap());
    });
}

#[test]
fn every_kind_of_act_passes_with_its_approvals_and_not_with_one_less() {
    let passes = |act: Act, yes: u32, seats: u32| {
        let origin = RuntimeOrigin::from(RawOrigin::<_, CouncilInstance>::Members(yes, seats));
        match act {
            Act::Ledger => EnsureLedger::ensure_origin(origin).is_ok(),
            Act::Members => EnsureMembers::ensure_origin(origin).is_ok(),
            Act::Validators => EnsureValidators::ensure_origin(origin).is_ok(),
            Act::Upgrade => EnsureUpgrade::ensure_origin(origin).is_ok(),
        }
    };
    for act in Act::ALL {
        for seats in 1..=SEATS_MAX {
            let approvals = act.approvals(seats);
            assert!(approvals <= seats && (seats == 1 || approvals > 1), "{act:?} {approvals} of {seats}");
            assert!(passes(act, approvals, seats), "{act:?} {approvals} of {seats}");
            assert!(!passes(act, approvals - 1, seats), "{act:?} {} of {seats}", approvals - 1);
        }
    }
}

#[test]
fn clients_know_the_kind_of_every_call_that_is_the_councils() {
    let issuer = Eve.to_account_id();
    let (class, policy) = Default::default();
    let ask = pallet_evidence::Call::set_class_policy { class, policy };
    let set_policy = pallet_entitlements::Call::set_policy {
        kind: 1,
        name: Default::default(),
        policy: Default::default(),
    };
    for (call, act) in [
        (grant(Role::Issuer), Some(Act::Members)),
        (pallet_roles::Call::add_validator { who: issuer.clone() }.into(), Some(Act::Validators)),
        (pallet_settlement::Call::reinstate_provider { who: issuer.clone() }.into(), Some(Act::Members)),
        (
            pallet_settlement::Call::set_grid_intensity { who: issuer.clone(), mg_per_kwh: None }.into(),
            Some(Act::Members),
        ),
        (pallet_evidence::Call::set_trust { trust: None }.into(), Some(Act::Members)),
        (pallet_evidence::Call::set_keys { keys: Default::default() }.into(), Some(Act::Members)),
        (ask.into(), Some(Act::Members)),
        (pallet_entitlements::Call::increase_budget { program: 0, amount: 1 }.into(), Some(Act::Ledger)),
        (pallet_entitlements::Call::set_energy_budget { class, budget: None }.into(), Some(Act::Ledger)),
        (set_policy.into(), Some(Act::Ledger)),
        (pallet_pricing::Call::publish { entries: Default::default() }.into(), Some(Act::Ledger)),
        (pallet_governance::Call::remove_node { node: H256::zero() }.into(), Some(Act::Validators)),
        (upgrade(), Some(Act::Upgrade)),
        (pallet_entitlements::Call::set_kind { owner: issuer.clone(), kind: 1 }.into(), None),
        (pallet_entitlements::Call::offboard { owner: issuer }.into(), None),
    ] {
        assert_eq!(Act::of(&call), act, "{call:?}");
    }
}
