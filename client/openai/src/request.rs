//! What metering needs of a request body.

use std::{borrow::Cow, ops::Range};

use serde::{
    de::{Error as _, SeqAccess, Visitor},
    Deserialize, Deserializer,
};
use serde_json::value::RawValue;

/// Why a body cannot be metered, and so must not be served.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// It is not the JSON that is expected.
    #[error("the request body cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// `max_tokens` and `max_completion_tokens` differ, and engines differ in which one they obey.
    #[error(
        "max_tokens is {max_tokens} and max_completion_tokens is {max_completion_tokens}: send one of them"
    )]
    TwoLimits {
        /// The old name's value.
        max_tokens: u32,
        /// The new name's value.
        max_completion_tokens: u32,
    },
}

/// A request body of chat completions, completions or embeddings, read in one pass.
///
/// Only what metering needs is looked at; everything else is left to the engine. A field named
/// here that stands in the body twice is refused.
#[derive(Debug)]
pub struct RequestView<'a> {
    /// The body that was read.
    pub body: &'a [u8],
    /// The model asked for.
    pub model: Cow<'a, str>,
    /// Whether the answer shall come as server-sent events.
    pub stream: bool,
    /// Whether the caller itself asked for the usage chunk at the end of a stream.
    pub include_usage: bool,
    /// Tokens to generate at most per choice: `max_completion_tokens`, or else `max_tokens`.
    pub max_tokens: Option<u32>,
    /// Choices to answer with, per prompt.
    pub n: u32,
    /// Choices to generate per prompt, of which the best `n` are answered.
    pub best_of: Option<u32>,
    /// Bytes of `messages` as JSON; 0 if there are none.
    pub messages_bytes: usize,
    /// Bytes of `prompt` or, for embeddings, `input` as JSON; 0 if there is none.
    pub prompt_bytes: usize,
    pub(crate) fields: Fields,
    messages: Option<&'a RawValue>,
    prompt: Option<&'a RawValue>,
}

/// Where the fields that may be rewritten stand in the body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) model: Range<usize>,
    pub(crate) priority: Option<Range<usize>>,
    pub(crate) max_tokens: Option<Range<usize>>,
    pub(crate) max_completion_tokens: Option<Range<usize>>,
    /// llama.cpp's name of the bound, which outweighs the others there.
    pub(crate) n_predict: Option<Range<usize>>,
    pub(crate) stream_options: StreamOptionsAt,
}

/// Where `stream_options` stands, if at all.
#[derive(Clone, Debug, Default)]
pub(crate) enum StreamOptionsAt {
    /// It is not there.
    #[default]
    Absent,
    /// It is `null`.
    Null(Range<usize>),
    /// It is an object.
    Object { span: Range<usize>, include_usage: Option<Range<usize>>, continuous: Option<Range<usize>> },
}

/// A field's raw value; unlike an `Option`, it tells `null` from absent.
#[derive(Default)]
struct Field<'a>(Option<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Field(Some(raw)))
    }
}

impl<'a> Field<'a> {
    /// The value read as `T`, `None` where it is absent or `null`.
    fn value<T: Deserialize<'a>>(&self) -> Result<Option<T>, serde_json::Error> {
        self.0.map_or(Ok(None), |raw| serde_json::from_str(raw.get()))
    }

    fn span(&self, body: &[u8]) -> Option<Range<usize>> {
        self.0.map(|raw| span_of(body, raw))
    }
}

