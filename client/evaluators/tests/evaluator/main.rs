//! The evaluator as a program and as a service.
#![allow(missing_docs, clippy::unwrap_used)]

mod command;
mod crash;
mod judging;
mod secrets;
mod service;
mod webhooks;
mod world;
