//! The example in Python grants on a real node, by the commands of its own page.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{ensure, Context, Result};
use serde_json::{json, Value};
use stipend_primitives::{AccountId, ClassId, Credits, Role, MICRO_CREDITS_PER_CREDIT};
use stipend_sdk::{Client, Signer};
use stipend_tests::{
    company::name,
    council::Council,
    page::{steps, Step},
    process::free_port,
    python::Python,
    services::{repository, work_dir, Node},
};

/// An HR system that knows a node, a key and Python.
struct HrSystem {
    url: String,
    key: PathBuf,
    python: PathBuf,
    wallet: AccountId,
}

impl HrSystem {
    /// Runs a command of the page, or one like it: whether it succeeded, and what it said.
    fn run(&self, command: &str) -> Result<(bool, String)> {
        let folder = self.python.parent().context("an interpreter is in a folder")?;
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        let output = Command::new("bash")
            .args(["-euc", command])
            .current_dir(repository())
            .env("PATH", path)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("STIPEND_RPC_URL", &self.url)
            .env("STIPEND_KEY_FILE", &self.key)
            .env("WALLET", self.wallet.to_string())
            .output()?;
        let text = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8(text)?))
    }

    /// Runs the example with more arguments; it must fail and say these words.
    fn refused(&self, arguments: &str, words: &[&str]) -> Result<()> {
        let (done, said) = self.run(&format!("python3 examples/python/mint.py $WALLET {arguments}"))?;
        ensure!(!done, "{arguments} was done: {said}");
        for word in words {
            ensure!(said.contains(word), "{arguments} does not say {word:?}: {said}");
        }
        ensure!(!said.contains("Traceback"), "{arguments} ends in the middle of the program: {said}");
        Ok(())
    }
}

/// The issuer owns program 0.
async fn found(client: &Client, issuer: &Signer) -> Result<()> {
    let issuer = issuer.account();
    let acts = vec![
        pallet_roles::Call::grant_role { who: issuer.clone(), role: Role::Issuer, allowance: None }.into(),
        pallet_entitlements::Call::create_program {
            name: name("Company")?,
            class: ClassId::INNOVATION,
            owner: issuer,
            budget: 100_000 * MICRO_CREDITS_PER_CREDIT,
        }
        .into(),
    ];
    Council::of_development()?.acts(client, acts).await?;
    Ok(())
}

/// Micro-credits granted to an account, by the newest finalised block.
async fn granted(client: &Client, owner: &AccountId) -> Result<Credits> {
    let wallet = client.finalised().await?.wallet(owner).await?;
    Ok(wallet.iter().map(|class| class.amounts.granted).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hr_system_without_our_software_grants_once() -> Result<()> {
    let Some(python) = Python::example()? else { return Ok(()) };
    let dir = work_dir("test-python-example")?;
    let node = Node::start(&dir).await?;
    let client = Client::connect(&node.url).await?;
    let (issuer, wallet) = (Signer::generate(), Signer::generate().account());
    found(&client, &issuer).await?;
    let key = dir.join("hr.key");
    issuer.save(&key)?;
    let system = HrSystem { url: node.url.clone(), key, python: python.program().into(), wallet };

    let page = fs::read_to_string(repository().join("examples/python/README.md"))?;
    let commands: Vec<String> = steps(&page)
        .into_iter()
        .filter_map(|step| match step {
            Step::Run { commands, .. } => Some(commands),
            Step::Expect(_) => None,
        })
        .collect();
    ensure!(commands.len() == 2, "the page grants, and grants again: {commands:?}");
    for command in &commands {
        let (done, said) = system.run(command)?;
        ensure!(done && said.contains("entitlement 0: 250.000000 credits (finalised)"), "{command}\n{said}");
        let balance = granted(&client, &system.wallet).await?;
        ensure!(balance == 250 * MICRO_CREDITS_PER_CREDIT, "the wallet was granted {balance}");
    }

    what_is_refused_is_explained(&system, &dir)?;
    a_forged_signature_is_refused(&system).await?;
    let balance = granted(&client, &system.wallet).await?;
    ensure!(balance == 250 * MICRO_CREDITS_PER_CREDIT, "what was refused changed the wallet: {balance}");
    println!("granted once, by the commands of the page; refused: what the page lists");
    Ok(())
}

/// Everything that the page's table names.
fn what_is_refused_is_explained(system: &HrSystem, dir: &Path) -> Result<()> {
    let order = "--program 0 --amount 250 --until 2099-03-31 --reference";
    system.refused(
        "--program 0 --amount 251 --reference 'payroll 4711/2027-01'",
        &["this reference was used for another grant, entitlement 0", "nothing new"],
    )?;
    let other_chain = format!("{order} a --genesis {}", "ab".repeat(32));
    system.refused(&other_chain, &["the node refused (7002)", "signature"])?;
    let stranger = dir.join("stranger.key");
    Signer::generate().save(&stranger)?;
    system.refused(
        &format!("{order} b --key {}", stranger.display()),
        &["the node refused (7003)", "issuer"],
    )?;
    system.refused("--program 0 --amount 10001 --reference c", &["second issuer", "mint cosign"])?;
    fs::set_permissions(&stranger, fs::Permissions::from_mode(0o644))?;
    system.refused(&format!("{order} d --key {}", stranger.display()), &["is open to others"])?;
    let nobody = format!("{order} e --url ws://127.0.0.1:{}", free_port()?);
    system.refused(&nobody, &["does not answer"])?;
    system.refused("--program 99 --amount 1 --reference f", &["the node refused", "program"])
}

/// The example's own request with one bit of the signature changed, sent as the example sends it.
async fn a_forged_signature_is_refused(system: &HrSystem) -> Result<()> {
    let command = "python3 examples/python/mint.py $WALLET --program 0 --amount 7 --reference forged --print";
    let (done, printed) = system.run(command)?;
    ensure!(done, "{printed}");
    let printed: Value = serde_json::from_str(&printed)?;
    let signature = printed["signature"].as_str().context("it prints the signature")?;
    let mut bytes = hex::decode(signature.trim_start_matches("0x"))?;
    bytes[10] ^= 1;
    let forged = format!("0x{}", hex::encode(bytes));
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "entitlements_mint", "params": [printed["request"], forged],
    });
    let http = reqwest::Client::new();
    let asked = http.post(system.url.replace("ws://", "http://")).header("content-type", "application/json");
    let answer: Value = serde_json::from_slice(&asked.body(call.to_string()).send().await?.bytes().await?)?;
    ensure!(answer["error"]["code"] == 7002, "a forged signature is answered with {answer}");
    let message = answer["error"]["message"].as_str().unwrap_or_default();
    ensure!(message.contains("signature"), "{message}");
    Ok(())
}
