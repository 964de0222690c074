//! Progress bars for work that takes longer than a breath.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar with a name; it draws nothing where no terminal watches.
pub fn bar(what: &'static str, len: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>12} [{bar:40}] {pos}/{len} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(len).with_style(style).with_message(what)
}
