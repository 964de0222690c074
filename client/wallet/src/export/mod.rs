//! Exports: FinOps FOCUS rows as CSV and Parquet, receipts, and CloudEvents for OpenMeter.
//!
//! Each is as of one block, and adds up to what the chain says that its wallets have spent, to the
//! micro-credit: what settlements gave back, and what nobody covered, stands in rows of its own.

mod events;
mod focus;
mod ndjson;

use serde_json::json;
use stipend_primitives::{AccountId, BlockNumber, ClassId, Credits, Moment, Sequence};

use crate::{
    db::{Answer, Connection, DbError, Row, Value},
    project::account_of,
    read::{
        self,
        receipts::{page, Cursor, Order, Receipt},
        Names,
    },
};

pub use focus::COLUMNS as FOCUS_COLUMNS;

/// Receipts read at a time.
const ROWS: u32 = 1_000;

/// Why an export is not whole.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Parquet refused.
    #[error("the Parquet file could not be written: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// More digits than a row has room for.
    #[error("{0} is larger than what a row can hold, which no charge of this chain can be; look whether the tables are sound, or `rebuild` them")]
    TooLarge(String),
    /// Whoever asked went away.
    #[error("nobody reads any more")]
    Gone,
}

/// The kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// FinOps FOCUS as CSV: one row per meter of a receipt.
    FocusCsv,
    /// The same rows as Parquet.
    FocusParquet,
    /// Receipts and refunds, one JSON object per line.
    Receipts,
    /// CloudEvents for OpenMeter, one JSON object per line.
    OpenMeter,
}

impl Export {
    /// All of them.
    pub const ALL: [Export; 4] =
        [Export::FocusCsv, Export::FocusParquet, Export::Receipts, Export::OpenMeter];

    /// The kind of a file's name.
    pub fn named(file: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|export| export.file_name() == file)
    }

    /// The file's name.
    pub fn file_name(self) -> &'static str {
        match self {
            Export::FocusCsv => "focus.csv",
            Export::FocusParquet => "focus.parquet",
            Export::Receipts => "receipts.ndjson",
            Export::OpenMeter => "openmeter.ndjson",
        }
    }

    /// The file's type.
    pub fn media_type(self) -> &'static str {
        match self {
            Export::FocusCsv => "text/csv; charset=utf-8",
            Export::FocusParquet => "application/vnd.apache.parquet",
            Export::Receipts | Export::OpenMeter => "application/x-ndjson",
        }
    }

    fn form(self) -> Result<Box<dyn Form>, ExportError> {
        Ok(match self {
            Export::FocusCsv => Box::new(focus::Csv::new()),
            Export::FocusParquet => Box::new(focus::Parquet::new()?),
            Export::Receipts => Box::<ndjson::Lines>::default(),
            Export::OpenMeter => Box::<events::Lines>::default(),
        })
    }
}

/// A file that is being made: receipts and refunds go in, bytes come out.
trait Form {
    /// Adds a receipt.
    fn receipt(
        &mut self,
        connection: &mut dyn Connection,
        shared: &Shared,
        receipt: &Receipt,
    ) -> Result<(), ExportError>;

    /// Adds a refund.
    fn refund(&mut self, shared: &Shared, refund: &Refund) -> Result<(), ExportError>;

    /// What there is of the file since the last time.
    fn take(&mut self) -> Result<Vec<u8>, ExportError>;

    /// The rest of the file.
    fn finish(&mut self) -> Result<Vec<u8>, ExportError>;
}

/// Micro-credits that a settlement gave back.
#[derive(Clone, Debug)]
pub(crate) struct Refund {
    pub(crate) gateway: AccountId,
    pub(crate) first_seq: Sequence,
    pub(crate) provider: AccountId,
    pub(crate) owner: AccountId,
    pub(crate) class: ClassId,
    pub(crate) given: Credits,
    pub(crate) block: BlockNumber,
    pub(crate) moment: Moment,
    /// Time of the batch that it corrects.
    pub(crate) batch_moment: Moment,
}

/// What formats share.
pub(crate) struct Shared<'s> {
    pub(crate) names: Names,
    pub(crate) origin: &'s str,
}

/// Where the bytes of an export go.
pub type Out<'o> = dyn FnMut(Vec<u8>) -> Result<(), ExportError> + 'o;

