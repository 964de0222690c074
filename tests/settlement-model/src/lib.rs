#![doc = include_str!("../README.md")]

mod bounds;
mod calm;
mod chain;
mod explore;
pub mod properties;
mod rules;
mod state;
mod step;
mod tally;
mod worker;

pub use bounds::*;
pub use explore::{explore, Counterexample, Outcome};
pub use properties::{Goal, Property};
pub use rules::*;
pub use state::*;
pub use step::{Action, SettlementModel};
pub use tally::{quorum, Tally};
