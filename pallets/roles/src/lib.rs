#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub use pallet::*;

pub use admission::{CheckAdmission, NOT_ADMITTED, ROLE_PRIORITY, TOO_LONG};
pub use no_currency::NoCurrency;
pub use seats::Seats;
pub use session::{PalletSession, SessionKeys, ValidatorIdOf};
pub use types::{Misconduct, RoleGrant, RoleGrants, ROLES_MAX};
pub use weights::WeightInfo;

mod admission;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
mod no_currency;
mod seats;
mod session;
mod suspension;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
pub mod weights;

#[frame_support::pallet]
pub mod pallet {
    use alloc::vec::Vec;
    use core::marker::PhantomData;

    use frame_support::{pallet_prelude::*, traits::Defensive};
    use frame_system::pallet_prelude::*;
    use stipend_primitives::{AccountId, Role};

    use crate::{Misconduct, RoleGrant, RoleGrants, Seats, SessionKeys, WeightInfo};

    /// Shortest session that a chain can be founded with, in blocks: validators publish keys and
    /// GRANDPA finalises a change within one.
    const SESSION_BLOCKS_MIN: u32 = 10;

    /// Layout of the state. A change of it comes with a migration in the runtime.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId> {
        /// Who grants roles: in the runtime two thirds of the council.
        type CouncilOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Who changes the validator set: in the runtime two thirds of the council.
        type ValidatorsOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Where the council votes: is told who has a seat.
        type Seats: Seats;

        /// Seats of the council at most.
        #[pallet::constant]
        type SeatsMax: Get<u32>;

        /// The validators' session keys.
        type SessionKeys: SessionKeys;

        /// Blocks of a session on a chain whose genesis says nothing else.
        #[pallet::constant]
        type SessionBlocks: Get<BlockNumberFor<Self>>;

        /// Transactions per block of an account with a role that was granted without an allowance.
        #[pallet::constant]
        type RoleAllowance: Get<u32>;

        /// Transactions per block of an account that only has a wallet.
        #[pallet::constant]
        type OwnerAllowance: Get<u32>;

        /// Bytes of one transaction of an account that only has a wallet.
        #[pallet::constant]
        type OwnerLengthMax: Get<u32>;

        /// Validators at most.
        #[pallet::constant]
        type ValidatorsMax: Get<u32>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The roles of every account that has any.
    #[pallet::storage]
    pub type Grants<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, RoleGrants, ValueQuery>;

    /// The validator set, sorted.
    #[pallet::storage]
    pub type Validators<T: Config> = StorageValue<_, BoundedVec<AccountId, T::ValidatorsMax>, ValueQuery>;

    /// Validators of the set that were caught breaking the rules of consensus, sorted. They make no
    /// blocks, and from the second session on they are no authorities, until they are reinstated.
    #[pallet::storage]
    pub type Suspended<T: Config> = StorageValue<_, BoundedVec<AccountId, T::ValidatorsMax>, ValueQuery>;

    /// The length of a session where genesis does not set one.
    #[pallet::type_value]
    pub fn DefaultSessionBlocks<T: Config>() -> BlockNumberFor<T> {
        T::SessionBlocks::get()
    }

    /// Blocks of a session. Set at genesis and never changed.
    #[pallet::storage]
    pub type SessionBlocks<T: Config> =
        StorageValue<_, BlockNumberFor<T>, ValueQuery, DefaultSessionBlocks<T>>;

