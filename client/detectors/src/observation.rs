//! What the rules get to see of a request: figures and keyed digests, nothing that anybody said.

use crate::sketch::Sketch;

/// A wallet, by its owner's account.
pub type WalletId = [u8; 32];

/// An API key, by its hash.
pub type KeyId = [u8; 32];

/// A request, by the digest that names it everywhere in Stipend.
pub type RequestId = [u8; 16];

/// One finished request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The request's name.
    pub request: RequestId,
    /// Unix milliseconds at which it arrived.
    pub at_ms: u64,
    /// Who pays.
    pub wallet: WalletId,
    /// Unix milliseconds at which the wallet got its first credits; `None`: unknown, and the rules take the
    /// first request that they saw.
    pub wallet_since_ms: Option<u64>,
    /// The key that it came with.
    pub key: KeyId,
    /// Number of the model in the price book.
    pub model: u32,
    /// Number of the provider, as the caller of the rules counts them.
    pub provider: u32,
    /// What was asked for.
    pub endpoint: Endpoint,
    /// Tokens of the prompt, cached ones included.
    pub input_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// Most tokens that the caller let the answer have.
    pub max_tokens: u32,
    /// How the answer ended.
    pub finish: Finish,
    /// How much of the answer the caller took, in thousandths.
    pub fetched_permille: u16,
    /// The prompt, sketched.
    pub prompt: Sketch,
    /// The tool calls of the conversation's last turn, if it had any: one keyed digest over names and arguments.
    pub tool_calls: Option<u64>,
    /// Where it came from.
    pub origin: Origin,
    /// Keyed digest of the purpose that the caller named.
    pub purpose: Option<u64>,
    /// Unix milliseconds at which the first of the credits that could pay for it expire.
    pub period_ends_ms: Option<u64>,
}

impl Observation {
    /// All of its tokens.
    pub fn tokens(&self) -> u64 {
        u64::from(self.input_tokens) + u64::from(self.output_tokens)
    }

    /// Whether the request was served: what failed is no use of anything.
    pub fn is_served(&self) -> bool {
        self.finish != Finish::Failed
    }
}

/// What was asked for, as far as the rules tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// Text that goes on from a conversation or a prompt.
    Text,
    /// Vectors.
    Embeddings,
    /// Everything else.
    Other,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model had nothing more to say.
    Stop,
    /// At the most tokens that it could have.
    Length,
    /// With tool calls.
    Tools,
    /// It was not served.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Keyed digest of the network: an IPv4 /24 or an IPv6 /48.
    pub network: u64,
    /// Keyed digest of the program's name.
    pub agent: u64,
}
