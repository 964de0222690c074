//! `stipend-wallet`: see the crate's README.

use std::{io::Write, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::{Parser, Subcommand};
use stipend_sdk::Client;
use stipend_wallet::{chain::SdkSource, config::Config, db, dump, project};
use tokio::signal::unix::{signal, SignalKind};
use tracing_subscriber::EnvFilter;

/// Exit status for a configuration that cannot be used: `EX_USAGE` of sysexits.
const EXIT_CONFIG: u8 = 64;

/// How long the node may take to come up.
const PATIENCE: Duration = Duration::from_secs(300);

/// Wallet service of a Stipend chain: pages, an API and exports, from finalised blocks.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Check the configuration and exit.
    #[arg(long)]
    check: bool,
    /// Instead of the file's `origin`.
    #[arg(long, env = "STIPEND_WALLET_ORIGIN", value_name = "ORIGIN")]
    origin: Option<String>,
    /// Instead of the file's `chain`.
    #[arg(long, env = "STIPEND_RPC_URL", hide_env_values = true, value_name = "URL")]
    chain: Option<String>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Clone, Copy, Subcommand)]
enum Verb {
    /// Follow the chain and answer requests; this is what happens without a verb too.
    Serve,
    /// Remove all tables and build them anew from the first block; needs a node that keeps old state.
    Rebuild {
        /// Stop at this block; the newest final one if left out.
        #[arg(long, value_name = "BLOCK")]
        until: Option<u32>,
    },
    /// Print all tables in one order: two dumps of one chain at one height are the same bytes.
    Dump,
    /// Say how far the tables are behind the chain.
    Status,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let config = match Config::load(&options.config, options.origin, options.chain) {
        Ok(config) => config,
        Err(faults) => {
            eprint!("stipend-wallet: {}: {faults}", options.config.display());
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    if options.check {
        return ExitCode::SUCCESS;
    }
    let done = match options.verb.unwrap_or(Verb::Serve) {
        Verb::Dump => print_dump(&config),
        verb => match tokio::runtime::Runtime::new() {
            Ok(runtime) => runtime.block_on(run(config, verb)),
            Err(error) => Err(error.into()),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stipend-wallet: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn print_dump(config: &Config) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut connection = config.database.open()?;
    db::snapshot(&mut *connection, |connection| dump::dump(connection, &mut out))?;
    Ok(out.flush()?)
}

async fn run(config: Config, verb: Verb) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut stop = Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    let client = tokio::select! {
        client = Client::connect_within(&config.chain, PATIENCE) => client?,
        () = &mut stop => return Ok(()),
    };
    let source = Arc::new(SdkSource::new(client));
    match verb {
        Verb::Rebuild { until } => tokio::select! {
            rebuilt = rebuild(config, source, until) => rebuilt,
            () = &mut stop => anyhow::bail!("interrupted; run `rebuild` again, or `serve`, which goes on from here"),
        },
        Verb::Status => status(config, source).await,
        Verb::Serve | Verb::Dump => {
            stipend_wallet::run(config, source, stop, |address| {
                // Scripts wait for this line.
                let mut out = std::io::stdout().lock();
                let told = writeln!(out, "listening on http://{address}").and_then(|()| out.flush());
                if let Err(error) = told {
                    tracing::warn!(%error, "cannot say where the service listens");
                }
            })
            .await
        }
    }
}

async fn rebuild(config: Config, source: Arc<SdkSource>, until: Option<u32>) -> anyhow::Result<()> {
    let place = config.database;
    let mut projector = tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
        db::clear(&mut *place.open()?)?;
        Ok(project::Projector::open(source, place)?)
    })
    .await??;
    let height = projector.catch_up(until).await?;
    // The connection ends on a thread that may block.
    tokio::task::spawn_blocking(move || drop(projector)).await?;
    println!("the tables are built, up to final block {height}");
    Ok(())
}

async fn status(config: Config, source: Arc<SdkSource>) -> anyhow::Result<()> {
    use stipend_wallet::chain::Source;
    let finalised = source.finalised().await?.number;
    let head = tokio::task::spawn_blocking(move || project::head(&mut *config.database.open()?)).await??;
    match head {
        Some(head) => {
            println!("block {} of {finalised}: {} behind", head.number, finalised.saturating_sub(head.number))
        }
        None => println!("no block of {finalised} is in the tables yet"),
    }
    Ok(())
}
