//! What the council votes on, as the runtime API shows it.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;

use crate::ids::{AccountId, BlockNumber};

/// A proposal that the council votes on.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct Motion {
    /// BLAKE2b-256 of the proposed call: what a vote names.
    pub hash: H256,
    /// Number of the proposal, counted from the chain's beginning.
    pub index: u32,
    /// Approvals with which it can be closed before its time is over, as whoever proposed it chose.
    pub approvals: u32,
    /// Who approved.
    pub yes: Vec<AccountId>,
    /// Who rejected.
    pub no: Vec<AccountId>,
    /// Block from which on it can be closed whatever the votes; who has not voted by then has not
    /// approved.
    pub ends_at: BlockNumber,
    /// SCALE encoding of the proposed call, in JSON as hex digits.
    #[serde(with = "sp_core::bytes")]
    pub call: Vec<u8>,
}
