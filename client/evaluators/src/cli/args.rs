//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use stipend_evaluators::experiment::Better;

/// Records outcomes of value that compute led to, with the evidence for them.
#[derive(Parser)]
#[command(name = "stipend-evaluator", version)]
pub(crate) struct Arguments {
    /// The configuration, `evaluator.toml`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Take webhooks and receipts in, judge merges, tell the ledger.
    Serve,
    /// Judge a run of tests (JUnit XML) beside an older one.
    Junit(Suite),
    /// Judge a run of evals (JSON lines of OpenAI's `evals`) beside an older one.
    Evals(Suite),
    /// A/B experiments.
    #[command(subcommand)]
    Ab(Ab),
    /// Have a model judge work beside a reference, through the gateway.
    Judge(Judge),
    /// Hand receipts in that gateways signed (`GET /v1/aci/receipts/{id}`).
    Receipts {
        /// Files, each with one receipt.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Take back what something earned.
    Withdraw {
        /// What was judged, such as `tests:parser-rewrite`.
        subject: String,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Tell the ledger again what it refused, once the reason is gone.
    Retry,
    /// How many outcomes there are, and what the ledger has not taken.
    Status,
}

/// What every verb that judges is told.
#[derive(Args)]
pub(crate) struct Common {
    /// What is judged, in a name of your own: it is judged once.
    #[arg(long)]
    pub(crate) name: String,
    /// A receipt of the compute that led to it: a file that a gateway signed, or the id of one handed in before.
    #[arg(long = "receipt", value_name = "FILE|ID")]
    pub(crate) receipts: Vec<String>,
    /// Judge, say what it would earn, and record nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args)]
pub(crate) struct Suite {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Files of the older run.
    #[arg(long, required = true, value_name = "FILE")]
    pub(crate) baseline: Vec<PathBuf>,
    /// Files of the newer run.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Ab {
    /// Declare an experiment before its figures are looked at.
    Declare {
        /// Its name.
        name: String,
        /// The variant that the others are compared with.
        #[arg(long)]
        control: String,
        /// Another variant.
        #[arg(long = "variant", required = true)]
        variants: Vec<String>,
        /// How many of each variant are looked at.
        #[arg(long)]
        sample: u64,
        /// Which way is better.
        #[arg(long, value_enum, default_value = "higher")]
        better: Better,
    },
    /// Judge the figures of a declared experiment.
    Judge {
        #[command(flatten)]
        common: Common,
        /// CSV: `variant,n,successes` or `variant,n,mean,sd`.
        file: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct Judge {
    #[command(flatten)]
    pub(crate) common: Common,
    /// What the work was to do.
    #[arg(long, value_name = "FILE")]
    pub(crate) task: PathBuf,
    /// What there was before, or what the work is measured by.
    #[arg(long, value_name = "FILE")]
    pub(crate) reference: PathBuf,
    /// The work.
    pub(crate) work: PathBuf,
}
