//! Rows as Parquet: row group after row group, so that memory holds one of them however long the file is.
//!
//! Costs are `DECIMAL(38, …)`, which every reader of Parquet takes exactly, times `TIMESTAMP` in UTC. What there is no
//! value for is null.

use std::{collections::HashMap, mem, sync::Arc};

use bytes::Bytes;
use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::{ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{Type, TypePtr},
};

use super::columns::{Kind, Line, Value, COLUMNS, KINDS};
use crate::export::ExportError;

/// Rows of a row group: some 20 MB before they are written, and some hundred groups in a file of millions.
const GROUP: usize = 50_000;

/// Values handed to a column's writer at a time.
const BATCH: usize = 1_024;

/// Digits of a decimal number: what fits sixteen bytes, and all that readers promise.
const DIGITS: i32 = 38;

/// Bytes of a decimal number.
const DECIMAL_LEN: i32 = 16;

/// The rows of a column that are not written yet. Most text stands in many rows: it is kept once.
enum Waiting {
    Texts(Vec<Option<u32>>),
    Decimals(Vec<Option<i128>>),
    Longs(Vec<Option<i64>>),
}

/// A file that grows.
pub(super) struct File {
    writer: SerializedFileWriter<Vec<u8>>,
    waiting: Vec<Waiting>,
    rows: usize,
    texts: Texts,
}

#[derive(Default)]
struct Texts {
    known: HashMap<Bytes, u32>,
    in_order: Vec<Bytes>,
}

impl Texts {
    fn number(&mut self, text: &str) -> Result<u32, ExportError> {
        if let Some(number) = self.known.get(text.as_bytes()) {
            return Ok(*number);
        }
        let number =
            u32::try_from(self.in_order.len()).map_err(|_| ExportError::TooLarge(text.to_owned()))?;
        let text = Bytes::copy_from_slice(text.as_bytes());
        self.known.insert(text.clone(), number);
        self.in_order.push(text);
        Ok(number)
    }
}

impl File {
    pub(super) fn new() -> Result<Self, ExportError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("stipend-wallet".into())
            // An index of pages would stay in memory until the end.
            .set_offset_index_disabled(true)
            .build();
        Ok(File {
            writer: SerializedFileWriter::new(Vec::new(), schema()?, Arc::new(properties))?,
            waiting: KINDS.iter().map(waiting).collect(),
            rows: 0,
            texts: Texts::default(),
        })
    }

    /// Adds a row.
    pub(super) fn push(&mut self, line: &Line) -> Result<(), ExportError> {
        for (value, waiting) in line.values().iter().zip(&mut self.waiting) {
            match (waiting, value) {
                (Waiting::Texts(rows), Some(Value::Text(text))) => rows.push(Some(self.texts.number(text)?)),
                (Waiting::Decimals(rows), Some(Value::Decimal(amount))) => rows.push(Some(fitting(*amount)?)),
                (Waiting::Longs(rows), Some(Value::Time(moment))) => {
                    let moment =
                        i64::try_from(*moment).map_err(|_| ExportError::TooLarge(moment.to_string()))?;
                    rows.push(Some(moment));
                }
                // An unsigned number is stored in the same 64 bits.
                (Waiting::Longs(rows), Some(Value::Count(count))) => rows.push(Some(*count as i64)),
                (Waiting::Texts(rows), _) => rows.push(None),
                (Waiting::Decimals(rows), _) => rows.push(None),
                (Waiting::Longs(rows), _) => rows.push(None),
            }
        }
        self.rows += 1;
        if self.rows == GROUP {
            self.close_group()?;
        }
        Ok(())
    }

    fn close_group(&mut self) -> Result<(), ExportError> {
        let (waiting, texts) = (mem::take(&mut self.waiting), mem::take(&mut self.texts));
        self.waiting = KINDS.iter().map(self::waiting).collect();
        self.rows = 0;
        let mut group = self.writer.next_row_group()?;
        let mut columns = waiting.iter();
        while let Some(mut column) = group.next_column()? {
            if let Some(rows) = columns.next() {
                write(&mut column, rows, &texts.in_order)?;
            }
            column.close()?;
        }
        group.close()?;
        Ok(())
    }

    /// What was written since the last time.
    pub(super) fn take(&mut self) -> Result<Vec<u8>, ExportError> {
        self.writer.flush().map_err(ParquetError::from)?;
        // The file counts what goes through it by itself; where that ends up is all the same to it.
        Ok(mem::take(self.writer.inner_mut()))
    }

    /// Writes what waits, and the end.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>, ExportError> {
        if self.rows > 0 {
            self.close_group()?;
        }
        self.writer.finish()?;
        self.take()
    }
}

