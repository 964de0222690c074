//! Reading the file: every line becomes a grant or a fault.

use std::{
    collections::{HashMap, HashSet},
    io::Read,
};

use csv::{ReaderBuilder, StringRecord, Trim};
use stipend_sdk::primitives::{mint::Grant, AccountId, Moment};

use crate::{amount, parse, time};

use super::check::Fault;

/// One grant and the line that it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) owner: AccountId,
    pub(super) grant: Grant,
}

const COLUMNS: [&str; 6] = ["owner", "program", "amount", "basket", "valid_from", "valid_until"];

/// Reads all rows, or tells everything that is wrong with them.
pub(super) fn read(input: impl Read, now: Moment) -> Result<Vec<Row>, Vec<Fault>> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(input);
    let heading = match reader.headers() {
        Ok(heading) => Heading::read(heading)?,
        Err(error) => return Err(vec![Fault::at(1, format!("the heading cannot be read: {error}"))]),
    };
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    let mut seen: HashMap<(AccountId, Vec<u8>), u64> = HashMap::new();
    for record in reader.records() {
        match record {
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                faults.push(Fault::at(line, "the line is not text in UTF-8"));
            }
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                match heading.row(&record, line, now) {
                    Err(reasons) => faults.extend(reasons.into_iter().map(|reason| Fault::at(line, reason))),
                    Ok(row) => {
                        let grant = codec::Encode::encode(&row.grant);
                        if let Some(first) = seen.insert((row.owner.clone(), grant), line) {
                            faults.push(Fault::at(line, format!("the same grant to the same owner stands on line {first}; if both are meant, add them up")));
                        }
                        rows.push(row);
                    }
                }
            }
        }
    }
    if rows.is_empty() && faults.is_empty() {
        faults.push(Fault::whole("there is no row after the heading"));
    }
    if faults.is_empty() {
        Ok(rows)
    } else {
        Err(faults)
    }
}

/// Which column stands where.
struct Heading {
    columns: HashMap<&'static str, usize>,
    width: usize,
}

impl Heading {
    fn read(record: &StringRecord) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut columns = HashMap::new();
        for (position, heading) in record.iter().enumerate() {
            // Spreadsheets begin a UTF-8 file with a mark that is no part of the text.
            let heading = heading.trim_start_matches('\u{feff}').trim();
            match COLUMNS.into_iter().find(|known| known.eq_ignore_ascii_case(heading)) {
                None => faults.push(Fault::at(
                    1,
                    format!("\"{heading}\" is not a column; the columns are {}", COLUMNS.join(", ")),
                )),
                Some(known) => {
                    if columns.insert(known, position).is_some() {
                        faults.push(Fault::at(1, format!("the column \"{known}\" stands twice")));
                    }
                }
            }
        }
        if !columns.contains_key("owner") {
            faults.push(Fault::at(1, "the column \"owner\" is missing"));
        }
        let pays: HashSet<_> =
            ["program", "amount"].into_iter().filter(|name| columns.contains_key(name)).collect();
        if pays.len() == 1 || (pays.is_empty() && !columns.contains_key("basket")) {
            faults.push(Fault::at(
                1,
                "there must be the columns \"program\" and \"amount\", or the column \"basket\"",
            ));
        }
        if faults.is_empty() {
            Ok(Heading { columns, width: record.len() })
        } else {
            Err(faults)
        }
    }

    fn row(&self, record: &StringRecord, line: u64, now: Moment) -> Result<Row, Vec<String>> {
        if record.len() != self.width {
            return Err(vec![format!("it has {} fields, the heading has {}", record.len(), self.width)]);
        }
        let field = |name: &str| {
            self.columns.get(name).and_then(|at| record.get(*at)).filter(|text| !text.is_empty())
        };
        let mut reasons = Vec::new();
        let owner = match field("owner") {
            None => Err("the owner is missing".to_owned()),
            Some(text) => parse::account(text),
        };
        let owner = owner.map_err(|reason| reasons.push(reason)).ok();
        let mut date = |name| {
            let moment = field(name).map(time::parse_date).transpose();
            moment.map_err(|reason| reasons.push(format!("{name}: {reason}"))).ok().flatten()
        };
        let validity = (date("valid_from"), date("valid_until"));
        let grant = grant(field("program"), field("amount"), field("basket"), validity, now);
        match (owner, grant) {
            (Some(owner), Ok(grant)) if reasons.is_empty() => Ok(Row { line, owner, grant }),
            (_, grant) => {
                reasons.extend(grant.err().into_iter().flatten());
                Err(reasons)
            }
        }
    }
}

