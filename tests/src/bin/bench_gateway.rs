//! `make bench-gateway`: the gateway with everything on beside other gateways and proxies, in one run.

use std::process::ExitCode;

use clap::Parser;
use stipend_tests::bench_gateway::{self, Options};

/// One thread: what generates the load stays on the core that it is given.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match bench_gateway::run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe benchmark failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}
