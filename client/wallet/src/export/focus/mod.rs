//! FinOps FOCUS rows: one per meter of a receipt, and one per refund, as CSV and as Parquet.
//!
//! They keep FOCUS 1.2, and have the two columns that 1.3 wants besides (`HostProviderName`, `ServiceProviderName`).
//! Credits are a virtual currency: what was paid in them stands in the `PricingCurrency…` columns, which FOCUS
//! has for this since 1.2. Nobody is invoiced for them, so the costs in the billing currency are zero, but for the
//! list cost, which is what the same tokens would cost outside by the price book's reference prices.

mod columns;
mod csv;
mod known;
mod parquet;
mod rows;

pub use columns::COLUMNS;

use known::Known;

use super::{ExportError, Form, Refund, Shared};
use crate::{db::Connection, read::receipts::Receipt};

/// Rows as CSV.
pub(super) struct Csv {
    known: Known,
    text: String,
}

impl Csv {
    pub(super) fn new() -> Self {
        Csv { known: Known::default(), text: csv::header() }
    }
}

impl Form for Csv {
    fn receipt(
        &mut self,
        connection: &mut dyn Connection,
        shared: &Shared,
        receipt: &Receipt,
    ) -> Result<(), ExportError> {
        for line in rows::of_receipt(connection, &mut self.known, shared, receipt)? {
            csv::write(&line, &mut self.text);
        }
        Ok(())
    }

    fn refund(&mut self, shared: &Shared, refund: &Refund) -> Result<(), ExportError> {
        csv::write(&rows::of_refund(shared, refund)?, &mut self.text);
        Ok(())
    }

    fn take(&mut self) -> Result<Vec<u8>, ExportError> {
        Ok(std::mem::take(&mut self.text).into_bytes())
    }

    fn finish(&mut self) -> Result<Vec<u8>, ExportError> {
        self.take()
    }
}

/// Rows as Parquet.
pub(super) struct Parquet {
    known: Known,
    file: parquet::File,
}

impl Parquet {
    pub(super) fn new() -> Result<Self, ExportError> {
        Ok(Parquet { known: Known::default(), file: parquet::File::new()? })
    }
}

impl Form for Parquet {
    fn receipt(
        &mut self,
        connection: &mut dyn Connection,
        shared: &Shared,
        receipt: &Receipt,
    ) -> Result<(), ExportError> {
        let lines = rows::of_receipt(connection, &mut self.known, shared, receipt)?;
        lines.iter().try_for_each(|line| self.file.push(line))
    }

    fn refund(&mut self, shared: &Shared, refund: &Refund) -> Result<(), ExportError> {
        self.file.push(&rows::of_refund(shared, refund)?)
    }

    fn take(&mut self) -> Result<Vec<u8>, ExportError> {
        self.file.take()
    }

    fn finish(&mut self) -> Result<Vec<u8>, ExportError> {
        self.file.finish()
    }
}
