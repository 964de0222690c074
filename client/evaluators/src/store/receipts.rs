//! Receipts that were handed in: which wallet's compute it was.

use rusqlite::{params, Connection, OptionalExtension, Row};
use stipend_primitives::AccountId;
use stipend_sdk::proof::SignedReceipt;

use super::{Answer, Store};
use crate::outcome::ReceiptId;

/// What became of a receipt that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandedIn {
    /// It is known now.
    New,
    /// It was known before.
    Known,
    /// Another receipt with its id was known before; that one counts.
    Contradicts,
}

/// What is known of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: ReceiptId,
    pub(super) wallet: AccountId,
    gateway: AccountId,
    sequence: u64,
    model: String,
    class: u16,
    cost: String,
}

impl Known {
    /// For the report.
    pub(super) fn describe(&self) -> String {
        let Known { gateway, sequence, model, class, cost, .. } = self;
        format!("{cost} micro-credits of class {class}; {model}; number {sequence} of gateway {gateway}")
    }

    /// Micro-credits; 0 where they cannot be read, which does not happen with what was written here.
    pub(super) fn cost(&self) -> u128 {
        self.cost.parse().unwrap_or_default()
    }
}

impl Store {
    /// Keeps a receipt whose signature, gateway and chain were checked.
    pub fn hand_in(&mut self, signed: &SignedReceipt) -> Answer<HandedIn> {
        let receipt = signed.receipt();
        let id = ReceiptId(receipt.id);
        self.transaction(|connection, _| {
            if let Some(known) = known(connection, &id)? {
                let is_same = known.wallet == receipt.wallet
                    && known.gateway == receipt.gateway
                    && known.sequence == receipt.sequence;
                return Ok(if is_same { HandedIn::Known } else { HandedIn::Contradicts });
            }
            let model = receipt.model_name.clone().unwrap_or_else(|| format!("model {}", receipt.model.0));
            connection.execute(
                "INSERT INTO receipts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    id.0,
                    bytes(&receipt.wallet),
                    bytes(&receipt.gateway),
                    receipt.sequence as i64,
                    model,
                    receipt.class.0,
                    receipt.cost.to_string(),
                    signed.bytes()
                ],
            )?;
            Ok(HandedIn::New)
        })
    }

    /// Those that were not handed in.
    pub fn unknown(&self, ids: &[ReceiptId]) -> Answer<Vec<ReceiptId>> {
        let mut unknown = Vec::new();
        for id in ids {
            if known(&self.connection, id)?.is_none() {
                unknown.push(*id);
            }
        }
        Ok(unknown)
    }
}

/// What is known of a receipt, if it was handed in.
pub(super) fn known(connection: &Connection, id: &ReceiptId) -> Answer<Option<Known>> {
    let read = |row: &Row| {
        Ok(Known {
            id: *id,
            wallet: AccountId::new(row.get(0)?),
            gateway: AccountId::new(row.get(1)?),
            sequence: row.get::<_, i64>(2)? as u64,
            model: row.get(3)?,
            class: row.get(4)?,
            cost: row.get(5)?,
        })
    };
    let sql = "SELECT wallet, gateway, sequence, model, class, cost FROM receipts WHERE id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([id.0], read).optional()?)
}

pub(super) fn bytes(account: &AccountId) -> [u8; 32] {
    account.clone().into()
}
