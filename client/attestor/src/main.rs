//! `stipend-attestor`: meters what an inference engine serves and signs it.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use stipend_attestor::{Attestor, Config};
use tokio::signal::unix::{signal, SignalKind};

/// Exit status for a configuration that cannot be used [sysexits.h, EX_USAGE].
const EXIT_USAGE: u8 = 64;

/// Stands between gateways and an OpenAI-compatible engine, meters every answer and signs what was
/// served.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration, `attestor.toml`.
    #[arg(long)]
    config: PathBuf,
    /// Understate the usage of the first N requests, to see that the chain notices. Never outside of
    /// tests: the provider is refused payment and can be suspended.
    #[arg(long, value_name = "N", default_value_t = 0)]
    misreport_for_testing: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::builder()
                .with_default_directive(tracing_subscriber::filter::LevelFilter::INFO.into())
                .from_env_lossy(),
        )
        .with_writer(std::io::stderr)
        .init();
    let mut config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("{faults}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    config.misreport = arguments.misreport_for_testing;
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stipend-attestor cannot run: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let public = config.key.public();
    tracing::info!(provider = %config.provider, key = %hex::encode(public), "attesting with this key");
    let attestor = Attestor::start(config).await?;
    println!("listening on http://{}", attestor.address());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    attestor.stop().await;
    Ok(())
}
