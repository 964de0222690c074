//! Parts of a request that are something else than text. Their tokens are not bounded by their bytes: an
//! image can stand behind a short address.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The `type`s of parts that are text, and of those that only hold others.
const TEXT_KINDS: [&str; 17] = [
    // Chat completions and responses.
    "text",
    "input_text",
    "output_text",
    "refusal",
    // Items of responses.
    "message",
    "reasoning",
    "summary_text",
    "reasoning_text",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    // Blocks of messages.
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "search_result",
];

/// What can hold parts: a message, a part, or what stands in a list of either.
#[derive(Deserialize)]
struct Holder<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
}

impl Holder<'_> {
    /// Whether it is no text itself. Without a type engines guess the kind from other fields.
    fn is_media(&self) -> bool {
        !self.kind.as_ref().is_some_and(|kind| TEXT_KINDS.contains(&kind.as_ref()))
    }

    fn inside(&self) -> Result<usize, serde_json::Error> {
        let counts = [self.content, self.output].into_iter().flatten().map(|raw| parts(raw.get()));
        counts.sum()
    }
}

/// Parts that are no text in a list of messages, which are no parts themselves.
pub(crate) fn in_messages(messages: &str) -> Result<usize, serde_json::Error> {
    let messages: Vec<Holder> = serde_json::from_str(messages)?;
    messages.iter().map(Holder::inside).sum()
}

/// Parts that are no text in the `input` of a response: a text, or messages among other items.
pub(crate) fn in_items(input: &str) -> Result<usize, serde_json::Error> {
    count(input, |holder| holder.kind.is_some() && holder.is_media())
}

/// Parts that are no text in a `prompt`: a text, tokens, or a list of both.
pub(crate) fn in_prompt(prompt: &str) -> Result<usize, serde_json::Error> {
    if prompt.starts_with('{') {
        return Ok(1);
    }
    count(prompt, |_| true)
}

fn parts(content: &str) -> Result<usize, serde_json::Error> {
    if content.starts_with('{') {
        let holder: Holder = serde_json::from_str(content)?;
        return Ok(usize::from(holder.is_media()) + holder.inside()?);
    }
    count(content, |holder| holder.is_media())
}

/// Counts in a list; what is no list holds no part.
fn count(list: &str, is_media: impl Fn(&Holder) -> bool) -> Result<usize, serde_json::Error> {
    if !list.starts_with('[') {
        return Ok(0);
    }
    let items: Vec<&RawValue> = serde_json::from_str(list)?;
    let mut found = 0;
    for item in items.iter().map(|item| item.get()).filter(|item| item.starts_with('{')) {
        let holder: Holder = serde_json::from_str(item)?;
        found += usize::from(is_media(&holder)) + holder.inside()?;
    }
    Ok(found)
}
