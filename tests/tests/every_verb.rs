//! Every verb of the `stipend` command, on a running company: it answers in JSON as its help says, and what changes
//! something can be tried without changing anything.

#[path = "every_verb/lines.rs"]
mod lines;
#[path = "every_verb/shape.rs"]
mod shape;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{ensure, Context, Result};
use serde_json::{json, Value};
use sp_core::H256;
use stipend_evidence_token::issue::Issuer;
use stipend_primitives::{AccountId, Credits};
use stipend_sdk::{calendar::Date, Client, Signer};
use stipend_tests::{
    company::MODEL_GENERAL,
    operator::wait_until,
    process::program,
    stage::{Setup, Stage},
    wallet_service::WalletService,
};

use crate::{
    lines::{Line, Run, CHAPTERS},
    shape::Shape,
};

/// Blocks after which a transaction that was sent would be in one.
const BLOCKS: u32 = 4;

/// The price book that is published.
const PRICES: &str = "[[model]]\nid = 1\nname = \"stipend-general\"\nclass = \"Innovation\"\npremium = false\nc_input = 250\n\
    c_cached = 25\nc_output = 1000\nc_model = 50\nweight = 1\nreference_input = 2500000\nreference_output = 10000000\n";

/// A person's desk: a folder, the command, and what is known by now.
struct Desk {
    dir: PathBuf,
    program: PathBuf,
    api_key: String,
    known: BTreeMap<&'static str, String>,
    shapes: BTreeMap<String, (Shape, bool)>,
}

impl Desk {
    fn command(&self, verb: &str, arguments: &str, signer: &str) -> Command {
        let mut text = format!("{verb} {arguments} {signer}");
        for (word, value) in &self.known {
            text = text.replace(&format!("{{{word}}}"), value);
        }
        let mut command = Command::new(&self.program);
        command.args(text.split_whitespace()).arg("--json").current_dir(&self.dir).stdin(Stdio::null());
        for variable in ["STIPEND_RPC_URL", "STIPEND_KEY_FILE", "STIPEND_DIRECTORY", "STIPEND_PROFILE"] {
            command.env_remove(variable);
        }
        command.env("STIPEND_CONFIG", "config.toml").env("STIPEND_API_KEY", &self.api_key);
        command
    }

    /// What a verb answers; it must succeed and say nothing but JSON.
    fn answer(&self, verb: &str, arguments: &str, signer: &str) -> Result<Value> {
        let output = self.command(verb, arguments, signer).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{verb} {arguments} ended with {}: {said}", output.status);
        ensure!(said.is_empty(), "{verb} {arguments} says beside its answer: {said}");
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{verb} printed {}", String::from_utf8_lossy(&output.stdout)))
    }

    /// The first line of a verb that goes on for ever.
    fn first_line(&self, verb: &str, arguments: &str) -> Result<Value> {
        let mut child = self.command(verb, arguments, "").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let read = BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line);
        child.kill()?;
        child.wait()?;
        read?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Whether a verb changes something.
    fn changes(&self, verb: &str) -> Result<bool> {
        Ok(self.shapes.get(verb).with_context(|| format!("{verb} has no shape"))?.1)
    }

    /// Holds an answer against what the verb's help says of it.
    fn check(&self, verb: &str, answer: &Value) -> Result<()> {
        let (shape, _) = self.shapes.get(verb).with_context(|| format!("{verb} has no shape"))?;
        let proposed = "{block_number, block_hash, extrinsic_hash, proposal: {hash, index, approvals, yes, no, ends_at, call}}";
        let is_proposed = answer["proposal"].is_object() && !verb.starts_with("council");
        let shape = if is_proposed { &Shape::read(proposed)? } else { shape };
        shape.check(answer).with_context(|| format!("{verb} answers {answer:#}"))
    }

