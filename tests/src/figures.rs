//! How figures are summed up and shown.

use std::path::PathBuf;

use anyhow::Result;
use comfy_table::{presets::UTF8_FULL_CONDENSED, CellAlignment, Table};

use crate::services::repository;

/// Where benchmarks put their figures and plots.
pub(crate) fn folder() -> Result<PathBuf> {
    let folder = repository().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The middle one of some values, of two the mean; 0 if there is none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    let lower = upper - usize::from(values.len().is_multiple_of(2) && upper > 0);
    let at = |at: usize| values.get(at).copied().unwrap_or_default();
    (at(lower) + at(upper)) / 2.0
}

/// A table whose first column is text and whose others are figures.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(header);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_cell_alignment(if at == 0 { CellAlignment::Left } else { CellAlignment::Right });
    }
    table
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle_one_or_the_mean_of_two() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median([]), 0.0);
    }
}
