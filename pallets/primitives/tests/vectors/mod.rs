//! The values behind the vectors. They are fixed for ever and mean nothing.

mod ledger;
mod receipts;
mod settlement;
mod views;

pub use ledger::{ids, key, mint, price, signing};
pub use receipts::{batch, leaf, merkle};
pub use settlement::{attestation, vote};
pub use views::view;

use codec::Encode;
use sp_core::{ed25519, Pair, H256};
use stipend_primitives::AccountId;

/// The genesis hash of the chain that the vectors are signed for.
pub const GENESIS: H256 = H256([0xab; 32]);

/// The key with the seed `[number; 32]`.
pub fn pair(number: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[number; 32])
}

/// Its account.
pub fn account(number: u8) -> AccountId {
    AccountId::new(pair(number).public().0)
}

/// Its signature.
pub fn signature(number: u8, payload: &[u8; 32]) -> [u8; 64] {
    pair(number).sign(payload).0
}

pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

pub fn scale(value: &impl Encode) -> String {
    hex(value.encode())
}

/// The value's JSON and its SCALE encoding.
pub fn both(value: &(impl Encode + serde::Serialize)) -> serde_json::Value {
    serde_json::json!({ "json": value, "scale": scale(value) })
}
