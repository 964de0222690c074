//! What a person does with their own key: named here, signed in their browser, followed until it is final.
//!
//! The service makes the transaction and carries it; the key never comes here. Each is made as of the newest
//! block in the tables and takes the number that the account has there. A transaction with that number can be
//! carried out only if the account did nothing since, so nothing that a page showed of the account's own doing
//! has changed under it: a double click, a second window or a lost answer cannot make the same act twice.

mod calls;
mod followed;
mod known;
mod words;

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use stipend_primitives::{key::KeyLimits, AccountId, Credits, EntitlementId, KeyHash, Moment, ProgramId};

pub use calls::{is_an_act, read_grants};
pub use followed::{Followed, Stage};
pub use known::Known;
pub use words::Summary;

/// An act, as a page or a program asks for it. Amounts are micro-credits as decimal strings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Make an API key known by the hash of its text.
    RegisterKey {
        /// BLAKE2b-256 of the key's text.
        hash: KeyHash,
        /// What it may do.
        limits: KeyLimits,
    },
    /// Replace all limits of an own API key.
    SetLimits {
        /// Which key.
        hash: KeyHash,
        /// What it may do from now on.
        limits: KeyLimits,
    },
    /// Make an API key useless.
    RevokeKey {
        /// Which key.
        hash: KeyHash,
    },
    /// Give credits of an own grant back to its program, for good.
    GiveBack {
        /// Which grant.
        entitlement: EntitlementId,
        /// How much.
        #[serde(with = "stipend_primitives::view::decimal")]
        amount: Credits,
    },
    /// Grant an entitlement (issuer).
    Grant {
        /// Who receives: an address, or the public key in hex.
        owner: String,
        /// Out of which program.
        program: ProgramId,
        /// How much.
        #[serde(with = "stipend_primitives::view::decimal")]
        amount: Credits,
        /// First moment of use; at once if left out.
        #[serde(default)]
        valid_from: Option<Moment>,
        /// First moment at which it is expired; never if left out.
        #[serde(default)]
        valid_until: Option<Moment>,
    },
    /// Grant a chunk of a list, unless the same chunk was granted before (issuer).
    GrantMany {
        /// The chunk as the check of the list gave it.
        grants: String,
        /// Blocks up to this one do not count as before: for a list that is granted again on purpose.
        #[serde(default)]
        after: Option<u32>,
    },
    /// Take unused credits of a grant back into its program; all of it without an amount (issuer).
    Revoke {
        /// Which grant.
        entitlement: EntitlementId,
        /// How much.
        #[serde(default, with = "stipend_primitives::view::decimal_option")]
        amount: Option<Credits>,
    },
    /// Stop or resume the use of somebody's wallets (issuer).
    Freeze {
        /// Whose: an address, or the public key in hex.
        owner: String,
        /// Stop, or resume.
        frozen: bool,
    },
    /// Withdraw all that somebody has, and revoke their keys (issuer).
    Offboard {
        /// Whose: an address, or the public key in hex.
        owner: String,
    },
}

impl Act {
    /// Whether it takes the role of an issuer. A key can be revoked by its owner, too.
    pub fn is_of_issuers(&self) -> bool {
        match self {
            Act::Grant { .. }
            | Act::GrantMany { .. }
            | Act::Revoke { .. }
            | Act::Freeze { .. }
            | Act::Offboard { .. } => true,
            Act::RegisterKey { .. }
            | Act::SetLimits { .. }
            | Act::RevokeKey { .. }
            | Act::GiveBack { .. } => false,
        }
    }
}

/// Why an act cannot be made: a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong(pub String);

impl Wrong {
    fn new(words: impl Into<String>) -> Self {
        Wrong(words.into())
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Reads an account: an address, or the public key in hex.
pub fn account(text: &str) -> Result<AccountId, String> {
    use sp_core::crypto::Ss58Codec;
    let text = text.trim();
    if let Some(digits) = text.strip_prefix("0x") {
        let mut bytes = [0; 32];
        if hex::decode_to_slice(digits, &mut bytes).is_ok() {
            return Ok(AccountId::new(bytes));
        }
    }
    AccountId::from_ss58check(text).map_err(|_| {
        format!("\"{text}\" is not an account: write its address (5…) or its public key (0x and 64 hex digits); look for a mistyped character")
    })
}

/// Credits per class or program, added up.
pub type Sums<K> = BTreeMap<K, Credits>;
