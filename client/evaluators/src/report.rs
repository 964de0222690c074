//! The report of an outcome: text for a person, whose hash is the evidence on the chain.
//!
//! A report is a function of what was judged and of nothing else: no time of writing, no path. So judging the
//! same thing again makes the same evidence, and an auditor compares with `sha256sum`.

use std::{
    fmt::Display,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::outcome::Evidence;

/// Bytes of a value beyond which it is cut: titles and reasons come from others.
const VALUE_BYTES_MAX: usize = 2_000;

/// A report that is being written: one fact a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report(String);

impl Report {
    /// A report with its first line.
    pub fn new(title: &str) -> Self {
        let mut report = Report(String::from("Stipend outcome report, version 1\n"));
        report.section(title);
        report
    }

    /// Begins a part.
    pub fn section(&mut self, title: &str) {
        self.0.push_str(&format!("\n{}\n", one_line(title)));
    }

    /// Adds a fact. Whatever the value holds, it stays on its line.
    pub fn fact(&mut self, name: &str, value: impl Display) {
        self.0.push_str(&format!("  {name}: {}\n", one_line(&value.to_string())));
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the text.
    pub fn evidence(&self) -> Evidence {
        Evidence(Sha256::digest(self.0.as_bytes()).into())
    }
}

/// The text without anything that could pass for another line, or move a terminal's cursor.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if line.len() > VALUE_BYTES_MAX {
            line.push('…');
            break;
        }
        match character {
            '\\' => line.push_str("\\\\"),
            // Marks that turn the direction of writing can make a line look like another one.
            _ if character.is_control() || is_direction_mark(character) => {
                line.extend(character.escape_unicode())
            }
            _ => line.push(character),
        }
    }
    line
}

fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// The folder of reports: `HASH.txt`, each written once.
#[derive(Clone, Debug)]
pub struct Reports(PathBuf);

impl Reports {
    /// Opens the folder, making it if there is none.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Reports(folder))
    }

    /// Where the report of an outcome is.
    pub fn path(&self, evidence: &Evidence) -> PathBuf {
        self.0.join(format!("{evidence}.txt"))
    }

    /// Writes a report so that it is there after a power cut. A report that is there already is left alone.
    pub fn keep(&self, report: &Report) -> io::Result<Evidence> {
        let evidence = report.evidence();
        let path = self.path(&evidence);
        if fs::read(&path).is_ok_and(|there| there == report.0.as_bytes()) {
            return Ok(evidence);
        }
        // Two programs that keep the same report do not write into one file.
        let draft = self.0.join(format!(".{evidence}.{}", std::process::id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(report.0.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        sync_folder(&self.0)?;
        Ok(evidence)
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_others_wrote_cannot_add_a_line() {
        let mut report = Report::new("merge");
        report.fact("title", "harmless\n  weight: 1000000\r\u{202e}x\u{1b}[2J");
        assert_eq!(report.text().lines().count(), 4, "{}", report.text());
        assert!(!report.text().contains('\u{1b}') && !report.text().contains('\u{202e}'));
        report.fact("long", "é".repeat(100_000));
        assert!(report.text().len() < 5_000);
    }

    #[test]
    fn a_kept_report_has_the_hash_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let reports = Reports::open(folder.path().join("reports")).unwrap();
        let mut report = Report::new("merge");
        report.fact("weight", 100);
        let evidence = reports.keep(&report).unwrap();
        assert_eq!(reports.keep(&report).unwrap(), evidence);
        let bytes = fs::read(reports.path(&evidence)).unwrap();
        assert_eq!(<[u8; 32]>::from(Sha256::digest(&bytes)), evidence.0);
        assert_eq!(fs::read_dir(folder.path().join("reports")).unwrap().count(), 1);
    }

    #[test]
    fn a_report_that_was_damaged_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let reports = Reports::open(folder.path().to_owned()).unwrap();
        let report = Report::new("merge");
        let evidence = reports.keep(&report).unwrap();
        fs::write(reports.path(&evidence), "half").unwrap();
        reports.keep(&report).unwrap();
        assert_eq!(fs::read_to_string(reports.path(&evidence)).unwrap(), report.text());
    }
}
