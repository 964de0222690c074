//! What a verb answers, for people and for programs.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;
use stipend_sdk::{
    primitives::{BlockNumber, Credits},
    Finalised,
};

use crate::amount::credits;

pub(crate) use self::rows::Rows;

mod rows;

/// What a dry run answers. An error for the verb, which must not go on; none for whoever asked.
pub(crate) struct Planned(pub(crate) Answer);

impl std::fmt::Debug for Planned {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.human)
    }
}

impl std::fmt::Display for Planned {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.human)
    }
}

impl std::error::Error for Planned {}

/// One answer in both forms.
pub(crate) struct Answer {
    pub(crate) json: Value,
    pub(crate) human: String,
    /// The block of the call that was carried out, if one was.
    block: Option<BlockNumber>,
}

impl Answer {
    /// An answer: `json` for programs (amounts are decimal strings of micro-credits), `human` for
    /// people (amounts are credits).
    pub(crate) fn new(json: impl Serialize, human: impl Into<String>) -> anyhow::Result<Self> {
        Ok(Answer { json: serde_json::to_value(json)?, human: human.into(), block: None })
    }

    /// The answer of a dry run: what would have been done, and that it was not.
    pub(crate) fn planned(what: Value, human: &str) -> Self {
        let mut json = serde_json::json!({ "dry_run": true });
        if let (Value::Object(json), Value::Object(what)) = (&mut json, what) {
            json.extend(what);
        }
        Answer { json, human: format!("nothing was done; {human}"), block: None }
    }

    /// The answer of a call that was carried out: where that is on the chain, and what it was.
    pub(crate) fn done(done: &Finalised, what: Value, human: impl Into<String>) -> Self {
        let mut json = serde_json::json!({
            "block_number": done.block_number,
            "block_hash": done.block_hash,
            "extrinsic_hash": done.extrinsic_hash,
        });
        if let (Value::Object(json), Value::Object(what)) = (&mut json, what) {
            json.extend(what);
        }
        Answer { json, human: human.into(), block: Some(done.block_number) }
    }

    /// Prints the answer in the form that was asked for.
    pub(crate) fn print(&self, as_json: bool, not_final: bool) {
        if as_json {
            print(&format!("{:#}\n", self.json));
        } else {
            print(&format!("{}\n", self.for_people(not_final)));
        }
    }

    fn for_people(&self, not_final: bool) -> String {
        match self.block {
            Some(block) if not_final => format!("{} (in block {block}, not final)", self.human),
            Some(block) => format!("{} (finalised in block {block})", self.human),
            None => self.human.clone(),
        }
    }

    /// Prints one of many answers: in JSON each has a line of its own.
    pub(crate) fn print_one_of_many(&self, as_json: bool) {
        if as_json {
            print(&format!("{}\n", self.json));
        } else {
            print(&format!("{}\n\n", self.human));
        }
    }
}

/// Writes to standard output. Whoever reads it may stop reading: that is no failure.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Something with its number, in one JSON object.
#[derive(Serialize)]
pub(crate) struct Numbered<I, T> {
    pub(crate) id: I,
    #[serde(flatten)]
    pub(crate) it: T,
}

/// Whether somebody asked for text without colours and other attributes (<https://no-color.org>).
pub(crate) fn is_without_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Writes an amount with its unit.
pub(crate) fn in_credits(amount: Credits) -> String {
    format!("{} credits", credits(amount))
}

/// Writes a yes or a no.
pub(crate) fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::H256;

    #[test]
    fn a_dry_run_says_that_nothing_was_done() {
        let answer = Answer::planned(serde_json::json!({ "act": "freeze" }), "it would freeze");
        assert_eq!(answer.json, serde_json::json!({ "dry_run": true, "act": "freeze" }));
        assert_eq!(answer.for_people(false), "nothing was done; it would freeze");
    }

    #[test]
    fn a_done_call_says_where_it_is_on_the_chain() {
        let done = Finalised {
            block_hash: H256([1; 32]),
            block_number: 7,
            extrinsic_hash: H256([2; 32]),
            events: vec![],
        };
        let answer = Answer::done(&done, serde_json::json!({ "owner": "me" }), "frozen");
        assert_eq!(answer.json["block_number"], 7);
        assert_eq!(answer.json["owner"], "me");
        assert_eq!(answer.for_people(false), "frozen (finalised in block 7)");
        assert_eq!(answer.for_people(true), "frozen (in block 7, not final)");
    }
}
