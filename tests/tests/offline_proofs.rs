//! Proofs hold on a machine that never saw the chain, and after the chain is gone.

use std::{fs, net::TcpListener, path::PathBuf, process::Command, time::Duration};

use anyhow::{ensure, Context, Result};
use serde_json::{json, Value};
use stipend_primitives::leaf::ReceiptLeaf;
use stipend_tests::{
    audit,
    company::{MODEL_GENERAL, MODEL_REASONING},
    observer::Observer,
    process::program,
    replay::{Call, Replay},
    stage::{Setup, Stage},
    trace,
};

/// Requests that are served before anything is proven.
const REQUESTS: usize = 6;

/// How long receipts may take to become final.
const PATIENCE: Duration = Duration::from_secs(60);

/// Digits of each binary part that are changed, spread over it; the SDK's own tests change every byte.
const CHANGES: usize = 12;

/// Bytes between two changes of a gateway's receipt; the SDK's own tests change every byte.
const STEP: usize = 13;

/// Exit codes of the command.
const NOT_FOUND: i32 = 4;
const NOT_PROVEN: i32 = 5;
const BAD_INPUT: i32 = 64;

/// The `stipend` command in a folder, with an address that may or may not be a node's.
struct Stipend {
    program: PathBuf,
    dir: PathBuf,
    url: String,
}

impl Stipend {
    /// Runs a verb; its exit code and what it printed.
    fn run(&self, verb: &[&str]) -> Result<(i32, Value)> {
        let output = Command::new(&self.program)
            .args(["--json", "--url", &self.url])
            .args(verb)
            .current_dir(&self.dir)
            .env_remove("STIPEND_KEY_FILE")
            .output()?;
        let text = if output.status.success() { output.stdout } else { output.stderr };
        let said = serde_json::from_slice(&text)
            .with_context(|| format!("{verb:?} printed {}", String::from_utf8_lossy(&text)))?;
        Ok((output.status.code().context("it was ended by a signal")?, said))
    }

    /// The same with a verb that must succeed.
    fn done(&self, verb: &[&str]) -> Result<Value> {
        let (code, said) = self.run(verb)?;
        ensure!(code == 0, "{verb:?} ended with {code}: {said}");
        Ok(said)
    }

    /// The same with a verb that must be refused with one of these codes.
    fn refused(&self, verb: &[&str], codes: &[i32]) -> Result<String> {
        let (code, said) = self.run(verb)?;
        ensure!(codes.contains(&code), "{verb:?} ended with {code}: {said}");
        Ok(said["error"].as_str().unwrap_or_default().to_owned())
    }

    fn write(&self, file: &str, json: &Value) -> Result<()> {
        Ok(fs::write(self.dir.join(file), json.to_string())?)
    }

