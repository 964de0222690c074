//! A flood of uninvited transactions keeps nobody out: strangers are refused at the pool, an employee
//! gets no more than its quota into a block, and everybody else is in within three blocks.

use anyhow::{ensure, Result};
use stipend_tests::flood::{self, Options, BLOCKS_MAX};

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_keeps_nobody_out_for_more_than_three_blocks() -> Result<()> {
    let transactions = if std::env::var_os("STIPEND_TEST_LONG").is_some() { 100_000 } else { 10_000 };
    let report = flood::run(&Options { transactions, consortium: false, dir: "test-flood" }).await?;
    report.print();
    ensure!(
        report.strangers.len() == 1
            && report.strangers.keys().all(|answer| answer.contains("Custom error: 100")),
        "strangers got in, or were told something else than that they are: {:?}",
        report.strangers
    );
    ensure!(report.employee_most <= 4, "{} of one employee's in one block", report.employee_most);
    ensure!(report.employee_most > 0, "the quota was not used: nothing was tested");
    ensure!(report.arrivals.len() >= 3, "too few honest transactions to tell: {:?}", report.arrivals);
    ensure!(report.slowest() <= BLOCKS_MAX, "an honest transaction waited {} blocks", report.slowest());
    Ok(())
}
