//! `make bench`: the chain's batch path against one receipt per extrinsic, on one node in one run.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match stipend_tests::bench::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe benchmark failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}
