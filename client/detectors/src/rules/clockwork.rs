//! Requests like a clock's, day and night: a script that nobody looks at.

use super::{lasting, HOUR_MS};
use crate::{
    finding::{score, Examples, Hit},
    observation::Observation,
};

/// Requests in a row. Fewer say little about how regular they are.
const COUNT: u32 = 48;

/// Time in a row: longer than anybody sits at a desk.
const LASTING_MS: u64 = 14 * HOUR_MS;

/// Spread of the pauses, as a share of their mean. A clock has 0, one that is shaken by half 0.3, independent callers 1, a person more.
const PAUSES_SPREAD: f64 = 0.5;

/// Spread of the prompts' length. Work on data of its own varies more.
const SIZES_SPREAD: f64 = 0.25;

/// Tokens of one request, below which it is a sign of life and not work.
const TOKENS_EACH: u64 = 150;

/// A pause so many times the mean ends the row.
const BREAK: f64 = 6.0;

/// Requests after which a row that is not regular is given up, so that one that begins later is seen.
const PATIENCE: u32 = 32;

/// Rows (key, model and endpoint) of one wallet before the quietest is forgotten.
const ROWS_MAX: usize = 8;

/// Mean and spread of numbers that come one by one (Welford's way: no number is kept).
#[derive(Clone, Copy, Default)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, number: f64) {
        self.count += 1.0;
        let before = number - self.mean;
        self.mean += before / self.count;
        self.squares += before * (number - self.mean);
    }

    /// Standard deviation as a share of the mean.
    fn share(&self) -> f64 {
        (self.squares / self.count.max(1.0)).sqrt() / self.mean.max(1.0)
    }
}

struct Row {
    key: [u8; 32],
    model: u32,
    endpoint: crate::observation::Endpoint,
    from_ms: u64,
    last_ms: u64,
    count: u32,
    tokens: u64,
    pauses: Spread,
    sizes: Spread,
    examples: Examples,
}

impl Row {
    fn new(seen: &Observation) -> Self {
        let mut row = Row {
            key: seen.key,
            model: seen.model,
            endpoint: seen.endpoint,
            from_ms: seen.at_ms,
            last_ms: seen.at_ms,
            count: 0,
            tokens: 0,
            pauses: Spread::default(),
            sizes: Spread::default(),
            examples: Examples::default(),
        };
        row.note(seen);
        row
    }

    fn note(&mut self, seen: &Observation) {
        self.last_ms = self.last_ms.max(seen.at_ms);
        self.count = self.count.saturating_add(1);
        self.tokens = self.tokens.saturating_add(seen.tokens());
        self.sizes.add(f64::from(seen.input_tokens));
        self.examples.note(seen.request);
    }

    fn is_regular(&self) -> bool {
        self.pauses.share() <= PAUSES_SPREAD && self.sizes.share() <= SIZES_SPREAD
    }
}

/// The rows of a wallet.
#[derive(Default)]
pub(crate) struct Clockwork(Vec<Row>);

impl Clockwork {
    pub(crate) fn see(&mut self, seen: &Observation) -> Option<Hit> {
        if seen.purpose.is_some() {
            return None;
        }
        let is_its =
            |row: &Row| row.key == seen.key && row.model == seen.model && row.endpoint == seen.endpoint;
        let Some(row) = self.0.iter_mut().find(|row| is_its(row)) else {
            self.begin(seen);
            return None;
        };
        let pause = seen.at_ms.saturating_sub(row.last_ms) as f64;
        let is_broken = row.count > 8 && pause > BREAK * row.pauses.mean;
        if is_broken || (row.count >= PATIENCE && !row.is_regular()) {
            *row = Row::new(seen);
            return None;
        }
        row.pauses.add(pause);
        row.note(seen);
        let lasted_ms = row.last_ms - row.from_ms;
        let is_work = row.tokens / u64::from(row.count) >= TOKENS_EACH;
        if row.count < COUNT || lasted_ms < LASTING_MS || !is_work || !row.is_regular() {
            return None;
        }
        Some(Hit {
            from_ms: row.from_ms,
            requests: row.examples.to_vec(),
            count: row.count,
            tokens: row.tokens,
            score_permille: score(lasted_ms, LASTING_MS),
            explanation: format!(
                "For {} without a break, requests of about the same length came every {} seconds, give or take {} percent: {} of them, \
                 with {} tokens. A program that nobody looks at does that. If it is still needed, say what for in the header \
                 `x-stipend-purpose`; if not, stop it.",
                lasting(row.from_ms, seen.at_ms),
                (row.pauses.mean / 1_000.0).round(),
                (row.pauses.share() * 100.0).round(),
                row.count,
                row.tokens
            ),
        })
    }

    fn begin(&mut self, seen: &Observation) {
        if self.0.len() == ROWS_MAX {
            let oldest = (0..ROWS_MAX).min_by_key(|at| self.0[*at].last_ms).unwrap_or_default();
            self.0.swap_remove(oldest);
        }
        self.0.push(Row::new(seen));
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<Row>() + self.0.iter().map(|row| row.examples.bytes()).sum::<usize>()
    }

    pub(crate) const BYTES_MAX: usize = ROWS_MAX * (size_of::<Row>() + Examples::BYTES_MAX);
}
