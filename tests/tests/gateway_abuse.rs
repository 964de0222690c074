//! Malformed requests in masses and connections that crawl: the gateway refuses each with an error, stays up within bounded
//! memory, and serves honest callers all the while.

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

use anyhow::{ensure, Context, Result};
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use serde_json::json;
use stipend_tests::{
    audit,
    company::MODEL_GENERAL,
    observer::Observer,
    replay::{Call, Replay},
    stage::{Setup, Stage},
    trace::Request,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

/// Connections that send malformed requests.
const ATTACKERS: usize = 32;

/// Connections that send a byte now and then.
const CRAWLERS: usize = 500;

/// Callers that send honest requests, one after the other.
const HONEST: usize = 4;

/// What the gateway's memory may grow by, whatever arrives: 500 crawlers keep some 8 KiB each, a request of
/// each attacker at most a body of 64 KiB, and the rest is what the allocator keeps.
const GROWTH_MAX_KIB: u64 = 192 << 10;

/// How long an answer to anything may take: longer than the gateway's own limits on heads (15 s) and bodies.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// So that crawlers find the limit within the test.
const LIMITS: &str = "[limits]\nbody_ms_max = 10000\n";

#[tokio::test(flavor = "multi_thread")]
async fn malformed_and_slow_requests_harm_nobody() -> Result<()> {
    let malformed = if std::env::var_os("STIPEND_TEST_LONG").is_some() { 1_000_000 } else { 20_000 };
    let seed: u64 =
        std::env::var("STIPEND_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random);
    println!("seed: STIPEND_TEST_SEED={seed}");
    let setup = Setup { dir: "test-gateway-abuse", gateway_more: LIMITS, ..Default::default() };
    let mut stage = Stage::set(setup).await?;
    let observer = Observer::start(stage.client.clone());
    let address = stage.gateway.url.strip_prefix("http://").context("an address")?.to_owned();
    let key = stage.company.employees[0].api_key.clone();

    let over = Arc::new(AtomicBool::new(false));
    let honest: Vec<_> = (0..HONEST).map(|at| tokio::spawn(serve_honest(&stage, at, over.clone()))).collect();
    // Everything that grows with honest use alone has grown.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let memory_before = stage.gateway.process.memory_kib()?;

    let mut crawlers = JoinSet::new();
    for at in 0..CRAWLERS {
        crawlers.spawn(crawl(address.clone(), key.clone(), at));
    }
    let (began, left) = (Instant::now(), Arc::new(AtomicUsize::new(malformed)));
    let mut attackers = JoinSet::new();
    for at in 0..ATTACKERS {
        attackers.spawn(attack(address.clone(), key.clone(), seed.wrapping_add(at as u64), left.clone()));
    }
    let (mut answers, mut memory_most) = (BTreeMap::<String, usize>::new(), memory_before);
    while let Some(told) = attackers.join_next().await {
        for (answer, count) in told?? {
            *answers.entry(answer).or_default() += count;
        }
        memory_most = memory_most.max(stage.gateway.process.memory_kib()?);
    }
    println!("{malformed} malformed requests in {:.1?}: {answers:?}", began.elapsed());
    let mut ends = BTreeMap::<String, usize>::new();
    while let Some(end) = crawlers.join_next().await {
        *ends.entry(end??).or_default() += 1;
    }
    println!("{CRAWLERS} crawling connections ended with {ends:?}");
    over.store(true, Ordering::Relaxed);
    let mut served = Vec::new();
    for caller in honest {
        served.extend(caller.await??);
    }
    memory_most = memory_most.max(stage.gateway.process.memory_kib()?);
    println!(
        "{} honest requests served meanwhile; memory {memory_before} KiB, at most {memory_most} KiB",
        served.len()
    );

    ensure!(answers.values().sum::<usize>() == malformed, "some malformed requests were not answered");
    let wrong: Vec<_> = answers.keys().filter(|answer| !is_refusal(answer)).collect();
    ensure!(wrong.is_empty(), "malformed requests were answered with {wrong:?}");
    // Who does not even send a whole head is not owed an answer.
    let wrong: Vec<_> = ends.keys().filter(|end| *end != "closed" && !is_refusal(end)).collect();
    ensure!(wrong.is_empty(), "crawling connections ended with {wrong:?}");
    ensure!(stage.gateway.process.is_running(), "the gateway ended");
    let log = std::fs::read_to_string(stage.gateway.process.log())?;
    ensure!(!log.contains("panicked"), "the gateway panicked, see {}", stage.gateway.process.log().display());
    ensure!(memory_most - memory_before < GROWTH_MAX_KIB, "the gateway's memory grew out of bounds");
    audit::wait_until_final(&observer, &served, Duration::from_secs(90)).await?;
    let audited = audit::check(&stage.client, &stage.company, &observer).await?;
    ensure!(audited.receipts == served.len(), "{} receipts for {} requests", audited.receipts, served.len());
    Ok(())
}

/// Whether an answer tells a fault of the caller's.
fn is_refusal(answer: &str) -> bool {
    answer.starts_with('4') && answer.len() == 3
}

/// Sends honest requests until the others are done; a single refusal fails the test.
fn serve_honest(
    stage: &Stage,
    at: usize,
    over: Arc<AtomicBool>,
) -> impl std::future::Future<Output = Result<Vec<stipend_tests::replay::Answer>>> + Send + 'static {
    let replay = Replay { gateway_url: stage.gateway_url(), speed: 1.0, attempts_max: 1 };
    let employees = &stage.company.employees;
    let mut call = Call {
        index: 0,
        request: Request { at: Duration::ZERO, input: 20, output: 5 },
        api_key: employees[at % employees.len()].api_key.clone(),
        model: MODEL_GENERAL.into(),
        stream: at.is_multiple_of(2),
    };
    async move {
        let http = reqwest::Client::new();
        let mut answers = Vec::new();
        while !over.load(Ordering::Relaxed) {
            answers.push(replay.insist(&http, &call).await?);
            call.index += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(answers)
    }
}

/// Sends malformed requests until `left` is used up; what each was answered.
async fn attack(
    address: String,
    key: String,
    seed: u64,
    left: Arc<AtomicUsize>,
) -> Result<BTreeMap<String, usize>> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut answers = BTreeMap::new();
    let mut stream: Option<TcpStream> = None;
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let request = malformed(&mut random, &key);
        let mut open = match stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(&address).await?,
        };
        let answer = match timeout(ANSWER_TIMEOUT, exchange(&mut open, &request)).await {
            Ok(answer) => answer,
            Err(_) => anyhow::bail!(
                "no answer within {ANSWER_TIMEOUT:?} to {:?}",
                String::from_utf8_lossy(&request)
            ),
        };
        let (answer, stays_open) = answer.unwrap_or_else(|_| ("closed".into(), false));
        if stays_open {
            stream = Some(open);
        }
        *answers.entry(answer).or_default() += 1;
    }
    Ok(answers)
}

