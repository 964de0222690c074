//! Receipts and refunds, one JSON object per line: `"kind"` says which.

use serde_json::{json, Value};

use super::{line, refund_json, Refund};
use crate::read::receipts::Receipt;

pub(super) fn receipt(receipt: &Receipt, out: &mut String) {
    // A receipt is plain fields: it always is JSON.
    let mut value = serde_json::to_value(receipt).unwrap_or(Value::Null);
    if let Value::Object(fields) = &mut value {
        fields.insert("kind".into(), json!("receipt"));
    }
    line(value, out);
}

pub(super) fn refund(refund: &Refund, out: &mut String) {
    line(refund_json(refund), out);
}
