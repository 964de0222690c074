//! What a commit's message says of receipts and reverts.
//!
//! Trailers are read as `git interpret-trailers` does [git-interpret-trailers(1)]: they stand in the last paragraph, which is not the
//! first; every line of it is a trailer, or a quarter is and one of them is git's own; a line that begins
//! with a blank goes on with the one before.

use crate::outcome::ReceiptId;

/// The trailer that names a receipt; several may stand in one, apart by blanks or commas.
const RECEIPT: &str = "stipend-receipt";

/// The trailer that names a reverted commit in full.
const REVERTS: &str = "stipend-reverts";

/// The sentence that `git revert` writes.
const REVERT_SENTENCE: &str = "This reverts commit ";

/// Lines that git itself adds, which make a paragraph one of trailers even among others.
const GITS_OWN: [&str; 2] = ["Signed-off-by: ", "(cherry picked from commit "];

/// What a text says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Receipts, in order, each once.
    pub receipts: Vec<ReceiptId>,
    /// Values of `Stipend-Receipt` that name none.
    pub malformed: Vec<String>,
    /// What is reverted: hashes of commits in full, or `#` and a number.
    pub reverts: Vec<String>,
}

impl Mentions {
    /// Reads a commit's message. What a squash gathered from several commits, each with a line that begins with `* `,
    /// is read commit by commit.
    pub fn of_commit(message: &str) -> Self {
        let message = message.replace("\r\n", "\n");
        let mut mentions = Mentions::default();
        for part in squashed(&message) {
            for (name, value) in trailers(&part) {
                mentions.take(&name, &value);
            }
        }
        for line in message.lines() {
            let rest = line.trim().strip_prefix(REVERT_SENTENCE);
            let hash =
                rest.map(|rest| rest.split(|c: char| !c.is_ascii_hexdigit()).next().unwrap_or_default());
            mentions.revert(hash.unwrap_or_default());
        }
        mentions
    }

    /// Reads the description of a pull request of `repository`: trailers as in a message, and the line that
    /// GitHub writes into a request that reverts another, `Reverts owner/name#12`.
    pub fn of_description(description: &str, repository: &str) -> Self {
        // A description has no title before it, and trailers may be all there is.
        let mut mentions = Mentions::of_commit(&format!("title\n\n{description}"));
        for line in description.lines() {
            let Some(named) = line.trim().strip_prefix("Reverts ") else { continue };
            let Some((of, number)) = named.trim().split_once('#') else { continue };
            let is_here = of.is_empty() || of.eq_ignore_ascii_case(repository);
            if is_here && number.parse::<u64>().is_ok() {
                mentions.reverts.push(format!("#{number}"));
            }
        }
        mentions
    }

    /// Adds what another text says.
    pub fn join(&mut self, other: Mentions) {
        for receipt in other.receipts {
            self.receipt(receipt);
        }
        self.malformed.extend(other.malformed);
        self.reverts.extend(other.reverts);
    }

    fn take(&mut self, name: &str, value: &str) {
        let values = value.split([' ', ',', '\t']).filter(|value| !value.is_empty());
        match name {
            RECEIPT => values.for_each(|value| match value.parse() {
                Ok(receipt) => self.receipt(receipt),
                Err(_) => self.malformed.push(value.chars().take(64).collect()),
            }),
            REVERTS => values.for_each(|value| self.revert(value)),
            _ => {}
        }
    }

    fn receipt(&mut self, receipt: ReceiptId) {
        if !self.receipts.contains(&receipt) {
            self.receipts.push(receipt);
        }
    }

    /// Takes a hash in full. The beginning of one could be that of another commit.
    fn revert(&mut self, hash: &str) {
        if is_commit(hash) {
            self.reverts.push(hash.to_ascii_lowercase());
        }
    }
}

/// Whether a text is the hash of a commit in full: SHA-1 or SHA-256.
pub fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The messages in a message: itself, or those of the commits that a squash put into it.
fn squashed(message: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_after_blank = false;
    for line in message.lines() {
        if is_after_blank && line.starts_with("* ") {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
        is_after_blank = line.trim().is_empty();
    }
    parts
}

/// The trailers of a message: names in small letters, values unfolded.
fn trailers(message: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = message.trim_end().lines().collect();
    let Some(blank) = lines.iter().rposition(|line| line.trim().is_empty()) else {
        return Vec::new();
    };
    if lines[..blank].iter().all(|line| line.trim().is_empty()) {
        return Vec::new();
    }
    let mut trailers: Vec<(String, String)> = Vec::new();
    let (mut others, mut has_gits_own, mut is_in_trailer) = (0, false, false);
    for line in &lines[blank + 1..] {
        if line.starts_with([' ', '\t']) {
            match trailers.last_mut().filter(|_| is_in_trailer) {
                Some((_, value)) => *value = format!("{value} {}", line.trim()),
                None => others += 1,
            }
            continue;
        }
        has_gits_own |= GITS_OWN.iter().any(|own| line.starts_with(own));
        let trailer = trailer(line);
        is_in_trailer = trailer.is_some();
        match trailer {
            Some(trailer) => trailers.push(trailer),
            None if line.starts_with(GITS_OWN[1]) => {}
            None => others += 1,
        }
    }
    if others == 0 || has_gits_own && trailers.len() * 3 >= others {
        trailers
    } else {
        Vec::new()
    }
}

/// A line as a trailer: letters, digits and dashes, a colon, and a value.
fn trailer(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_end_matches([' ', '\t']);
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_name.then(|| (name.to_ascii_lowercase(), value.trim().to_owned()))
}

#[cfg(test)]
#[path = "trailers_tests.rs"]
mod tests;
