//! `stipend network check`: what is wrong with a network, or with one host, before anything starts.
//!
//! | module | looks at |
//! |---|---|
//! | [`host`] | the folder of one host |
//! | [`whole`] | what the hosts have to agree on, and the keys of people |

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Result;
use serde_json::json;

use super::record::{HOST_FILE, NETWORK_FILE};
use crate::{
    failure::Failure,
    output::{Answer, Rows},
};

mod host;
#[cfg(test)]
mod tests;
mod whole;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Where.
    at: PathBuf,
    /// What is wrong.
    what: String,
    /// What to do.
    remedy: String,
}

/// What was found so far.
#[derive(Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, at: &Path, what: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(Finding { at: at.to_owned(), what: what.into(), remedy: remedy.into() });
    }
}

/// Checks a folder and says what it found; an error if it found something.
pub(crate) fn run(folder: &Path) -> Result<Answer> {
    let mut findings = Findings::default();
    let what = if folder.join(NETWORK_FILE).is_file() {
        let hosts = whole::check(folder, &mut findings)?;
        format!("{hosts} hosts")
    } else if folder.join(HOST_FILE).is_file() {
        host::check(folder, &mut findings);
        "the host".into()
    } else {
        return Err(Failure::bad_input(format!(
            "{} is neither a network's folder nor a host's: there is no {NETWORK_FILE} or {HOST_FILE} in it; `stipend network init` makes them",
            folder.display()
        ))
        .into());
    };
    report(folder, &what, findings.0)
}

fn report(folder: &Path, what: &str, findings: Vec<Finding>) -> Result<Answer> {
    if findings.is_empty() {
        let human = format!("Nothing is wrong with {what} in {}.", folder.display());
        return Answer::new(json!({ "folder": folder, "findings": [] }), human);
    }
    let mut rows = Rows::new(&["where", "what is wrong", "what to do"], "");
    for Finding { at, what, remedy } in &findings {
        let at = at.strip_prefix(folder).unwrap_or(at).display().to_string();
        rows.push([at, what.clone(), remedy.clone()]);
    }
    Err(Failure::bad_input(format!("{} findings; start nothing yet\n\n{}", findings.len(), rows.finish()))
        .into())
}

/// Says if others than its owner can use a file or enter a folder.
fn check_private(path: &Path, findings: &mut Findings) {
    let Ok(metadata) = fs::metadata(path) else { return };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let right = if metadata.is_dir() { "700" } else { "600" };
        findings.add(
            path,
            format!("others than its owner can read it (mode {mode:03o})"),
            format!("chmod {right}, and make the key anew unless you are sure that nobody read it"),
        );
    }
}
