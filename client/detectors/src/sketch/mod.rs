//! Prompts as keyed digests: equal ones and nearly equal ones can be told, what they say cannot.
//!
//! Every figure of a [`Sketch`] is made with the company's secret. Without it a sketch cannot be held against a guess; with it, it can: the
//! secret belongs where the prompts are, and is changed when somebody leaves who knew it.

mod minhash;
mod words;

use std::net::IpAddr;

use blake2::{
    digest::{
        consts::{U16, U8},
        Mac,
    },
    Blake2bMac,
};
use zeroize::Zeroizing;

use crate::observation::Origin;
pub(crate) use minhash::BANDS;
use minhash::{MinHash, BUCKETS};
use words::{words, WordHash};

/// Bytes of a prompt that are compared for likeness; behind them only equality counts. A page of text has about 3,000.
pub const LIKENESS_BYTES_MAX: usize = 256 << 10;

/// Words at either end of the last message that have to be alike, too: a question before or behind a long document makes a new prompt.
const EDGE_WORDS: usize = 32;

/// Words below which only equal prompts are alike: a change of one of so few is a different question.
pub const LIKENESS_WORDS_MIN: u32 = 40;

/// Shingles that two prompts may have for themselves: four or five changed words. In a long template it takes that little to make another
/// prompt.
const OWN_SHINGLES_MAX: u32 = 14;

/// Buckets that have to agree at least, of the whole prompt's and of the ends': nearly four fifths and seven tenths.
const WHOLE_ALIKE_MIN: u32 = 50;
const EDGES_ALIKE_MIN: u32 = 45;

/// The company's secret that digests are keyed with. Wiped from memory in the end; never shown.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    /// Takes the secret's bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Secret(Zeroizing::new(bytes))
    }
}

/// One prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sketch {
    /// Of the whole prompt, its letters' case and its spaces aside.
    pub exact: u64,
    /// Of the first message that is not an instruction to the system: it stays the same while a conversation grows.
    pub opening: u64,
    /// Messages.
    pub turns: u16,
    /// Words of all messages.
    pub words: u32,
    whole: MinHash,
    edges: MinHash,
}

impl Sketch {
    /// A prompt of which nothing is known but that it is not another one.
    pub fn unknown(name: u64) -> Self {
        let none = MinHash::default();
        Sketch { exact: name, opening: name, turns: 1, words: 0, whole: none, edges: none }
    }

    /// Whether two prompts are the same but for a few words. A conversation that has grown is not: it has more messages.
    pub fn is_like(&self, other: &Sketch) -> bool {
        self.exact == other.exact
            || (self.turns == other.turns
                && self.words.min(other.words) >= LIKENESS_WORDS_MIN
                && self.whole.agreeing(&other.whole) >= whole_alike(self.words.min(other.words))
                && self.edges.agreeing(&other.edges) >= EDGES_ALIKE_MIN)
    }

    /// Numbers of which like prompts have at least one in common, nearly always.
    pub(crate) fn bands(&self) -> Option<[u64; BANDS]> {
        (self.words >= LIKENESS_WORDS_MIN).then(|| self.whole.bands())
    }
}

/// Buckets of two prompts of so many words that have to agree.
fn whole_alike(words: u32) -> u32 {
    let common = words.saturating_sub(OWN_SHINGLES_MAX);
    let share = BUCKETS as u64 * u64::from(common) / u64::from(words.saturating_add(OWN_SHINGLES_MAX));
    u32::try_from(share).unwrap_or(u32::MAX).max(WHOLE_ALIKE_MIN)
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions to the model.
    System,
    /// Whoever asks.
    User,
    /// The model, earlier.
    Assistant,
    /// A tool's result.
    Tool,
}

/// Makes sketches and digests under one secret.
#[derive(Clone)]
pub struct Sketcher {
    secret: Secret,
    words: WordHash,
}

impl Sketcher {
    /// A sketcher under a secret.
    pub fn new(secret: Secret) -> Self {
        let mut mac = keyed(&secret);
        mac.update(b"words");
        let bytes = Zeroizing::new(<[u8; 16]>::from(mac.finalize().into_bytes()));
        Sketcher { words: WordHash::new(&bytes), secret }
    }

