//! An export as a table, whatever file it came in.

use std::collections::BTreeMap;

use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};

/// A row: text per column, or null.
pub type Row = BTreeMap<String, Option<String>>;

/// Columns in their order, and rows.
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

/// CSV has no null but the empty field.
pub fn of_csv(bytes: &[u8]) -> Table {
    let mut reader = csv::Reader::from_reader(bytes);
    let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let row = |record: csv::StringRecord| {
        let fields = record.iter().map(|field| (!field.is_empty()).then(|| field.to_owned()));
        columns.iter().cloned().zip(fields).collect()
    };
    let rows = reader.records().map(|record| row(record.unwrap())).collect();
    Table { columns, rows }
}

/// Parquet's values in the words of CSV.
pub fn of_parquet(bytes: Vec<u8>) -> Table {
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let columns = schema.columns().iter().map(|column| column.name().to_owned()).collect();
    let rows = reader.get_row_iter(None).unwrap().map(|row| {
        let row = row.unwrap();
        row.get_column_iter().map(|(name, field)| (name.clone(), text(field))).collect()
    });
    Table { columns, rows: rows.collect() }
}

fn text(field: &Field) -> Option<String> {
    match field {
        Field::Null => None,
        Field::Str(text) => Some(text.clone()),
        Field::ULong(count) => Some(count.to_string()),
        Field::TimestampMillis(moment) => {
            Some(stipend_wallet::pages::words::timestamp(u64::try_from(*moment).unwrap()))
        }
        Field::Decimal(amount) => {
            let bytes: [u8; 16] = amount.data().try_into().unwrap();
            Some(decimal(i128::from_be_bytes(bytes), u32::try_from(amount.scale()).unwrap()))
        }
        other => panic!("a column holds {other:?}"),
    }
}

/// Without zeros at the end.
fn decimal(amount: i128, scale: u32) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let one = 10u128.pow(scale);
    let (whole, part) = (amount.unsigned_abs() / one, amount.unsigned_abs() % one);
    let part = format!("{part:0width$}", width = scale as usize);
    let part = part.trim_end_matches('0');
    if part.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    }
}

/// A decimal number in millionths of a millionth, if it is one as FOCUS writes it (NumericFormat): digits, one point,
/// a minus.
pub fn pico(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some(both) => both,
        None => (digits, ""),
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) || part.len() > 12 {
        return None;
    }
    let part: i128 = format!("{part:0<12}").parse().ok()?;
    Some(sign * (whole.parse::<i128>().ok()? * 1_000_000_000_000 + part))
}