    /// Transactions that each account has sent in the block being made. Empty between blocks.
    #[pallet::storage]
    pub type Sent<T: Config> = StorageMap<_, Twox64Concat, AccountId, u32, ValueQuery>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An account has a role from now on, or the role with another allowance.
        RoleGranted {
            /// Who.
            who: AccountId,
            /// Which role.
            role: Role,
            /// Transactions per block; `None`: the default.
            allowance: Option<u32>,
        },
        /// An account has a role no longer.
        RoleRevoked {
            /// Who.
            who: AccountId,
            /// Which role.
            role: Role,
        },
        /// An account joined the validator set. It makes blocks from the second session on after it
        /// has published its session keys.
        ValidatorAdded {
            /// Who.
            who: AccountId,
        },
        /// An account left the validator set. It stops making blocks with the second session from
        /// now.
        ValidatorRemoved {
            /// Who.
            who: AccountId,
        },
        /// A validator was proven to have broken the rules of consensus.
        ValidatorMisbehaved {
            /// Who.
            who: AccountId,
            /// What it did.
            misconduct: Misconduct,
            /// Whether it makes no blocks from now on. Where a third of the validators are suspended
            /// already, or there are fewer than four, it goes on: the council has to act.
            suspended: bool,
        },
        /// A suspended validator may make blocks again.
        ValidatorReinstated {
            /// Who.
            who: AccountId,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The account does not have this role, so there is nothing to revoke.
        RoleNotHeld,
        /// The account is the council's last member: grant the role to somebody else first.
        LastCouncilMember,
        /// The council has no free seat: revoke a member's role first.
        CouncilFull,
        /// The validator's role comes and goes with the validator set: use `add_validator` and
        /// `remove_validator`.
        RoleFollowsValidatorSet,
        /// An allowance of zero would lock the account out: revoke its role instead.
        ZeroAllowance,
        /// The account is in the validator set already.
        AlreadyValidator,
        /// The account is not in the validator set.
        NotValidator,
        /// No other validator has published session keys, and a chain without validators stops for
        /// good: add another one and wait for its keys first.
        LastValidator,
        /// The validator set is full: remove a validator first.
        TooManyValidators,
        /// The validator is not suspended, so there is nothing to reinstate.
        NotSuspended,
    }

