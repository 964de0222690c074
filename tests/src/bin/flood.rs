//! Floods the development chain and the four validators of the local one with 100,000 transactions
//! each and prints how long honest ones waited.

use std::process::ExitCode;

use anyhow::{ensure, Result};
use clap::Parser;
use stipend_tests::flood::{self, Options, BLOCKS_MAX};

/// A flood of transactions that nobody asked for, and how long the honest ones wait.
#[derive(Parser)]
struct Arguments {
    /// Transactions of strangers and of an employee over its quota.
    #[arg(long, default_value_t = 100_000)]
    transactions: usize,
    /// Only the development chain with its one validator.
    #[arg(long)]
    one: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe flood did harm: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    for consortium in [false, true] {
        if consortium && arguments.one {
            continue;
        }
        println!("\n{}", if consortium { "Four validators" } else { "One validator" });
        let dir = if consortium { "flood-four" } else { "flood-one" };
        let report = flood::run(&Options { transactions: arguments.transactions, consortium, dir }).await?;
        report.print();
        let slowest = report.slowest();
        ensure!(
            slowest <= BLOCKS_MAX,
            "an honest transaction waited {slowest} blocks, {BLOCKS_MAX} are allowed"
        );
    }
    Ok(())
}
