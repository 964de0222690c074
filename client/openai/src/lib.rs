//! OpenAI's wire formats as far as Stipend must understand them.
//!
//! Gateway and attestor both read requests and answers through this crate, so that the two count
//! alike. It does no I/O.
//!
//! ```
//! use stipend_openai::{RequestView, Rewrite};
//!
//! let body = br#"{"model":"m","stream":true,"messages":[]}"#;
//! let view = RequestView::read(body)?;
//! assert!(view.stream && !view.include_usage);
//! let upstream = Rewrite::new(&view).model("engine-name").ask_for_usage().finish();
//! assert_eq!(
//!     upstream,
//!     br#"{"stream_options":{"include_usage":true},"model":"engine-name","stream":true,"messages":[]}"#
//! );
//! # Ok::<(), stipend_openai::RequestError>(())
//! ```

pub mod chunk;
pub mod endpoint;
pub mod error;
pub mod request;
pub mod rewrite;
pub mod sse;
pub mod usage;

pub use chunk::Chunk;
pub use endpoint::Endpoint;
pub use error::ApiError;
pub use request::{RequestError, RequestView};
pub use rewrite::Rewrite;
pub use sse::{Event, EventSplitter};
pub use usage::{Counts, UsageError};

#[cfg(test)]
mod tests;
