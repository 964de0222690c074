//! What a list would grant, before it does.

use serde_json::{json, Value};
use stipend_sdk::{
    grant_list::Row,
    primitives::{mint::Grant, AccountId, Credits, Moment},
};

use crate::{amount::credits, output::Rows, parse, time};

/// Every grant of a plan, with its dates.
pub(super) fn parts(rows: &[Row], name_of: impl Fn(&AccountId) -> String) -> String {
    let mut table = Rows::new(&[">part", "owner", ">program", ">credits", "usable from", "until"], "");
    for row in rows {
        if let Grant::One { program, amount, valid_from, valid_until } = &row.grant {
            table.push([
                row.line.to_string(),
                name_of(&row.owner),
                program.to_string(),
                credits(*amount),
                time::moment_or("the mint", *valid_from),
                time::moment_or("for ever", *valid_until),
            ]);
        }
    }
    table.finish() + "\n"
}

/// The lines of a file that have a plan, one row each; nothing if none has.
pub(super) fn plans(rows: &[Row], name_of: impl Fn(&AccountId) -> String) -> String {
    let headings = &[">line", "owner", ">parts", ">credits", "first usable", "last usable", "last until"];
    let mut table = Rows::new(headings, "");
    for line in rows.chunk_by(|one, next| one.line == next.line).filter(|line| line.len() > 1) {
        let dated = |row: &Row| match &row.grant {
            Grant::One { amount, valid_from, valid_until, .. } => Some((*amount, *valid_from, *valid_until)),
            Grant::Basket { .. } => None,
        };
        let parts: Vec<(Credits, Option<Moment>, Option<Moment>)> = line.iter().filter_map(dated).collect();
        let (Some((_, first, _)), Some((_, last, until))) = (parts.first(), parts.last()) else { continue };
        table.push([
            line[0].line.to_string(),
            name_of(&line[0].owner),
            parts.len().to_string(),
            credits(parts.iter().map(|(amount, ..)| *amount).fold(0, Credits::saturating_add)),
            time::moment_or("the mint", *first),
            time::moment_or("the mint", *last),
            time::moment_or("for ever", *until),
        ]);
    }
    match table.finish() {
        table if table.is_empty() => table,
        table => table + "\n",
    }
}

/// Every grant with its place in the list.
pub(super) fn json(rows: &[Row]) -> Vec<Value> {
    let grant =
        |row: &Row| json!({ "at": row.line, "owner": parse::address(&row.owner), "grant": row.grant });
    rows.iter().map(grant).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn rows() -> Vec<Row> {
        let dave = parse::account("//Dave").unwrap();
        let one = |line, amount, from, until| {
            let grant = Grant::One { program: 3, amount, valid_from: Some(from), valid_until: Some(until) };
            Row { line, owner: dave.clone(), grant }
        };
        let day = stipend_sdk::calendar::DAY_MS;
        vec![one(2, 1_000_000, 0, day), one(2, 2_000_000, day, 2 * day), one(3, 4_000_000, 0, day)]
    }

    #[test]
    fn a_plan_shows_every_part_with_its_dates() {
        let table = parts(&rows(), |_| "Dave Doe".into());
        let second = table.lines().nth(2).unwrap();
        for cell in ["Dave Doe", "2.000000", "1970-01-02T00:00:00Z", "1970-01-03T00:00:00Z"] {
            assert!(second.contains(cell), "{second}");
        }
        assert_eq!(table.lines().count(), 4);
    }

    #[test]
    fn a_file_shows_only_lines_with_a_plan_and_their_sums() {
        let table = plans(&rows(), |_| "Dave Doe".into());
        assert_eq!(table.lines().count(), 2);
        assert!(table.contains("3.000000") && table.contains("1970-01-03T00:00:00Z"), "{table}");
        assert_eq!(plans(&rows()[2..], |_| String::new()), "");
    }

    #[test]
    fn in_json_grants_are_as_they_are_signed() {
        let json = json(&rows());
        assert_eq!(json[1]["at"], 2);
        assert_eq!(json[1]["grant"]["one"]["amount"], "2000000");
    }
}
