//! What the exported files add up to, computed from their bytes.

use std::collections::BTreeSet;

use anyhow::{ensure, Context, Result};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, Row},
};
use serde_json::Value;

/// Micro-credits that a file says were spent, and how many receipts it has.
type Sum = fn(&[u8]) -> Result<(i128, usize)>;

/// The files, and how each is added up.
pub(crate) const SUMS: &[(&str, Sum)] = &[
    ("focus.csv", focus_csv),
    ("focus.parquet", focus_parquet),
    ("receipts.ndjson", receipts),
    ("openmeter.ndjson", events),
];

/// A decimal number with at most six places, in millionths.
fn micro(text: &str) -> Result<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    ensure!(part.len() <= 6, "{text} has parts of a micro-credit");
    Ok(sign * format!("{whole}{part:0<6}").parse::<i128>()?)
}

fn focus_csv(bytes: &[u8]) -> Result<(i128, usize)> {
    let mut reader = csv::Reader::from_reader(bytes);
    let headings = reader.headers()?.clone();
    let place = |name: &str| headings.iter().position(|heading| heading == name).context("a column");
    let (cost, unit, meter) =
        (place("PricingCurrencyEffectiveCost")?, place("PricingCurrency")?, place("SkuMeter")?);
    let (mut sum, mut count) = (0, 0);
    for row in reader.records() {
        let row = row?;
        ensure!(&row[unit] == "Credits", "{row:?}");
        sum += micro(&row[cost])?;
        count += usize::from(&row[meter] == "Requests");
    }
    Ok((sum, count))
}

fn focus_parquet(bytes: &[u8]) -> Result<(i128, usize)> {
    let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(bytes))?;
    let (mut sum, mut count) = (0, 0);
    for row in reader.get_row_iter(None)? {
        let row = row?;
        let Field::Decimal(cost) = field(&row, "PricingCurrencyEffectiveCost")? else {
            anyhow::bail!("no decimal: {row}")
        };
        ensure!(cost.scale() == 6, "places of a micro-credit: {}", cost.scale());
        sum += i128::from_be_bytes(cost.data().try_into()?);
        count += usize::from(*field(&row, "SkuMeter")? == Field::Str("Requests".into()));
    }
    Ok((sum, count))
}

fn field<'r>(row: &'r Row, name: &str) -> Result<&'r Field> {
    row.get_column_iter().find(|(known, _)| *known == name).map(|(_, field)| field).context("a column")
}

fn receipts(bytes: &[u8]) -> Result<(i128, usize)> {
    let (mut sum, mut count) = (0, 0);
    for line in std::str::from_utf8(bytes)?.lines() {
        let row: Value = serde_json::from_str(line)?;
        let amount = |name: &str| amount(&row[name]);
        if row["kind"] == "receipt" {
            sum += amount("cost")? + amount("fee")? - amount("uncollected")? - amount("uncollected_fee")?;
            count += 1;
        } else {
            sum -= amount("amount")?;
        }
    }
    Ok((sum, count))
}

fn events(bytes: &[u8]) -> Result<(i128, usize)> {
    let (mut sum, mut count, mut ids) = (0, 0, BTreeSet::new());
    for line in std::str::from_utf8(bytes)?.lines() {
        let event: Value = serde_json::from_str(line)?;
        ensure!(ids.insert(event["id"].to_string()), "an id stands twice: {event}");
        let data = &event["data"];
        if event["type"] == "stipend.receipt" {
            sum += amount(&data["cost_microcredits"])? + amount(&data["priority_fee_microcredits"])?;
            count += 1;
        } else {
            sum -= amount(&data["refund_microcredits"])?;
        }
    }
    Ok((sum, count))
}

fn amount(value: &Value) -> Result<i128> {
    Ok(value.as_str().context("an amount")?.parse()?)
}
