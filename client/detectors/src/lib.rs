//! Rules that show waste of AI compute early.
//!
//! A company that pays for tokens gets tokens burned: scripts that run on, one question to ten models, agents that go round in circles.
//! Each rule here looks for one such pattern in a stream of [`Observation`]s, which hold figures and keyed digests and no prompt, and says
//! what it saw in sentences that the person concerned can read. A [`Finding`] is a hint: nothing follows from it by itself.
//!
//! The crate has no clock, no network and no threads. What it remembers is bounded ([`Memory::bytes_max`]), an observation costs the same
//! whatever came before, and equal observations give equal findings.
//!
//! ```
//! use stipend_detectors::{
//!     Detectors, Endpoint, Finish, Memory, Observation, Origin, Policy, Role, Rule, Secret, Sketcher,
//! };
//!
//! let sketcher = Sketcher::new(Secret::new([7; 32]));
//! let prompt = sketcher.prompt([(Role::User, "Tell me everything about tides.")]);
//! let mut detectors = Detectors::new(Policy { learning_ms: 0, ..Policy::default() }, Memory::default());
//! let mut told = Vec::new();
//! for n in 0..40u8 {
//!     told.extend(detectors.observe(&Observation {
//!         request: [n; 16],
//!         at_ms: 1_700_000_000_000 + u64::from(n) * 20_000,
//!         wallet: [1; 32],
//!         wallet_since_ms: None,
//!         key: [2; 32],
//!         model: 0,
//!         provider: 0,
//!         endpoint: Endpoint::Text,
//!         input_tokens: 12,
//!         output_tokens: 800,
//!         max_tokens: 1_000,
//!         finish: Finish::Stop,
//!         fetched_permille: 1_000,
//!         prompt,
//!         tool_calls: None,
//!         origin: Origin::default(),
//!         purpose: None,
//!         period_ends_ms: None,
//!     }));
//! }
//! assert_eq!(told.len(), 1);
//! assert_eq!(told[0].rule, Rule::Repeat);
//! assert!(told[0].explanation.contains("was sent 30 times"));
//! ```

mod bounded;
mod engine;
mod finding;
mod groups;
mod observation;
mod policy;
mod rules;
mod sketch;
mod wallet;
mod window;

pub use engine::{Detectors, Memory};
pub use finding::{Audience, Finding, Rule, REQUESTS_MAX};
pub use observation::{Endpoint, Finish, KeyId, Observation, Origin, RequestId, WalletId};
pub use policy::{Answer, Brake, Measure, Phase, Policy};
pub use sketch::{Role, Secret, Sketch, Sketcher, LIKENESS_BYTES_MAX, LIKENESS_WORDS_MIN};