    /// Runs the verb in earnest, and keeps of its answer what later verbs need.
    fn run(&mut self, line: &Line) -> Result<()> {
        let (verb, arguments, signer, run) = *line;
        let answer = match run {
            Run::Dry(_) => return Ok(()),
            Run::FirstLine => self.first_line(verb, arguments)?,
            Run::Both => self.answer(verb, arguments, signer)?,
        };
        self.check(verb, &answer)?;
        let mut keep = |word: &'static str, value: &Value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.known.insert(word, text);
        };
        match verb {
            "api-keys create" => keep("hash", &answer["hash"]),
            "entitlements list" => keep("entitlement", &answer[0]["id"]),
            "classes add" if answer["proposal"].is_object() => {
                keep("proposal", &answer["proposal"]["hash"]);
            }
            "receipts proof" => fs::write(self.dir.join("proof.json"), answer.to_string())?,
            _ => {}
        }
        Ok(())
    }

    /// Every file of the desk.
    fn files(&self) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
        fn collect(dir: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
            for entry in fs::read_dir(dir)? {
                let path = entry?.path();
                if path.is_dir() {
                    files.insert(path.clone(), Vec::new());
                    collect(&path, files)?;
                } else {
                    files.insert(path.clone(), fs::read(&path)?);
                }
            }
            Ok(())
        }
        let mut files = BTreeMap::new();
        collect(&self.dir, &mut files)?;
        Ok(files)
    }
}

/// What nobody may change in a dry run: how often who has signed, and what was granted.
async fn standing(client: &Client, signers: &[AccountId]) -> Result<(Vec<u32>, Credits)> {
    let snapshot = client.at(client.best_head().await?.hash);
    let mut nonces = Vec::new();
    for who in signers {
        nonces.push(snapshot.nonce(who).await?);
    }
    let programs = snapshot.programs().await?;
    Ok((nonces, programs.iter().map(|(_, program)| program.granted).sum()))
}

