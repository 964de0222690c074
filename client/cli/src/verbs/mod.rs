//! The verbs: one file per group.

pub(crate) mod api_keys;
pub(crate) mod baskets;
pub(crate) mod classes;
pub(crate) mod council;
pub(crate) mod directory;
pub(crate) mod documents;
pub(crate) mod energy;
pub(crate) mod entitlements;
pub(crate) mod evidence;
pub(crate) mod health;
pub(crate) mod keys;
pub(crate) mod mint;
pub(crate) mod network;
pub(crate) mod owners;
pub(crate) mod policies;
pub(crate) mod prices;
pub(crate) mod programs;
pub(crate) mod providers;
pub(crate) mod receipts;
pub(crate) mod roles;
pub(crate) mod settlement;
pub(crate) mod sign_in;
pub(crate) mod simulate;
pub(crate) mod statement;
pub(crate) mod validators;
pub(crate) mod wallet;
