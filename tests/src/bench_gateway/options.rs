//! What the benchmark is told.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use serde::Serialize;

use super::measure::Load;
use crate::services;

/// The folder of logs and data.
const FOLDER: &str = "bench-gateway";

/// Measures the gateway, with everything on, beside other gateways and proxies before the same stand-in upstream.
#[derive(Parser, Debug, Clone, Serialize)]
#[command(version)]
pub struct Options {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// Rounds; in each every side is measured, and the medians of the rounds are shown.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rounds: u32,
    /// Only these sides, such as `ours,nginx`; `direct` is always there.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Only these measurements.
    #[arg(long, value_delimiter = ',')]
    pub phases: Vec<Phase>,
    /// Requests per second that arrive in the open loop; a side that bears less than twice that gets half of what it
    /// bears.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: u32,
    /// Connections under full load.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4_096))]
    pub connections: u16,
    /// Folder for logs and data instead of the repository's: the gateway's speed is that of the disk it is on.
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Requests of a long run through the gateway at the end, which shows whether its memory stays flat.
    #[arg(long, default_value_t = 0)]
    pub requests: u64,
    /// Another build of the gateway, measured beside this one as `before`.
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// What else it does instead.
    #[command(subcommand)]
    #[serde(skip)]
    pub command: Option<Command>,
}

/// What else this program does.
#[derive(Subcommand, Debug, Clone)]
pub enum Command {
    /// Run as the stand-in upstream.
    #[command(hide = true)]
    Mock {
        /// The public key that the stand-in names as its provider's, 64 hex digits.
        #[arg(long)]
        provider_key: String,
    },
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// All connections, each as fast as it is answered.
    Saturated,
    /// One connection.
    Lone,
    /// An open loop at a fixed rate.
    Paced,
    /// Streams on all connections.
    Streams,
    /// Streams on one connection.
    LoneStream,
}

impl Phase {
    /// All of them, in the order in which they are measured.
    pub const ALL: [Phase; 5] =
        [Phase::Saturated, Phase::Lone, Phase::Paced, Phase::Streams, Phase::LoneStream];

    /// What progress calls it.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Saturated => "all connections",
            Phase::Lone => "one connection",
            Phase::Paced => "open loop",
            Phase::Streams => "streams on all connections",
            Phase::LoneStream => "streams on one connection",
        }
    }
}

impl Options {
    /// What is measured in this run.
    pub(super) fn phases(&self) -> Vec<Phase> {
        let wanted = |phase: &Phase| self.phases.is_empty() || self.phases.contains(phase);
        Phase::ALL.into_iter().filter(wanted).collect()
    }

    /// Whether a side takes part.
    pub(super) fn wants(&self, side: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == side)
    }

    /// A fresh folder for logs and data.
    pub(super) fn folder(&self) -> Result<PathBuf> {
        match &self.data {
            None => services::work_dir(FOLDER),
            Some(data) => Ok(services::fresh_dir(data.join(FOLDER))?.canonicalize()?),
        }
    }

    /// How a side is loaded.
    pub(super) fn load(&self, phase: Phase, rate: u32) -> Load {
        let duration = Duration::from_secs(self.seconds);
        Load { phase, duration, connections: self.connections.into(), rate }
    }
}
