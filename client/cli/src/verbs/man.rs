//! `stipend man`: the manual pages.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;
use serde_json::json;

use crate::{args::Arguments, catalogue, context::Context, failure::Failure, output::Answer};

/// Where to.
#[derive(Args, Debug)]
pub(crate) struct Pages {
    /// The folder, such as ~/.local/share/man/man1; it is made if it is not there. Pages in it are written anew.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Pages {
    pub(crate) fn run(self, context: &Context) -> Result<Answer> {
        let mut command = catalogue::described(Arguments::command());
        command.build();
        let mut pages = Vec::new();
        render(&command, &mut pages)?;
        let (count, out) = (pages.len(), self.out.display().to_string());
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        let json = json!({ "folder": self.out, "pages": names, "verbs": catalogue::json() });
        context.would(json.clone(), || format!("{count} manual pages would be written into {out}"))?;
        let failed = |error| Failure::bad_input(format!("cannot write manual pages into {out}: {error}"));
        std::fs::create_dir_all(&self.out).map_err(failed)?;
        for (name, text) in &pages {
            std::fs::write(self.out.join(name), text).map_err(failed)?;
        }
        let human = format!("{count} manual pages are in {out}; `man -l {out}/stipend.1` shows the first");
        Answer::new(json, human)
    }
}

/// One page for the command, one for each of its verbs.
fn render(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> std::io::Result<()> {
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        render(verb, pages)?;
    }
    let page =
        Man::new(command.clone()).manual("Stipend").source(format!("stipend {}", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    page.render(&mut text)?;
    pages.push((page.get_filename(), text));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn there_is_a_page_for_every_verb_and_it_says_what_the_verb_does_and_answers() {
        let mut command = catalogue::described(Arguments::command());
        command.build();
        let mut pages = Vec::new();
        render(&command, &mut pages).unwrap();
        let page = |name: &str| {
            let (_, text) = pages.iter().find(|(known, _)| known == name).unwrap();
            String::from_utf8(text.clone()).unwrap()
        };
        assert!(page("stipend.1").contains("Exit codes"));
        let one = page("stipend-mint-one.1");
        for words in ["Grant one entitlement", "program", "In JSON", "idempotency_key", "dry\\-run"] {
            assert!(one.contains(words), "{words}\n{one}");
        }
        for verb in catalogue::leaves(&command) {
            page(&format!("stipend-{}.1", verb.replace(' ', "-")));
        }
    }
}
