//! Models of honest behaviour. Each varies in pace, length and habits, and several are made to look like a pattern without being one.

mod people;
mod programs;
mod teams;

use crate::scene::Script;

pub use people::{chat, day_of_chat};

/// A model's name, what writes it, and the days for which its wallets had credits.
pub type Model = (&'static str, fn(&mut Script), u64);

/// All models of honest behaviour.
pub const MODELS: &[Model] = &[
    ("chat", people::chatting, 200),
    ("typing-ahead", people::typing_ahead, 200),
    ("side-by-side", people::side_by_side, 90),
    ("one-document", people::one_document, 120),
    ("writer", people::writer, 300),
    ("traveller", people::traveller, 400),
    ("month-end", people::month_end, 400),
    ("newcomer", people::newcomer, 2),
    ("ci", programs::ci, 300),
    ("nightly-eval", programs::nightly_eval, 100),
    ("samples", programs::samples, 100),
    ("retries", programs::retries, 100),
    ("service", programs::service, 200),
    ("coding-agent", programs::coding_agent, 100),
    ("index-build", programs::index_build, 60),
    ("small-index", programs::small_index, 60),
    ("heartbeat", programs::heartbeat, 200),
    ("hourly-digest", programs::hourly_digest, 200),
    ("overnight-batch", programs::overnight_batch, 90),
    ("template", teams::template, 150),
    ("tutorial", teams::tutorial, 60),
    ("pairs", teams::pairs, 100),
];
