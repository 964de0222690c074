//! Measures the wallet service with many receipts: every page and every answer of its API, over loopback, while
//! blocks go on coming.
//!
//! The tables are built by the service's own projection from the blocks of a made-up company, on SQLite and,
//! where PostgreSQL is installed, on a server that is started for it.

// The same server as in the service's tests.
#[path = "../../../client/wallet/tests/wallet/cluster.rs"]
mod cluster;
mod company;
mod measure;
mod options;
mod plot;
mod questions;
mod registry;
mod source;

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{ensure, Context, Result};
use serde_json::{json, Value};
use sp_core::crypto::Ss58Codec;
use stipend_sdk::Signer;
use stipend_wallet::{
    config::Config,
    db::{Place, Server},
    project::Projector,
};
use tokio::sync::oneshot;

use crate::{figures, progress, services};
use cluster::Cluster;
use company::{Company, Size};
use measure::{measure, Asker, Figures};
pub use options::{Database, Options};
use questions::{questions, Subjects};
use source::MadeUp;

/// What a page may take at the 99th percentile, in milliseconds.
const PROMISE_MS: f64 = 50.0;

/// The wallet that counts as one with few receipts.
const FEW_FROM_END: u32 = 1;

/// Pause between two blocks while pages are asked for.
const BLOCK_TIME: Duration = Duration::from_secs(1);

/// A server of a company has more memory than the smallest machine that PostgreSQL's own settings are for.
const SETTINGS: [&str; 3] = ["shared_buffers=1GB", "max_wal_size=8GB", "effective_cache_size=4GB"];

/// What was measured on one database.
struct Measured {
    database: Database,
    figures: Vec<Figures>,
    built: Duration,
}

/// Runs everything, prints the figures, and writes `target/bench/wallet.json` and `wallet.svg`.
pub async fn run(options: Options) -> Result<()> {
    println!("Load average before: {}", fs::read_to_string("/proc/loadavg")?.trim());
    let dir = match &options.data {
        Some(folder) => services::fresh_dir(folder.join("bench-wallet"))?,
        None => services::work_dir("bench-wallet")?,
    };
    let mut all = Vec::new();
    for database in [Database::Sqlite, Database::Postgresql] {
        if options.only.is_some_and(|only| only != database) {
            continue;
        }
        let (place, cluster) = match database {
            Database::Sqlite => (Place::Sqlite(dir.join("wallet.db")), None),
            Database::Postgresql => match Cluster::start(&SETTINGS) {
                Some(cluster) => (server(&cluster)?, Some(cluster)),
                None => {
                    cluster::say_missing();
                    continue;
                }
            },
        };
        let measured = on(database, &place, cluster.as_ref(), &options, &dir).await?;
        print(&measured);
        all.push(measured);
        // The connections end on threads that may block, before their server does.
        tokio::task::spawn_blocking(move || drop(cluster)).await?;
    }
    write(&all, &options)?;
    for measured in &all {
        for figures in &measured.figures {
            let p99 = figures.quantile_ms(0.99);
            ensure!(
                p99 <= PROMISE_MS,
                "{}: {} took {p99:.1} ms at the 99th percentile",
                measured.database.name(),
                figures.name
            );
        }
    }
    Ok(())
}

fn server(cluster: &Cluster) -> Result<Place> {
    let address = cluster::create_database(&cluster.address(), "wallet");
    Ok(Place::Postgres(Server::parse(&address, None, Path::new("/")).map_err(anyhow::Error::msg)?))
}

async fn on(
    database: Database,
    place: &Place,
    cluster: Option<&Cluster>,
    options: &Options,
    dir: &Path,
) -> Result<Measured> {
    let size = Size { receipts: options.receipts, wallets: options.wallets, per_block: options.per_block };
    let auditor = Signer::from_seed(&[7; 32]);
    let source = MadeUp::new(Company::new(size), auditor.account());
    let began = Instant::now();
    build(database, place, &source, options.receipts).await?;
    let built = began.elapsed();
    println!("{}: {} receipts in {:.0} s", database.name(), options.receipts, built.as_secs_f64());
    if let Some(cluster) = cluster {
        // As a server's own housekeeping would in its time.
        let address = cluster.address().replace("/postgres", "/wallet");
        tokio::task::spawn_blocking(move || cluster::run_sql(&address, "VACUUM ANALYZE")).await?;
    }
    let text = "listen = \"127.0.0.1:0\"\nchain = \"ws://unused\"\ndatabase = \"sqlite:unused\"\n";
    let config = Config { database: place.clone(), ..Config::parse(text, dir)? };
    let (stop, stopped) = oneshot::channel::<()>();
    let (told, address) = oneshot::channel();
    let chain = source.clone();
    let service = tokio::spawn(async move {
        let stopped = async move { drop(stopped.await) };
        let tell = |address| {
            // Nobody waits any more if the benchmark has ended.
            let _ = told.send(address);
        };
        stipend_wallet::run(config, chain, stopped, tell).await
    });
    let url = format!("http://{}", address.await.context("the service did not start")?);
    let growing = tokio::spawn({
        let source = source.clone();
        async move {
            loop {
                tokio::time::sleep(BLOCK_TIME).await;
                source.grow();
            }
        }
    });
    let figures = ask(&url, &auditor, &source, options, database).await;
    growing.abort();
    drop(stop);
    service.abort();
    Ok(Measured { database, figures: figures?, built })
}

