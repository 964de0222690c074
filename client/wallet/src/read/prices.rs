//! Price books.

use stipend_primitives::{cost::PriceEntry, BookVersion, ClassId, ModelId, Name};

use crate::db::{Answer, Connection, DbError, Row};

/// A model's entry of a book.
pub fn entry(
    connection: &mut dyn Connection,
    book: BookVersion,
    model: ModelId,
) -> Answer<Option<PriceEntry>> {
    let rows = connection.query(
        "SELECT name, class, premium, c_input, c_cached, c_output, c_model, weight, reference_input,
         reference_output FROM prices WHERE book = ?1 AND model = ?2",
        &[book.into(), model.0.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(PriceEntry {
        model,
        name: Name::truncate_from(row.text(0)?.into_bytes()),
        class: ClassId(number_16(row, 1)?),
        premium: row.flag(2)?,
        c_input: coefficient(row, 3)?,
        c_cached: coefficient(row, 4)?,
        c_output: coefficient(row, 5)?,
        c_model: coefficient(row, 6)?,
        weight: row.small(7)?,
        reference_input: coefficient(row, 8)?,
        reference_output: coefficient(row, 9)?,
    }))
}

/// Sixteen bits of a column.
pub fn number_16(row: &Row, column: usize) -> Answer<u16> {
    let number = row.int(column)?;
    u16::try_from(number).map_err(|_| DbError::Foreign(format!("{number} where sixteen bits should be")))
}

fn coefficient(row: &Row, column: usize) -> Answer<u64> {
    let amount = row.credits(column)?;
    u64::try_from(amount).map_err(|_| DbError::Foreign(format!("the coefficient {amount}")))
}
