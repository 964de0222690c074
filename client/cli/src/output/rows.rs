//! Tables.

use std::io::IsTerminal;

use comfy_table::{presets, Attribute, Cell, CellAlignment, ContentArrangement, Table};

use super::is_without_colour;

/// A table without frames that fits the terminal.
///
/// Where there is no room, addresses and hashes are shortened; where that does not help, each row
/// becomes a block of lines. What goes into a file or a pipe is never shortened: it is one line for each row, with
/// tabs between the columns, so that `grep`, `cut` and a spreadsheet can read it.
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
        // Whoever runs the tests may do so in a small terminal, or in none.
        if cfg!(test) {
            return self.fit(None);
        }
        if !std::io::stdout().is_terminal() {
            return self.lines();
        }
        self.fit(Table::new().width().map(usize::from))
    }

    /// A line for each row, with tabs.
    fn lines(&self) -> String {
        if self.rows.is_empty() {
            return self.empty.to_owned();
        }
        let all = std::iter::once(&self.headings).chain(&self.rows);
        all.map(|cells| cells.join("\t")).collect::<Vec<_>>().join("\n")
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
        if is_without_colour() {
            table.force_no_tty();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_is_read_by_a_program_has_a_line_for_each_row_and_tabs_between_its_columns() {
        let text = accounts().lines();
        let cells: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(cells[0], ["account", "amount", "note"]);
        assert_eq!(cells[1], ["5C5PXw64emahgxVoVZJjm1dC2mQTDwwjB7tREZMxJBjXnQAM", "1.000000", ""]);
        assert!(!text.contains('\u{1b}') && cells.len() == 2);
        assert_eq!(Rows::new(&["a"], "there are none").lines(), "there are none");
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
}