    /// Sketches a prompt: its messages, oldest first.
    pub fn prompt<'t>(&self, messages: impl IntoIterator<Item = (Role, &'t str)>) -> Sketch {
        let mut exact = self.digest("prompt");
        let (mut opening, mut turns, mut count) = (None, 0u16, 0u32);
        let (mut whole, mut last) = (minhash::Builder::default(), Vec::new());
        let mut left = LIKENESS_BYTES_MAX;
        for (role, text) in messages {
            turns = turns.saturating_add(1);
            exact.part(&[role as u8]);
            exact.text(text);
            if opening.is_none() && role != Role::System {
                let mut first = self.digest("opening");
                first.text(text);
                opening = Some(first.finish());
            }
            let text = head_of(text, left);
            left -= text.len();
            last.clear();
            last.extend(words(text).map(|word| self.words.of(word)));
            count = count.saturating_add(u32::try_from(last.len()).unwrap_or(u32::MAX));
            whole.add_all(&last);
        }
        let mut edges = minhash::Builder::default();
        match last.len() > 2 * EDGE_WORDS {
            true => {
                edges.add_all(&last[..EDGE_WORDS]);
                edges.cut();
                edges.add_all(&last[last.len() - EDGE_WORDS..]);
            }
            false => edges.add_all(&last),
        }
        let exact = exact.finish();
        let opening = opening.unwrap_or(exact);
        Sketch { exact, opening, turns, words: count, whole: whole.finish(), edges: edges.finish() }
    }

    /// Digest of the tool calls of one turn: names and arguments, as they came.
    pub fn tool_calls<'t>(&self, calls: impl IntoIterator<Item = (&'t str, &'t str)>) -> Option<u64> {
        let mut digest = self.digest("tools");
        let mut any = false;
        for (name, arguments) in calls {
            digest.part(name.as_bytes());
            digest.text(arguments);
            any = true;
        }
        any.then(|| digest.finish())
    }

    /// Where a request came from. Only the network of the address goes in: its host has no say.
    pub fn origin(&self, address: IpAddr, agent: &str) -> Origin {
        let mut network = self.digest("network");
        match address.to_canonical() {
            IpAddr::V4(address) => network.part(&address.octets()[..3]),
            IpAddr::V6(address) => network.part(&address.octets()[..6]),
        }
        Origin { network: network.finish(), agent: self.one("agent", agent) }
    }

    /// Digest of a purpose's name.
    pub fn purpose(&self, name: &str) -> u64 {
        self.one("purpose", name)
    }

    fn one(&self, domain: &str, text: &str) -> u64 {
        let mut digest = self.digest(domain);
        digest.text(text);
        digest.finish()
    }

    /// Digests of different things never meet.
    fn digest(&self, domain: &str) -> Digest {
        let mut digest = Digest(Blake2bMac::new_from_slice(&*self.secret.0).expect(KEY_FITS));
        digest.part(domain.as_bytes());
        digest
    }
}

const KEY_FITS: &str = "32 bytes are a key of BLAKE2b; qed";

fn keyed(secret: &Secret) -> Blake2bMac<U16> {
    Blake2bMac::new_from_slice(&*secret.0).expect(KEY_FITS)
}

/// Keyed BLAKE2b over parts that cannot run into each other.
struct Digest(Blake2bMac<U8>);

impl Digest {
    fn part(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// A text, its letters' case and its spaces aside.
    fn text(&mut self, text: &str) {
        let mut lower = Vec::with_capacity(text.len());
        for word in text.split_ascii_whitespace() {
            lower.extend(word.bytes().map(|byte| byte.to_ascii_lowercase()));
            lower.push(b' ');
        }
        self.part(&lower);
    }

    fn finish(self) -> u64 {
        u64::from_le_bytes(self.0.finalize().into_bytes().into())
    }
}

/// At most so many bytes of a text, up to a character's end.
fn head_of(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests;
