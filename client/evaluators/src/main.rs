//! `stipend-evaluator`: see the crate's README.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use stipend_evaluators::{chain::Chain, config::Config, server};
use tokio::signal::unix::{signal, SignalKind};

mod cli;

/// Exit status for a configuration that cannot be used: `EX_USAGE` of sysexits.
const EXIT_CONFIG: u8 = 64;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::builder()
                .with_default_directive(tracing_subscriber::filter::LevelFilter::INFO.into())
                .from_env_lossy(),
        )
        .with_writer(std::io::stderr)
        .init();
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("stipend-evaluator: {}: {faults}", arguments.config.display());
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    match run(config, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stipend-evaluator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(mut config: Config, arguments: cli::Arguments) -> anyhow::Result<()> {
    if !matches!(arguments.verb, cli::Verb::Serve) {
        cli::run(config, arguments.verb).await?.print(arguments.json);
        return Ok(());
    }
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let ledger = config.chain.take().map(|chain| Chain::new(chain.url, config.genesis, chain.evaluator));
    server::serve(config, ledger, stop, |address| {
        // Scripts wait for this line.
        let mut out = std::io::stdout().lock();
        let told = writeln!(out, "listening on http://{address}").and_then(|()| out.flush());
        if let Err(error) = told {
            tracing::warn!(%error, "cannot say where the service listens");
        }
    })
    .await?;
    Ok(())
}
