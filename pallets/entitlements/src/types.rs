//! What the pallet stores, and every bound with its reason.

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use stipend_primitives::{
    energy::EnergyBudget, mint::Grant, AccountId, ClassId, Credits, EntitlementId, KeyHash, Moment, Name,
    ProgramId,
};

/// Classes in the registry: offboarding visits every class that an owner holds.
pub const CLASSES_MAX: u32 = 32;

/// Programs on the chain: one per team, class and year of a large company, and listed in one answer.
pub const PROGRAMS_MAX: u32 = 16_384;

/// Programs that only the council makes: a program owner's key cannot use up the last numbers.
pub const PROGRAMS_FOR_COUNCIL: u32 = 1_024;

/// Programs from a root down to the lowest: company, division, department, team, and as many again.
/// Each mint walks up this far.
pub const PROGRAM_DEPTH_MAX: u32 = 8;

/// Micro-credits in one program, 10^18 credits: sums over all programs stay far below `u128::MAX`.
pub const BUDGET_MAX: Credits = 1_000_000_000_000_000_000_000_000;

/// Baskets on the chain: a template for every kind of job.
pub const BASKETS_MAX: u32 = 1_024;

/// Lines of one basket: several times the classes that exist today.
pub const BASKET_LINES_MAX: u32 = 16;

/// Grants in one `mint_many`: about 40 kB and a small part of a block's time.
pub const MINTS_MAX: u32 = 512;

/// Entitlements of one owner and class that still hold credits: five years of monthly grants. A mint
/// beyond it is refused.
pub const SLICES_MAX: u32 = 64;

/// Entitlements of one owner and class that still hold credits, beyond which no award is granted: whatever
/// evaluators record, half of the room is left to issuers.
pub const AWARD_SLICES_MAX: u32 = SLICES_MAX / 2;

/// Slices that a wallet has room for: refunds bring archived entitlements back, and that must not
/// fail because the wallet was minted full.
pub const SLICES_ROOM: u32 = 2 * SLICES_MAX;

/// Gateways that can hold a reservation on one wallet and class at a time.
pub const RESERVATIONS_MAX: u32 = 8;

/// Days on which reservations can lapse: today, and the eight after it. A reservation lasts seven.
pub const LAPSE_DAYS_MAX: u32 = 9;

/// Rows in one `reserve_many` or `release`: about 220 kB, a tenth of a block's time.
pub const RESERVE_ROWS_MAX: u32 = 4_096;

/// Classes that one `register_key` reserves in.
pub const KEY_RESERVE_ROWS_MAX: u32 = 16;

/// API keys of one owner: one per application.
pub const KEYS_MAX: u32 = 32;

/// Keys in one answer of `api_keys`: about 2 MB.
pub const KEYS_PAGE_MAX: u32 = 8_192;

/// Blocks that a signed mint request waits in the pool; afterwards its sender sends it again.
pub const MINT_LONGEVITY: u64 = 256;

/// Pool priority of a signed mint request: that of a transaction which its issuer sends itself.
pub const MINT_PRIORITY: u64 = 1_000;

/// What was granted. Written once, never changed, never removed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Entitlement {
    /// Whose it is, for ever.
    pub owner: AccountId,
    /// What it buys.
    pub class: ClassId,
    /// Who granted it.
    pub issuer: AccountId,
    /// The budget that it came from.
    pub program: ProgramId,
    /// Micro-credits granted.
    pub granted: Credits,
    /// First moment of use.
    pub valid_from: Moment,
    /// First moment at which it is expired; `None`: never.
    pub valid_until: Option<Moment>,
}

/// Where the credits of one entitlement are, while it has a place in its wallet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Slice {
    /// The entitlement.
    #[codec(compact)]
    pub id: EntitlementId,
    /// Where burnt credits go back to.
    #[codec(compact)]
    pub program: ProgramId,
    /// First moment of use.
    #[codec(compact)]
    pub valid_from: Moment,
    /// First moment at which it is expired; `None`: never.
    pub valid_until: Option<Moment>,
    /// Free to be reserved or charged.
    #[codec(compact)]
    pub available: Credits,
    /// Set aside for gateways.
    #[codec(compact)]
    pub reserved: Credits,
    /// Charged, refunds taken off.
    #[codec(compact)]
    pub spent: Credits,
    /// Not used in time.
    #[codec(compact)]
    pub expired: Credits,
    /// Taken or given back to the program.
    #[codec(compact)]
    pub revoked: Credits,
    /// Withdrawn as a whole: whatever becomes available again is revoked.
    pub closing: bool,
}

/// Credits moved aside for one gateway. Never zero.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Reservation {
    /// Who may charge them.
    pub gateway: AccountId,
    /// Micro-credits.
    #[codec(compact)]
    pub amount: Credits,
    /// First moment at which they are no longer reserved.
    #[codec(compact)]
    pub expires_at: Moment,
}

/// What all reservations that lapse on one day have set aside.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Lapsing {
    /// Days since the Unix epoch.
    #[codec(compact)]
    pub day: u64,
    /// Micro-credits. Never zero.
    #[codec(compact)]
    pub amount: Credits,
}