    /// The first roles and validators of a chain.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The council: at least one account.
        pub council: Vec<AccountId>,
        /// The validator set: at least one account; each needs session keys in `session.keys` too.
        pub validators: Vec<AccountId>,
        /// Other roles: account, role, transactions per block (`null`: the default).
        pub members: Vec<(AccountId, Role, Option<u32>)>,
        /// Blocks of a session, at least ten; `null`: the runtime's default. Cannot be changed later.
        pub session_blocks: Option<u32>,
        /// Ties the configuration to its runtime.
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            // The SDK wants every pallet's default genesis to build, this empty one included.
            if self.council.is_empty() && self.validators.is_empty() && self.members.is_empty() {
                return;
            }
            assert!(!self.council.is_empty(), "roles.council is empty: nobody could ever grant a role");
            assert!(!self.validators.is_empty(), "roles.validators is empty: nobody would make blocks");
            for who in &self.council {
                Pallet::<T>::put_role(who, Role::Council, None);
            }
            for who in &self.validators {
                Pallet::<T>::put_validator(who)
                    .expect("roles.validators names an account twice, or too many");
            }
            if let Some(blocks) = self.session_blocks {
                assert!(
                    blocks >= SESSION_BLOCKS_MIN,
                    "roles.sessionBlocks is too short: a session has at least {SESSION_BLOCKS_MIN} blocks"
                );
                SessionBlocks::<T>::put(BlockNumberFor::<T>::from(blocks));
            }
            for (who, role, allowance) in &self.members {
                assert!(*role != Role::Validator, "roles.members names a validator: use roles.validators");
                assert!(*allowance != Some(0), "roles.members has an allowance of zero");
                Pallet::<T>::put_role(who, *role, *allowance);
            }
            assert!(
                T::Seats::members().len() <= T::SeatsMax::get() as usize,
                "roles.council and roles.members name more members of the council than it has seats"
            );
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_now: BlockNumberFor<T>) -> Weight {
            // For `on_finalize`: one search. What it removes is part of `check_admission`'s weight.
            T::DbWeight::get().reads(1)
        }

        fn on_finalize(_now: BlockNumberFor<T>) {
            let _all_removed = Sent::<T>::clear(u32::MAX, None);
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Gives `who` a role, or another allowance in a role it has. `allowance` counts
        /// transactions per block; `None` stands for the runtime's default.
        #[pallet::call_index(0)]
        #[pallet::weight((T::WeightInfo::grant_role(), DispatchClass::Operational))]
        pub fn grant_role(
            origin: OriginFor<T>,
            who: AccountId,
            role: Role,
            allowance: Option<u32>,
        ) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            ensure!(role != Role::Validator, Error::<T>::RoleFollowsValidatorSet);
            ensure!(allowance != Some(0), Error::<T>::ZeroAllowance);
            ensure!(role != Role::Council || Self::has_seat_for(&who), Error::<T>::CouncilFull);
            Self::put_role(&who, role, allowance);
            Self::deposit_event(Event::RoleGranted { who, role, allowance });
            Ok(())
        }

        /// Takes a role from `who`.
        #[pallet::call_index(1)]
        #[pallet::weight((T::WeightInfo::revoke_role(), DispatchClass::Operational))]
        pub fn revoke_role(origin: OriginFor<T>, who: AccountId, role: Role) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            ensure!(role != Role::Validator, Error::<T>::RoleFollowsValidatorSet);
            ensure!(Self::holds(&who, role), Error::<T>::RoleNotHeld);
            ensure!(role != Role::Council || T::Seats::members().len() > 1, Error::<T>::LastCouncilMember);
            Self::take_role(&who, role)?;
            Self::deposit_event(Event::RoleRevoked { who, role });
            Ok(())
        }

        /// Adds `who` to the validator set and gives it the validator's role. It then publishes its
        /// session keys with `session.set_keys`.
        #[pallet::call_index(2)]
        #[pallet::weight((T::WeightInfo::add_validator(), DispatchClass::Operational))]
        pub fn add_validator(origin: OriginFor<T>, who: AccountId) -> DispatchResult {
            T::ValidatorsOrigin::ensure_origin(origin)?;
            Self::put_validator(&who)?;
            Self::deposit_event(Event::ValidatorAdded { who });
            Ok(())
        }

        /// Removes `who` from the validator set, with its role and its session keys.
        #[pallet::call_index(3)]
        #[pallet::weight((T::WeightInfo::remove_validator(), DispatchClass::Operational))]
        pub fn remove_validator(origin: OriginFor<T>, who: AccountId) -> DispatchResult {
            T::ValidatorsOrigin::ensure_origin(origin)?;
            let mut validators = Validators::<T>::get();
            let at = validators.binary_search(&who).map_err(|_| Error::<T>::NotValidator)?;
            let _who = validators.remove(at);
            let mut suspended = Suspended::<T>::get();
            suspended.retain(|other| *other != who);
            ensure!(
                validators
                    .iter()
                    .any(|other| T::SessionKeys::registered(other) && !suspended.contains(other)),
                Error::<T>::LastValidator
            );
            Validators::<T>::put(validators);
            Suspended::<T>::put(suspended);
            // Keys first: while there are any, they keep the account's last provider reference.
            T::SessionKeys::forget(&who);
            Self::take_role(&who, Role::Validator)?;
            Self::deposit_event(Event::ValidatorRemoved { who });
            Ok(())
        }

        /// Lets a suspended validator make blocks again: at once if it still is an authority of this
        /// session, otherwise from the second session on.
        #[pallet::call_index(4)]
        #[pallet::weight((T::WeightInfo::reinstate_validator(), DispatchClass::Operational))]
        pub fn reinstate_validator(origin: OriginFor<T>, who: AccountId) -> DispatchResult {
            T::ValidatorsOrigin::ensure_origin(origin)?;
            Self::do_reinstate(who)
        }
    }

    impl<T: Config> Pallet<T> {
        /// Whether `who` has `role`.
        pub fn holds(who: &AccountId, role: Role) -> bool {
            Grants::<T>::get(who).iter().any(|grant| grant.role == role)
        }

        /// The roles of `who`.
        pub fn roles(who: &AccountId) -> Vec<Role> {
            Grants::<T>::get(who).iter().map(|grant| grant.role).collect()
        }

        /// All accounts with `role`. Walks over every account with any role: for runtime APIs only.
        pub fn members(role: Role) -> Vec<AccountId> {
            let holds = |grants: &RoleGrants| grants.iter().any(|grant| grant.role == role);
            Grants::<T>::iter().filter(|(_, grants)| holds(grants)).map(|(who, _)| who).collect()
        }

        /// Transactions per block that the most generous of `who`'s roles allows; `None`: no role.
        pub(crate) fn role_allowance(who: &AccountId) -> Option<u32> {
            let allowance = |grant: &RoleGrant| grant.allowance.unwrap_or_else(T::RoleAllowance::get);
            Grants::<T>::get(who).iter().map(allowance).max()
        }

        /// Transactions per block of an account without a role.
        pub(crate) fn owner_allowance() -> u32 {
            T::OwnerAllowance::get()
        }

        /// Whether `who` has a seat on the council, or there is a free one.
        fn has_seat_for(who: &AccountId) -> bool {
            let seats = T::Seats::members();
            seats.binary_search(who).is_ok() || (seats.len() as u32) < T::SeatsMax::get()
        }

        pub(crate) fn put_role(who: &AccountId, role: Role, allowance: Option<u32>) {
            let mut grants = Grants::<T>::get(who);
            match grants.binary_search_by_key(&role, |grant| grant.role) {
                Ok(at) => grants[at].allowance = allowance,
                Err(at) => {
                    if grants.is_empty() {
                        Self::admit(who);
                    }
                    if role == Role::Council {
                        T::Seats::add(who);
                    }
                    // There is room for every role once, and this one is not there yet.
                    let _inserted = grants
                        .try_insert(at, RoleGrant { role, allowance })
                        .map_err(|_| "an account holds each role at most once")
                        .defensive();
                }
            }
            Grants::<T>::insert(who, grants);
        }

        pub(crate) fn put_validator(who: &AccountId) -> DispatchResult {
            let mut validators = Validators::<T>::get();
            let Err(at) = validators.binary_search(who) else {
                return Err(Error::<T>::AlreadyValidator.into());
            };
            validators.try_insert(at, who.clone()).map_err(|_| Error::<T>::TooManyValidators)?;
            Validators::<T>::put(validators);
            Self::put_role(who, Role::Validator, None);
            Ok(())
        }

        fn take_role(who: &AccountId, role: Role) -> DispatchResult {
            let mut grants = Grants::<T>::get(who);
            grants.retain(|grant| grant.role != role);
            if role == Role::Council {
                T::Seats::remove(who);
            }
            if grants.is_empty() {
                Grants::<T>::remove(who);
                frame_system::Pallet::<T>::dec_providers(who).defensive()?;
            } else {
                Grants::<T>::insert(who, grants);
            }
            Ok(())
        }

        /// Lets `who` send transactions.
        ///
        /// The second reference stays when the roles go. It admits nobody, but keeps the account's
        /// nonce: were that to begin at zero again, whatever the account signed under its first
        /// grant could be sent once more under the next.
        fn admit(who: &AccountId) {
            frame_system::Pallet::<T>::inc_providers(who);
            if frame_system::Pallet::<T>::sufficients(who) == 0 {
                frame_system::Pallet::<T>::inc_sufficients(who);
            }
        }
    }

    impl<T: Config> stipend_primitives::ledger::Roles for Pallet<T> {
        fn has(who: &AccountId, role: Role) -> bool {
            Self::holds(who, role)
        }

        #[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
        fn grant(who: &AccountId, role: Role) {
            if role == Role::Validator {
                // An account that is in the set already has the role already.
                let _joined = Self::put_validator(who);
            } else {
                Self::put_role(who, role, None);
            }
        }
    }
}
