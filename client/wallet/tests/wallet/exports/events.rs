//! The rules of CloudEvents 1.0 for an event in JSON, and what OpenMeter wants besides.

use serde_json::Value;

use super::focus::is_time;

/// A rule, and a change to a sound event after which it does not hold.
pub struct Rule {
    pub name: &'static str,
    pub holds: fn(&Value) -> bool,
    pub breaks: fn(&mut Value),
}

fn text<'e>(event: &'e Value, name: &str) -> Option<&'e str> {
    event[name].as_str().filter(|text| !text.is_empty())
}

fn is_uri_reference(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte))
}

/// The attributes that an event in JSON has besides its data; others are extensions.
const ATTRIBUTES: [&str; 9] =
    ["specversion", "type", "id", "source", "subject", "time", "datacontenttype", "dataschema", "data"];

/// All rules.
pub const RULES: &[Rule] = &[
    Rule {
        name: "id: REQUIRED, a non-empty string",
        holds: |event| text(event, "id").is_some(),
        breaks: |event| event["id"] = "".into(),
    },
    Rule {
        name: "source: REQUIRED, a non-empty URI-reference",
        holds: |event| text(event, "source").is_some_and(is_uri_reference),
        breaks: |event| event["source"] = "not a reference".into(),
    },
    Rule {
        name: "specversion: REQUIRED, 1.0",
        holds: |event| text(event, "specversion") == Some("1.0"),
        breaks: |event| event["specversion"] = 1.0.into(),
    },
    Rule {
        name: "type: REQUIRED, a non-empty string",
        holds: |event| text(event, "type").is_some(),
        breaks: |event| event["type"] = Value::Null,
    },
    Rule {
        name: "subject: a non-empty string; OpenMeter's customer",
        holds: |event| text(event, "subject").is_some(),
        breaks: |event| drop(event.as_object_mut().unwrap().remove("subject")),
    },
    Rule {
        name: "time: a timestamp of RFC 3339",
        holds: |event| text(event, "time").is_some_and(is_time),
        breaks: |event| event["time"] = "yesterday".into(),
    },
    Rule {
        name: "datacontenttype: application/json, for data that is JSON",
        holds: |event| text(event, "datacontenttype") == Some("application/json"),
        breaks: |event| event["datacontenttype"] = "text/plain".into(),
    },
    Rule {
        name: "attribute names: lower-case letters and digits",
        holds: |event| {
            let names = event.as_object().unwrap().keys();
            names.into_iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
        },
        breaks: |event| event["Data_Schema"] = "x".into(),
    },
    Rule {
        name: "attributes: only those of the specification",
        holds: |event| event.as_object().unwrap().keys().all(|name| ATTRIBUTES.contains(&&**name)),
        breaks: |event| event["wallet"] = "x".into(),
    },
    Rule {
        name: "data: an object, without data_base64 beside it",
        holds: |event| event["data"].is_object() && event.get("data_base64").is_none(),
        breaks: |event| event["data"] = "text".into(),
    },
    Rule {
        name: "OpenMeter: amounts are decimal strings or numbers",
        holds: |event| {
            let data = event["data"].as_object().into_iter().flatten();
            data.filter(|(name, _)| name.ends_with("_microcredits") || name.ends_with("_tokens")).all(
                |(_, amount)| {
                    amount.is_u64() || amount.as_str().is_some_and(|text| text.parse::<u128>().is_ok())
                },
            )
        },
        breaks: |event| event["data"]["cost_microcredits"] = "a lot".into(),
    },
];

/// The names of the rules that an event does not keep.
pub fn broken(event: &Value) -> Vec<&'static str> {
    RULES.iter().filter(|rule| !(rule.holds)(event)).map(|rule| rule.name).collect()
}
