//! The main job, from minted basket to settled bill: what `make demo` runs.

use stipend_tests::demo::{self, Options};

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_is_served_charged_and_settled_to_the_micro_credit() {
    let options = Options { keep: false, engine: None, dir: Some("test-main-job") };
    demo::run(options).await.expect("every figure on the chain equals the sum computed apart from it");
}