/// Writes an export of one wallet, or of everybody, in chunks.
pub fn write(
    connection: &mut dyn Connection,
    export: Export,
    owner: Option<&AccountId>,
    origin: &str,
    out: &mut Out<'_>,
) -> Result<(), ExportError> {
    let shared = Shared { names: Names::read(connection)?, origin };
    let mut form = export.form()?;
    let mut after: Option<Cursor> = None;
    loop {
        let rows = page(connection, owner, Order::Oldest, after, ROWS)?;
        for receipt in &rows {
            form.receipt(connection, &shared, receipt)?;
        }
        hand_out(form.take()?, out)?;
        match rows.last() {
            Some(last) if rows.len() == ROWS as usize => after = Some(last.cursor),
            _ => break,
        }
    }
    write_refunds(connection, &mut *form, owner, &shared, out)?;
    hand_out(form.finish()?, out)
}

fn hand_out(bytes: Vec<u8>, out: &mut Out<'_>) -> Result<(), ExportError> {
    if bytes.is_empty() {
        return Ok(());
    }
    out(bytes)
}

fn write_refunds(
    connection: &mut dyn Connection,
    form: &mut dyn Form,
    owner: Option<&AccountId>,
    shared: &Shared,
    out: &mut Out<'_>,
) -> Result<(), ExportError> {
    let mut after: [Value; 6] = [-1, -1, -1, -1, -1, -1].map(|start: i64| start.into());
    loop {
        let rows = refunds(connection, owner, &after)?;
        for (_, refund) in rows.iter().filter(|(_, refund)| refund.given > 0) {
            form.refund(shared, refund)?;
        }
        hand_out(form.take()?, out)?;
        match rows.into_iter().last() {
            Some((place, _)) => after = place,
            None => return Ok(()),
        }
    }
}

fn refunds(
    connection: &mut dyn Connection,
    owner: Option<&AccountId>,
    after: &[Value; 6],
) -> Answer<Vec<([Value; 6], Refund)>> {
    let mut args = after.to_vec();
    let mut condition = String::new();
    if let Some(owner) = owner {
        let Some(number) = account_of(connection, owner)? else { return Ok(Vec::new()) };
        args.push(number.into());
        condition = "AND f.owner = ?7".into();
    }
    let rows = connection.query(
        &format!(
            "SELECT g.account, f.first_seq, p.account, o.account, f.class, f.given, f.block, b.moment,
             s.moment, f.gateway, f.provider, f.owner FROM refunds f
             LEFT JOIN accounts g ON g.id = f.gateway LEFT JOIN accounts p ON p.id = f.provider
             LEFT JOIN accounts o ON o.id = f.owner LEFT JOIN blocks b ON b.height = f.block
             LEFT JOIN items i ON i.gateway = f.gateway AND i.first_seq = f.first_seq AND i.provider = f.provider
             LEFT JOIN blocks s ON s.height = i.block
             WHERE (f.block, f.gateway, f.first_seq, f.provider, f.owner, f.class)
                 > (?1, ?2, ?3, ?4, ?5, ?6) {condition} AND f.given IS NOT NULL
             ORDER BY f.block, f.gateway, f.first_seq, f.provider, f.owner, f.class LIMIT {ROWS}"
        ),
        &args,
    )?;
    let refund = |row: &Row| {
        let place = [6, 9, 1, 10, 11, 4].map(|column| row.0[column].clone());
        let refund = Refund {
            gateway: row.account(0)?,
            first_seq: row.count(1)?,
            provider: row.account(2)?,
            owner: row.account(3)?,
            class: read::class(row, 4)?,
            given: row.credits(5)?,
            block: row.small(6)?,
            moment: row.count(7)?,
            batch_moment: row.count(8)?,
        };
        Ok((place, refund))
    };
    rows.iter().map(refund).collect()
}

/// What a receipt was charged and paid for: its meters with their counts.
pub(crate) fn meters(receipt: &Receipt) -> [(&'static str, u64); 4] {
    [
        ("input_tokens", receipt.usage.input.into()),
        ("cached_input_tokens", receipt.usage.cached_input.into()),
        ("output_tokens", receipt.usage.output.into()),
        ("requests", 1),
    ]
}

fn line(value: serde_json::Value, out: &mut String) {
    out.push_str(&value.to_string());
    out.push('\n');
}

pub(crate) fn refund_json(refund: &Refund) -> serde_json::Value {
    json!({
        "kind": "refund",
        "gateway": refund.gateway,
        "first_seq": refund.first_seq,
        "provider": refund.provider,
        "wallet": refund.owner,
        "class": refund.class,
        "amount": refund.given.to_string(),
        "block": refund.block,
        "moment": refund.moment,
    })
}
