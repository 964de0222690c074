//! The ways of asking for inference that are passed on to engines.

/// An endpoint of an engine: OpenAI's, and Anthropic's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// OpenAI's chat completions.
    Chat,
    /// OpenAI's completions.
    Completions,
    /// OpenAI's embeddings: nothing is generated.
    Embeddings,
    /// OpenAI's responses.
    Responses,
    /// OpenAI's image generation.
    Images,
    /// Anthropic's messages.
    Messages,
}

impl Endpoint {
    /// All of them, in the order of their numbers (`endpoint as usize`).
    pub const ALL: [Endpoint; 6] = [
        Endpoint::Chat,
        Endpoint::Completions,
        Endpoint::Embeddings,
        Endpoint::Responses,
        Endpoint::Images,
        Endpoint::Messages,
    ];

    /// The path, the same at gateway, attestor and engine.
    pub const fn path(self) -> &'static str {
        match self {
            Endpoint::Chat => "/v1/chat/completions",
            Endpoint::Completions => "/v1/completions",
            Endpoint::Embeddings => "/v1/embeddings",
            Endpoint::Responses => "/v1/responses",
            Endpoint::Images => "/v1/images/generations",
            Endpoint::Messages => "/v1/messages",
        }
    }

    /// The endpoint at a path.
    pub fn of_path(path: &str) -> Option<Endpoint> {
        Self::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }

    /// Whether text is generated, so that `max_tokens` and its kin bound it.
    pub const fn generates_text(self) -> bool {
        !matches!(self, Endpoint::Embeddings | Endpoint::Images)
    }

    /// The field that bounds what is generated, under the name that the protocol gives it; `None` where
    /// nothing is generated that a field could bound.
    pub const fn bound_field(self) -> Option<&'static str> {
        match self {
            Endpoint::Chat | Endpoint::Completions | Endpoint::Messages => Some("max_tokens"),
            Endpoint::Responses => Some("max_output_tokens"),
            Endpoint::Embeddings | Endpoint::Images => None,
        }
    }

    /// Whether a stream says what it used only where `stream_options.include_usage` asks for it.
    pub const fn must_ask_for_usage(self) -> bool {
        matches!(self, Endpoint::Chat | Endpoint::Completions)
    }

    /// Whether vLLM takes `priority` here.
    pub const fn takes_priority(self) -> bool {
        !matches!(self, Endpoint::Images | Endpoint::Messages)
    }
}