    fn read(&self, file: &str) -> Result<Value> {
        Ok(serde_json::from_slice(&fs::read(self.dir.join(file))?)?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_and_wallets_are_verified_after_the_chain_is_gone() -> Result<()> {
    let stage = Stage::set(Setup { dir: "test-offline-proofs", ..Default::default() }).await?;
    let receipts = serve(&stage).await?;
    let url =
        stage.endpoints().into_iter().find_map(|(name, value)| (name == "STIPEND_RPC_URL").then_some(value));
    let online = Stipend {
        program: program("stipend")?,
        dir: stage.dir.clone(),
        url: url.context("the stage has a node")?,
    };
    let balances = export(&stage, &online, &receipts).await?;
    fetch(&stage, &online, &receipts)?;
    let owner = stage.company.employees[0].signer.address();
    drop(stage);

    // Whoever would ask the node now, would ask here.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let offline = Stipend { url: format!("ws://{}", listener.local_addr()?), ..online };
    verify(&offline, &receipts, &owner, &balances)?;
    ensure!(listener.accept().is_err(), "what is checked offline asked over the network");
    verify_signed(&offline, &receipts)?;
    refuse_other_validators(&offline)?;
    for (file, verb) in [("receipt-0.json", "receipts"), ("wallet.json", "wallet")] {
        let changed = refuse_changes(&offline, file, verb)?;
        println!("{file}: {changed} changes, all refused");
    }
    ensure!(listener.accept().is_err(), "what is checked offline asked over the network");
    Ok(())
}

/// Serves a few requests; their receipts, once they are final.
async fn serve(stage: &Stage) -> Result<Vec<ReceiptLeaf>> {
    let observer = Observer::start(stage.client.clone());
    let calls = trace::requests(REQUESTS)?.into_iter().enumerate().map(|(index, request)| Call {
        index,
        request,
        api_key: stage.company.employees[index % 2].api_key.clone(),
        model: [MODEL_GENERAL, MODEL_REASONING][index % 2].into(),
        stream: index == 0,
    });
    let replay = Replay { gateway_url: stage.gateway_url(), speed: 1_000.0, attempts_max: 1 };
    let answers = replay.run(calls.collect(), |_| {}).await?;
    audit::wait_until_final(&observer, &answers, PATIENCE).await?;
    let mut receipts = observer.with(|seen| seen.receipts.clone());
    receipts.sort_by_key(|receipt| receipt.leaf.seq);
    ensure!(receipts.len() == REQUESTS, "{} receipts for {REQUESTS} requests", receipts.len());
    Ok(receipts)
}

/// Has everything exported while there is a node; the first employee's balances as the chain tells them.
async fn export(stage: &Stage, stipend: &Stipend, receipts: &[ReceiptLeaf]) -> Result<Value> {
    let gateway = stage.company.gateway.address();
    let set = stipend.done(&["validators", "export", "set.json"])?;
    ensure!(set["validators"] == 1 && set["set_id"] == 0, "a development chain has one validator: {set}");
    ensure!(stipend.read("set.json")?["format"] == "stipend-validators/1", "the set has another form");
    stipend.refused(&["validators", "export", "set.json"], &[BAD_INPUT])?;

    for (at, receipt) in receipts.iter().enumerate() {
        let proof = stipend.done(&["receipts", "proof", &gateway, &receipt.leaf.seq.to_string()])?;
        let file = format!("receipt-{at}.json");
        stipend.write(&file, &proof)?;
        let verified = stipend.done(&["receipts", "verify", &file])?;
        ensure!(verified["cost"].is_string(), "with a node the price is known: {verified}");
    }

    let employee = &stage.company.employees[0].signer;
    let exported = stipend.done(&["wallet", "export", &employee.address(), "--out", "wallet.json"])?;
    stipend.done(&["wallet", "export", &stage.company.hr.address(), "--out", "empty.json"])?;
    let block = exported["block_number"].as_u64().context("a wallet is of a block")?;
    let hash = stage.client.block_hash(block.try_into()?).await?;
    Ok(json!(stage.client.at(hash).wallet(&employee.account()).await?))
}

/// Has every wallet's key fetch what the gateway signed about its requests; another's key gets nothing.
fn fetch(stage: &Stage, stipend: &Stipend, receipts: &[ReceiptLeaf]) -> Result<()> {
    let employees = &stage.company.employees;
    for (at, employee) in employees.iter().enumerate() {
        fs::write(stipend.dir.join(format!("key-{at}")), &employee.api_key)?;
    }
    for (at, receipt) in receipts.iter().enumerate() {
        let own = employees.iter().position(|employee| employee.signer.account() == receipt.wallet);
        let own = own.context("an employee asked")?;
        let (id, file) = (hex::encode(receipt.leaf.digest), format!("signed-{at}.json"));
        let gateway = &stage.gateway.url;
        let line = ["receipts", "fetch", &id, "--gateway", gateway, "--out", &file, "--api-key-file"];
        let with = |key: usize| format!("key-{key}");
        stipend.refused(&[&line[..], &[&with((own + 1) % employees.len())]].concat(), &[NOT_FOUND])?;
        let said = stipend.done(&[&line[..], &[&with(own)]].concat())?;
        ensure!(said["id"] == id && said["wallet"] == json!(receipt.wallet), "another receipt: {said}");
        ensure!(said["batch"]["block"].is_u64(), "it is final and does not say where: {said}");
        ensure!(said["requestSha256"].is_string() && said["agreesWithChain"] == false, "{said}");
        stipend.refused(&[&line[..], &[&with(own)]].concat(), &[BAD_INPUT])?;
        // A node that is believed also knows the price.
        let proof = format!("receipt-{at}.json");
        let said = stipend.done(&["receipts", "verify", &file, "--proof", &proof])?;
        ensure!(said["agreesWithChain"] == true, "{said}");
    }
    Ok(())
}

/// What the gateway signed holds by itself, agrees with the chain's record of the same request and with no
/// other, and not a byte of it can be changed.
fn verify_signed(stipend: &Stipend, receipts: &[ReceiptLeaf]) -> Result<()> {
    for (at, receipt) in receipts.iter().enumerate() {
        let file = format!("signed-{at}.json");
        let said = stipend.done(&["receipts", "verify", &file])?;
        ensure!(said["output"] == receipt.leaf.usage.output, "other figures: {said}");
        let against = |proof: usize| format!("receipt-{proof}.json");
        let line = ["receipts", "verify", &file, "--validators", "set.json", "--proof"];
        let said = stipend.done(&[&line[..], &[&against(at)]].concat())?;
        ensure!(said["agreesWithChain"] == true && said["validator_set"]["set_id"] == 0, "{said}");
        let other = against((at + 1) % receipts.len());
        let why = stipend.refused(&[&line[..], &[&other]].concat(), &[NOT_PROVEN])?;
        ensure!(why.contains("two different things"), "{why}");
    }
    let honest = fs::read(stipend.dir.join("signed-0.json"))?;
    for at in (0..honest.len()).step_by(STEP) {
        let mut changed = honest.clone();
        changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
        fs::write(stipend.dir.join("changed.json"), changed)?;
        stipend
            .refused(&["receipts", "verify", "changed.json"], &[NOT_PROVEN, BAD_INPUT])
            .with_context(|| format!("byte {at} was changed"))?;
    }
    Ok(())
}

/// Everything that was exported holds, and says what the chain said.
fn verify(stipend: &Stipend, receipts: &[ReceiptLeaf], owner: &str, balances: &Value) -> Result<()> {
    for (at, receipt) in receipts.iter().enumerate() {
        let file = format!("receipt-{at}.json");
        let said = stipend.done(&["receipts", "verify", &file, "--validators", "set.json"])?;
        ensure!(said["sequence"] == receipt.leaf.seq, "another receipt: {said}");
        ensure!(said["input"] == receipt.leaf.usage.input, "other figures: {said}");
        ensure!(said["wallet"] == json!(receipt.wallet), "another wallet: {said}");
        ensure!(said["validator_set"]["set_id"] == 0, "nobody vouches: {said}");
    }
    let said = stipend.done(&["wallet", "verify", "wallet.json", "--validators", "set.json"])?;
    ensure!(said["owner"] == owner && said["balances"] == *balances, "{said} instead of {balances}");
    ensure!(said["balances"][0]["amounts"]["spent"] != "0", "the wallet has paid: {said}");
    ensure!(!said["empty"].as_array().context("a list")?.is_empty(), "a class is empty: {said}");
    let said = stipend.done(&["wallet", "verify", "empty.json", "--validators", "set.json"])?;
    ensure!(said["balances"] == json!([]), "HR holds nothing: {said}");
    Ok(())
}

/// Other validators, another set's number, another chain: nothing holds against them.
fn refuse_other_validators(stipend: &Stipend) -> Result<()> {
    let set = stipend.read("set.json")?;
    let other = json!({ "key": format!("0x{}", "ab".repeat(32)), "weight": 1 });
    let twice = json!([set["authorities"][0], other]);
    for (field, value) in [
        ("setId", json!(1)),
        ("authorities", json!([other])),
        // Half of the validators are not two thirds.
        ("authorities", twice),
        ("authorities", json!([])),
        ("genesis", json!(format!("0x{}", "ab".repeat(32)))),
    ] {
        let mut changed = set.clone();
        changed[field] = value;
        stipend.write("other-set.json", &changed)?;
        for verb in [["receipts", "receipt-0.json"], ["wallet", "wallet.json"]] {
            let line = [verb[0], "verify", verb[1], "--validators", "other-set.json"];
            stipend.refused(&line, &[NOT_PROVEN])?;
        }
    }
    Ok(())
}

/// Changes a proof digit by digit and number by number, and has each change refused; how many there were.
fn refuse_changes(stipend: &Stipend, file: &str, verb: &str) -> Result<usize> {
    let honest = stipend.read(file)?;
    let mut pointers = Vec::new();
    leaves(&honest, String::new(), &mut pointers);
    let mut changes = 0;
    for pointer in pointers {
        for value in changed(honest.pointer(&pointer).context("it was found there")?) {
            let mut document = honest.clone();
            *document.pointer_mut(&pointer).context("it was found there")? = value;
            stipend.write("changed.json", &document)?;
            let line = [verb, "verify", "changed.json", "--validators", "set.json"];
            stipend
                .refused(&line, &[NOT_PROVEN, BAD_INPUT])
                .with_context(|| format!("{pointer} was changed"))?;
            changes += 1;
        }
    }
    Ok(changes)
}

/// Where the values of a document are that hold no others.
fn leaves(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| leaves(value, format!("{pointer}/{name}"), found))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| leaves(value, format!("{pointer}/{at}"), found))
        }
        _ => found.push(pointer),
    }
}

/// A value with one of its digits or letters changed, in turn; a number with one more or less.
fn changed(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => {
            let digits = text.strip_prefix("0x").map_or(0, |_| 2)..text.len();
            let step = digits.len().div_ceil(CHANGES);
            digits
                .step_by(step.max(1))
                .map(|at| {
                    let other = if &text[at..=at] == "1" { "2" } else { "1" };
                    json!(format!("{}{other}{}", &text[..at], &text[at + 1..]))
                })
                .collect()
        }
        Value::Number(number) => {
            let number = number.as_u64().unwrap_or_default();
            vec![json!(number + 1), json!(number.wrapping_sub(1))]
        }
        _ => vec![],
    }
}
