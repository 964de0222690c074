//! Answers whose events name their type: OpenAI's responses and Anthropic's messages. One choice each.

use serde_json::{json, Value};

use crate::{
    tools,
    wire::{Head, Kind, Usage},
    FINGERPRINT,
};

/// One answer on its way.
pub(crate) struct Typed {
    kind: Kind,
    head: Head,
    /// The tool that is called instead of an answer in words.
    tool: Option<String>,
    text: String,
    /// Number of the next event of a response.
    sequence: u64,
}

impl Typed {
    pub(crate) fn new(kind: Kind, head: Head, tool: Option<String>) -> Self {
        let text = if tool.is_some() { tools::BEGIN.to_string() } else { String::new() };
        Typed { kind, head, tool, text, sequence: 0 }
    }

    /// The whole answer, all words said.
    pub(crate) fn whole(mut self, words: &str, usage: Usage, is_cut: bool) -> Value {
        self.text.push_str(words);
        self.finish();
        match self.kind {
            Kind::Responses => self.response("completed", is_cut, Some(usage)),
            _ => self.message(Some(self.block()), usage, self.stop_reason(is_cut)),
        }
    }

    /// What comes before the first word.
    pub(crate) fn opening(&mut self, usage: Usage) -> String {
        if self.kind == Kind::Messages {
            let message = self.message(None, usage, Value::Null);
            let block = match &self.tool {
                Some(name) => {
                    json!({"type": "tool_use", "id": self.call_id(), "name": name, "input": {}})
                }
                None => json!({"type": "text", "text": ""}),
            };
            let start = json!({"type": "content_block_start", "index": 0, "content_block": block});
            let mut events = self.event(json!({"type": "message_start", "message": message}));
            events.push_str(&self.event(start));
            let begin = if self.tool.is_some() { self.delta(tools::BEGIN) } else { String::new() };
            return events + &begin;
        }
        let response = self.response("in_progress", false, None);
        let mut events = self.event(json!({"type": "response.created", "response": response}));
        events.push_str(&self.event(json!({"type": "response.in_progress", "response": response})));
        let item = self.item("in_progress", "");
        let added = json!({"type": "response.output_item.added", "output_index": 0, "item": item});
        events.push_str(&self.event(added));
        let more = match self.tool.is_some() {
            true => self.delta(tools::BEGIN),
            false => self.event(json!({
                "type": "response.content_part.added", "item_id": self.item_id(), "output_index": 0,
                "content_index": 0, "part": part(""),
            })),
        };
        events + &more
    }

    /// One word.
    pub(crate) fn word(&mut self, word: &str) -> String {
        self.text.push_str(word);
        self.delta(word)
    }

    /// What comes after the last word; the very last event says the usage, or that it was said.
    pub(crate) fn closing(&mut self, usage: Usage, is_cut: bool) -> String {
        let mut events = if self.tool.is_some() { self.delta(tools::END) } else { String::new() };
        self.finish();
        if self.kind == Kind::Messages {
            let delta = json!({"stop_reason": self.stop_reason(is_cut), "stop_sequence": null});
            let usage = json!({"output_tokens": usage.completion_tokens});
            events.push_str(&self.event(json!({"type": "content_block_stop", "index": 0})));
            events.push_str(&self.event(json!({"type": "message_delta", "delta": delta, "usage": usage})));
            return events + &self.event(json!({"type": "message_stop"}));
        }
        let (id, text) = (self.item_id(), self.text.clone());
        let done = match self.tool.is_some() {
            true => vec![json!({
                "type": "response.function_call_arguments.done", "item_id": id, "output_index": 0,
                "arguments": text,
            })],
            false => vec![
                json!({
                    "type": "response.output_text.done", "item_id": id, "output_index": 0, "content_index": 0,
                    "text": text, "logprobs": [],
                }),
                json!({
                    "type": "response.content_part.done", "item_id": id, "output_index": 0, "content_index": 0,
                    "part": part(&text),
                }),
            ],
        };
        for event in done {
            events.push_str(&self.event(event));
        }
        let item = self.item("completed", &text);
        events.push_str(
            &self.event(json!({"type": "response.output_item.done", "output_index": 0, "item": item})),
        );
        let kind = if self.is_incomplete(is_cut) { "response.incomplete" } else { "response.completed" };
        let response = self.response("completed", is_cut, Some(usage));
        events + &self.event(json!({"type": kind, "response": response}))
    }

