//! The reader against `serde_json`, which reads the same language less strictly.

use proptest::prelude::*;
use serde_json::Value;

use crate::json::{read, Fault, Json, DEPTH_MAX};

/// Whether both readers understood the same.
fn same(ours: &Json, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(a), Value::Bool(b)) => a == b,
        (Json::Number(a), Value::Number(b)) => *a == b.as_u64(),
        (Json::Text(a), Value::String(b)) => a == b,
        (Json::List(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|b| same(value, b)))
        }
        _ => false,
    }
}

/// Fails if we accept what `serde_json` does not, understand something else, or call good JSON malformed.
fn compare(text: &[u8]) {
    let theirs = serde_json::from_slice::<Value>(text);
    match (read(text), theirs) {
        (Ok(ours), Ok(theirs)) => assert!(same(&ours, &theirs), "{ours:?} or {theirs}"),
        (Ok(ours), Err(error)) => panic!("{ours:?} is not JSON: {error}"),
        (Err(Fault::Malformed), Ok(theirs)) => panic!("{theirs} is JSON"),
        (Err(_), _) => {}
    }
}

#[test]
fn numbers_strings_and_space_are_those_of_the_standard() {
    for text in [
        "0",
        "-0",
        "00",
        "01",
        "-",
        "1.",
        ".5",
        "1.5",
        "1e3",
        "1E+3",
        "1e",
        "1e-",
        "+1",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "1.0",
        "NaN",
        "\"\"",
        "\"\\n\"",
        "\"\\x\"",
        "\"\\u0041\"",
        "\"\\u004\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ud83dx\"",
        "\"\t\"",
        "\"",
        "\"é€😀\"",
        " 1 ",
        "\u{a0}1",
        "1 2",
        "[]",
        "[ ]",
        "[1 , 2]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{}",
        "{ }",
        "{\"a\" : 1}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":}",
        "true",
        "True",
        "nul",
        "",
        " ",
        "[",
        "{",
        "]",
    ] {
        compare(text.as_bytes());
    }
    compare(b"\"\xc3\x28\"");
}

#[test]
fn a_name_may_come_once_in_each_object() {
    assert_eq!(read(br#"{"a":1,"a":1}"#), Err(Fault::Duplicate));
    assert_eq!(read(br#"{"a":1,"\u0061":2}"#), Err(Fault::Duplicate));
    assert_eq!(read(br#"[{"b":{"a":1,"a":1}}]"#), Err(Fault::Duplicate));
    assert!(read(br#"[{"a":1},{"a":{"a":1}}]"#).is_ok());
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(read(nested(DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(read(nested(DEPTH_MAX + 1).as_bytes()), Err(Fault::TooDeep));
    assert_eq!(read("[{\"a\":".repeat(1_000_000).as_bytes()), Err(Fault::TooDeep));
}

proptest! {
    #[test]
    fn random_text_is_read_as_the_other_reader_reads_it(text in r#"[\[\]{}":,.\\/bfnrtue0-9aAdD+ -]{0,24}"#) {
        compare(text.as_bytes());
    }

    #[test]
    fn random_strings_are_read_as_the_other_reader_reads_them(text in any::<String>()) {
        compare(Value::from(text).to_string().as_bytes());
    }

    #[test]
    fn random_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        compare(&bytes);
    }
}
