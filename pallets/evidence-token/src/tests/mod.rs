//! Tests of what is not public.
#![allow(clippy::unwrap_used)]

mod json;
