//! Amounts as people write and read them; the SDK's, so that pages and commands read them alike.

pub(crate) use stipend_sdk::amount::{credits, parse};
