//! What must hold in every state that this pallet leaves behind.

use alloc::vec::Vec;

use frame_support::ensure;
use sp_runtime::TryRuntimeError;
use stipend_primitives::Role;

use crate::{Config, Grants, Pallet, Seats, Validators};

impl<T: Config> Pallet<T> {
    /// Checks the invariants of README.md.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let validators = Validators::<T>::get();
        ensure!(
            validators.windows(2).all(|pair| pair[0] < pair[1]),
            "roles: the validator set is not sorted, or names an account twice"
        );
        let (mut council, mut with_validator_role) = (Vec::new(), 0);
        for (who, grants) in Grants::<T>::iter() {
            ensure!(!grants.is_empty(), "roles: an account without a role is still stored");
            ensure!(
                grants.windows(2).all(|pair| pair[0].role < pair[1].role),
                "roles: an account's roles are not sorted, or one is there twice"
            );
            ensure!(
                grants.iter().all(|grant| grant.allowance != Some(0)),
                "roles: an allowance of zero locks an account out"
            );
            ensure!(
                frame_system::Pallet::<T>::providers(&who) > 0,
                "roles: an account with a role has no provider reference, so it is not admitted"
            );
            ensure!(
                frame_system::Pallet::<T>::sufficients(&who) > 0,
                "roles: nothing keeps the nonce of an account with a role"
            );
            if Self::holds(&who, Role::Council) {
                council.push(who.clone());
            }
            if Self::holds(&who, Role::Validator) {
                with_validator_role += 1;
                ensure!(
                    validators.binary_search(&who).is_ok(),
                    "roles: an account has the validator's role and is not in the set"
                );
            }
        }
        ensure!(
            with_validator_role == validators.len(),
            "roles: an account is in the validator set and does not have the role"
        );
        council.sort();
        ensure!(
            council == T::Seats::members(),
            "roles: who has the council's role and who votes in it are not the same accounts"
        );
        ensure!(!council.is_empty(), "roles: nobody is left to act for the council");
        Self::check_suspended()
    }
}
