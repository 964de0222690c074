//! `stipend-gateway`: see the crate's README.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use stipend_gateway::{
    chain::{Chain, SdkChain},
    config::{Config, Faults},
    telemetry::LogFilter,
    Reloads,
};
use tokio::{
    signal::unix::{signal, SignalKind},
    sync::mpsc,
};

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
    let filter = LogFilter::start(&config.operate);
    match runtime.block_on(run(&options.config, config, filter)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stipend-gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(path: &Path, config: Config, filter: LogFilter) -> anyhow::Result<()> {
    let reloads = Reloads::new(reread(path.to_owned())?, move |text| filter.set(text));
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
    stipend_gateway::run(config, chain, reloads, stop, |address| {
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

/// The configuration as it stands in the file, at every `SIGHUP`.
fn reread(path: PathBuf) -> std::io::Result<mpsc::Receiver<Result<Config, Faults>>> {
    let mut hangups = signal(SignalKind::hangup())?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            if sender.send(Config::load(&path)).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}
