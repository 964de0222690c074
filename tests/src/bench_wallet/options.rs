//! What the benchmark is told.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures the wallet service's pages and its API with many receipts.
#[derive(Parser, Debug, Clone)]
#[command(version)]
pub struct Options {
    /// Receipts in the tables.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000_000))]
    pub(super) receipts: u64,
    /// Wallets that pay for them; the first pays for a fifth.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(10..=16_000))]
    pub(super) wallets: u32,
    /// Receipts in a block.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(100..=100_000))]
    pub(super) per_block: u64,
    /// How often each question is asked.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) rounds: u32,
    /// Questions at a time.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(super) clients: u32,
    /// Only this database.
    #[arg(long)]
    pub(super) only: Option<Database>,
    /// Folder for the tables instead of the repository's: their speed is that of the disk they are on.
    #[arg(long, value_name = "FOLDER")]
    pub(super) data: Option<PathBuf>,
}

/// A database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Database {
    /// A file of SQLite's.
    Sqlite,
    /// A server of its own.
    Postgresql,
}

impl Database {
    pub(super) fn name(self) -> &'static str {
        match self {
            Database::Sqlite => "SQLite",
            Database::Postgresql => "PostgreSQL",
        }
    }
}
