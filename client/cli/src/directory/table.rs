//! People as a table: what HR's own system writes and reads.

use std::io::Read;

use csv::{ReaderBuilder, Trim, WriterBuilder};

use super::{People, Person};
use crate::parse;

const COLUMNS: [&str; 4] = ["name", "number", "department", "account"];

/// Reads people; tells everything that is wrong, each with its line. Whoever `known` has already, exactly so,
/// is passed over.
pub(crate) fn read(input: impl Read, known: &People) -> Result<(People, usize), Vec<String>> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(input);
    let heading = reader.headers().map_err(|error| vec![format!("the heading cannot be read: {error}")])?;
    let mut at = [None; COLUMNS.len()];
    for (position, heading) in heading.iter().enumerate() {
        // Spreadsheets begin a UTF-8 file with a mark that is no part of the text.
        let heading = heading.trim_start_matches('\u{feff}').trim();
        match COLUMNS.iter().position(|known| known.eq_ignore_ascii_case(heading)) {
            Some(column) => at[column] = Some(position),
            None => {
                return Err(vec![format!(
                    "\"{heading}\" is not a column; the columns are {}",
                    COLUMNS.join(", ")
                )])
            }
        }
    }
    if at[0].is_none() || at[3].is_none() {
        return Err(vec!["the columns \"name\" and \"account\" must be there".into()]);
    }
    let (mut people, mut added, mut faults) = (known.clone(), 0, Vec::new());
    for record in reader.records() {
        let (line, outcome) = match record {
            Err(error) => (error.position().map_or(0, csv::Position::line), Err(error.to_string())),
            Ok(record) => {
                let field = |column: usize| at[column].and_then(|at| record.get(at)).unwrap_or_default();
                let [name, number, department] = [0, 1, 2].map(|column| field(column).to_owned());
                let person =
                    parse::account(field(3)).map(|account| Person { name, number, department, account });
                let line = record.position().map_or(0, csv::Position::line);
                (line, person.and_then(|person| take(&mut people, person)))
            }
        };
        match outcome {
            Ok(is_new) => added += usize::from(is_new),
            Err(reason) => faults.push(format!("line {line}: {reason}")),
        }
    }
    if faults.is_empty() {
        Ok((people, added))
    } else {
        Err(faults)
    }
}

/// Adds a person unless exactly that one is there; says whether it was new.
fn take(people: &mut People, person: Person) -> Result<bool, String> {
    if people.of(&person.account) == Some(&person) {
        return Ok(false);
    }
    people.add(person).map(|()| true)
}

/// Writes everybody.
pub(crate) fn write(people: &People) -> anyhow::Result<Vec<u8>> {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for person in people.all() {
        let Person { name, number, department, account } = person;
        writer.write_record([name, number, department, &parse::address(account)])?;
    }
    Ok(writer.into_inner()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TEXT: &str = "name,number,department,account\n\"Hopper, Grace\",8,Navy,//Bob\nAda,,,//Alice\n";

    #[test]
    fn what_is_written_is_read_back_and_read_again_changes_nothing() {
        let (people, added) = read(TEXT.as_bytes(), &People::default()).unwrap();
        assert_eq!((added, people.all().len()), (2, 2));
        let text = write(&people).unwrap();
        assert_eq!(read(&text[..], &People::default()).unwrap(), (people.clone(), 2));
        assert_eq!(read(&text[..], &people).unwrap(), (people, 0));
    }

    #[test]
    fn every_fault_is_named_with_its_line() {
        let text = "account,name\n//Alice,Ada\nBob,Bob\n//Alice,Eve\n//Eve,ada\n";
        let faults = read(text.as_bytes(), &People::default()).unwrap_err();
        for (line, reason) in [(3, "is not an account"), (4, "is Ada already"), (5, "there is a Ada already")]
        {
            let found = faults
                .iter()
                .any(|fault| fault.starts_with(&format!("line {line}: ")) && fault.contains(reason));
            assert!(found, "line {line}: {faults:#?}");
        }
        assert!(read(&b"name,mail\n"[..], &People::default()).unwrap_err()[0].contains("is not a column"));
        assert!(read(&b"name\n"[..], &People::default()).unwrap_err()[0].contains("must be there"));
    }
}
