//! Receipts.

use serde::Serialize;
use stipend_primitives::{
    cost::{PriceEntry, Usage},
    energy::{emitted_mg, part_of},
    view::{decimal, decimal_option, Quote},
    AccountId, BlockNumber, BookVersion, ClassId, Credits, ModelId, Moment, Sequence,
};

use super::{prices, Names};
use crate::{
    db::{Answer, Connection, DbError, Row, Value},
    project::account_of,
};

/// Where a page of receipts goes on: the receipt that it ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cursor {
    /// Its block.
    pub block: i64,
    /// Its gateway's number in the tables.
    pub gateway: i64,
    /// Its sequence number.
    pub seq: i64,
}

impl Cursor {
    /// As it stands in an address.
    pub fn text(&self) -> String {
        format!("{}.{}.{}", self.block, self.gateway, self.seq)
    }

    /// Reads it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse::<i64>().ok());
        let (block, gateway, seq) = (parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(Cursor { block, gateway, seq })
    }
}

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Who metered.
    pub gateway: AccountId,
    /// Its number.
    pub sequence: Sequence,
    /// Who paid.
    pub wallet: AccountId,
    /// Who served.
    pub provider: AccountId,
    /// The model's number.
    pub model: ModelId,
    /// The model's name.
    pub model_name: String,
    /// The class that paid the base cost.
    pub class: ClassId,
    /// The class's name.
    pub class_name: String,
    /// The price book.
    pub book: BookVersion,
    /// What was used.
    pub usage: Usage,
    /// Base cost.
    #[serde(with = "decimal")]
    pub cost: Credits,
    /// Paid in Priority.
    #[serde(with = "decimal")]
    pub fee: Credits,
    /// Base cost that nobody covered.
    #[serde(with = "decimal")]
    pub uncollected: Credits,
    /// Priority fee that nobody covered.
    #[serde(with = "decimal")]
    pub uncollected_fee: Credits,
    /// Names the request, in hex.
    pub digest: String,
    /// The block that it came in.
    pub block: BlockNumber,
    /// That block's time (Unix time, ms).
    pub moment: Moment,
    /// First number of its batch.
    pub first_seq: Sequence,
    /// `match`, `adjust` or `unattested`; nothing while its batch is not settled.
    pub verdict: Option<String>,
    /// Block in which it was settled.
    pub settled: Option<BlockNumber>,
    /// Millijoules: its part, by cost, of what its provider attests for the batch.
    pub energy_mj: Option<u64>,
    /// Where the next page begins.
    #[serde(skip)]
    pub cursor: Cursor,
}

/// Left joins all: a planner may not begin with the accounts and sort millions of receipts afterwards.
const SELECT: &str = "
SELECT g.account, r.seq, w.account, p.account, r.model, r.class, r.book, r.input, r.cached, r.output, r.cost,
    r.fee, r.uncollected, r.uncollected_fee, r.digest, r.block, r.moment, r.first_seq, i.verdict, i.settled,
    i.energy_mj, r.cost_before, i.cost, r.gateway
FROM receipts r
LEFT JOIN accounts g ON g.id = r.gateway LEFT JOIN accounts w ON w.id = r.wallet
LEFT JOIN accounts p ON p.id = r.provider
LEFT JOIN items i ON i.gateway = r.gateway AND i.first_seq = r.first_seq AND i.provider = r.provider ";

fn receipt(row: &Row, names: &Names) -> Answer<Receipt> {
    let (model, class) = (super::model(row, 4)?, super::class(row, 5)?);
    let cost = row.credits(10)?;
    let energy = row.credits_or_none(20)?.and_then(|energy| u64::try_from(energy).ok());
    let energy_mj = match (energy, row.credits_or_none(22)?) {
        (Some(energy), Some(of_all)) => Some(part_of(energy, row.credits(21)?, cost, of_all)),
        _ => None,
    };
    Ok(Receipt {
        gateway: row.account(0)?,
        sequence: row.count(1)?,
        wallet: row.account(2)?,
        provider: row.account(3)?,
        model,
        model_name: names.model(model),
        class,
        class_name: names.class(class),
        book: row.small(6)?,
        usage: Usage { input: row.small(7)?, cached_input: row.small(8)?, output: row.small(9)? },
        cost,
        fee: row.small(11)?.into(),
        uncollected: row.credits(12)?,
        uncollected_fee: row.credits(13)?,
        digest: format!("0x{}", hex::encode(row.bytes(14)?)),
        block: row.small(15)?,
        moment: row.count(16)?,
        first_seq: row.count(17)?,
        verdict: row.text_or_none(18)?,
        settled: row.int_or_none(19)?.and_then(|block| BlockNumber::try_from(block).ok()),
        energy_mj,
        cursor: Cursor { block: row.int(15)?, gateway: row.int(23)?, seq: row.int(1)? },
    })
}

/// Newest first, or oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}