fn grant(
    program: Option<&str>,
    amount: Option<&str>,
    basket: Option<&str>,
    (valid_from, valid_until): (Option<Moment>, Option<Moment>),
    now: Moment,
) -> Result<Grant, Vec<String>> {
    match (program, amount, basket) {
        (None, None, Some(basket)) => {
            if valid_from.is_some() || valid_until.is_some() {
                return Err(vec![
                    "a basket fixes its own validity; leave valid_from and valid_until empty".into()
                ]);
            }
            let basket =
                basket.parse().map_err(|_| vec![format!("\"{basket}\" is not a basket's number")])?;
            Ok(Grant::Basket { basket })
        }
        (Some(program), Some(amount), None) => {
            let mut reasons = Vec::new();
            let program = program
                .parse()
                .map_err(|_| reasons.push(format!("\"{program}\" is not a program's number")))
                .unwrap_or_default();
            let amount = amount::parse(amount).map_err(|reason| reasons.push(reason)).unwrap_or_default();
            if amount == 0 && reasons.is_empty() {
                reasons.push("the amount is zero".into());
            }
            if valid_until.is_some_and(|until| until <= now) {
                reasons.push("valid_until is in the past".into());
            }
            if valid_until.zip(valid_from).is_some_and(|(until, from)| until <= from) {
                reasons.push("valid_until is not after valid_from".into());
            }
            if reasons.is_empty() {
                Ok(Grant::One { program, amount, valid_from, valid_until })
            } else {
                Err(reasons)
            }
        }
        _ => Err(vec!["there must be a program and an amount, or a basket, and not both".into()]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const ALICE: &str = "//Alice";

    fn faults(text: &str) -> Vec<String> {
        read(text.as_bytes(), 1_000).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn programs_and_baskets_may_stand_in_one_file() {
        let text = format!(
            "owner, program ,amount,basket,valid_from,valid_until\n{ALICE},0,12.5,,,2027-03-31\n//Bob,,,3,,\n"
        );
        let rows = read(text.as_bytes(), 0).unwrap();
        assert_eq!(rows[0].line, 2);
        assert_eq!(
            rows[0].grant,
            Grant::One {
                program: 0,
                amount: 12_500_000,
                valid_from: None,
                valid_until: Some(time::parse_date("2027-03-31").unwrap())
            }
        );
        assert_eq!(rows[1].grant, Grant::Basket { basket: 3 });
    }

    #[test]
    fn what_a_spreadsheet_writes_is_read() {
        let text = format!("\u{feff}Owner,Program,Amount\r\n\"{ALICE}\",\"0\",\"1\"\r\n\r\n");
        assert_eq!(read(text.as_bytes(), 0).unwrap().len(), 1);
    }

    #[test]
    fn every_bad_row_is_named_with_every_reason() {
        let text = "owner,program,amount,valid_from,valid_until\n\
                    Alice,0,1,,\n\
                    //Alice,x,1e3,,\n\
                    //Alice,0,0,,\n\
                    //Alice,0,1,2027-01-02,2027-01-01\n\
                    //Alice,0,1,,1970-01-01\n\
                    //Alice,0,1,,90d\n\
                    //Alice,0,1\n\
                    //Bob,0,1,,\n";
        let faults = faults(text);
        for (line, reason) in [
            (2, "is not an account"),
            (3, "\"x\" is not a program's number"),
            (3, "\"1e3\" is not an amount"),
            (4, "the amount is zero"),
            (5, "valid_until is not after valid_from"),
            (6, "valid_until is in the past"),
            (7, "\"90d\" is not a time"),
            (8, "it has 3 fields, the heading has 5"),
        ] {
            let found = faults
                .iter()
                .any(|fault| fault.starts_with(&format!("line {line}: ")) && fault.contains(reason));
            assert!(found, "line {line}: {reason}\n{faults:#?}");
        }
        assert!(!faults.iter().any(|fault| fault.starts_with("line 9:")), "{faults:#?}");
    }

    #[test]
    fn a_repeated_row_is_named_with_the_first_one() {
        let faults = faults("owner,program,amount\n//Bob,0,1\n//Alice,0,1\n//Bob,0,1.0\n");
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("line 4:") && faults[0].contains("line 2"), "{faults:?}");
    }

    #[test]
    fn a_heading_without_what_is_needed_is_refused() {
        assert!(faults("name,program,amount\n")[0].contains("\"name\" is not a column"));
        assert!(faults("program,amount\n//Bob,0\n")[0].contains("\"owner\" is missing"));
        assert!(faults("owner,amount\n//Bob,0\n")[0].contains("\"program\" and \"amount\""));
        assert!(faults("owner,owner,basket\n")[0].contains("stands twice"));
        assert!(faults("owner,basket\n")[0].contains("no row"));
        assert!(faults("")[0].contains("is missing"));
    }

    #[test]
    fn bytes_that_are_no_text_are_named_with_their_line() {
        let faults = read(&b"owner,basket\n//Bob,1\n\xff\xfe,2\n"[..], 0).unwrap_err();
        assert!(faults[0].to_string().starts_with("line 3: the line is not text"), "{:?}", faults[0]);
    }

    proptest::proptest! {
        #[test]
        fn no_file_makes_reading_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let _ = read(&bytes[..], 0);
            let _ = read(&[b"owner,program,amount,basket\n", &bytes[..]].concat()[..], 0);
        }
    }
}
