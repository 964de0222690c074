//! Messages and tool calls out of a body of any endpoint. Best effort: what is not understood is left out, and nothing is refused for it.

use serde_json::Value;
use stipend_detectors::{Role, Sketch, Sketcher};

/// The prompt's sketch, and the digest of its last turn's tool calls.
pub(super) fn read(sketcher: &Sketcher, body: &[u8]) -> Option<(Sketch, Option<u64>)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut messages = Vec::new();
    for field in ["system", "instructions"] {
        if let Some(text) = body.get(field) {
            messages.push((Role::System, text_of(text)));
        }
    }
    let mut calls = Vec::new();
    for field in ["messages", "input"] {
        for item in body.get(field).and_then(Value::as_array).into_iter().flatten() {
            take(item, &mut messages, &mut calls);
        }
    }
    for field in ["prompt", "input"] {
        if let Some(text) = body.get(field).and_then(Value::as_str) {
            messages.push((Role::User, text.to_owned()));
        }
    }
    for item in body.get("prompt").and_then(Value::as_array).into_iter().flatten() {
        take(item, &mut messages, &mut calls);
    }
    let sketch = sketcher.prompt(messages.iter().map(|(role, text)| (*role, text.as_str())));
    let calls = calls.iter().map(|(name, arguments)| (name.as_str(), arguments.as_str()));
    Some((sketch, sketcher.tool_calls(calls)))
}

/// Takes one message, item or text in. `calls` holds those of the newest turn of the model only.
fn take(item: &Value, messages: &mut Vec<(Role, String)>, calls: &mut Vec<(String, String)>) {
    let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "function_call" {
        // Several in a row are one turn.
        if messages.last().is_some_and(|(role, _)| *role != Role::Assistant) {
            calls.clear();
        }
        messages.push((Role::Assistant, String::new()));
        calls.push(call(item, "arguments"));
        return;
    }
    let role = match item.get("role").and_then(Value::as_str) {
        Some("system" | "developer") => Role::System,
        Some("assistant") => Role::Assistant,
        Some("tool" | "function") => Role::Tool,
        _ if kind == "function_call_output" => Role::Tool,
        _ => Role::User,
    };
    if role == Role::Assistant {
        calls.clear();
        let made = item.get("tool_calls").and_then(Value::as_array).into_iter().flatten();
        calls.extend(made.filter_map(|made| made.get("function")).map(|made| call(made, "arguments")));
        let parts = item.get("content").and_then(Value::as_array).into_iter().flatten();
        let used = parts.filter(|part| part.get("type").and_then(Value::as_str) == Some("tool_use"));
        calls.extend(used.map(|part| call(part, "input")));
    }
    let content = item.get("content").or_else(|| item.get("output")).unwrap_or(item);
    messages.push((role, text_of(content)));
}

fn call(made: &Value, arguments: &str) -> (String, String) {
    let name = made.get("name").and_then(Value::as_str).unwrap_or_default();
    let arguments = match made.get(arguments) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    (name.to_owned(), arguments)
}

/// The text of a content: a text, or a list of parts of which those with text count. Whatever else there is counts as it is written, so that two
/// different images are two different prompts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(part).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

fn part(part: &Value) -> String {
    match part.get("text").or_else(|| part.get("content")) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().map(|part| text_of(part.get("text").unwrap_or(part))).collect()
        }
        _ => text_of(part),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;
    use stipend_detectors::Secret;

    use super::*;

    fn of(body: Value) -> (Sketch, Option<u64>) {
        read(&Sketcher::new(Secret::new([1; 32])), body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn one_prompt_is_the_same_however_its_text_is_wrapped() {
        let plain = of(json!({"messages": [{"role": "user", "content": "What is a tide?"}]}));
        let parts = of(
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "What is a tide?"}]}]}),
        );
        let items = of(
            json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": "What is a tide?"}]}]}),
        );
        let completion = of(json!({"prompt": "What is a tide?", "max_tokens": 5}));
        let input = of(json!({"input": "What is a tide?"}));
        for other in [parts, items, completion, input] {
            assert_eq!(plain, other);
        }
    }

    #[test]
    fn nothing_but_the_prompt_counts() {
        let one = of(json!({"model": "a", "temperature": 1, "messages": [{"role": "user", "content": "x"}]}));
        let two = of(json!({"model": "b", "stream": true, "messages": [{"role": "user", "content": "x"}]}));
        assert_eq!(one, two);
    }

    #[test]
    fn instructions_and_messages_are_turns_of_their_own() {
        let anthropic = of(json!({"system": "Be brief.", "messages": [{"role": "user", "content": "x"}]}));
        let openai = of(json!({"messages": [
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "x"},
        ]}));
        assert_eq!(anthropic, openai);
        assert_eq!(openai.0.turns, 2);
        assert_ne!(of(json!({"input": ["a", "b"]})), of(json!({"input": ["a b"]})));
        assert_ne!(of(json!({"input": [1, 2]})), of(json!({"input": [1, 3]})));
    }

    #[test]
    fn the_calls_of_the_last_turn_are_found_in_every_protocol() {
        let calling = |arguments: &str| {
            json!({"role": "assistant", "content": null,
                "tool_calls": [{"id": "1", "function": {"name": "ls", "arguments": arguments}}]})
        };
        let result = json!({"role": "tool", "tool_call_id": "1", "content": "a\nb"});
        let openai = of(json!({"messages": [calling("{\"at\":1}"), result, calling("{\"at\":2}"), result]}));
        let anthropic = of(json!({"messages": [
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "ls", "input": {"at": 2}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "a\nb"}]},
        ]}));
        let responses = of(json!({"input": [
            {"type": "function_call", "name": "ls", "arguments": "{\"at\":2}"},
            {"type": "function_call_output", "call_id": "1", "output": "a\nb"},
        ]}));
        assert!(openai.1.is_some());
        assert_eq!(openai.1, anthropic.1);
        assert_eq!(openai.1, responses.1);
        assert_eq!(
            of(json!({"messages": [calling("{}"), {"role": "assistant", "content": "done"}]})).1,
            None
        );
    }

    #[test]
    fn what_is_no_json_or_of_no_form_that_is_known_does_no_harm() {
        let sketcher = Sketcher::new(Secret::new([1; 32]));
        assert_eq!(read(&sketcher, b"no json"), None);
        for odd in
            [json!({}), json!([1]), json!({"messages": {"a": 1}}), json!({"messages": [[[]], 7, null]})]
        {
            assert!(read(&sketcher, odd.to_string().as_bytes()).is_some(), "{odd}");
        }
    }
}
