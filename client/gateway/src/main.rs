//! `stipend-gateway`: see the crate's README.

use std::{io::Write, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Parser;
use stipend_gateway::{
    chain::{Chain, SdkChain},
    config::Config,
};
use tokio::signal::unix::{signal, SignalKind};
use tracing_subscriber::EnvFilter;

/// Exit status for a configuration that cannot be used: `EX_USAGE` of sysexits.
const EXIT_CONFIG: u8 = 64;

/// OpenAI-compatible gateway of a Stipend chain.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Check the configuration and exit.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let config = match Config::load(&options.config) {
        Ok(config) => config,
        Err(faults) => {
            eprint!("stipend-gateway: {}: {faults}", options.config.display());
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    if options.check {
        return ExitCode::SUCCESS;
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("stipend-gateway: cannot start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stipend-gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let mut stop = Box::pin(stop);
    let chain = tokio::select! {
        chain = SdkChain::connect(&config.chain, config.signer.clone()) => Arc::new(chain),
        () = &mut stop => return Ok(()),
    };
    tracing::info!(genesis = ?chain.genesis(), gateway = %config.signer.address(), "connected to the chain");
    stipend_gateway::run(config, chain, stop, |address| {
        // Scripts wait for this line.
        let mut out = std::io::stdout().lock();
        let told = writeln!(out, "listening on http://{address}").and_then(|()| out.flush());
        if let Err(error) = told {
            tracing::warn!(%error, "cannot say where the gateway listens");
        }
    })
    .await?;
    Ok(())
}
