//! `make demo`: the main job on this machine, from minted basket to settled bill.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match stipend_tests::demo::run(stipend_tests::demo::Options::from_environment()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}
