//! The types of this pallet.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use stipend_primitives::Role;

/// As many as there are roles: an account holds each at most once.
pub const ROLES_MAX: u32 = 7;

/// A role as one account holds it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct RoleGrant {
    /// The role.
    pub role: Role,
    /// Transactions per block that the role allows; `None`: as many as the runtime's default.
    pub allowance: Option<u32>,
}

/// The roles of one account, sorted by role, each once.
pub type RoleGrants = BoundedVec<RoleGrant, ConstU32<ROLES_MAX>>;

/// How a validator can break the rules of consensus.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Misconduct {
    /// It made two different blocks in one slot.
    #[codec(index = 0)]
    TwoBlocks,
    /// It voted for two different blocks in one round of GRANDPA.
    #[codec(index = 1)]
    TwoVotes,
}
