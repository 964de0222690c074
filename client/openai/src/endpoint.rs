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
}
