//! What goes into a statement, and what comes out of a row.

use stipend_primitives::{AccountId, Credits};

use super::{Answer, DbError};

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing.
    Null,
    /// A count, a number or a moment.
    Int(i64),
    /// Text; every amount.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub Vec<Value>);

impl Row {
    fn foreign(&self, column: usize, what: &str) -> DbError {
        DbError::Foreign(format!("{:?} where {what} should be", self.0.get(column)))
    }

    /// A number.
    pub fn int(&self, column: usize) -> Answer<i64> {
        self.int_or_none(column)?.ok_or_else(|| self.foreign(column, "a number"))
    }

    /// A number, or nothing.
    pub fn int_or_none(&self, column: usize) -> Answer<Option<i64>> {
        match self.0.get(column) {
            Some(Value::Int(number)) => Ok(Some(*number)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.foreign(column, "a number")),
        }
    }

    /// A number that is never negative.
    pub fn count(&self, column: usize) -> Answer<u64> {
        u64::try_from(self.int(column)?).map_err(|_| self.foreign(column, "a count"))
    }

    /// A number that is never negative and fits 32 bits.
    pub fn small(&self, column: usize) -> Answer<u32> {
        u32::try_from(self.int(column)?).map_err(|_| self.foreign(column, "a small count"))
    }

    /// Whether.
    pub fn flag(&self, column: usize) -> Answer<bool> {
        Ok(self.int(column)? != 0)
    }

    /// Text.
    pub fn text(&self, column: usize) -> Answer<String> {
        self.text_or_none(column)?.ok_or_else(|| self.foreign(column, "text"))
    }

    /// Text, or nothing.
    pub fn text_or_none(&self, column: usize) -> Answer<Option<String>> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(Value::Null) => Ok(None),
            _ => Err(self.foreign(column, "text")),
        }
    }

    /// An amount in micro-credits.
    pub fn credits(&self, column: usize) -> Answer<Credits> {
        self.text(column)?.parse().map_err(|_| self.foreign(column, "an amount"))
    }

    /// An amount, or nothing.
    pub fn credits_or_none(&self, column: usize) -> Answer<Option<Credits>> {
        let text = self.text_or_none(column)?;
        text.map(|text| text.parse().map_err(|_| self.foreign(column, "an amount"))).transpose()
    }

    /// Bytes.
    pub fn bytes(&self, column: usize) -> Answer<&[u8]> {
        match self.0.get(column) {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            _ => Err(self.foreign(column, "bytes")),
        }
    }

    /// Thirty-two bytes.
    pub fn hash(&self, column: usize) -> Answer<[u8; 32]> {
        self.bytes(column)?.try_into().map_err(|_| self.foreign(column, "32 bytes"))
    }

    /// An account.
    pub fn account(&self, column: usize) -> Answer<AccountId> {
        self.hash(column).map(AccountId::new)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Value::Int(number.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Value::Int(number.into())
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Value::Int(yes.into())
    }
}

impl From<u64> for Value {
    /// Moments and sequence numbers: the end of 63 bits is 292 million years, or receipts, away.
    fn from(number: u64) -> Self {
        Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Credits> for Value {
    fn from(amount: Credits) -> Self {
        Value::Text(amount.to_string())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Value::Bytes(bytes.to_vec())
    }
}

impl From<&AccountId> for Value {
    fn from(account: &AccountId) -> Self {
        let bytes: &[u8] = account.as_ref();
        Value::Bytes(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}
