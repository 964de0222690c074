//! Taking values out of a TOML table and collecting what is wrong with them.

use std::{fmt, ops::RangeInclusive, time::Duration};

use toml::{Table, Value};

/// Everything that is wrong with a configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<String>);

impl Faults {
    pub(super) fn add(&mut self, fault: impl Into<String>) {
        self.0.push(fault.into());
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        writeln!(formatter, "the configuration has {count} fault{}:", if count == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|fault| writeln!(formatter, "  - {fault}"))
    }
}

impl std::error::Error for Faults {}

/// One table of the configuration. What is not taken out of it is unknown.
pub(super) struct Section<'f> {
    name: String,
    table: Table,
    faults: &'f mut Faults,
}

impl<'f> Section<'f> {
    pub(super) fn new(name: impl Into<String>, table: Table, faults: &'f mut Faults) -> Self {
        Section { name: name.into(), table, faults }
    }

    /// A key's full name, as in the file.
    pub(super) fn path(&self, key: &str) -> String {
        if self.name.is_empty() {
            format!("`{key}`")
        } else {
            format!("`{key}` in {}", self.name)
        }
    }

    pub(super) fn fault(&mut self, key: &str, what: impl fmt::Display) {
        let path = self.path(key);
        self.faults.add(format!("{path}: {what}"));
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(super) fn string(&mut self, key: &str) -> Option<String> {
        match self.table.remove(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text),
            Some(Value::String(_)) => self.none(key, "is empty"),
            Some(_) => self.none(key, "must be a text in quotes"),
            None => self.none(key, "is missing"),
        }
    }

    /// A text that may be missing; an empty one is a fault.
    pub(super) fn optional(&mut self, key: &str) -> Option<String> {
        self.table.contains_key(key).then(|| self.string(key)).flatten()
    }

    /// Whatever stands there.
    pub(super) fn value(&mut self, key: &str) -> Option<Value> {
        self.table.remove(key)
    }

    pub(super) fn strings(&mut self, key: &str) -> Vec<String> {
        let list = match self.table.remove(key) {
            Some(Value::Array(list)) => list,
            Some(_) => return self.none(key, "must be a list of texts").unwrap_or_default(),
            None => return self.none(key, "is missing").unwrap_or_default(),
        };
        let texts: Vec<String> = list
            .into_iter()
            .filter_map(|item| match item {
                Value::String(text) if !text.is_empty() => Some(text),
                _ => self.none(key, "must hold texts that are not empty"),
            })
            .collect();
        if texts.is_empty() {
            self.fault(key, "names nothing");
        }
        texts
    }

    pub(super) fn number(&mut self, key: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let value = match self.table.remove(key) {
            None => return default,
            Some(Value::Integer(value)) => u64::try_from(value).ok(),
            Some(_) => None,
        };
        match value.filter(|value| range.contains(value)) {
            Some(value) => value,
            None => {
                let (least, most) = (range.start(), range.end());
                self.fault(key, format_args!("must be a whole number from {least} to {most}"));
                default
            }
        }
    }

    pub(super) fn millis(&mut self, key: &str, default: Duration, range: RangeInclusive<u64>) -> Duration {
        let default_ms = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.number(key, default_ms, range))
    }

    pub(super) fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.table.remove(key) {
            None => default,
            Some(Value::Boolean(value)) => value,
            Some(_) => self.none(key, "must be true or false").unwrap_or(default),
        }
    }

    /// A part of a whole, from 0 to 1.
    pub(super) fn share(&mut self, key: &str, default: f64) -> f64 {
        let value = match self.table.remove(key) {
            None => return default,
            Some(Value::Float(value)) => Some(value),
            Some(Value::Integer(value)) => Some(value as f64),
            Some(_) => None,
        };
        let value = value.filter(|value| (0.0..=1.0).contains(value));
        value.or_else(|| self.none(key, "must be a number from 0 to 1")).unwrap_or(default)
    }

    /// A table inside this one; an empty one if it is not there.
    pub(super) fn table(&mut self, key: &str) -> Table {
        match self.table.remove(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(_) => self.none(key, "must be a table, `[name]`").unwrap_or_default(),
        }
    }

    pub(super) fn tables(&mut self, key: &str) -> Vec<Table> {
        let list = match self.table.remove(key) {
            None => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => return self.none(key, "must be a list of tables, `[[name]]`").unwrap_or_default(),
        };
        let tables = list.into_iter().map(|item| match item {
            Value::Table(table) => Some(table),
            _ => None,
        });
        match tables.collect() {
            Some(tables) => tables,
            None => self.none(key, "must be a list of tables, `[[name]]`").unwrap_or_default(),
        }
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(mut self) {
        for key in std::mem::take(&mut self.table).keys() {
            self.fault(key, "is not known; see the README for all keys");
        }
    }

    fn none<T>(&mut self, key: &str, what: &str) -> Option<T> {
        self.fault(key, what);
        None
    }
}