/// What the credits of one class hold of energy, and how much they may.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct EnergyAccount {
    /// What the council set; `None`: no limit, and nothing is counted as used.
    pub budget: Option<EnergyBudget>,
    /// Nanojoules used in the period.
    #[codec(compact)]
    pub used_nj: u128,
    /// First moment of the next period.
    #[codec(compact)]
    pub period_ends_at: Moment,
    /// Micro-credits charged in batches that are not settled, so that nobody knows what they took.
    #[codec(compact)]
    pub unsettled: Credits,
    /// What wallets have reserved, by the day on which it lapses: what was to lapse before today counts no
    /// longer, though its wallet may not be written yet.
    pub reserved: BoundedVec<Lapsing, ConstU32<LAPSE_DAYS_MAX>>,
}

/// Sums over a wallet's archived entitlements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct ArchiveTotals {
    /// Charged, refunds taken off.
    #[codec(compact)]
    pub spent: Credits,
    /// Not used in time.
    #[codec(compact)]
    pub expired: Credits,
    /// Taken or given back to the program.
    #[codec(compact)]
    pub revoked: Credits,
    /// The one archived last of those that a refund can still reach.
    pub newest: Option<EntitlementId>,
}

/// All that one owner holds in one class: one storage item, so that all receipts of a batch for this
/// wallet cost one read and one write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Wallet {
    /// Entitlements in the order in which they are used: earliest expiry first, then lowest number.
    pub slices: BoundedVec<Slice, ConstU32<SLICES_ROOM>>,
    /// One per gateway; their sum is the sum of what the slices have reserved.
    pub reservations: BoundedVec<Reservation, ConstU32<RESERVATIONS_MAX>>,
    /// The owner is frozen: a copy of [`Owner::frozen`], so that a charge reads nothing else.
    pub frozen: bool,
    /// Entitlements below this number were withdrawn when the owner was offboarded; says so of the
    /// archived ones, which offboarding does not visit.
    #[codec(compact)]
    pub closed_before: EntitlementId,
    /// What was moved out of the wallet because nothing was left in it to use.
    pub archive: ArchiveTotals,
}

/// Where the credits of an archived entitlement went. Nothing of it is available or reserved.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Archived {
    /// Charged, refunds taken off.
    #[codec(compact)]
    pub spent: Credits,
    /// Not used in time.
    #[codec(compact)]
    pub expired: Credits,
    /// Taken or given back to the program.
    #[codec(compact)]
    pub revoked: Credits,
    /// See [`Slice::closing`].
    pub closing: bool,
    /// The one archived before it among those that a refund can still reach.
    pub below: Option<EntitlementId>,
}

/// What is known of an account that was ever granted an entitlement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Owner {
    /// Entitlements that were not withdrawn as a whole.
    #[codec(compact)]
    pub held: u32,
    /// Nothing available can be reserved, charged or given back.
    pub frozen: bool,
    /// Whether the account has this pallet's provider reference, which admits it to the pool.
    pub admitted: bool,
}

/// What an issuer minted in one class in its period, and what it may.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Issuance {
    /// The class.
    pub class: ClassId,
    /// Micro-credits minted in the period. Nothing that comes back lowers it.
    #[codec(compact)]
    pub minted: Credits,
    /// The largest allowance under which some of them were minted: `minted` never exceeds it, though the
    /// council may have lowered the allowance since.
    #[codec(compact)]
    pub ceiling: Credits,
    /// Micro-credits per period that the council set; `None`: the runtime's default.
    pub allowed: Option<Credits>,
}

/// What an issuer minted lately and may mint. It outlives the role, so that losing and regaining the role
/// renews nothing; without the role it counts for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Issuer {
    /// The period in which `minted` was counted: Unix time over the length of a period.
    #[codec(compact)]
    pub period: u64,
    /// Classes with anything minted in that period or set by the council, by number.
    pub classes: BoundedVec<Issuance, ConstU32<CLASSES_MAX>>,
}

/// One line of a basket: the budget, micro-credits, and for how many milliseconds from the mint on
/// (`None`: for ever).
pub type BasketLine = (ProgramId, Credits, Option<Moment>);

/// The lines of a basket.
pub type BasketLines = BoundedVec<BasketLine, ConstU32<BASKET_LINES_MAX>>;

/// A named template of several grants.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Basket {
    /// Who set it: nobody else changes it or mints it.
    pub issuer: AccountId,
    /// Its name.
    pub name: Name,
    /// What it grants.
    pub lines: BasketLines,
}

/// The entitlements that one grant made.
pub type MintedIds = BoundedVec<EntitlementId, ConstU32<BASKET_LINES_MAX>>;

/// Grants to several owners.
pub type Grants = BoundedVec<(AccountId, Grant), ConstU32<MINTS_MAX>>;

/// The hashes of one owner's keys.
pub type KeyHashes = BoundedVec<KeyHash, ConstU32<KEYS_MAX>>;

/// Wallets, classes and micro-credits to reserve or to release.
pub type ReserveRows = BoundedVec<(AccountId, ClassId, Credits), ConstU32<RESERVE_ROWS_MAX>>;

/// The first reservation of a key: for which gateway, and micro-credits per class.
pub type FirstReservation = (AccountId, BoundedVec<(ClassId, Credits), ConstU32<KEY_RESERVE_ROWS_MAX>>);

/// Credits that were withdrawn and go back to the programs they came from.
pub type Burns = alloc::vec::Vec<(ProgramId, Credits)>;