fn fitting(amount: i128) -> Result<i128, ExportError> {
    let is_fitting = amount.unsigned_abs() < 10u128.pow(DIGITS as u32);
    is_fitting.then_some(amount).ok_or_else(|| ExportError::TooLarge(amount.to_string()))
}

fn waiting(kind: &Kind) -> Waiting {
    match kind {
        Kind::Text => Waiting::Texts(Vec::new()),
        Kind::Decimal(_) => Waiting::Decimals(Vec::new()),
        Kind::Time | Kind::Count => Waiting::Longs(Vec::new()),
    }
}

fn schema() -> Result<TypePtr, ParquetError> {
    let field = |(name, kind): (&&str, &Kind)| {
        let (physical, logical) = match kind {
            Kind::Text => (Physical::BYTE_ARRAY, LogicalType::String),
            Kind::Time => (Physical::INT64, LogicalType::timestamp(true, TimeUnit::MILLIS)),
            Kind::Decimal(places) => {
                (Physical::FIXED_LEN_BYTE_ARRAY, LogicalType::decimal((*places).into(), DIGITS))
            }
            Kind::Count => (Physical::INT64, LogicalType::integer(64, false)),
        };
        let mut builder = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(Some(logical));
        if let Kind::Decimal(places) = kind {
            builder = builder.with_length(DECIMAL_LEN).with_precision(DIGITS).with_scale((*places).into());
        }
        builder.build().map(Arc::new)
    };
    let fields = COLUMNS.iter().zip(KINDS).map(field).collect::<Result<_, _>>()?;
    Type::group_type_builder("focus").with_fields(fields).build().map(Arc::new)
}

fn write(
    column: &mut SerializedColumnWriter<'_>,
    rows: &Waiting,
    texts: &[Bytes],
) -> Result<(), ParquetError> {
    match rows {
        Waiting::Texts(rows) => batches(
            rows,
            |text: u32| ByteArray::from(texts[text as usize].clone()),
            |values, levels| column.typed::<ByteArrayType>().write_batch(values, Some(levels), None),
        ),
        Waiting::Decimals(rows) => {
            let bytes = |amount: i128| FixedLenByteArray::from(amount.to_be_bytes().to_vec());
            batches(rows, bytes, |values, levels| {
                column.typed::<FixedLenByteArrayType>().write_batch(values, Some(levels), None)
            })
        }
        Waiting::Longs(rows) => batches(
            rows,
            |number: i64| number,
            |values, levels| column.typed::<Int64Type>().write_batch(values, Some(levels), None),
        ),
    }
}

/// Hands the rows to `write` a batch at a time: the values that there are, and a 1 or 0 per row for whether there is one.
fn batches<R: Copy, V>(
    rows: &[Option<R>],
    value: impl Fn(R) -> V,
    mut write: impl FnMut(&[V], &[i16]) -> Result<usize, ParquetError>,
) -> Result<(), ParquetError> {
    for rows in rows.chunks(BATCH) {
        let levels: Vec<i16> = rows.iter().map(|row| row.is_some().into()).collect();
        let values: Vec<V> = rows.iter().flatten().map(|row| value(*row)).collect();
        write(&values, &levels)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::{super::columns::Column, *};

    fn line(number: u64) -> Line {
        let mut line = Line::new();
        line.set(Column::x_Sequence, Value::Count(number));
        line.set(Column::ChargeDescription, format!("row {number}"));
        line.set(Column::ListCost, Value::Decimal(-i128::from(number)));
        line.set(Column::ChargePeriodStart, Value::Time(number * 1_000));
        line
    }

    #[test]
    fn rows_leave_a_group_at_a_time_and_the_whole_is_one_file() {
        let mut file = File::new().unwrap();
        let (mut whole, mut pieces) = (Vec::new(), 0);
        let count = 2 * GROUP as u64 + 7;
        for number in 0..count {
            file.push(&line(number)).unwrap();
            assert!(file.rows < GROUP);
            let piece = file.take().unwrap();
            pieces += usize::from(!piece.is_empty());
            whole.extend(piece);
        }
        assert_eq!(pieces, 3, "the beginning, and two groups");
        whole.extend(file.finish().unwrap());
        let reader = SerializedFileReader::new(Bytes::from(whole)).unwrap();
        assert_eq!(reader.num_row_groups(), 3);
        assert_eq!(reader.get_row_iter(None).unwrap().count() as u64, count);
    }

    #[test]
    fn a_number_of_too_many_digits_is_refused_and_not_cut() {
        let most = 10i128.pow(38) - 1;
        assert_eq!(fitting(most).unwrap(), most);
        assert_eq!(fitting(-most).unwrap(), -most);
        assert!(fitting(most + 1).is_err() && fitting(i128::MIN).is_err());
    }
}