async fn wait_for_blocks(client: &Client) -> Result<()> {
    let from = client.best_head().await?.number;
    wait_until("some blocks", || async {
        Ok((client.best_head().await?.number >= from + BLOCKS).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_answers_as_its_help_says_and_can_be_tried_without_changing_anything() -> Result<()> {
    let stage = Stage::set(Setup { dir: "test-every-verb", ..Default::default() }).await?;
    let url =
        stage.endpoints().into_iter().find(|(name, _)| *name == "STIPEND_RPC_URL").context("no chain")?.1;
    let wallet = WalletService::start(&stage.dir, &url).await?;
    let mut desk = lay_out(&stage, &url, &wallet).await?;
    every_verb_has_a_line(&desk)?;
    let mut signers: Vec<AccountId> = stage.company.employees.iter().map(|it| it.signer.account()).collect();
    signers.push(stage.company.hr.account());
    for name in ["//Alice", "//Bob", "//Eve"] {
        signers.push(Signer::from_uri(name)?.account());
    }
    let (mut tried, mut ran) = (0, 0);
    for chapter in CHAPTERS {
        let before = (standing(&stage.client, &signers).await?, desk.files()?);
        for (verb, arguments, signer, _) in chapter {
            if desk.changes(verb)? {
                let answer = desk.answer(verb, &format!("{arguments} --dry-run"), signer)?;
                ensure!(answer["dry_run"] == true, "{verb} does not know of dry runs: {answer:#}");
                tried += 1;
            }
        }
        wait_for_blocks(&stage.client).await?;
        let after = (standing(&stage.client, &signers).await?, desk.files()?);
        ensure!(before.0 == after.0, "a dry run changed the chain: {:?}, {:?}", before.0, after.0);
        let differ =
            before.1.iter().filter(|(path, text)| after.1.get(*path) != Some(text)).map(|(path, _)| path);
        let fresh = after.1.keys().filter(|path| !before.1.contains_key(*path));
        let changed: Vec<_> = differ.chain(fresh).collect();
        ensure!(changed.is_empty(), "a dry run wrote {changed:?}");
        for line in chapter {
            if let Run::Dry(why) = line.3 {
                println!("{}: only tried, {why}", line.0);
                continue;
            }
            desk.run(line)?;
            ran += 1;
        }
    }
    println!("{ran} verbs answered as their help says; {tried} were tried, and nothing changed");
    Ok(())
}

/// The files that the lines speak of, and one request to have a receipt.
async fn lay_out(stage: &Stage, url: &str, wallet: &WalletService) -> Result<Desk> {
    let dir = stage.dir.join("desk");
    fs::create_dir_all(&dir)?;
    let employees = &stage.company.employees;
    let address = |at: usize| employees[at].signer.address();
    fs::write(dir.join("config.toml"), format!("default = \"desk\"\n\n[profile.desk]\nurl = \"{url}\"\n"))?;
    fs::write(dir.join("prices.toml"), PRICES)?;
    fs::write(dir.join("code.wasm"), b"\0asm\x01\0\0\0")?;
    fs::write(dir.join("jwks.json"), Issuer::new("every verb").jwks().to_string())?;
    fs::write(dir.join("secret"), "correct horse battery staple\n")?;
    fs::set_permissions(dir.join("secret"), fs::Permissions::from_mode(0o600))?;
    fs::write(dir.join("people.csv"), "name,number,account\nBo,3,//Bob\n")?;
    fs::write(dir.join("more.csv"), "name,number,account\nCy,4,//Charlie\n")?;
    fs::write(dir.join("starters.csv"), format!("owner,program,amount\n{},0,4\n", address(2)))?;
    let eve = Signer::from_uri("//Eve")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
    let none = format!("{:?}", H256::repeat_byte(1));
    let known = [
        ("ada", address(0)),
        ("grace", address(1)),
        ("linus", address(2)),
        ("hr", stage.company.hr.address()),
        ("gateway", stage.company.gateway.address()),
        ("gateway_url", stage.gateway_url()),
        ("wallet_service", wallet.service.url.clone()),
        ("request", ask(stage).await?),
        ("model", MODEL_GENERAL.into()),
        ("key", hex::encode(eve.public())),
        ("year", Date::of(now).context("the clock is beyond the calendar")?.year().to_string()),
        ("hash", none.clone()),
        ("evidence", none.clone()),
        ("proposal", none),
    ];
    let api_key = employees[0].api_key.clone();
    let mut desk =
        Desk { dir, program: program("stipend")?, api_key, known: known.into(), shapes: BTreeMap::new() };
    for (amount, file) in [("25000", "large.json"), ("3", "small.json")] {
        let arguments = format!("{{grace}} --program 0 --amount {amount} --detached");
        let request = desk.answer("mint one", &arguments, "--key ../keys/hr")?;
        fs::write(desk.dir.join(file), request.to_string())?;
    }
    desk.answer("directory import", "people.csv", "--directory people --passphrase-file secret")?;
    let pages = desk.answer("man", "--out before", "")?;
    for verb in pages["verbs"].as_array().context("no verbs")? {
        let (name, changes, json) = (&verb["verb"], &verb["changes"], &verb["json"]);
        let shape = Shape::read(json.as_str().context("no shape")?)?;
        let name = name.as_str().context("no name")?.to_owned();
        desk.shapes.insert(name, (shape, changes != "nothing"));
    }
    Ok(desk)
}

/// One request of the first employee through the gateway; its id, once a finalised batch holds its receipt.
async fn ask(stage: &Stage) -> Result<String> {
    let body = json!({
        "model": MODEL_GENERAL, "max_tokens": 8, "messages": [{ "role": "user", "content": "Hello" }],
    });
    let answer = reqwest::Client::new()
        .post(format!("{}/chat/completions", stage.gateway_url()))
        .bearer_auth(&stage.company.employees[0].api_key)
        .json(&body)
        .send()
        .await?
        .error_for_status()?;
    let id = answer.headers().get("x-stipend-request-id").context("no id")?.to_str()?.to_owned();
    answer.bytes().await?;
    let gateway = stage.company.gateway.account();
    wait_until("the receipt is final", || async {
        Ok(stage.client.batch_status(&gateway, 0).await?.filter(|status| status.finalised).map(|_| ()))
    })
    .await?;
    Ok(id)
}

/// What the command knows and what is tried here are the same verbs.
fn every_verb_has_a_line(desk: &Desk) -> Result<()> {
    let tried: BTreeSet<&str> =
        CHAPTERS.iter().flat_map(|chapter| chapter.iter().map(|line| line.0)).collect();
    let there: BTreeSet<&str> = desk.shapes.keys().map(String::as_str).collect();
    ensure!(tried == there, "only here or only there: {:?}", tried.symmetric_difference(&there));
    ensure!(there.len() > 80, "only {} verbs", there.len());
    Ok(())
}
