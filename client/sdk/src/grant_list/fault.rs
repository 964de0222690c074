//! What is wrong with a list of grants, and where.

use std::fmt;

use serde::Serialize;

/// Something wrong with a list of grants: at some of its places, or as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The places, in order; none if it is the list as a whole.
    pub lines: Vec<u64>,
    /// The column that is to blame, where one alone is.
    pub column: Option<&'static str>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Fault {
    /// A fault of one place.
    pub fn at(line: u64, message: impl Into<String>) -> Self {
        Fault { lines: vec![line], column: None, message: message.into() }
    }

    /// A fault of the list as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Fault { lines: Vec::new(), column: None, message: message.into() }
    }

    /// The same, with the column that is to blame.
    pub fn in_column(self, column: &'static str) -> Self {
        Fault { column: Some(column), ..self }
    }

    /// The fault as a sentence; a place in the list is called a `unit`.
    pub fn in_words(&self, unit: &str) -> String {
        let message = &self.message;
        match self.lines.as_slice() {
            [] => message.clone(),
            [line] => format!("{unit} {line}: {message}"),
            lines => format!("{unit}s {}: {message}", ranges(lines)),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.in_words("line"))
    }
}

/// Writes sorted numbers with those that follow each other as one range.
pub fn ranges(lines: &[u64]) -> String {
    let consecutive = |one: &u64, next: &u64| one + 1 == *next;
    let texts = lines.chunk_by(consecutive).map(|run| match run {
        [first, .., last] => format!("{first} to {last}"),
        single => single.iter().map(u64::to_string).collect(),
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// Collects the lines that have the same thing wrong with them.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, line: u64, column: &'static str, message: String) {
        match self.0.iter_mut().find(|fault| !fault.lines.is_empty() && fault.message == message) {
            Some(fault) if fault.lines.last() == Some(&line) => {}
            Some(fault) => fault.lines.push(line),
            None => self.0.push(Fault::at(line, message).in_column(column)),
        }
    }

    pub(super) fn add_whole(&mut self, message: impl Into<String>) {
        self.0.push(Fault::whole(message));
    }

    pub(super) fn into_vec(self) -> Vec<Fault> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_calls_its_places_what_they_are() {
        assert_eq!(Fault::at(3, "no").in_words("part"), "part 3: no");
        let several = Fault { lines: vec![3, 4], column: None, message: "no".into() };
        assert_eq!(several.in_words("part"), "parts 3 to 4: no");
        assert_eq!(Fault::whole("no").to_string(), "no");
    }
}
