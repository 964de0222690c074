//! What must stay secret stays so: with every log at its most talkative, through requests that are served, refused and broken off,
//! no prompt, answer, API key, token or private key stands in any log, file, metric or answer to somebody else.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{bail, ensure, Context, Result};
use serde_json::json;
use stipend_primitives::key;
use stipend_tests::{
    company::{MODEL_GENERAL, MODEL_REASONING},
    stage::{Setup, Stage, PROVIDERS},
};

/// What a caller says to an engine; in no other place of the world.
const PROMPT: &str = "canary-prompt-5e1f";

/// What a caller sends that is nobody's business either.
const PERSON: &str = "canary-person-77ac";

/// Everything that our programs ever log, and what the libraries under them do about requests and answers.
const TALKATIVE: &str =
    "info,stipend_gateway=trace,stipend_attestor=trace,stipend_sdk=trace,stipend_node=debug,\
    hyper=trace,hyper_util=trace,jsonrpsee=trace,rustls=trace";

/// Files that the harness wrote, or that are there to hold a secret, by the end of their path.
const MAY_HOLD: [&str; 4] = ["endpoints.env", "/key", "/token", ".secret"];

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_nowhere_but_where_they_belong() -> Result<()> {
    std::env::set_var("RUST_LOG", TALKATIVE);
    let gateway_more = "[log]\njson = true\n\n[waste]\nsecret_file = \"key\"\nlearning_days = 0\n";
    let setup = Setup { dir: "test-gateway-secrets", gateway_more, ..Default::default() };
    let mut stage = Stage::set(setup).await?;
    let nobodys_key = key::text(&rand::random());
    let told = traffic(&mut stage, &nobodys_key).await?;

    let canaries = canaries(&stage, &nobodys_key)?;
    for (what, text) in &told {
        for canary in &canaries {
            ensure!(!contains(text.as_bytes(), &canary.bytes), "{what} holds {}:\n{text}", canary.what);
        }
    }
    let (mut files, mut in_place, mut found) = (0, 0, BTreeSet::new());
    for file in files_below(&stage.dir)? {
        let path = file.display().to_string();
        let bytes = fs::read(&file).with_context(|| format!("{path} cannot be read"))?;
        let held = canaries.iter().filter(|canary| contains(&bytes, &canary.bytes));
        if path.contains("/keys/") || MAY_HOLD.iter().any(|end| path.ends_with(end)) {
            in_place += held.count();
            continue;
        }
        files += 1;
        found.extend(held.map(|canary| format!("{path} holds {}", canary.what)));
    }
    // Two tokens, three private keys, and the first employee's API key: whoever looks for secrets finds them.
    ensure!(in_place >= 6, "of the secrets that have a place {in_place} were found there");
    ensure!(found.is_empty(), "{found:#?}");
    let log = fs::read_to_string(stage.gateway.process.log())?;
    ensure!(
        log.contains("\"level\":\"TRACE\"") || log.contains("\"level\":\"DEBUG\""),
        "the log is not talkative"
    );
    println!(
        "{} secrets looked for in {files} files, {} answers and metrics: none found",
        canaries.len(),
        told.len()
    );
    Ok(())
}