/// Sends all of a request; the status of the answer, and whether the connection is good for another.
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<(String, bool)> {
    // Whoever refuses a request early closes while it is still being sent; the answer is there all the same.
    let is_sent = stream.write_all(request).await.is_ok();
    let mut answer = Vec::new();
    let head = loop {
        if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut answer).await? == 0 {
            anyhow::bail!("closed");
        }
    };
    let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    let status = text.split(' ').nth(1).context("a status line")?.to_owned();
    let len =
        text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
    let Some(len) = len.filter(|_| is_sent && !text.contains("connection: close")) else {
        return Ok((status, false));
    };
    while answer.len() < head + len {
        if stream.read_buf(&mut answer).await? == 0 {
            return Ok((status, false));
        }
    }
    Ok((status, answer.len() == head + len))
}

const PATHS: [&str; 6] =
    ["chat/completions", "completions", "embeddings", "responses", "images/generations", "messages"];

/// A request that nobody may serve.
fn malformed(random: &mut StdRng, key: &str) -> Vec<u8> {
    let path = PATHS.choose(random).copied().unwrap_or_default();
    let good = json!({
        "model": MODEL_GENERAL,
        "messages": [{ "role": "user", "content": "the the the" }],
        "prompt": "the", "input": "the", "max_tokens": 5,
    })
    .to_string();
    match random.gen_range(0..12) {
        // What is no HTTP at all; the line's end ends the wait for more of it.
        0 => {
            let mut bytes: Vec<u8> = (0..random.gen_range(1..400)).map(|_| random.gen()).collect();
            bytes.splice(0..0, *b"\0");
            bytes.extend_from_slice(b"\r\n\r\n");
            bytes
        }
        // Heads that end a request in two places, or nowhere.
        1 => framed(path, key, random_framing(random), good.as_bytes()),
        2 => framed(path, key, &format!("x-long: {}\r\ncontent-length: 0\r\n", "a".repeat(40 << 10)), b""),
        3 => framed(path, key, &format!("{}content-length: 0\r\n", "x-many: 1\r\n".repeat(80)), b""),
        // Bytes that a header's value cannot have.
        4 => framed(path, key, &format!("x-bad: a{}b\r\ncontent-length: 0\r\n", '\u{1}'), b""),
        // Keys that nobody has.
        5 => with_length(
            path,
            &format!("sk-stipend-{}", hex::encode(random.gen::<[u8; 32]>())),
            good.as_bytes(),
        ),
        6 => with_length(path, &"k".repeat(random.gen_range(0..4_000)), good.as_bytes()),
        // Bodies that are no JSON, or are cut, deep, of other bytes.
        7 => with_length(path, key, &good.as_bytes()[..random.gen_range(0..good.len())]),
        8 => with_length(
            path,
            key,
            &(0..random.gen_range(0..2_000)).map(|_| random.gen()).collect::<Vec<u8>>(),
        ),
        9 => {
            let deep = random.gen_range(200..60_000);
            with_length(
                path,
                key,
                format!("{{\"model\":\"{MODEL_GENERAL}\",\"messages\":{}", "[".repeat(deep)).as_bytes(),
            )
        }
        // Sound JSON of the wrong shape.
        10 => with_length(path, key, misshapen(random).as_bytes()),
        // Places and methods that do not exist.
        _ => {
            let method =
                ["GET", "PUT", "PATCH", "BREW", "CONNECT"].choose(random).copied().unwrap_or_default();
            let end = format!("authorization: Bearer {key}\r\nhost: gateway\r\ncontent-length: 0\r\n\r\n");
            format!("{method} /v1/{path}/{:x} HTTP/1.1\r\n{end}", random.gen::<u64>()).into_bytes()
        }
    }
}

