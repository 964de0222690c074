#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

use frame_support::pallet_macros::import_section;

pub use pallet::*;

pub use genesis::{GenesisBasket, GenesisClass, GenesisLine, GenesisProgram};
pub use policies::{Kind, Member, KINDS_MAX};
pub use types::*;
pub use weights::WeightInfo;

mod allowances;
mod archive;
mod awards;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod energy;
mod genesis;
mod keys;
mod ledger;
mod mint;
#[cfg(test)]
mod mock;
mod outcomes;
mod owners;
pub(crate) mod policies;
mod programs;
mod requests;
mod reservations;
#[cfg(test)]
mod tests;
mod totals;
#[cfg(any(test, feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
mod views;
mod wallet;
pub mod weights;
mod withdrawal;

/// Events and errors stand in `outcomes.rs`.
#[import_section(outcomes::outcomes)]
#[frame_support::pallet]
pub mod pallet {
    use alloc::vec::Vec;
    use core::marker::PhantomData;

    use frame_support::{pallet_prelude::*, traits::Time};
    use frame_system::pallet_prelude::*;
    use sp_core::H256;
    use stipend_primitives::{
        energy::EnergyBudget,
        key::{ApiKey, KeyLimits},
        ledger::Roles,
        mint::{Cosignature, Grant, MintRequest},
        policy::{KindId, Policy},
        settlement::UnattestedPolicy,
        view::{Class, Program},
        AccountId, BasketId, ClassId, Credits, EntitlementId, KeyHash, Moment, Name, ProgramId, Role,
        Signature,
    };

    use crate::{
        energy::account::DAY_MS,
        genesis::*,
        mint::lines_max,
        policies::{Kind, Member},
        types::*,
        WeightInfo,
    };

