//! What is seen while the command works: a bar at a terminal, plain lines elsewhere, nothing beside JSON.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

/// Plain lines of one piece of work: as many as say how it goes, and no more.
const LINES_MAX: u64 = 20;

/// How far a piece of work is.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// What the plain lines say, where there are some.
    plain: Option<&'static str>,
}

impl Progress {
    /// Something that moves while the command waits; nothing where nobody looks.
    pub(crate) fn spinner(as_json: bool, message: &'static str) -> ProgressBar {
        if as_json {
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::new_spinner().with_message(message);
        spinner.enable_steady_tick(Duration::from_millis(120));
        spinner
    }

    /// A bar over `count` things.
    pub(crate) fn bar(as_json: bool, count: u64, message: &'static str) -> Self {
        if as_json {
            return Progress { bar: hidden(count), plain: None };
        }
        if !std::io::stderr().is_terminal() {
            return Progress { bar: hidden(count), plain: Some(message) };
        }
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} ({eta} left)")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Progress { bar: ProgressBar::new(count).with_style(style).with_message(message), plain: None }
    }

    /// So many more are done.
    pub(crate) fn inc(&self, count: u64) {
        let before = self.bar.position();
        self.bar.inc(count);
        if let Some(line) = self.plain.and_then(|what| line(what, before, before + count, self.bar.length()?))
        {
            eprintln!("{line}");
        }
    }

    /// It is over, and went wrong: how far it came stays to be seen.
    pub(crate) fn abandon(&self) {
        self.bar.abandon();
    }

    /// It is over.
    pub(crate) fn finish_and_clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn hidden(count: u64) -> ProgressBar {
    let bar = ProgressBar::hidden();
    bar.set_length(count);
    bar
}

/// The line for a step, where it is large enough to be told.
fn line(what: &str, before: u64, after: u64, count: u64) -> Option<String> {
    let part = |done: u64| done.saturating_mul(LINES_MAX) / count.max(1);
    (part(after) > part(before)).then(|| format!("{what}: {after} of {count}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_are_few_and_the_last_says_that_all_is_done() {
        let lines =
            |count: u64| (0..count).filter_map(|at| line("minting", at, at + 1, count)).collect::<Vec<_>>();
        assert_eq!(lines(10_000).len(), 20);
        assert_eq!(lines(10_000).last().map(String::as_str), Some("minting: 10000 of 10000"));
        assert_eq!(lines(3), ["minting: 1 of 3", "minting: 2 of 3", "minting: 3 of 3"]);
    }

    #[test]
    fn nothing_is_said_beside_json() {
        let progress = Progress::bar(true, 5, "minting");
        progress.inc(5);
        assert!(progress.plain.is_none() && progress.bar.is_hidden());
        progress.finish_and_clear();
        assert!(Progress::spinner(true, "waiting").is_hidden());
    }
}
