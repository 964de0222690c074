//! What is wrong with a list of grants, and where.

use std::fmt;

/// Something wrong with a list of grants: at some of its places, or as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    lines: Vec<u64>,
    message: String,
}

impl Fault {
    pub(super) fn at(line: u64, message: impl Into<String>) -> Self {
        Fault { lines: vec![line], message: message.into() }
    }

    pub(super) fn whole(message: impl Into<String>) -> Self {
        Fault { lines: Vec::new(), message: message.into() }
    }

    /// The fault as a sentence; a place in the list is called a `unit`.
    pub(super) fn in_words(&self, unit: &str) -> String {
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
fn ranges(lines: &[u64]) -> String {
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
    pub(super) fn add(&mut self, line: u64, message: String) {
        match self.0.iter_mut().find(|fault| !fault.lines.is_empty() && fault.message == message) {
            Some(fault) if fault.lines.last() == Some(&line) => {}
            Some(fault) => fault.lines.push(line),
            None => self.0.push(Fault::at(line, message)),
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
        let several = Fault { lines: vec![3, 4], message: "no".into() };
        assert_eq!(several.in_words("part"), "parts 3 to 4: no");
        assert_eq!(Fault::whole("no").to_string(), "no");
    }
}
