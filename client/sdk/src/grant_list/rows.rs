//! Reading the file: every line becomes a grant or a fault.

use std::{
    collections::{HashMap, HashSet},
    io::Read,
};

use csv::{ReaderBuilder, StringRecord, Trim};
use stipend_primitives::{mint::Grant, AccountId, Moment};

use crate::{amount, moment};

use self::plan::PlanFields;
use super::fault::Fault;

mod plan;
#[cfg(test)]
mod tests;

/// One grant and the line that it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where in the list: a line of a file, a part of a plan.
    pub line: u64,
    /// Who receives.
    pub owner: AccountId,
    /// What is granted.
    pub grant: Grant,
}

/// What a file's columns can be.
pub const COLUMNS: [&str; 10] = [
    "owner",
    "program",
    "amount",
    "basket",
    "valid_from",
    "valid_until",
    "plan",
    "months",
    "cliff",
    "rollover",
];

/// What reads an owner.
pub type ReadAccount<'a> = &'a dyn Fn(&str) -> Result<AccountId, String>;

/// Reads all rows, or tells everything that is wrong with them. A line with a plan is one row for each of
/// its parts.
pub fn read(input: impl Read, account: ReadAccount) -> Result<Vec<Row>, Vec<Fault>> {
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
                match heading.rows(&record, line, account) {
                    Err(reasons) => faults.extend(
                        reasons
                            .into_iter()
                            .map(|(column, message)| Fault { column, ..Fault::at(line, message) }),
                    ),
                    Ok(of_line) => {
                        let key = |row: &Row| (row.owner.clone(), codec::Encode::encode(&row.grant));
                        let twice = of_line.iter().find_map(|row| seen.get(&key(row)));
                        if let Some(first) = twice {
                            faults.push(Fault::at(line, format!("the same grant to the same owner stands on line {first}; if both are meant, add them up")));
                        }
                        seen.extend(of_line.iter().map(|row| (key(row), line)));
                        rows.extend(of_line);
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

/// What is wrong with a line: the column that is to blame, where one alone is, and why.
type Reason = (Option<&'static str>, String);

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

    fn rows(&self, record: &StringRecord, line: u64, account: ReadAccount) -> Result<Vec<Row>, Vec<Reason>> {
        if record.len() != self.width {
            let message = format!("it has {} fields, the heading has {}", record.len(), self.width);
            return Err(vec![(None, message)]);
        }
        let field = |name: &str| {
            self.columns.get(name).and_then(|at| record.get(*at)).filter(|text| !text.is_empty())
        };
        let mut reasons = Vec::new();
        let owner = match field("owner") {
            None => Err("the owner is missing".to_owned()),
            Some(text) => account(text),
        };
        let owner = owner.map_err(|reason| reasons.push((Some("owner"), reason))).ok();
        let mut date = |name: &'static str| {
            let moment = field(name).map(moment::read).transpose();
            moment.map_err(|reason| reasons.push((Some(name), format!("{name}: {reason}")))).ok().flatten()
        };
        let validity = (date("valid_from"), date("valid_until"));
        let grant = grant(field("program"), field("amount"), field("basket"), validity);
        let (months, cliff, rollover) = (field("months"), field("cliff"), field("rollover"));
        let plan = PlanFields { plan: field("plan"), months, cliff, rollover };
        match (owner, grant) {
            (Some(owner), Ok(grant)) if reasons.is_empty() => {
                let grants = plan.grants(grant).map_err(|reason| vec![reason])?;
                let row = |grant| Row { line, owner: owner.clone(), grant };
                Ok(grants.into_iter().map(row).collect())
            }
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
) -> Result<Grant, Vec<Reason>> {
    match (program, amount, basket) {
        (None, None, Some(basket)) => {
            if valid_from.is_some() || valid_until.is_some() {
                let message = "a basket fixes its own validity; leave valid_from and valid_until empty";
                return Err(vec![(Some("basket"), message.into())]);
            }
            let wrong = || (Some("basket"), format!("\"{basket}\" is not a basket's number"));
            let basket = basket.parse().map_err(|_| vec![wrong()])?;
            Ok(Grant::Basket { basket })
        }
        (Some(program), Some(amount), None) => {
            let mut reasons = Vec::new();
            let mut wrong = |column, message: String| reasons.push((Some(column), message));
            let number = program.parse();
            if number.is_err() {
                wrong("program", format!("\"{program}\" is not a program's number"));
            }
            match amount::parse(amount) {
                Err(reason) => wrong("amount", reason),
                Ok(0) if number.is_ok() => wrong("amount", "the amount is zero".into()),
                Ok(_) => {}
            }
            let (program, amount) = (number.unwrap_or_default(), amount::parse(amount).unwrap_or_default());
            if valid_until.zip(valid_from).is_some_and(|(until, from)| until <= from) {
                reasons.push((Some("valid_until"), "valid_until is not after valid_from".into()));
            }
            if reasons.is_empty() {
                Ok(Grant::One { program, amount, valid_from, valid_until })
            } else {
                Err(reasons)
            }
        }
        _ => Err(vec![(None, "there must be a program and an amount, or a basket, and not both".into())]),
    }
}
