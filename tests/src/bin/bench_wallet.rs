//! `make bench-wallet`: the wallet service's pages and its API with ten million receipts.

use std::process::ExitCode;

use clap::Parser;
use stipend_tests::bench_wallet::{self, Options};

#[tokio::main]
async fn main() -> ExitCode {
    match bench_wallet::run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe benchmark failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}
