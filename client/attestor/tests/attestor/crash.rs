//! The real command, killed in the middle of its work.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use http::StatusCode;
use serde_json::{json, Value};
use stipend_engine_sim::Options;
use stipend_openai::{Chunk, Endpoint, RequestView, UsageReader};
use stipend_primitives::{cost::Usage, Digest};

use crate::world::{chat, digest, engine, write_config, Gateway};

const BINARY: &str = env!("CARGO_BIN_EXE_stipend-attestor");

/// A running `stipend-attestor`, killed when it is dropped.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(config: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(config).args(more);
        Self::spawn(command)
    }

    /// An attestor that can write files of so many KiB and no larger ones: to it, the disk is full.
    fn start_on_a_small_disk(config: &Path, kib: u64) -> Self {
        let mut command = Command::new("bash");
        command
            .args(["-c", "trap '' XFSZ; ulimit -f $0; exec $1 --config $2", &kib.to_string(), BINARY])
            .arg(config);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().parse().unwrap();
        Process { child, address }
    }

    /// SIGKILL: nothing can be written any more.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What an acknowledged answer says was used; `None` if its end did not arrive.
fn acknowledged(stream: bool, text: &str) -> Option<Usage> {
    let reader = UsageReader::of(&RequestView::read(Endpoint::Chat, br#"{"model":"m"}"#).unwrap());
    if !stream {
        return reader.of_answer(text.as_bytes()).ok();
    }
    let mut events = reader.stream();
    let mut last = None;
    for data in text.split_terminator("\n\n").filter_map(|event| event.strip_prefix("data: ")) {
        last = events.take_data(data.as_bytes()).ok();
    }
    (last == Some(Chunk::End)).then(|| events.usage().unwrap())
}

/// Asks without a pause until the attestor is gone; collects what was acknowledged.
async fn load(gateway: Gateway, worker: u64, acked: Arc<Mutex<Vec<(Digest, Usage)>>>) {
    for number in 0.. {
        let digest = digest(worker << 32 | number);
        let stream = number % 2 == 0;
        let body = chat(json!({
            "max_tokens": 1 + number % 7, "stream": stream, "stream_options": { "include_usage": true },
        }));
        match gateway.try_post("/v1/chat/completions", digest, &body).await {
            Ok((StatusCode::OK, text)) => match acknowledged(stream, &text) {
                Some(usage) => acked.lock().unwrap().push((digest, usage)),
                None => return,
            },
            _ => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_request_is_attested_after_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, engine) = engine(Options::default()).await;
    let config = write_config(dir.path(), engine, "");
    let mut claimed: Vec<(u64, Vec<Digest>, Value)> = Vec::new();
    let mut next_seq = 0;
    for round in 0..3u64 {
        let process = Process::start(&config, &[]);
        let gateway = Gateway::new(process.address);
        // What was attested before the crash is attested in the same words after it.
        for (first_seq, digests, before) in &claimed {
            let (again, _) = gateway.attested(*first_seq, digests).await;
            assert_eq!(serde_json::to_value(&again).unwrap(), *before);
        }
        let acked = Arc::new(Mutex::new(Vec::new()));
        let workers: Vec<_> = (0..8)
            .map(|worker| tokio::spawn(load(gateway.clone(), round << 8 | worker, acked.clone())))
            .collect();
        tokio::time::sleep(Duration::from_millis(300 + 150 * round)).await;
        process.kill();
        for worker in workers {
            worker.await.unwrap();
        }
        let acked = std::mem::take(&mut *acked.lock().unwrap());
        assert!(acked.len() > 50, "{} requests are no load", acked.len());

        let process = Process::start(&config, &[]);
        let gateway = Gateway::new(process.address);
        let digests: Vec<Digest> = acked.iter().map(|(digest, _)| *digest).collect();
        let (signed, leaves) = gateway.attested(next_seq, &digests).await;
        for (leaf, (digest, usage)) in leaves.iter().zip(&acked) {
            assert_eq!((leaf.digest, leaf.usage), (*digest, *usage));
        }
        claimed.push((next_seq, digests, serde_json::to_value(&signed).unwrap()));
        next_seq += leaves.len() as u64;
        process.kill();
    }
}

#[tokio::test]
async fn a_full_disk_withholds_answers_and_loses_none_that_were_given() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, engine) = engine(Options::default()).await;
    let config = write_config(dir.path(), engine, "");
    for (round, stream) in [(0, false), (1, true)] {
        let files = std::fs::read_dir(dir.path().join("data/log")).into_iter().flatten();
        let used = files.map(|file| file.unwrap().metadata().unwrap().len()).max().unwrap_or(0);
        let process = Process::start_on_a_small_disk(&config, (used >> 10) + 6);
        let gateway = Gateway::new(process.address);
        let mut acked: Vec<(Digest, Usage)> = Vec::new();
        for number in 0..1_000 {
            let digest = digest(round << 32 | number);
            let more =
                json!({ "max_tokens": 3, "stream": stream, "stream_options": { "include_usage": true } });
            let (_, text) = gateway.chat(digest, more).await;
            if !text.contains("cannot meter at present") {
                acked.push((digest, acknowledged(stream, &text).unwrap()));
                continue;
            }
            let is_withheld = !text.contains("[DONE]") && !text.contains("completion_tokens");
            assert!(is_withheld, "{text}");
            break;
        }
        assert!((10..1_000).contains(&acked.len()), "{}", acked.len());
        assert_eq!(gateway.chat(digest(9 << 32), json!({})).await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(gateway.get("/healthz").await.0, StatusCode::SERVICE_UNAVAILABLE);
        process.kill();

        let process = Process::start(&config, &[]);
        let digests: Vec<Digest> = acked.iter().map(|(digest, _)| *digest).collect();
        let (_, leaves) = Gateway::new(process.address).attested(round * 1_000, &digests).await;
        assert!(leaves.iter().zip(&acked).all(|(leaf, (_, usage))| leaf.usage == *usage));
        process.kill();
    }
}

#[tokio::test]
async fn misreporting_for_testing_understates_as_many_requests_as_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, engine) = engine(Options::default()).await;
    let config = write_config(dir.path(), engine, "");
    let process = Process::start(&config, &["--misreport-for-testing", "2"]);
    let gateway = Gateway::new(process.address);
    for number in 0..3 {
        gateway.chat(digest(number), json!({ "max_tokens": 10 })).await;
    }
    let (_, leaves) = gateway.attested(0, &[digest(0), digest(1), digest(2)]).await;
    assert_eq!(leaves.iter().map(|leaf| leaf.usage.output).collect::<Vec<_>>(), [5, 5, 10]);
}

#[tokio::test]
async fn a_stop_lets_requests_end_and_a_restart_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { first_token: Duration::from_millis(300), ..Options::default() };
    let (_engine, engine) = engine(options).await;
    let config = write_config(dir.path(), engine, "");
    let mut process = Process::start(&config, &[]);
    let gateway = Gateway::new(process.address);
    let asking = gateway.clone();
    let call = tokio::spawn(async move { asking.chat(digest(1), json!({})).await.0 });
    while gateway.metric("stipend_attestor_requests_in_flight").await != Some(1) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stopped = Command::new("kill").arg(process.child.id().to_string()).status().unwrap();
    assert!(stopped.success());
    assert_eq!(call.await.unwrap(), StatusCode::OK);
    drop(gateway);
    let status = tokio::task::spawn_blocking(move || process.child.wait().unwrap()).await.unwrap();
    assert!(status.success());

    let process = Process::start(&config, &[]);
    let (_, leaves) = Gateway::new(process.address).attested(0, &[digest(1)]).await;
    assert_eq!(leaves[0].usage.output, 16);
}
