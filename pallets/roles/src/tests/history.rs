use frame_support::assert_ok;
use proptest::prelude::*;
use sp_runtime::testing::UintAuthorityId;
use stipend_primitives::{AccountId, Role};

use super::{advance_to, signed};
use crate::{
    mock::{new_chain, Roles, Session, System, Test},
    Grants, Validators,
};

const ROLES: [Role; 7] = [
    Role::Council,
    Role::Issuer,
    Role::Gateway,
    Role::Provider,
    Role::Validator,
    Role::Evaluator,
    Role::Auditor,
];

#[derive(Clone, Debug)]
enum Action {
    Grant { by: u8, who: u8, role: usize, allowance: Option<u32> },
    Revoke { by: u8, who: u8, role: usize },
    AddValidator { by: u8, who: u8 },
    RemoveValidator { by: u8, who: u8 },
    SetKeys { who: u8 },
    NextBlock,
}

/// Accounts 1 and 2 are council and validator at genesis; five others come and go.
fn account(seed: u8) -> AccountId {
    AccountId::new([seed; 32])
}

fn action() -> impl Strategy<Value = Action> {
    let who = || 1..8_u8;
    let role = || 0..ROLES.len();
    prop_oneof![
        4 => (who(), who(), role(), proptest::option::of(0..4_u32))
            .prop_map(|(by, who, role, allowance)| Action::Grant { by, who, role, allowance }),
        3 => (who(), who(), role()).prop_map(|(by, who, role)| Action::Revoke { by, who, role }),
        2 => (who(), who()).prop_map(|(by, who)| Action::AddValidator { by, who }),
        2 => (who(), who()).prop_map(|(by, who)| Action::RemoveValidator { by, who }),
        3 => who().prop_map(|who| Action::SetKeys { who }),
        3 => Just(Action::NextBlock),
    ]
}

fn carry_out(action: &Action) {
    // A refused call is part of the history: it must leave everything as it was.
    let _refused = match action.clone() {
        Action::Grant { by, who, role, allowance } => {
            Roles::grant_role(signed(&account(by)), account(who), ROLES[role], allowance)
        }
        Action::Revoke { by, who, role } => {
            Roles::revoke_role(signed(&account(by)), account(who), ROLES[role])
        }
        Action::AddValidator { by, who } => Roles::add_validator(signed(&account(by)), account(who)),
        Action::RemoveValidator { by, who } => {
            // As the runtime does with every call: all of it or nothing.
            frame_support::storage::with_storage_layer(|| {
                Roles::remove_validator(signed(&account(by)), account(who))
            })
        }
        Action::SetKeys { who } => {
            Session::set_keys(signed(&account(who)), UintAuthorityId(who.into()), vec![])
        }
        Action::NextBlock => {
            advance_to(System::block_number() + 1);
            Ok(())
        }
    };
}

proptest! {
    #[test]
    fn every_history_keeps_the_invariants(history in proptest::collection::vec(action(), 1..120)) {
        new_chain().execute_with(|| {
            for action in &history {
                carry_out(action);
                assert_ok!(Roles::do_try_state());
                assert!(!Session::validators().is_empty());
                for seed in 1..8 {
                    let who = account(seed);
                    let admitted = System::providers(&who) > 0;
                    assert_eq!(admitted, Grants::<Test>::contains_key(&who), "account {seed}");
                    assert!(System::consumers(&who) == 0 || Validators::<Test>::get().contains(&who));
                }
            }
        });
    }
}