/// Fills the tables as the service does.
async fn build(database: Database, place: &Place, source: &Arc<MadeUp>, receipts: u64) -> Result<()> {
    let (chain, opened) = (source.clone(), place.clone());
    let mut projector = tokio::task::spawn_blocking(move || Projector::open(chain, opened)).await??;
    let (progress, bar) = (projector.progress(), progress::bar("building", receipts));
    let last = source.company.last_block();
    let mut building = tokio::spawn(async move {
        let built = projector.catch_up(Some(last)).await;
        tokio::task::spawn_blocking(move || drop(projector)).await?;
        anyhow::Ok(built?)
    });
    let (mut said, step) = (0, (receipts / 10).max(1));
    loop {
        tokio::select! {
            built = &mut building => {
                bar.finish_and_clear();
                return built?.map(drop);
            }
            () = tokio::time::sleep(Duration::from_millis(200)) => {
                bar.set_position(progress.receipts());
                // Where no terminal shows the bar.
                while progress.receipts() / step > said {
                    said += 1;
                    println!("{}: {} receipts", database.name(), said * step);
                }
            }
        }
    }
}

async fn ask(
    url: &str,
    auditor: &Signer,
    source: &Arc<MadeUp>,
    options: &Options,
    database: Database,
) -> Result<Vec<Figures>> {
    let asker = Asker::sign_in(url, auditor).await?;
    let company = &source.company;
    let many = company.owner(0).to_ss58check();
    let few = company.owner(options.wallets - FEW_FROM_END).to_ss58check();
    let first: Value =
        serde_json::from_slice(&asker.get(&format!("/api/v1/wallets/{many}/receipts?limit=1")).await?)?;
    // A place in a list is its receipt's block, gateway and number.
    let newest = first["next"].as_str().context("the wallet has receipts")?;
    let parts: Vec<&str> = newest.split('.').collect();
    ensure!(parts.len() == 3, "{newest} is no place in a list");
    let seq = options.receipts / 4;
    let deep = format!("{}.{}.{seq}", company.last_block() / 2, parts[1]);
    let about = Subjects { many, few, deep, wallet: options.wallets / 2, seq };
    let (asked, left) = questions(&about);
    println!("{}: not asked, as they are public, streams or files: {}", database.name(), left.join(", "));
    let rounds = options.rounds as usize;
    let bar = progress::bar("asking", (asked.len() * (rounds + 1)) as u64);
    let tick = |bar: &indicatif::ProgressBar| {
        let bar = bar.clone();
        move || bar.inc(1)
    };
    // Once before it counts: connections are opened, statements prepared.
    measure(&asker, &asked, 1, options.clients as usize, tick(&bar)).await?;
    let figures = measure(&asker, &asked, rounds, options.clients as usize, tick(&bar)).await?;
    bar.finish_and_clear();
    Ok(figures)
}

fn print(measured: &Measured) {
    let mut table = figures::table(&[measured.database.name(), "p50 ms", "p99 ms", "most ms", "kB"]);
    for figures in &measured.figures {
        table.add_row([
            figures.name.clone(),
            format!("{:.1}", figures.quantile_ms(0.5)),
            format!("{:.1}", figures.quantile_ms(0.99)),
            format!("{:.1}", figures.quantile_ms(1.0)),
            format!("{:.0}", figures.bytes as f64 / 1e3),
        ]);
    }
    println!("\n{table}\n");
}

fn write(all: &[Measured], options: &Options) -> Result<()> {
    let folder = figures::folder()?;
    let sides = all.iter().map(|measured| {
        let rows = measured.figures.iter().map(|figures| {
            json!({
                "question": figures.name,
                "p50_ms": figures.quantile_ms(0.5),
                "p99_ms": figures.quantile_ms(0.99),
                "max_ms": figures.quantile_ms(1.0),
                "bytes": figures.bytes,
            })
        });
        json!({
            "database": measured.database.name(),
            "built_s": measured.built.as_secs_f64(),
            "figures": rows.collect::<Vec<_>>(),
        })
    });
    let all_figures = json!({
        "receipts": options.receipts,
        "wallets": options.wallets,
        "rounds": options.rounds,
        "clients": options.clients,
        "databases": sides.collect::<Vec<_>>(),
    });
    fs::write(folder.join("wallet.json"), serde_json::to_string_pretty(&all_figures)?)?;
    let path = folder.join("wallet.svg");
    plot::bars(&path, all, options.receipts)?;
    println!("Figures: {}/wallet.json\nPlot: {}", folder.display(), path.display());
    Ok(())
}
