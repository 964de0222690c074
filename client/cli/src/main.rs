//! `stipend`: the command for HR, employees and operators. See this crate's README.

use std::{ffi::OsString, io::IsTerminal, process::ExitCode};

use clap::{CommandFactory, FromArgMatches};
use tracing_subscriber::EnvFilter;

use crate::{
    args::{Arguments, Verb},
    context::Context,
    failure::Failure,
    output::{Answer, Planned},
    profile::{Profiles, Setting},
};

mod amount;
mod args;
mod catalogue;
mod context;
mod directory;
mod failure;
mod files;
mod mint_many;
mod output;
mod parse;
mod period;
mod price_file;
mod profile;
mod progress;
mod time;
mod verbs;
mod who;

fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().collect();
    let in_force = InForce::find(&given);
    let arguments = parse(&given, in_force.as_ref().map_or(&[][..], |profile| profile.settings.as_slice()));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal() && !output::is_without_colour())
        .with_writer(std::io::stderr)
        .init();
    let (as_json, not_final) = (arguments.options.json, arguments.options.not_final);
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(arguments, in_force)));
    // A dry run is an end before the end, and no failure.
    let outcome = outcome.or_else(|error| error.downcast::<Planned>().map(|planned| Some(planned.0)));
    match outcome {
        Ok(answer) => {
            if let Some(answer) = answer {
                answer.print(as_json, not_final);
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let (code, words) = (failure::exit_code(&error), failure::in_words(&error));
            if as_json {
                let report = serde_json::json!({ "error": words, "exit_code": code });
                eprintln!("{report:#}");
            } else {
                eprintln!("stipend: {words}");
            }
            ExitCode::from(code)
        }
    }
}

/// The profile in force.
#[derive(Default)]
struct InForce {
    name: Option<String>,
    settings: Vec<Setting>,
}

impl InForce {
    fn find(given: &[OsString]) -> Result<Self, Failure> {
        let profiles = Profiles::load()?;
        let Some(name) = profiles.chosen(given) else { return Ok(Self::default()) };
        let settings = profiles.get(&name)?.to_vec();
        Ok(InForce { name: Some(name), settings })
    }
}

/// Reads the command line; a wrong one ends the command.
fn parse(given: &[OsString], settings: &[Setting]) -> Arguments {
    let command = catalogue::described(profile::apply(Arguments::command(), settings));
    let matches = command.get_matches_from(given);
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

async fn run(arguments: Arguments, in_force: Result<InForce, Failure>) -> anyhow::Result<Option<Answer>> {
    let needs_no_profile =
        matches!(arguments.verb, Verb::Profile(_) | Verb::Completions { .. } | Verb::Man(_));
    let in_force = match in_force {
        Err(failure) if !needs_no_profile => return Err(failure.into()),
        found => found.unwrap_or_default(),
    };
    let context = Context::new(arguments.options, in_force.name);
    let answer = match arguments.verb {
        Verb::Keys(verb) => verb.run(&context),
        Verb::Profile(verb) => verb.run(&context),
        Verb::Council(verb) => verb.run(&context).await,
        Verb::Roles(verb) => verb.run(&context).await,
        Verb::Network(verb) => verb.run(&context).await,
        Verb::Validators(verb) => verb.run(&context).await,
        Verb::Classes(verb) => verb.run(&context).await,
        Verb::Programs(verb) => verb.run(&context).await,
        Verb::Baskets(verb) => verb.run(&context).await,
        Verb::Mint(verb) => verb.run(&context).await,
        Verb::Policies(verb) => verb.run(&context).await,
        Verb::Prices(verb) => verb.run(&context).await,
        Verb::ApiKeys(verb) => verb.run(&context).await,
        Verb::Providers(verb) => verb.run(&context).await,
        Verb::Evidence(verb) => verb.run(&context).await,
        Verb::Energy(verb) => verb.run(&context).await,
        Verb::Merit(verb) => verb.run(&context).await,
        Verb::Wallet(verb) => verb.run(&context).await,
        Verb::Entitlements(verb) => verb.run(&context).await,
        Verb::Receipts(verb) => verb.run(&context).await,
        Verb::Settlement(verb) => verb.run(&context).await,
        Verb::Directory(verb) => verb.run(&context),
        Verb::Freeze(verb) => verb.run(&context).await,
        Verb::Offboard(verb) => verb.run(&context).await,
        Verb::GiveBack(verb) => verb.run(&context).await,
        Verb::Statement(verb) => verb.run(&context).await,
        Verb::Simulate(verb) => verb.run(&context).await,
        Verb::Health(verb) => verb.run(&context).await,
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "stipend", &mut script);
            output::print(&String::from_utf8_lossy(&script));
            return Ok(None);
        }
        Verb::Man(pages) => pages.run(&context),
    };
    answer.map(Some)
}