/// Up to `limit` receipts of a wallet, or of all, after `after`.
pub fn page(
    connection: &mut dyn Connection,
    wallet: Option<&AccountId>,
    order: Order,
    after: Option<Cursor>,
    limit: u32,
) -> Answer<Vec<Receipt>> {
    let mut args: Vec<Value> = Vec::new();
    let mut conditions = Vec::new();
    if let Some(wallet) = wallet {
        let Some(number) = account_of(connection, wallet)? else { return Ok(Vec::new()) };
        args.push(number.into());
        conditions.push("r.wallet = ?1".to_owned());
    }
    let (beyond, direction) = match order {
        Order::Newest => ("<", "DESC"),
        Order::Oldest => (">", "ASC"),
    };
    if let Some(Cursor { block, gateway, seq }) = after {
        let first = args.len() + 1;
        conditions.push(format!(
            "(r.block, r.gateway, r.seq) {beyond} (?{first}, ?{}, ?{})",
            first + 1,
            first + 2
        ));
        args.extend([block.into(), gateway.into(), seq.into()]);
    }
    let conditions =
        if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    args.push(limit.into());
    let sql = format!(
        "{SELECT} {conditions} ORDER BY r.block {direction}, r.gateway {direction}, r.seq {direction} LIMIT ?{}",
        args.len()
    );
    let names = Names::read(connection)?;
    connection.query(&sql, &args)?.iter().map(|row| receipt(row, &names)).collect()
}

/// Whose wallet paid for a receipt.
pub fn wallet_of(
    connection: &mut dyn Connection,
    gateway: &AccountId,
    seq: Sequence,
) -> Answer<Option<AccountId>> {
    let Some(gateway) = account_of(connection, gateway)? else { return Ok(None) };
    let rows = connection.query(
        "SELECT w.account FROM receipts r JOIN accounts w ON w.id = r.wallet
         WHERE r.gateway = ?1 AND r.seq = ?2",
        &[gateway.into(), seq.into()],
    )?;
    rows.first().map(|row| row.account(0)).transpose()
}

/// A receipt with everything that explains it.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The receipt.
    #[serde(flatten)]
    pub receipt: Receipt,
    /// Its cost, coefficient by coefficient.
    pub price: Quote,
    /// The model's entry of the price book.
    pub entry: PriceEntry,
    /// What the verdict on its batch gave back to its wallet, for all its receipts in the batch.
    pub refunds: Vec<Refunded>,
    /// Milligrams of CO2 equivalent, by what the provider's grid emits now.
    #[serde(with = "decimal_option")]
    pub emitted_mg: Option<u128>,
}

/// Micro-credits that went back in a class.
#[derive(Clone, Debug, Serialize)]
pub struct Refunded {
    /// The class.
    pub class: ClassId,
    /// The class's name.
    pub name: String,
    /// How much.
    #[serde(with = "decimal")]
    pub given: Credits,
}

/// One receipt, explained.
pub fn explain(
    connection: &mut dyn Connection,
    gateway: &AccountId,
    seq: Sequence,
) -> Answer<Option<Explained>> {
    let Some(gateway) = account_of(connection, gateway)? else { return Ok(None) };
    let names = Names::read(connection)?;
    let sql = format!("{SELECT} WHERE r.gateway = ?1 AND r.seq = ?2");
    let rows = connection.query(&sql, &[gateway.into(), seq.into()])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let receipt = receipt(row, &names)?;
    let entry = prices::entry(connection, receipt.book, receipt.model)?
        .ok_or_else(|| DbError::Foreign(format!("no price of model {}", receipt.model.0)))?;
    let fee = u32::try_from(receipt.fee).unwrap_or(u32::MAX);
    let price = entry.quote(receipt.book, &receipt.usage, fee);
    let rows = connection.query(
        "SELECT f.class, f.given FROM receipts r
         JOIN refunds f ON f.gateway = r.gateway AND f.first_seq = r.first_seq AND f.provider = r.provider
             AND f.owner = r.wallet
         WHERE r.gateway = ?1 AND r.seq = ?2 AND f.given IS NOT NULL ORDER BY f.class",
        &[gateway.into(), seq.into()],
    )?;
    let refunded = |row: &Row| {
        let class = super::class(row, 0)?;
        Ok(Refunded { class, name: names.class(class), given: row.credits(1)? })
    };
    let refunds = rows.iter().map(refunded).collect::<Answer<_>>()?;
    let grid = super::grids(connection)?.get(&receipt.provider).copied();
    let emitted_mg = receipt.energy_mj.zip(grid).map(|(energy, grid)| emitted_mg(energy.into(), grid));
    Ok(Some(Explained { receipt, price, entry, refunds, emitted_mg }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_what_it_was_and_nothing_else_is_one() {
        let cursor = Cursor { block: 7, gateway: 2, seq: 99 };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        for text in ["", "1.2", "1.2.3.4", "a.b.c", "1.2.3' OR 1=1"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
