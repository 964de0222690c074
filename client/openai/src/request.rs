//! What metering needs of a request body.

use std::{borrow::Cow, ops::Range};

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{image::ImageSize, media, outside::Outside, prompts, Endpoint};

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

/// A request body of one endpoint, read in one pass.
///
/// Only what metering needs is looked at; everything else is left to the engine. A field named
/// here that stands in the body twice is refused.
#[derive(Debug)]
pub struct RequestView<'a> {
    /// Where it was sent.
    pub endpoint: Endpoint,
    /// The body that was read.
    pub body: &'a [u8],
    /// The model asked for.
    pub model: Cow<'a, str>,
    /// Whether the answer shall come as server-sent events.
    pub stream: bool,
    /// Whether the caller itself asked for the usage chunk at the end of a stream.
    pub include_usage: bool,
    /// Tokens to generate at most per choice, under the endpoint's own name of the bound
    /// ([`Endpoint::bound_field`]); in chats `max_completion_tokens` outweighs it.
    pub max_tokens: Option<u32>,
    /// Tokens to generate at least (vLLM).
    pub min_tokens: Option<u32>,
    /// Choices to answer with, per prompt; images with image generation.
    pub n: u32,
    /// Choices to generate per prompt, of which the best `n` are answered.
    pub best_of: Option<u32>,
    /// The size of the images asked for.
    pub image: ImageSize,
    /// Bytes of `tools` as JSON; 0 if there are none.
    pub tools_bytes: usize,
    /// The field that draws on something outside of the body, without a bound that the body shows: an
    /// earlier conversation, tools that the engine runs, work in the background.
    pub outside: Option<&'static str>,
    pub(crate) fields: Fields,
    messages: Option<&'a RawValue>,
    prompt: Option<&'a RawValue>,
    input: Option<&'a RawValue>,
}