fn random_framing(random: &mut StdRng) -> &'static str {
    let heads = [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding : chunked\r\n",
        "content-length: +5\r\n",
        "content-length: 0x5\r\n",
        "content-length: -1\r\n",
        "content-length: 99999999999999999999\r\n",
        "content-length: 1073741824\r\nexpect: 100-continue\r\n",
        " content-length: 5\r\n",
    ];
    heads.choose(random).copied().unwrap_or_default()
}

/// Values where others belong, as numbers out of range and names that are no texts.
fn misshapen(random: &mut StdRng) -> String {
    let odd = [
        json!(null),
        json!(-1),
        json!(1e308),
        json!([]),
        json!({}),
        json!(true),
        json!("\u{0}"),
        json!([[[]]]),
    ];
    let mut any = || odd.choose(random).cloned().unwrap_or_default();
    match any() {
        serde_json::Value::Null => json!({ "model": any(), "messages": any(), "max_tokens": any() }),
        serde_json::Value::Array(_) => json!([any(), any()]),
        serde_json::Value::Bool(_) => {
            json!({ "model": MODEL_GENERAL, "messages": [{ "role": any(), "content": any() }], "max_tokens": -5, "n": any() })
        }
        // No model of this name is served.
        _ => json!({ "model": format!("nobody's {}", any()), "messages": [], "input": any(), "prompt": any() }),
    }
    .to_string()
}

fn with_length(path: &str, key: &str, body: &[u8]) -> Vec<u8> {
    framed(path, key, &format!("content-length: {}\r\n", body.len()), body)
}

fn framed(path: &str, key: &str, framing: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST /v1/{path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\n{framing}\r\n"
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

/// Sends a head, or a body, byte by byte until the gateway has had enough; how it ended.
async fn crawl(address: String, key: String, at: usize) -> Result<String> {
    let mut stream = TcpStream::connect(&address).await?;
    let head = framed("chat/completions", &key, "content-length: 100000\r\n", b"");
    // Half of them crawl from the first byte on, the others in the body.
    let quick = if at.is_multiple_of(2) { 1 } else { head.len() };
    stream.write_all(&head[..quick]).await?;
    let began = Instant::now();
    let mut answer = Vec::new();
    let mut rest = head[quick..].iter().copied().chain(std::iter::repeat(b' '));
    loop {
        match timeout(Duration::from_millis(500), stream.read_buf(&mut answer)).await {
            Ok(Ok(0)) | Ok(Err(_)) => break,
            Ok(Ok(_)) => {}
            // An error means that the gateway closed; what it said is read next.
            Err(_) => drop(stream.write_all(&[rest.next().unwrap_or(b' ')]).await),
        }
        ensure!(began.elapsed() < ANSWER_TIMEOUT, "a crawling connection was borne for {ANSWER_TIMEOUT:?}");
    }
    let text = String::from_utf8_lossy(&answer);
    Ok(text.split(' ').nth(1).unwrap_or("closed").to_owned())
}
