//! `stipend`: the command for HR, employees and operators. See this crate's README.

use std::{io::IsTerminal, process::ExitCode};

use clap::{CommandFactory, Parser};
use tracing_subscriber::EnvFilter;

use crate::{
    args::{Arguments, Verb},
    context::Context,
    output::Answer,
};

mod amount;
mod args;
mod context;
mod directory;
mod failure;
mod files;
mod mint_many;
mod output;
mod parse;
mod period;
mod price_file;
mod time;
mod verbs;
mod who;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let (as_json, not_final) = (arguments.options.json, arguments.options.not_final);
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match outcome {
        Ok(answer) => {
            if let Some(answer) = answer {
                answer.print(as_json, not_final);
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let code = failure::exit_code(&error);
            if as_json {
                let report = serde_json::json!({ "error": format!("{error:#}"), "exit_code": code });
                eprintln!("{report:#}");
            } else {
                eprintln!("stipend: {error:#}");
            }
            ExitCode::from(code)
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<Option<Answer>> {
    let context = Context::new(arguments.options);
    let answer = match arguments.verb {
        Verb::Keys(verb) => verb.run(&context),
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
    };
    answer.map(Some)
}
