//! Where a list of grants comes from, and how to speak of it.

use std::path::PathBuf;

use anyhow::Result;
use sp_core::H256;
use stipend_sdk::grant_list::{Fault, Ledger, Row};

use crate::{failure::Failure, time};

/// Where a list comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A file.
    File(PathBuf),
    /// The command line.
    Plan,
}

impl Source {
    /// What a place in the list is called.
    pub(super) fn unit(&self) -> &'static str {
        match self {
            Source::File(_) => "line",
            Source::Plan => "part",
        }
    }

    /// Where progress is recorded: under a name that the same list always has.
    pub(super) fn progress(&self, fingerprint: &H256) -> PathBuf {
        match self {
            Source::File(file) => {
                let mut path = file.clone().into_os_string();
                path.push(".progress");
                path.into()
            }
            Source::Plan => format!("plan-{}.progress", hex::encode(&fingerprint.as_bytes()[..8])).into(),
        }
    }

    /// Refuses a list that the chain would refuse as it is now.
    pub(super) fn accept(&self, rows: &[Row], ledger: &Ledger) -> Result<()> {
        let faults = ledger.faults(rows, time::now());
        if faults.is_empty() {
            Ok(())
        } else {
            Err(self.refuse(&faults))
        }
    }

    /// All faults at once, each with its place.
    pub(super) fn refuse(&self, faults: &[Fault]) -> anyhow::Error {
        let list: Vec<String> = faults.iter().map(|fault| fault.in_words(self.unit())).collect();
        let noun = if faults.len() == 1 { "fault" } else { "faults" };
        let (what, mend) = match self {
            Source::File(file) => (file.display().to_string(), "Mend the file and run the command again."),
            Source::Plan => ("the plan".to_owned(), "Mend the command and run it again."),
        };
        let message = format!(
            "{what} has {} {noun}; nothing new was sent. {mend}\n  {}",
            faults.len(),
            list.join("\n  ")
        );
        Failure::bad_input(message).into()
    }
}
