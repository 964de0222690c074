//! The attestor as gateways and validators see it.
#![allow(clippy::unwrap_used, missing_docs)]

mod claims;
mod configuration;
mod crash;
mod engines;
mod evidence;
mod faults;
mod metering;
mod world;