/// Where the fields that may be rewritten stand in the body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) model: Range<usize>,
    pub(crate) priority: Option<Range<usize>>,
    pub(crate) max_tokens: Option<Range<usize>>,
    pub(crate) max_completion_tokens: Option<Range<usize>>,
    pub(crate) max_output_tokens: Option<Range<usize>>,
    pub(crate) min_tokens: Option<Range<usize>>,
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
    max_output_tokens: Field<'a>,
    #[serde(borrow, default)]
    min_tokens: Field<'a>,
    #[serde(borrow, default)]
    n_predict: Field<'a>,
    #[serde(default)]
    n: Option<u32>,
    /// llama.cpp's name of `n`.
    #[serde(default)]
    n_cmpl: Option<u32>,
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
    #[serde(borrow, default)]
    tools: Option<&'a RawValue>,
    #[serde(borrow, default)]
    size: Option<&'a RawValue>,
    #[serde(borrow, default)]
    previous_response_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    conversation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    background: Field<'a>,
    #[serde(borrow, default)]
    container: Option<&'a RawValue>,
    #[serde(borrow, default)]
    mcp_servers: Option<&'a RawValue>,
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
    /// Reads a body that was sent to an endpoint.
    pub fn read(endpoint: Endpoint, body: &'a [u8]) -> Result<Self, RequestError> {
        let raw: Raw<'a> = serde_json::from_slice(body)?;
        let model: Text<'a> = serde_json::from_str(raw.model.get())?;
        let (stream_options, include_usage) = read_stream_options(body, &raw.stream_options)?;
        Ok(RequestView {
            endpoint,
            body,
            model: model.0,
            stream: raw.stream.unwrap_or(false),
            include_usage,
            max_tokens: max_tokens(endpoint, &raw)?,
            min_tokens: raw.min_tokens.value()?,
            n: raw.n.unwrap_or(1).max(raw.n_cmpl.unwrap_or(0)),
            best_of: raw.best_of,
            image: image(endpoint, &raw),
            tools_bytes: raw.tools.map_or(0, |raw| raw.get().len()),
            outside: outside(&raw).field(endpoint)?,
            fields: Fields {
                model: span_of(body, raw.model),
                priority: raw.priority.span(body),
                max_tokens: raw.max_tokens.span(body),
                max_completion_tokens: raw.max_completion_tokens.span(body),
                max_output_tokens: raw.max_output_tokens.span(body),
                min_tokens: raw.min_tokens.span(body),
                n_predict: raw.n_predict.span(body),
                stream_options,
            },
            messages: raw.messages,
            prompt: raw.prompt,
            input: raw.input,
        })
    }

    /// How many answers the engine generates for this body at most: choices times prompts (a
    /// completion's `prompt` can be a list). Each can be [`RequestView::max_tokens`] long. 1 for embeddings,
    /// of which nothing is generated.
    pub fn generations_count(&self) -> u64 {
        let choices = u64::from(self.n.max(self.best_of.unwrap_or(1)).max(1));
        match self.endpoint {
            Endpoint::Completions => choices.saturating_mul(self.prompts_count()),
            Endpoint::Embeddings => 1,
            _ => choices,
        }
    }

    /// How many prompts there are: 1, unless `prompt`, or `input` of embeddings, is a list of strings or
    /// of token lists.
    pub fn prompts_count(&self) -> u64 {
        let prompt = match self.endpoint {
            Endpoint::Completions => self.prompt,
            Endpoint::Embeddings => self.input,
            _ => None,
        };
        prompt.map_or(1, |raw| prompts::count(raw.get()))
    }

    /// How many parts are something else than text. Their tokens are not bounded by their bytes: an image
    /// can stand behind a short address.
    pub fn media_parts_count(&self) -> Result<usize, RequestError> {
        let messages = self.messages.map_or(Ok(0), |raw| media::in_messages(raw.get()))?;
        let input = match self.endpoint {
            Endpoint::Responses => self.input.map_or(Ok(0), |raw| media::in_items(raw.get()))?,
            _ => self.input.map_or(Ok(0), |raw| media::in_prompt(raw.get()))?,
        };
        let prompt = self.prompt.map_or(Ok(0), |raw| media::in_prompt(raw.get()))?;
        Ok(messages + input + prompt)
    }
}

/// The caller's bound, under the endpoint's own name of it.
fn max_tokens(endpoint: Endpoint, raw: &Raw) -> Result<Option<u32>, RequestError> {
    let max_tokens: Option<u32> = raw.max_tokens.value()?;
    let max_completion_tokens: Option<u32> = raw.max_completion_tokens.value()?;
    match endpoint {
        Endpoint::Responses => Ok(raw.max_output_tokens.value()?),
        Endpoint::Messages => Ok(max_tokens),
        Endpoint::Embeddings | Endpoint::Images => Ok(None),
        Endpoint::Chat | Endpoint::Completions => match (max_tokens, max_completion_tokens) {
            (Some(max_tokens), Some(max_completion_tokens)) if max_tokens != max_completion_tokens => {
                Err(RequestError::TwoLimits { max_tokens, max_completion_tokens })
            }
            _ => Ok(max_completion_tokens.or(max_tokens)),
        },
    }
}

fn image(endpoint: Endpoint, raw: &Raw) -> ImageSize {
    let size = raw.size.filter(|_| endpoint == Endpoint::Images);
    let size: Option<Text> = size.and_then(|raw| serde_json::from_str(raw.get()).ok());
    ImageSize::read(size.as_ref().map(|size| size.0.as_ref()))
}

fn outside<'a>(raw: &Raw<'a>) -> Outside<'a> {
    Outside {
        previous_response_id: raw.previous_response_id,
        conversation: raw.conversation,
        background: raw.background.0,
        container: raw.container,
        mcp_servers: raw.mcp_servers,
        prompt: raw.prompt,
        tools: raw.tools,
        input: raw.input,
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
