#![allow(clippy::unwrap_used)]

use super::*;
use crate::Signer;

fn account(text: &str) -> Result<AccountId, String> {
    Signer::from_uri(text).map(|signer| signer.account()).map_err(|_| format!("\"{text}\" is not an account"))
}

const ALICE: &str = "//Alice";

fn faults(text: &str) -> Vec<String> {
    read(text.as_bytes(), &account).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn programs_and_baskets_may_stand_in_one_file() {
    let text = format!(
        "owner, program ,amount,basket,valid_from,valid_until\n{ALICE},0,12.5,,,2027-03-31\n//Bob,,,3,,\n"
    );
    let rows = read(text.as_bytes(), &account).unwrap();
    assert_eq!(rows[0].line, 2);
    assert_eq!(
        rows[0].grant,
        Grant::One {
            program: 0,
            amount: 12_500_000,
            valid_from: None,
            valid_until: Some(moment::read("2027-03-31").unwrap())
        }
    );
    assert_eq!(rows[1].grant, Grant::Basket { basket: 3 });
}

#[test]
fn what_a_spreadsheet_writes_is_read() {
    let text = format!("\u{feff}Owner,Program,Amount\r\n\"{ALICE}\",\"0\",\"1\"\r\n\r\n");
    assert_eq!(read(text.as_bytes(), &account).unwrap().len(), 1);
}

#[test]
fn every_bad_row_is_named_with_every_reason() {
    let text = "owner,program,amount,valid_from,valid_until\n\
                Alice,0,1,,\n\
                //Alice,x,1e3,,\n\
                //Alice,0,0,,\n\
                //Alice,0,1,2027-01-02,2027-01-01\n\
                //Alice,0,1,,never\n\
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
        (6, "\"never\" is not a time"),
        (7, "\"90d\" is not a time"),
        (8, "it has 3 fields, the heading has 5"),
    ] {
        let found =
            faults.iter().any(|fault| fault.starts_with(&format!("line {line}: ")) && fault.contains(reason));
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
    let faults = read(&b"owner,basket\n//Bob,1\n\xff\xfe,2\n"[..], &account).unwrap_err();
    assert!(faults[0].to_string().starts_with("line 3: the line is not text"), "{:?}", faults[0]);
}

proptest::proptest! {
    #[test]
    fn no_file_makes_reading_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        let _ = read(&bytes[..], &account);
        let _ = read(&[b"owner,program,amount,basket\n", &bytes[..]].concat()[..], &account);
    }
}

#[test]
fn a_fault_names_its_column_where_one_alone_is_to_blame() {
    let text = "owner,program,amount,valid_from,plan,months\n\
                Alice,0,1,,,\n\
                //Alice,x,1e3,never,,\n\
                //Alice,0,1,2027-01-01,monthly,soon\n\
                //Alice,0\n";
    let faults = read(text.as_bytes(), &account).unwrap_err();
    let of = |line: u64| -> Vec<Option<&str>> {
        faults.iter().filter(|fault| fault.lines == [line]).map(|fault| fault.column).collect()
    };
    assert_eq!(of(2), [Some("owner")]);
    assert_eq!(of(3), [Some("valid_from"), Some("program"), Some("amount")]);
    assert_eq!(of(4), [Some("months")]);
    assert_eq!(of(5), [None]);
}

fn plan_faults(row: &str) -> Vec<String> {
    faults(&format!("owner,program,amount,plan,months,cliff,rollover,valid_from,valid_until\n{row}\n"))
}

#[test]
fn a_line_with_a_plan_is_all_its_parts() {
    let text = "owner,program,amount,plan,months,cliff,rollover,valid_from,valid_until\n\
                //Alice,0,10,monthly,3,,,2027-01-31,\n\
                //Bob,0,10,monthly,2,,yes,2027-01-31,2028-01-01\n\
                //Alice,1,100,vesting,12,6,,2027-01-01,\n\
                //Bob,0,5,,,,,2027-06-30,\n";
    let rows = read(text.as_bytes(), &account).unwrap();
    let of = |line| rows.iter().filter(move |row| row.line == line).map(|row| row.grant.clone());
    let one = |program, amount: u128, from, until: Option<&str>| Grant::One {
        program,
        amount: amount * 1_000_000,
        valid_from: Some(moment::read(from).unwrap()),
        valid_until: until.map(|until| moment::read(until).unwrap()),
    };
    assert_eq!(of(2).count(), 3);
    assert_eq!(of(2).nth(1), Some(one(0, 10, "2027-02-28", Some("2027-03-31"))));
    assert_eq!(of(3).nth(1), Some(one(0, 10, "2027-02-28", Some("2028-01-01"))));
    let whole = |grant| match grant {
        Grant::One { amount, .. } => amount,
        Grant::Basket { .. } => 0,
    };
    assert_eq!((of(4).count(), of(4).map(whole).sum::<u128>()), (7, 100_000_000));
    assert_eq!(of(5).collect::<Vec<_>>(), [one(0, 5, "2027-06-30", None)]);
}

#[test]
fn a_plan_that_cannot_be_is_named_with_its_line() {
    for (row, reason) in [
        ("//Bob,0,1,yearly,3,,,2027-01-01,", "is not a plan"),
        ("//Bob,0,1,monthly,,,,2027-01-01,", "months is missing"),
        ("//Bob,0,1,monthly,x,,,2027-01-01,", "\"x\" is not a number of months"),
        ("//Bob,0,1,monthly,3,,,,", "valid_from is missing"),
        ("//Bob,0,1,monthly,3,1,,2027-01-01,", "cliff belongs to vesting"),
        ("//Bob,0,1,monthly,3,,maybe,2027-01-01,", "rollover is yes or no"),
        ("//Bob,0,1,monthly,3,,,2027-01-01,2028-01-01", "ends with the month"),
        ("//Bob,0,1,vesting,3,,yes,2027-01-01,", "rollover belongs to monthly"),
        ("//Bob,0,1,vesting,3,4,,2027-01-01,", "cliff of 4 months is longer"),
        ("//Bob,0,1,,3,,,2027-01-01,", "belong to a plan"),
    ] {
        let faults = plan_faults(row);
        assert!(faults.len() == 1 && faults[0].starts_with("line 2: "), "{row}: {faults:?}");
        assert!(faults[0].contains(reason), "{row}: {faults:?}");
    }
}

#[test]
fn a_repeated_plan_is_one_fault() {
    let row = "//Bob,0,1,monthly,3,,,2027-01-01,";
    let faults = plan_faults(&format!("{row}\n{row}"));
    assert!(faults.len() == 1 && faults[0].contains("stands on line 2"), "{faults:?}");
}