    /// Ends the arguments of a call.
    fn finish(&mut self) {
        if self.tool.is_some() {
            self.text.push_str(tools::END);
        }
    }

    fn delta(&mut self, text: &str) -> String {
        let is_call = self.tool.is_some();
        let event = match (self.kind, is_call) {
            (Kind::Messages, true) => json!({
                "type": "content_block_delta", "index": 0,
                "delta": {"type": "input_json_delta", "partial_json": text},
            }),
            (Kind::Messages, false) => json!({
                "type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text},
            }),
            (_, true) => json!({
                "type": "response.function_call_arguments.delta", "item_id": self.item_id(), "output_index": 0,
                "delta": text,
            }),
            (_, false) => json!({
                "type": "response.output_text.delta", "item_id": self.item_id(), "output_index": 0,
                "content_index": 0, "delta": text, "logprobs": [],
            }),
        };
        self.event(event)
    }

    fn event(&mut self, mut data: Value) -> String {
        if self.kind == Kind::Responses {
            data["sequence_number"] = self.sequence.into();
            self.sequence += 1;
        }
        let name = data["type"].as_str().unwrap_or_default().to_string();
        format!("event: {name}\ndata: {data}\n\n")
    }

    fn call_id(&self) -> String {
        format!("call-{}", self.head.id)
    }

    fn item_id(&self) -> String {
        format!("item-{}", self.head.id)
    }

    /// Whether a response ends for its length. A call is said to its end all the same.
    fn is_incomplete(&self, is_cut: bool) -> bool {
        is_cut && self.tool.is_none()
    }

    fn response(&self, status: &str, is_cut: bool, usage: Option<Usage>) -> Value {
        let is_incomplete = self.is_incomplete(is_cut);
        let status = if is_incomplete { "incomplete" } else { status };
        let output = if usage.is_some() { vec![self.item(status, &self.text)] } else { Vec::new() };
        json!({
            "id": self.head.id, "object": "response", "created_at": self.head.created, "status": status,
            "model": self.head.model, "system_fingerprint": FINGERPRINT, "error": null,
            "incomplete_details": is_incomplete.then(|| json!({"reason": "max_output_tokens"})),
            "instructions": null, "metadata": {}, "output": output, "parallel_tool_calls": true,
            "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
            "usage": usage.map(|usage| json!({
                "input_tokens": usage.prompt_tokens,
                "input_tokens_details": {"cached_tokens": usage.cached()},
                "output_tokens": usage.completion_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": usage.total_tokens,
            })),
        })
    }

    fn item(&self, status: &str, text: &str) -> Value {
        match &self.tool {
            Some(name) => json!({
                "type": "function_call", "id": self.item_id(), "call_id": self.call_id(), "name": name,
                "arguments": text, "status": status,
            }),
            None => {
                let content = if text.is_empty() { Vec::new() } else { vec![part(text)] };
                json!({
                    "type": "message", "id": self.item_id(), "status": status, "role": "assistant",
                    "content": content,
                })
            }
        }
    }

    fn message(&self, block: Option<Value>, usage: Usage, stop_reason: Value) -> Value {
        let content: Vec<Value> = block.into_iter().collect();
        json!({
            "id": self.head.id, "type": "message", "role": "assistant", "model": self.head.model,
            "content": content, "stop_reason": stop_reason, "stop_sequence": null,
            "usage": {
                "input_tokens": usage.prompt_tokens - usage.cached(),
                "cache_read_input_tokens": usage.cached(),
                "cache_creation_input_tokens": 0,
                "output_tokens": usage.completion_tokens,
            },
        })
    }

    fn block(&self) -> Value {
        match &self.tool {
            Some(name) => {
                let input: Value = serde_json::from_str(&self.text).unwrap_or_default();
                json!({"type": "tool_use", "id": self.call_id(), "name": name, "input": input})
            }
            None => json!({"type": "text", "text": self.text}),
        }
    }

    fn stop_reason(&self, is_cut: bool) -> Value {
        match (&self.tool, is_cut) {
            (Some(_), _) => "tool_use".into(),
            (None, true) => "max_tokens".into(),
            (None, false) => "end_turn".into(),
        }
    }
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}