    /// Layout of the state. A change of it comes with a migration in the runtime.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(3);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId, Hash = H256>
    {
        /// Who registers classes and funds programs.
        type CouncilOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Who is an issuer and who a gateway.
        type Roles: Roles;

        /// The time of this block, Unix time in ms.
        type Time: Time<Moment = Moment>;

        /// How long the reservation made with a new API key lasts, in ms.
        #[pallet::constant]
        type FirstReservationLifetime: Get<Moment>;

        /// How far ahead a reservation may end, in ms: what a lost gateway can hold up.
        #[pallet::constant]
        type ReservationLifetimeMax: Get<Moment>;

        /// Length of the periods of mint allowances, in ms. They follow each other from the Unix epoch on.
        #[pallet::constant]
        type MintPeriod: Get<Moment>;

        /// Micro-credits that an issuer may mint per class and period, unless the council set another
        /// amount: what a stolen key is worth.
        #[pallet::constant]
        type MintAllowance: Get<Credits>;

        /// Micro-credits in one grant, all its lines together, above which two issuers must sign.
        #[pallet::constant]
        type LargeMint: Get<Credits>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The registry of classes.
    #[pallet::storage]
    pub type Classes<T: Config> = CountedStorageMap<_, Twox64Concat, ClassId, Class>;

    /// The number of the next program.
    #[pallet::storage]
    pub type NextProgramId<T: Config> = StorageValue<_, ProgramId, ValueQuery>;

    /// The budgets that entitlements are minted from.
    #[pallet::storage]
    pub type Programs<T: Config> = StorageMap<_, Twox64Concat, ProgramId, Program>;

    /// Templates of several grants.
    #[pallet::storage]
    pub type Baskets<T: Config> = CountedStorageMap<_, Twox64Concat, BasketId, Basket>;

    /// The number of the next entitlement. Numbers are never used again.
    #[pallet::storage]
    pub type NextEntitlementId<T: Config> = StorageValue<_, EntitlementId, ValueQuery>;

    /// What was granted; where its credits are is in [`Wallets`] or in [`Archive`].
    #[pallet::storage]
    pub type Entitlements<T: Config> = StorageMap<_, Twox64Concat, EntitlementId, Entitlement>;

    /// The entitlements of each owner.
    #[pallet::storage]
    pub type OwnedBy<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, EntitlementId, ()>;

    /// Accounts that were ever granted an entitlement.
    #[pallet::storage]
    pub type Owners<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Owner>;

    /// One wallet per owner and class. A block reads and writes thousands, so the keys are hashed as
    /// cheaply as is safe: only issuers choose who gets a wallet, and only the council makes classes.
    #[pallet::storage]
    pub type Wallets<T: Config> = StorageDoubleMap<_, Twox64Concat, AccountId, Identity, ClassId, Wallet>;

    /// Entitlements with nothing left to use, moved out of their wallets to keep those small.
    #[pallet::storage]
    pub type Archive<T: Config> = StorageMap<_, Twox64Concat, EntitlementId, Archived>;

    /// What each signed mint request made, by issuer and idempotency key.
    #[pallet::storage]
    pub type Minted<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Blake2_128Concat, [u8; 16], MintedIds>;

    /// What each issuer minted lately and may mint.
    #[pallet::storage]
    pub type Issuers<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Issuer>;

    /// What the credits of each class hold of energy, and how much they may; nothing is stored of a class
    /// without either.
    #[pallet::storage]
    pub type Energy<T: Config> = StorageMap<_, Twox64Concat, ClassId, EnergyAccount, ValueQuery>;

    /// API keys by hash.
    #[pallet::storage]
    pub type Keys<T: Config> = StorageMap<_, Blake2_128Concat, KeyHash, ApiKey>;

    /// The hashes of each owner's keys.
    #[pallet::storage]
    pub type KeysOf<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, KeyHashes, ValueQuery>;

    /// The kinds of wallets that the council made. None is ever removed.
    #[pallet::storage]
    pub type Kinds<T: Config> = CountedStorageMap<_, Twox64Concat, KindId, Kind>;

    /// Whose wallets are of such a kind; nothing is stored of an employee.
    #[pallet::storage]
    pub type KindOf<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Member>;

    /// The first classes, programs and baskets of a chain.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Classes.
        pub classes: Vec<GenesisClass>,
        /// Programs, numbered from 0 in this order.
        pub programs: Vec<GenesisProgram>,
        /// Baskets.
        pub baskets: Vec<GenesisBasket>,
        /// Ties the configuration to its runtime.
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            Pallet::<T>::build_genesis(&self.classes, &self.programs, &self.baskets);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::FirstReservationLifetime::get() > 0
                    && T::FirstReservationLifetime::get() <= T::ReservationLifetimeMax::get(),
                "the first reservation of a key must be one that a gateway could make"
            );
            assert!(T::MintPeriod::get() > 0, "a period of no length never ends");
            assert!(
                T::ReservationLifetimeMax::get() <= DAY_MS * u64::from(LAPSE_DAYS_MAX - 1),
                "reservations must lapse within the days that a class counts them by"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Adds a class to the registry.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register_class())]
        pub fn register_class(
            origin: OriginFor<T>,
            id: ClassId,
            name: Name,
            unattested: UnattestedPolicy,
        ) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_register_class(id, name, unattested)
        }

        /// Makes a root program: new credits of one class for `owner` to mint.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::create_program())]
        pub fn create_program(
            origin: OriginFor<T>,
            name: Name,
            class: ClassId,
            owner: AccountId,
            budget: Credits,
        ) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_create_program(name, class, owner, budget).map(|_| ())
        }

        /// Makes a program below one that the signer owns, out of its unminted credits.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::delegate_program())]
        pub fn delegate_program(
            origin: OriginFor<T>,
            parent: ProgramId,
            name: Name,
            owner: AccountId,
            budget: Credits,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_delegate_program(&who, parent, name, owner, budget)
        }

        /// Adds new credits to a program; they are counted in every program above it too.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::increase_budget())]
        pub fn increase_budget(origin: OriginFor<T>, program: ProgramId, amount: Credits) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_increase_budget(program, amount)
        }

        /// Sets what a basket grants. Without lines the basket is removed.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::set_basket(lines.len() as u32))]
        pub fn set_basket(
            origin: OriginFor<T>,
            id: BasketId,
            name: Name,
            lines: BasketLines,
        ) -> DispatchResult {
            let issuer = Self::ensure_issuer(origin)?;
            Self::do_set_basket(issuer, id, name, lines)
        }

        /// Grants an entitlement, or all of a basket, to `owner`, as far as the policy of its kind permits.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::mint(lines_max(grant)))]
        pub fn mint(origin: OriginFor<T>, owner: AccountId, grant: Grant) -> DispatchResultWithPostInfo {
            let issuer = Self::ensure_issuer(origin)?;
            let ids = Self::do_mint(&issuer, &owner, &grant)?;
            Ok(Some(T::WeightInfo::mint(ids.len() as u32)).into())
        }

        /// Grants to several owners: all of it, or nothing if one of the grants is refused.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::mint_many(grants.iter().map(|(_, grant)| lines_max(grant)).sum()))]
        pub fn mint_many(origin: OriginFor<T>, grants: Grants) -> DispatchResultWithPostInfo {
            let issuer = Self::ensure_issuer(origin)?;
            let minted = Self::do_mint_many(&issuer, &grants)?;
            Ok(Some(T::WeightInfo::mint_many(minted)).into())
        }

        /// Carries out a request that an issuer signed off-chain, once. Anybody may carry it here. A large
        /// one carries a second issuer's signature over the same bytes.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::mint_signed(lines_max(&request.grant)))]
        #[pallet::authorize(|_source, request, signature, cosignature| {
            Pallet::<T>::authorize_mint(request, signature, cosignature.as_ref())
        })]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_mint_signed(lines_max(&request.grant)))]
        pub fn mint_signed(
            origin: OriginFor<T>,
            request: MintRequest,
            signature: Signature,
            cosignature: Option<Cosignature>,
        ) -> DispatchResultWithPostInfo {
            ensure_authorized(origin)?;
            // `authorize_mint` has verified both signatures on the same state.
            let _ = signature;
            let minted = Self::do_mint_requested(&request, cosignature.as_ref())?;
            Ok(Some(T::WeightInfo::mint_signed(minted)).into())
        }

        /// Takes available credits of an entitlement back into its program. Without an amount the
        /// entitlement is withdrawn as a whole: what gateways have reserved of it follows as they
        /// release it, and refunds go to the program.
        #[pallet::call_index(8)]
        #[pallet::weight((T::WeightInfo::revoke(), DispatchClass::Operational))]
        pub fn revoke(origin: OriginFor<T>, id: EntitlementId, amount: Option<Credits>) -> DispatchResult {
            let issuer = Self::ensure_issuer(origin)?;
            Self::do_revoke(&issuer, id, amount)
        }

        /// Stops or resumes the use of an owner's wallets. While frozen, only what gateways have
        /// reserved already can be charged.
        #[pallet::call_index(9)]
        #[pallet::weight((T::WeightInfo::freeze(CLASSES_MAX), DispatchClass::Operational))]
        pub fn freeze(origin: OriginFor<T>, owner: AccountId, frozen: bool) -> DispatchResultWithPostInfo {
            Self::ensure_issuer(origin)?;
            let wallets = Self::do_freeze(owner, frozen)?;
            Ok(Some(T::WeightInfo::freeze(wallets)).into())
        }

        /// Withdraws all entitlements of an owner, revokes all keys, and makes it an employee again. What
        /// gateways have reserved stays chargeable until they release it or the reservation ends.
        #[pallet::call_index(10)]
        #[pallet::weight((T::WeightInfo::offboard(CLASSES_MAX * SLICES_ROOM), DispatchClass::Operational))]
        pub fn offboard(origin: OriginFor<T>, owner: AccountId) -> DispatchResultWithPostInfo {
            Self::ensure_issuer(origin)?;
            let slices = Self::do_offboard(owner)?;
            Ok(Some(T::WeightInfo::offboard(slices)).into())
        }

        /// Gives available credits of an own entitlement back to its program, for good.
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::give_back())]
        pub fn give_back(origin: OriginFor<T>, id: EntitlementId, amount: Credits) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_give_back(who, id, amount)
        }

        /// Makes an API key known by the hash of its text, and optionally reserves credits for the
        /// gateway where it will be used first.
        #[pallet::call_index(12)]
        #[pallet::weight(T::WeightInfo::register_key(
            reserve.as_ref().map_or(0, |(_, rows)| rows.len() as u32)
        ))]
        pub fn register_key(
            origin: OriginFor<T>,
            hash: KeyHash,
            limits: KeyLimits,
            reserve: Option<FirstReservation>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_register_key(who, hash, limits, reserve)
        }

        /// Makes an API key useless. Its owner can, and any issuer.
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::revoke_key())]
        pub fn revoke_key(origin: OriginFor<T>, hash: KeyHash) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_revoke_key(&who, hash)
        }

        /// Replaces the limits of an own API key.
        #[pallet::call_index(14)]
        #[pallet::weight(T::WeightInfo::set_limits())]
        pub fn set_limits(origin: OriginFor<T>, hash: KeyHash, limits: KeyLimits) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_limits(&who, hash, limits)
        }

        /// Sets credits aside for the gateway that signs, until `expires_at`. A row that its wallet
        /// cannot cover is skipped; a reservation that is there already grows by the row's amount and
        /// ends at the later of the two moments.
        #[pallet::call_index(15)]
        #[pallet::weight((T::WeightInfo::reserve_many(rows.len() as u32), DispatchClass::Operational))]
        pub fn reserve_many(origin: OriginFor<T>, rows: ReserveRows, expires_at: Moment) -> DispatchResult {
            let gateway = Self::ensure_gateway(origin)?;
            Self::do_reserve_many(gateway, rows, expires_at)
        }

        /// Lets reserved credits of the gateway that signs go, at most what it has reserved.
        #[pallet::call_index(16)]
        #[pallet::weight((T::WeightInfo::release(rows.len() as u32), DispatchClass::Operational))]
        pub fn release(origin: OriginFor<T>, rows: ReserveRows) -> DispatchResult {
            let gateway = Self::ensure_gateway(origin)?;
            Self::do_release(gateway, rows);
            Ok(())
        }

        /// Sets how many micro-credits of a class an issuer may mint per period; `None` stands for the
        /// runtime's default. Counts at once: what was minted in this period already is taken off.
        #[pallet::call_index(17)]
        #[pallet::weight((T::WeightInfo::set_mint_allowance(), DispatchClass::Operational))]
        pub fn set_mint_allowance(
            origin: OriginFor<T>,
            issuer: AccountId,
            class: ClassId,
            amount: Option<Credits>,
        ) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_set_mint_allowance(issuer, class, amount)
        }

        /// Sets how much energy the credits of a class may cost in a period; `None`: as much as they do.
        /// Counts at once: what was used in this period already, and what is held, is taken off.
        #[pallet::call_index(18)]
        #[pallet::weight((T::WeightInfo::set_energy_budget(), DispatchClass::Operational))]
        pub fn set_energy_budget(
            origin: OriginFor<T>,
            class: ClassId,
            budget: Option<EnergyBudget>,
        ) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_set_energy_budget(class, budget)
        }

        /// Makes a kind of wallet, or sets its policy anew; counts at once. What its wallets hold already
        /// stays theirs and counts.
        #[pallet::call_index(19)]
        #[pallet::weight((T::WeightInfo::set_policy(policy.classes.len() as u32), DispatchClass::Operational))]
        pub fn set_policy(origin: OriginFor<T>, kind: KindId, name: Name, policy: Policy) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_set_policy(kind, name, policy)
        }

        /// Says of which kind an owner's wallets are, before the first grant or after it; 0 is an employee.
        /// What they hold already stays theirs and counts.
        #[pallet::call_index(20)]
        #[pallet::weight(T::WeightInfo::set_kind())]
        pub fn set_kind(origin: OriginFor<T>, owner: AccountId, kind: KindId) -> DispatchResult {
            let issuer = Self::ensure_issuer(origin)?;
            Self::do_set_kind(issuer, owner, kind)
        }
    }

    impl<T: Config> Pallet<T> {
        fn ensure_issuer(origin: OriginFor<T>) -> Result<AccountId, DispatchError> {
            let who = ensure_signed(origin)?;
            ensure!(T::Roles::has(&who, Role::Issuer), Error::<T>::NotIssuer);
            Ok(who)
        }

        fn ensure_gateway(origin: OriginFor<T>) -> Result<AccountId, DispatchError> {
            let who = ensure_signed(origin)?;
            ensure!(T::Roles::has(&who, Role::Gateway), Error::<T>::NotGateway);
            Ok(who)
        }
    }
}
