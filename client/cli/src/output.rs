//! What a verb answers, for people and for programs.

use std::io::Write;

use comfy_table::{presets, Attribute, Cell, CellAlignment, ContentArrangement, Table};
use serde::Serialize;
use serde_json::Value;
use stipend_sdk::{
    primitives::{BlockNumber, Credits},
    Finalised,
};

use crate::amount::credits;

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

/// A table without frames that fits the terminal.
///
/// Where there is no room, addresses and hashes are shortened; where that does not help, each row
/// becomes a block of lines. What goes into a file or a pipe is never shortened.
pub(crate) struct Rows {
    headings: Vec<String>,
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
    empty: &'static str,
}

/// Blanks between two columns.
const GAP: usize = 2;

impl Rows {
    /// A table with these columns; a `>` before a heading puts its column to the right, where
    /// amounts and counts belong. `empty` is what to say if there is no row.
    pub(crate) fn new(headings: &[&str], empty: &'static str) -> Self {
        Rows {
            headings: headings.iter().map(|heading| heading.trim_start_matches('>').to_owned()).collect(),
            right: headings.iter().map(|heading| heading.starts_with('>')).collect(),
            rows: Vec::new(),
            empty,
        }
    }

    /// Appends a row.
    pub(crate) fn push<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.headings.len());
        self.rows.push(cells.into());
    }

    /// The table as text.
    pub(crate) fn finish(self) -> String {
        // Whoever runs the tests may do so in a small terminal.
        let width = if cfg!(test) { None } else { Table::new().width() };
        self.fit(width.map(usize::from))
    }

    fn fit(mut self, width: Option<usize>) -> String {
        if self.rows.is_empty() {
            return self.empty.to_owned();
        }
        let Some(width) = width else { return self.table() };
        if self.width() <= width {
            return self.table();
        }
        let whole = self.rows.clone();
        self.rows.iter_mut().flatten().for_each(|cell| *cell = shortened(cell));
        if self.width() <= width {
            return self.table();
        }
        self.rows = whole;
        self.blocks()
    }

    fn width(&self) -> usize {
        let column = |at: usize| {
            let cells = self.rows.iter().map(|row| &row[at]).chain([&self.headings[at]]);
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default() + GAP
        };
        (0..self.headings.len()).map(column).sum::<usize>().saturating_sub(GAP)
    }

    fn table(&self) -> String {
        let aligned =
            |cell: Cell, right: bool| if right { cell.set_alignment(CellAlignment::Right) } else { cell };
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(
            self.headings
                .iter()
                .zip(&self.right)
                .map(|(heading, right)| aligned(Cell::new(heading).add_attribute(Attribute::Bold), *right)),
        );
        for row in &self.rows {
            table.add_row(row.iter().zip(&self.right).map(|(cell, right)| aligned(Cell::new(cell), *right)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, GAP as u16));
        }
        table.trim_fmt()
    }

    fn blocks(&self) -> String {
        let widest = self.headings.iter().map(|heading| heading.chars().count()).max().unwrap_or_default();
        let block = |row: &Vec<String>| {
            let lines = self.headings.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
            lines.map(|(heading, cell)| format!("{heading:widest$}  {cell}")).collect::<Vec<_>>().join("\n")
        };
        self.rows.iter().map(block).collect::<Vec<_>>().join("\n\n")
    }
}

/// An address or a hash by its ends; anything else as it is.
fn shortened(cell: &str) -> String {
    const END: usize = 6;
    let is_identifier = cell.len() >= 32 && cell.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_identifier {
        format!("{}…{}", &cell[..END], &cell[cell.len() - END..])
    } else {
        cell.to_owned()
    }
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
    fn a_table_without_rows_says_so() {
        assert_eq!(Rows::new(&["a"], "there are none").finish(), "there are none");
    }

    #[test]
    fn amounts_stand_to_the_right() {
        let mut rows = Rows::new(&["class", ">amount"], "");
        rows.push(["Innovation".into(), "1.000000".into()]);
        rows.push(["Render".into(), "100.000000".into()]);
        let lines: Vec<String> = rows.finish().lines().map(str::to_owned).collect();
        assert!(lines[1].ends_with("   1.000000"), "{lines:?}");
        assert!(lines[2].ends_with(" 100.000000"), "{lines:?}");
    }

    fn accounts() -> Rows {
        let mut rows = Rows::new(&["account", ">amount", "note"], "");
        rows.push([
            "5C5PXw64emahgxVoVZJjm1dC2mQTDwwjB7tREZMxJBjXnQAM".into(),
            "1.000000".into(),
            String::new(),
        ]);
        rows
    }

    #[test]
    fn what_is_not_for_a_terminal_is_never_shortened() {
        assert!(accounts().fit(None).contains("5C5PXw64emahgxVoVZJjm1dC2mQTDwwjB7tREZMxJBjXnQAM"));
    }

    #[test]
    fn a_table_that_does_not_fit_shortens_addresses_and_then_becomes_blocks() {
        let fits =
            |width: usize| accounts().fit(Some(width)).lines().all(|line| line.chars().count() <= width);
        assert!(accounts().fit(Some(64)).contains("5C5PXw64emah"));
        assert!(accounts().fit(Some(40)).contains("5C5PXw…jXnQAM") && fits(40));
        let blocks = accounts().fit(Some(26));
        assert_eq!(blocks, "account  5C5PXw64emahgxVoVZJjm1dC2mQTDwwjB7tREZMxJBjXnQAM\namount   1.000000");
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
