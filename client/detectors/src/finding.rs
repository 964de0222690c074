//! What a rule says.

use crate::observation::{KeyId, RequestId, WalletId};

/// Requests that a finding names, at most: enough to look at, too few to fill memory.
pub const REQUESTS_MAX: usize = 8;

/// The rules, one for each pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum Rule {
    /// The same prompt, or nearly, again and again in one wallet.
    Repeat,
    /// The same prompt, or nearly, again and again in several wallets.
    Copied,
    /// One prompt to many models at once.
    FanOut,
    /// An agent that makes the same tool calls over and over.
    Loop,
    /// Requests like a clock's, day and night.
    Clockwork,
    /// Answers that nobody fetched.
    Unread,
    /// Much more than usual just before credits expire.
    Burst,
    /// One key used from many places at once.
    SharedKey,
    /// A model or a body of text taken out piece by piece.
    Extraction,
}

impl Rule {
    /// All of them, in the order of their numbers.
    pub const ALL: [Rule; 9] = [
        Rule::Repeat,
        Rule::Copied,
        Rule::FanOut,
        Rule::Loop,
        Rule::Clockwork,
        Rule::Unread,
        Rule::Burst,
        Rule::SharedKey,
        Rule::Extraction,
    ];

    /// The name in metrics, files and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Rule::Repeat => "repeat",
            Rule::Copied => "copied",
            Rule::FanOut => "fan-out",
            Rule::Loop => "loop",
            Rule::Clockwork => "clockwork",
            Rule::Unread => "unread",
            Rule::Burst => "burst",
            Rule::SharedKey => "shared-key",
            Rule::Extraction => "extraction",
        }
    }

    /// The rule of a name.
    pub fn named(name: &str) -> Option<Self> {
        Rule::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// Who is told.
    pub const fn audience(self) -> Audience {
        match self {
            Rule::SharedKey | Rule::Extraction => Audience::Security,
            _ => Audience::Person,
        }
    }

    /// The rule's place in [`Rule::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Who is told of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Whoever owns the wallet, and nobody else unless they appeal.
    Person,
    /// Those who look after the company's security. The owner may be a thief's victim, or the thief.
    Security,
}

/// Something that looks like waste. It is a hint, not a judgement, and nothing follows from it by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The wallet of the request that completed the pattern.
    pub wallet: WalletId,
    /// That request's key.
    pub key: KeyId,
    /// Unix milliseconds of the pattern's first request.
    pub from_ms: u64,
    /// Unix milliseconds of its last.
    pub to_ms: u64,
    /// Some of its requests, oldest first; at most [`REQUESTS_MAX`].
    pub requests: Vec<RequestId>,
    /// How many requests belong to it.
    pub count: u32,
    /// Tokens that they used.
    pub tokens: u64,
    /// How far beyond the rule's bound, in thousandths: 500 at the bound, 1,000 at twice the bound and beyond.
    pub score_permille: u16,
    /// What was seen, and what to do, in sentences for whoever is told.
    pub explanation: String,
    /// Who is told.
    pub audience: Audience,
}

/// A rule's part of a finding.
pub(crate) struct Hit {
    pub(crate) from_ms: u64,
    pub(crate) requests: Vec<RequestId>,
    pub(crate) count: u32,
    pub(crate) tokens: u64,
    pub(crate) score_permille: u16,
    pub(crate) explanation: String,
}

/// How far `measured` is beyond `bound`; both count the same thing.
pub(crate) fn score(measured: u64, bound: u64) -> u16 {
    let permille = measured.saturating_mul(500) / bound.max(1);
    u16::try_from(permille.min(1_000)).unwrap_or(1_000)
}

/// The first requests of a pattern and its newest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Examples(Vec<RequestId>);

impl Examples {
    /// Bytes that one points to, at most.
    pub(crate) const BYTES_MAX: usize = REQUESTS_MAX * size_of::<RequestId>();

    /// Bytes that it points to.
    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<RequestId>()
    }

    pub(crate) fn note(&mut self, request: RequestId) {
        if self.0.len() == REQUESTS_MAX {
            self.0.pop();
        }
        if self.0.capacity() == 0 {
            self.0.reserve_exact(REQUESTS_MAX);
        }
        self.0.push(request);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn to_vec(&self) -> Vec<RequestId> {
        self.0.clone()
    }
}
