//! JSON in the one form that can be signed: RFC 8785, the JSON Canonicalization Scheme.
//!
//! No space; members sorted by the UTF-16 code units of their names; of strings only `"`, `\` and control
//! characters are escaped, the latter as `\b`, `\t`, `\n`, `\f`, `\r` or `\u00xx` with small digits, which is
//! how `serde_json` writes them. Numbers are whole and below 2^53, where RFC 8785's form is their decimal
//! digits; what can be larger is a string. So nothing of ECMAScript's number formatting is needed.

use serde_json::{Map, Value};

/// The largest number that every JSON reader keeps exact: 2^53 - 1.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// The bytes of a value; `None` if it holds a number that is not whole, negative, or too large.
pub(crate) fn bytes(value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    Some(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Object(members) => write_object(members, out)?,
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Number(number) => {
            let number = number.as_u64().filter(|number| *number <= NUMBER_MAX)?;
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::String(_) | Value::Bool(_) | Value::Null => serde_json::to_writer(out, value).ok()?,
    }
    Some(())
}

fn write_object(members: &Map<String, Value>, out: &mut Vec<u8>) -> Option<()> {
    let mut members: Vec<(&String, &Value)> = members.iter().collect();
    members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push(b'{');
    for (at, (name, value)) in members.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, name).ok()?;
        out.push(b':');
        write(value, out)?;
    }
    out.push(b'}');
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    fn text(value: &Value) -> String {
        String::from_utf8(bytes(value).unwrap()).unwrap()
    }

    /// The example of RFC 8785, section 3.2.3.
    #[test]
    fn members_are_sorted_by_their_utf_16_code_units() {
        let value = json!({
            "\u{20ac}": "Euro Sign",
            "\r": "Carriage Return",
            "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One",
            "\u{1f600}": "Emoji: Grinning Face",
            "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis",
        });
        let expected = [
            "\"\\r\":\"Carriage Return\"",
            "\"1\":\"One\"",
            "\"\u{80}\":\"Control\"",
            "\"\u{f6}\":\"Latin Small Letter O With Diaeresis\"",
            "\"\u{20ac}\":\"Euro Sign\"",
            "\"\u{1f600}\":\"Emoji: Grinning Face\"",
            "\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"",
        ];
        assert_eq!(text(&value), format!("{{{}}}", expected.join(",")));
    }

    /// The string of RFC 8785, section 3.2.2, and every control character of section 3.2.2.2.
    #[test]
    fn only_what_must_be_is_escaped() {
        let string = "\u{20ac}$\u{f}\nA'\u{42}\u{22}\u{5c}\\\"/";
        assert_eq!(text(&json!(string)), "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"");
        for code in 0..0x20u8 {
            let expected = match code {
                0x08 => "\\b".into(),
                0x09 => "\\t".into(),
                0x0a => "\\n".into(),
                0x0c => "\\f".into(),
                0x0d => "\\r".into(),
                code => format!("\\u{code:04x}"),
            };
            assert_eq!(text(&json!(char::from(code).to_string())), format!("\"{expected}\""));
        }
        assert_eq!(text(&json!("\u{7f}\u{2028}")), "\"\u{7f}\u{2028}\"");
    }

    #[test]
    fn nested_values_have_no_space_and_literals_are_as_they_are() {
        let value = json!({"b": [true, false, null, {"z": 0, "a": []}], "a": {}});
        assert_eq!(text(&value), r#"{"a":{},"b":[true,false,null,{"a":[],"z":0}]}"#);
    }

    #[test]
    fn numbers_that_readers_would_round_are_refused() {
        assert_eq!(text(&json!(NUMBER_MAX)), "9007199254740991");
        for value in [json!(NUMBER_MAX + 1), json!(-1), json!(1.5), json!([1e30])] {
            assert!(bytes(&value).is_none(), "{value}");
        }
    }
}
