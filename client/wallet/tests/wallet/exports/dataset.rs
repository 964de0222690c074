//! The rules of FOCUS for a whole file: which columns there are, how they are called, what holds between rows.

use std::collections::BTreeMap;

use super::{columns, focus::get, table::Table};

/// The rules of a whole file that it does not keep.
pub fn broken(table: &Table) -> Vec<String> {
    let mut broken = Vec::new();
    for (version, column) in columns::MANDATORY.iter().chain(columns::CONDITIONAL).chain(columns::RECOMMENDED)
    {
        if !table.columns.iter().any(|known| known == column) {
            broken.push(format!("{column}: MUST be present in a FOCUS dataset ({version})"));
        }
    }
    for (at, column) in table.columns.iter().enumerate() {
        let words = column.strip_prefix("x_").unwrap_or(column);
        if !column.starts_with("x_") && !columns::known().any(|known| known == column) {
            broken.push(format!("ColumnHandling: custom column MUST include the x_ prefix: {column}"));
        }
        let is_pascal = words.starts_with(|first: char| first.is_ascii_uppercase())
            && words.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_pascal || column.len() > 50 {
            broken
                .push(format!("ColumnHandling: Pascal case, alphanumeric, 50 characters at most: {column}"));
        }
        let order = |name: &str| (name.starts_with("x_"), name.to_owned());
        if at > 0 && order(&table.columns[at - 1]) >= order(column) {
            broken.push(format!(
                "ColumnHandling: FOCUS columns first, each group sorted, none twice: {column}"
            ));
        }
    }
    let mut parents = BTreeMap::new();
    for row in &table.rows {
        let (price, sku) = (get(row, "SkuPriceId"), get(row, "SkuId"));
        if price.is_some() && *parents.entry(price).or_insert(sku) != sku {
            broken.push(format!("SkuPriceId: MUST have one and only one parent SkuId: {price:?}"));
        }
    }
    broken
}