/// Requests of every outcome; what was told to anybody who is not the caller, and errors whoever gets them.
async fn traffic(stage: &mut Stage, nobodys_key: &str) -> Result<Vec<(String, String)>> {
    let key = stage.company.employees[0].api_key.clone();
    let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
    let url = format!("{}/chat/completions", stage.gateway_url());
    let mut told = Vec::new();
    let post = |key: &str, body: String| {
        http.post(&url)
            .bearer_auth(key)
            .header("content-type", "application/json")
            .header("x-forwarded-user", PERSON)
            .header("cookie", format!("session={PERSON}"))
            .header("user-agent", format!("{PERSON}/1.0"))
            .body(body)
            .send()
    };
    let asking = |model: &str, stream: bool| {
        json!({
            "model": model,
            "messages": [
                { "role": "system", "content": PROMPT },
                { "role": "user", "content": [{ "type": "text", "text": PROMPT }] },
            ],
            "max_tokens": 5, "stream": stream, "user": PERSON, "metadata": { "name": PERSON },
        })
        .to_string()
    };
    for (model, stream) in [(MODEL_GENERAL, false), (MODEL_GENERAL, true), (MODEL_REASONING, true)] {
        let answer = post(&key, asking(model, stream)).await?;
        ensure!(answer.status() == 200, "{model}: {}", answer.status());
        answer.bytes().await?;
    }
    told.push(("findings of waste".into(), waste(&http, stage, &key).await?));
    let mut refused = vec![
        ("an unknown key's answer", post(nobodys_key, asking(MODEL_GENERAL, false)).await?, 401),
        ("an unknown model's answer", post(&key, asking("nobody's", false)).await?, 404),
        ("cut JSON's answer", post(&key, asking(MODEL_GENERAL, false).replace('}', "")).await?, 400),
        ("a wrong role's answer", post(&key, asking(MODEL_GENERAL, false).replace("5,", "-5,")).await?, 400),
    ];
    // A caller that leaves in the middle, and an engine that does.
    drop(tokio::time::timeout(Duration::from_millis(30), post(&key, asking(MODEL_REASONING, true))).await);
    stage.engines[0].process.kill();
    refused.push(("a broken engine's answer", post(&key, asking(MODEL_GENERAL, false)).await?, 502));
    for (what, answer, status) in refused {
        ensure!(answer.status() == status, "{what}: {}", answer.status());
        told.push((what.to_owned(), answer.text().await?));
    }
    // The receipts' way to the chain and their settlement write, too.
    tokio::time::sleep(Duration::from_secs(8)).await;
    for (who, url) in [("the gateway", &stage.gateway.url), ("the attestor", &stage.attestors[0].url)] {
        for path in ["/metrics", "/healthz", "/readyz"] {
            told.push((
                format!("{path} of {who}"),
                reqwest::get(format!("{url}{path}")).await?.text().await?,
            ));
        }
    }
    Ok(told)
}

/// One prompt again and again, by somebody who says what for only at the end; what is said of it.
async fn waste(http: &reqwest::Client, stage: &Stage, key: &str) -> Result<String> {
    let url = format!("{}/chat/completions", stage.gateway_url());
    let prompt = format!("{PROMPT} {}", "again ".repeat(500));
    let body = json!({
        "model": MODEL_GENERAL, "max_tokens": 5, "messages": [{ "role": "user", "content": prompt }],
    });
    for number in 0..32 {
        let mut request = http.post(&url).bearer_auth(key).header("user-agent", PERSON).json(&body);
        if number == 31 {
            request = request.header("x-stipend-purpose", PERSON);
        }
        let answer = request.send().await?;
        ensure!(answer.status() == 200, "request {number} of a repetition: {}", answer.status());
        answer.bytes().await?;
    }
    let url = format!("{}/waste", stage.gateway_url());
    for _ in 0..100 {
        let told = http.get(&url).bearer_auth(key).send().await?.text().await?;
        if told.contains("\"repeat\"") {
            return Ok(told);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("a prompt that was sent 31 times is not found within 10 s")
}

/// Something that must not be found.
struct Canary {
    what: String,
    bytes: Vec<u8>,
}

fn canaries(stage: &Stage, nobodys_key: &str) -> Result<Vec<Canary>> {
    let mut canaries = Vec::new();
    let mut add = |what: &str, bytes: &[u8]| canaries.push(Canary { what: what.into(), bytes: bytes.into() });
    add("a prompt", PROMPT.as_bytes());
    add("a person's name", PERSON.as_bytes());
    let keys = stage.company.employees.iter().map(|employee| employee.api_key.as_str());
    for text in keys.chain([nobodys_key]) {
        let secret = text.strip_prefix(key::KEY_PREFIX).context("a key begins with its prefix")?;
        add("an API key", secret.as_bytes());
        if let Ok(bytes) = hex::decode(secret) {
            add("an API key's bytes", &bytes);
        }
    }
    for provider in PROVIDERS {
        let token = fs::read_to_string(stage.dir.join(provider).join("token"))?;
        add("a provider's token", token.trim().as_bytes());
    }
    for name in ["gateway", PROVIDERS[0], PROVIDERS[1]] {
        let seed = fs::read_to_string(stage.dir.join(name).join("key"))?;
        let digits = seed.trim().trim_start_matches("0x");
        add("a private key", digits.as_bytes());
        add("a private key's bytes", &hex::decode(digits).context("a key file holds hex digits")?);
    }
    ensure!(canaries.iter().all(|canary| canary.bytes.len() >= 16), "a secret is too short to look for");
    Ok(canaries)
}

fn contains(bytes: &[u8], canary: &[u8]) -> bool {
    memchr::memmem::find(bytes, canary).is_some()
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => files.extend(files_below(&entry.path())?),
            kind if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    Ok(files)
}
