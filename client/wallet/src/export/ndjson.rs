//! Receipts and refunds, one JSON object per line: `"kind"` says which.

use serde_json::{json, Value};

use super::{line, refund_json, ExportError, Form, Refund, Shared};
use crate::{db::Connection, read::receipts::Receipt};

/// The lines that are not handed out yet.
#[derive(Default)]
pub(super) struct Lines(String);

impl Form for Lines {
    fn receipt(&mut self, _: &mut dyn Connection, _: &Shared, one: &Receipt) -> Result<(), ExportError> {
        // A receipt is plain fields: it always is JSON.
        let mut value = serde_json::to_value(one).unwrap_or(Value::Null);
        if let Value::Object(fields) = &mut value {
            fields.insert("kind".into(), json!("receipt"));
        }
        line(value, &mut self.0);
        Ok(())
    }

    fn refund(&mut self, _: &Shared, one: &Refund) -> Result<(), ExportError> {
        line(refund_json(one), &mut self.0);
        Ok(())
    }

    fn take(&mut self) -> Result<Vec<u8>, ExportError> {
        Ok(std::mem::take(&mut self.0).into_bytes())
    }

    fn finish(&mut self) -> Result<Vec<u8>, ExportError> {
        self.take()
    }
}
