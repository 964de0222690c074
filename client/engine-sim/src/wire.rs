//! Requests and answers on the wire, as vLLM's server has them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::FINGERPRINT;

/// A request for text: of chat completions, completions, responses or messages.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) messages: Vec<Message>,
    #[serde(default)]
    pub(crate) prompt: Option<Prompt>,
    /// What a response is to.
    #[serde(default)]
    pub(crate) input: Option<Items>,
    #[serde(default)]
    pub(crate) instructions: Option<String>,
    /// The system prompt of messages.
    #[serde(default)]
    pub(crate) system: Option<Content>,
    #[serde(default)]
    pub(crate) tools: Option<Value>,
    #[serde(default)]
    pub(crate) tool_choice: Option<Value>,
    #[serde(default)]
    pub(crate) stream: Option<bool>,
    #[serde(default)]
    pub(crate) stream_options: Option<StreamOptions>,
    #[serde(default)]
    pub(crate) max_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) max_completion_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) max_output_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) n: Option<u32>,
    #[serde(default)]
    pub(crate) priority: Option<i64>,
    #[serde(default)]
    pub(crate) seed: Option<u64>,
}

/// An embeddings request.
#[derive(Debug, Deserialize)]
pub(crate) struct EmbeddingsRequest {
    pub(crate) model: String,
    pub(crate) input: Prompt,
    #[serde(default)]
    pub(crate) dimensions: Option<usize>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    #[serde(default)]
    pub(crate) content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Items {
    Text(String),
    Messages(Vec<Message>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
pub(crate) struct Part {
    #[serde(default)]
    pub(crate) text: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Prompt {
    Text(String),
    Texts(Vec<String>),
    Tokens(Vec<u32>),
    TokenLists(Vec<Vec<u32>>),
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct StreamOptions {
    #[serde(default)]
    pub(crate) include_usage: Option<bool>,
    #[serde(default)]
    pub(crate) continuous_usage_stats: Option<bool>,
}

/// Token counts of an answer.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Usage {
    pub(crate) prompt_tokens: u64,
    pub(crate) total_tokens: u64,
    pub(crate) completion_tokens: u64,
    pub(crate) prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct PromptDetails {
    pub(crate) cached_tokens: u64,
}

impl Usage {
    pub(crate) fn cached(&self) -> u64 {
        self.prompt_tokens_details.map_or(0, |details| details.cached_tokens)
    }
}

/// Which of the protocols an answer follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Chat,
    Text,
    Responses,
    Messages,
}

impl Kind {
    pub(crate) fn id_prefix(self) -> &'static str {
        match self {
            Kind::Chat => "chatcmpl",
            Kind::Text => "cmpl",
            Kind::Responses => "resp",
            Kind::Messages => "msg",
        }
    }
}

/// The parts of an answer or chunk that stay the same.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Head {
    pub(crate) id: String,
    pub(crate) object: &'static str,
    pub(crate) created: u64,
    pub(crate) model: String,
    pub(crate) system_fingerprint: &'static str,
}

impl Head {
    pub(crate) fn new(kind: Kind, stream: bool, number: u64, created: u64, model: String) -> Self {
        let object = match (kind, stream) {
            (Kind::Chat, false) => "chat.completion",
            (Kind::Chat, true) => "chat.completion.chunk",
            (Kind::Text, _) => "text_completion",
            (Kind::Responses, _) => "response",
            (Kind::Messages, _) => "message",
        };
        let id = format!("{}-sim-{number}", kind.id_prefix());
        Head { id, object, created, model, system_fingerprint: FINGERPRINT }
    }
}

/// An answer or a chunk.
#[derive(Serialize)]
pub(crate) struct Answer<'a> {
    #[serde(flatten)]
    pub(crate) head: &'a Head,
    pub(crate) choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Usage>,
}

#[derive(Serialize)]
pub(crate) struct Choice<'a> {
    pub(crate) index: usize,
    #[serde(flatten)]
    pub(crate) said: Said<'a>,
    pub(crate) logprobs: Option<Value>,
    pub(crate) finish_reason: Option<&'static str>,
}

/// The words of a choice, under the name that each protocol gives them.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Said<'a> {
    Message {
        role: &'static str,
        content: &'a str,
    },
    Delta {
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<&'static str>,
        content: &'a str,
    },
    /// A call instead of words.
    #[serde(rename = "message")]
    Call {
        role: &'static str,
        content: Option<&'a str>,
        tool_calls: [Call<'a>; 1],
    },
    /// A part of a call; the first one names it.
    #[serde(rename = "delta")]
    CallDelta {
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<&'static str>,
        tool_calls: [Call<'a>; 1],
    },
    Text(&'a str),
}

#[derive(Serialize)]
pub(crate) struct Call<'a> {
    pub(crate) index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "type")]
    pub(crate) kind: Option<&'static str>,
    pub(crate) function: Function<'a>,
}

#[derive(Serialize)]
pub(crate) struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
    pub(crate) arguments: &'a str,
}

impl<'a> Call<'a> {
    /// A call with its name.
    pub(crate) fn named(head: &Head, choice: usize, name: &'a str, arguments: &'a str) -> Self {
        let id = Some(format!("call-{}-{choice}", head.id));
        Call { index: 0, id, kind: Some("function"), function: Function { name: Some(name), arguments } }
    }

    /// More of the arguments.
    pub(crate) fn more(arguments: &'a str) -> Self {
        Call { index: 0, id: None, kind: None, function: Function { name: None, arguments } }
    }
}
