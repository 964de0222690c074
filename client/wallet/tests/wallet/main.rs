//! The wallet service on a made-up chain.
#![allow(missing_docs, clippy::unwrap_used)]

mod access;
mod browser;
mod exports;
mod fake;
mod history;
mod place;
mod projection;
mod service;
mod speed;