/// Where a raw value, which borrows from `body`, stands in it.
pub(crate) fn span_of(body: &[u8], raw: &RawValue) -> Range<usize> {
    let start = raw.get().as_ptr() as usize - body.as_ptr() as usize;
    let span = start..start + raw.get().len();
    debug_assert_eq!(body.get(span.clone()), Some(raw.get().as_bytes()));
    span
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    model: &'a RawValue,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(borrow, default)]
    stream_options: Field<'a>,
    #[serde(borrow, default)]
    max_tokens: Field<'a>,
    #[serde(borrow, default)]
    max_completion_tokens: Field<'a>,
    #[serde(borrow, default)]
    n_predict: Field<'a>,
    #[serde(default)]
    n: Option<u32>,
    #[serde(default)]
    best_of: Option<u32>,
    #[serde(borrow, default)]
    priority: Field<'a>,
    #[serde(borrow, default)]
    messages: Option<&'a RawValue>,
    #[serde(borrow, default)]
    prompt: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawStreamOptions<'a> {
    #[serde(borrow, default)]
    include_usage: Field<'a>,
    #[serde(borrow, default)]
    continuous_usage_stats: Field<'a>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> RequestView<'a> {
    /// Reads a body.
    pub fn read(body: &'a [u8]) -> Result<Self, RequestError> {
        let raw: Raw<'a> = serde_json::from_slice(body)?;
        let model: Text<'a> = serde_json::from_str(raw.model.get())?;
        let (stream_options, include_usage) = read_stream_options(body, &raw.stream_options)?;
        let max_tokens: Option<u32> = raw.max_tokens.value()?;
        let max_completion_tokens: Option<u32> = raw.max_completion_tokens.value()?;
        if let (Some(max_tokens), Some(max_completion_tokens)) = (max_tokens, max_completion_tokens) {
            if max_tokens != max_completion_tokens {
                return Err(RequestError::TwoLimits { max_tokens, max_completion_tokens });
            }
        }
        let prompt = raw.prompt.or(raw.input);
        Ok(RequestView {
            body,
            model: model.0,
            stream: raw.stream.unwrap_or(false),
            include_usage,
            max_tokens: max_completion_tokens.or(max_tokens),
            n: raw.n.unwrap_or(1),
            best_of: raw.best_of,
            messages_bytes: raw.messages.map_or(0, |raw| raw.get().len()),
            prompt_bytes: prompt.map_or(0, |raw| raw.get().len()),
            fields: Fields {
                model: span_of(body, raw.model),
                priority: raw.priority.span(body),
                max_tokens: raw.max_tokens.span(body),
                max_completion_tokens: raw.max_completion_tokens.span(body),
                n_predict: raw.n_predict.span(body),
                stream_options,
            },
            messages: raw.messages,
            prompt,
        })
    }

    /// How many answers the engine generates for this body at most: choices times prompts (a
    /// completion's `prompt` can be a list). Each can be [`RequestView::max_tokens`] long.
    pub fn generations_count(&self) -> u64 {
        let choices = u64::from(self.n.max(self.best_of.unwrap_or(1)).max(1));
        choices.saturating_mul(self.prompts_count())
    }

    /// How many prompts there are: 1, unless `prompt` is a list of strings or of token lists.
    pub fn prompts_count(&self) -> u64 {
        let Some(prompt) = self.prompt else { return 1 };
        if !prompt.get().starts_with('[') {
            return 1;
        }
        // What is no list of anything is one prompt to us and an error to the engine.
        serde_json::from_str::<PromptsCount>(prompt.get()).map_or(1, |count| count.0.max(1))
    }

    /// How many message parts are something else than text. Their tokens are not bounded by their
    /// bytes: an image can stand behind a short address.
    pub fn media_parts_count(&self) -> Result<usize, RequestError> {
        let Some(messages) = self.messages else { return Ok(0) };
        let messages: Vec<Message> = serde_json::from_str(messages.get())?;
        Ok(messages.iter().map(|message| message.content.0).sum())
    }
}

fn read_stream_options<'a>(
    body: &'a [u8],
    field: &Field<'a>,
) -> Result<(StreamOptionsAt, bool), serde_json::Error> {
    let Some(span) = field.span(body) else { return Ok((StreamOptionsAt::Absent, false)) };
    let Some(options) = field.value::<RawStreamOptions<'a>>()? else {
        return Ok((StreamOptionsAt::Null(span), false));
    };
    let include_usage = options.include_usage.value::<bool>()?.unwrap_or(false);
    let at = StreamOptionsAt::Object {
        span,
        include_usage: options.include_usage.span(body),
        continuous: options.continuous_usage_stats.span(body),
    };
    Ok((at, include_usage))
}

/// Prompts in a list: its strings or lists, or 1 for a list of token numbers.
struct PromptsCount(u64);

impl<'de> Deserialize<'de> for PromptsCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Prompts;
        impl<'de> Visitor<'de> for Prompts {
            type Value = PromptsCount;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("a list of prompts or of tokens")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<PromptsCount, A::Error> {
                let mut count = 0;
                while let Some(item) = items.next_element::<&'de RawValue>()? {
                    let is_token = item.get().starts_with(|first: char| first.is_ascii_digit());
                    count += u64::from(!is_token);
                }
                Ok(PromptsCount(count))
            }
        }
        deserializer.deserialize_seq(Prompts)
    }
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default)]
    content: MediaParts,
}

/// How many parts of a message's content are no text.
#[derive(Default)]
struct MediaParts(usize);

/// The `type`s of parts that are text.
const TEXT_KINDS: [&str; 4] = ["text", "input_text", "output_text", "refusal"];

impl<'de> Deserialize<'de> for MediaParts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Part<'a> {
            // A part without a type counts as no text: engines guess its kind from its other fields.
            #[serde(borrow, default, rename = "type")]
            kind: Option<Cow<'a, str>>,
        }
        let content = <&RawValue>::deserialize(deserializer)?.get();
        if !content.starts_with('[') {
            return Ok(MediaParts(0));
        }
        let parts: Vec<&RawValue> = serde_json::from_str(content).map_err(D::Error::custom)?;
        let mut count = 0;
        for part in parts.iter().map(|part| part.get()).filter(|part| !part.starts_with('"')) {
            let part: Part = serde_json::from_str(part).map_err(D::Error::custom)?;
            let is_text = part.kind.is_some_and(|kind| TEXT_KINDS.contains(&kind.as_ref()));
            count += usize::from(!is_text);
        }
        Ok(MediaParts(count))
    }
}
