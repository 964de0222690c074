//! How awards reach wallets.

use sp_runtime::DispatchError;

use crate::ids::{AccountId, ClassId, Credits, EntitlementId, Moment, ProgramId};

/// Who grants what outcomes earn: an account that nobody has the key of, because its public key is a text.
pub const ISSUER: AccountId = AccountId::new(*b"stipend/merit: earned by outcome");

/// What was taken of an entitlement, and what is left in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Micro-credits taken.
    pub taken: Credits,
    /// Micro-credits of the entitlement that are spent or reserved.
    pub used: Credits,
}

/// Who grants awards and takes them back. Kept by `pallet-entitlements`.
pub trait Awards {
    /// What a program grants; `None` if there is no such program.
    fn class_of(program: ProgramId) -> Option<ClassId>;

    /// Whether `who` owns the program or one above it.
    fn manages(who: &AccountId, program: ProgramId) -> bool;

    /// Grants `amount` out of a program's budget, from now until `valid_until`. Refused to whoever holds no
    /// entitlement: what is earned is earned with something. Refused, too, where it would leave less than half of
    /// a wallet's room to what people grant.
    fn award(
        program: ProgramId,
        owner: &AccountId,
        amount: Credits,
        valid_until: Moment,
    ) -> Result<EntitlementId, DispatchError>;

    /// Takes up to `amount` of what is available of an entitlement back into its program. No other entitlement is
    /// touched.
    fn take_back(entitlement: EntitlementId, amount: Credits) -> TakenBack;

    /// Gives `owner` a wallet in `class`, and makes a program with `budget` for awards; for benchmarks.
    #[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
    fn endow_awards(owner: &AccountId, class: ClassId, budget: Credits) -> ProgramId;
}
