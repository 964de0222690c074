//! What goes wrong on an ordinary day, and what the `stipend` command says of it: what happened, why, what to do, and an
//! exit code that a script can act on.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use sp_core::H256;
use stipend_primitives::{mint::Grant, ClassId, Role, MICRO_CREDITS_PER_CREDIT};
use stipend_sdk::{Client, SignedMint, Signer};
use stipend_tests::{
    company::name,
    council::Council,
    process::{free_port, program},
    services::{work_dir, Node},
};

const FAILED: i32 = 1;
const USAGE: i32 = 2;
const UNREACHABLE: i32 = 3;
const NOT_FOUND: i32 = 4;
const NOT_PROVEN: i32 = 5;
const BAD_INPUT: i32 = 64;

/// A command line, how it ends, and words that it must say.
type Case<'a> = (&'a str, i32, &'a [&'a str]);

struct Desk {
    dir: PathBuf,
    program: PathBuf,
    url: String,
}

impl Desk {
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(line.split_whitespace()).current_dir(&self.dir).stdin(Stdio::null());
        command.env("STIPEND_RPC_URL", &self.url).env("STIPEND_CONFIG", "none.toml");
        for variable in
            ["STIPEND_KEY_FILE", "STIPEND_DIRECTORY", "STIPEND_DIRECTORY_PASSPHRASE", "STIPEND_PROFILE"]
        {
            command.env_remove(variable);
        }
        command
    }

    /// Runs a line that must fail, for people and for programs: both are told the same.
    fn fails(&self, (line, code, words): &Case<'_>) -> Result<()> {
        let people = self.command(line).output()?;
        let text = String::from_utf8_lossy(&people.stderr).into_owned();
        ensure!(people.status.code() == Some(*code), "{line} ended with {}: {text}", people.status);
        for word in *words {
            ensure!(text.contains(word), "{line} does not say {word:?}: {text}");
        }
        for ugly in ["panicked", "Error {", "Err(", "RUST_BACKTRACE"] {
            ensure!(!text.contains(ugly), "{line} says {ugly}: {text}");
        }
        ensure!(people.stdout.is_empty(), "{line} answers, and fails");
        println!("[{code}] stipend {line}\n      {}", text.trim());
        // What the argument parser refuses is for whoever writes the script.
        if text.starts_with("stipend: ") {
            let programs = self.command(line).arg("--json").output()?;
            let said: Value = serde_json::from_slice(&programs.stderr)
                .with_context(|| format!("{line}: {}", String::from_utf8_lossy(&programs.stderr)))?;
            ensure!(said["exit_code"] == *code && said["error"].is_string(), "{line}: {said}");
        }
        Ok(())
    }
}

/// Bob is an issuer with a program of 50,000 credits; Charlie is an issuer without one.
async fn found(client: &Client) -> Result<()> {
    let account = |name| Signer::from_uri(name).map(|signer| signer.account());
    let issuer = |who| pallet_roles::Call::grant_role { who, role: Role::Issuer, allowance: None };
    let program = pallet_entitlements::Call::create_program {
        name: name("Company")?,
        class: ClassId::INNOVATION,
        owner: account("//Bob")?,
        budget: 50_000 * MICRO_CREDITS_PER_CREDIT,
    };
    let acts = vec![issuer(account("//Bob")?).into(), issuer(account("//Charlie")?).into(), program.into()];
    Council::of_development()?.acts(client, acts).await?;
    // Something that has ended when it is looked at, and something that never does.
    let bob = Signer::from_uri("//Bob")?;
    let head = client.at(client.finalised_head().await?.hash).time().await?;
    for (key, valid_until) in [(1, Some(head + 15_000)), (2, None)] {
        let amount = 5 * MICRO_CREDITS_PER_CREDIT;
        let grant = Grant::One { program: 0, amount, valid_from: None, valid_until };
        let mint = SignedMint::new(&bob, &client.genesis(), account("//Dave")?, grant, [key; 16]);
        client.mint_finalised(&mint).await?;
    }
    stipend_tests::operator::wait_until("the grant ends", || async {
        let now = client.at(client.finalised_head().await?.hash).time().await?;
        Ok((now > head + 16_000).then_some(()))
    })
    .await
}

fn files(dir: &Path) -> Result<()> {
    let secret = |name: &str, text: &str, mode: u32| -> Result<()> {
        fs::write(dir.join(name), text)?;
        Ok(fs::set_permissions(dir.join(name), fs::Permissions::from_mode(mode))?)
    };
    secret("open.key", &format!("{:064x}\n", 7), 0o644)?;
    secret("words.key", "open sesame\n", 0o600)?;
    secret("secret", "correct horse battery staple\n", 0o600)?;
    secret("wrong", "incorrect horse battery staple\n", 0o600)?;
    secret("open-secret", "correct horse battery staple\n", 0o644)?;
    fs::write(dir.join("none.toml"), "")?;
    fs::write(dir.join("bad.toml"), "[profile.hr]\nurl = \"ws://n\"\npassphrase = \"open sesame\"\n")?;
    fs::write(dir.join("people.csv"), "name,account\nDave Doe,//Dave\n")?;
    fs::write(dir.join("half.csv"), "owner,program\n//Dave,0\n")?;
    fs::write(dir.join("notes.json"), "{}")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_says_what_happened_and_what_to_do() -> Result<()> {
    let dir = work_dir("test-failures")?;
    let node = Node::start(&dir).await?;
    let client = Client::connect(&node.url).await?;
    found(&client).await?;
    let desk = Desk { dir: dir.join("desk"), program: program("stipend")?, url: node.url.clone() };
    fs::create_dir_all(&desk.dir)?;
    files(&desk.dir)?;

    let nobody = format!("wallet show //Dave --url ws://127.0.0.1:{}", free_port()?);
    let other_chain = format!("freeze //Dave --dev-key //Bob --chain {:?}", H256::repeat_byte(0xab));
    let cases: &[Case<'_>] = &[
        (&nobody, UNREACHABLE, &["cannot reach the node at ws://127.0.0.1", "check that the node runs"]),
        ("wallet show //Dave --url http://127.0.0.1:1", USAGE, &["must begin with ws://"]),
        (&other_chain, BAD_INPUT, &["another chain", "nothing was sent", "--chain"]),
        ("wallet show 5GoNkf6WdbxCFnPdAnYYQyCjAKPJgLNxXwPjwTh6DGg6gN3x", USAGE, &["mistyped"]),
        ("wallet show", USAGE, &["whose?", "--key FILE"]),
        ("freeze //Dave", USAGE, &["needs a key", "stipend keys new"]),
        ("freeze //Dave --key open.key", BAD_INPUT, &["open to others", "chmod 600"]),
        ("freeze //Dave --key words.key", BAD_INPUT, &["does not hold a key", "stipend keys new"]),
        ("freeze //Dave --key no.key", BAD_INPUT, &["cannot read the key file no.key", "check the path"]),
        ("entitlements show 4711", NOT_FOUND, &["there is no entitlement 4711"]),
        ("council vote 0x0101010101010101010101010101010101010101010101010101010101010101 yes --dev-key //Alice", NOT_FOUND, &["council list"]),
        ("energy set gold --none --dev-key //Alice", NOT_FOUND, &["there is no class \"gold\"; there are Innovation"]),
        ("mint one //Dave --program 0 --amount 1 --dev-key //Ferdie", FAILED, &["is not an issuer"]),
        ("mint one //Dave --program 9 --amount 1 --dev-key //Bob", FAILED, &["No program has this number", "programs list"]),
        ("mint one //Dave --program 0 --amount 1 --dev-key //Charlie", FAILED, &["owns neither the program", "sign with that key"]),
        ("mint one //Dave --program 0 --amount 10001 --dev-key //Bob", FAILED, &["nothing was minted", "--sign-only", "mint cosign"]),
        ("mint one //Dave --program 0 --amount 1 --until 2020-01-01 --dev-key //Bob", FAILED, &["would expire before", "still to come"]),
        ("mint csv half.csv --dev-key //Bob", BAD_INPUT, &["half.csv has 1 fault", "nothing new was sent", "\"amount\""]),
        ("mint csv no.csv --dev-key //Bob", BAD_INPUT, &["cannot read no.csv"]),
        ("mint carry notes.json", BAD_INPUT, &["does not hold signed requests", "--detached"]),
        ("give-back 0 1 --dev-key //Dave", FAILED, &["the call failed", "entitlements show"]),
        ("give-back 4711 1 --dev-key //Dave", FAILED, &["No entitlement has this number", "entitlements list"]),
        ("entitlements revoke 0 --dev-key //Charlie", FAILED, &["the call failed", "sign with that key"]),
        ("roles grant issuer //Dave --dev-key //Ferdie", FAILED, &["neither a role nor an entitlement"]),
        ("roles grant issuer //Dave --dev-key //Bob", FAILED, &["not a member", "council members"]),
        ("wallet verify notes.json --validators notes.json", BAD_INPUT, &["validators export"]),
        ("receipts show //Ferdie 0", NOT_FOUND, &["no batch of this gateway"]),
        ("prices show", NOT_FOUND, &["no price book is in force", "prices publish"]),
        ("wallet show dave", USAGE, &["\"dave\" is not an account", "--directory FILE"]),
        ("wallet show --profile prod", USAGE, &["there is no profile \"prod\"", "none.toml has none"]),
        ("mint one //Dave --program 0", USAGE, &["--amount"]),
        ("network check .", BAD_INPUT, &["neither a network's folder nor a host's", "network init"]),
        ("health http://127.0.0.1:1/healthz", UNREACHABLE, &["cannot be reached", "is it running?"]),
    ];
    for case in cases {
        desk.fails(case)?;
    }
    of_the_directory(&desk)?;
    of_the_configuration(&desk)?;
    of_a_proof(&desk)
}

/// Passphrases and people.
fn of_the_directory(desk: &Desk) -> Result<()> {
    let done =
        desk.command("directory import people.csv --directory people --passphrase-file secret").output()?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let cases: &[Case<'_>] = &[
        ("directory list", USAGE, &["there is no directory", "--directory FILE"]),
        ("directory list --directory people --passphrase-file wrong", BAD_INPUT, &["passphrase"]),
        (
            "directory list --directory people --passphrase-file open-secret",
            BAD_INPUT,
            &["open to others", "chmod 600"],
        ),
        ("directory list --directory people --passphrase-file no", BAD_INPUT, &["the passphrase file no"]),
        ("directory list --directory people", BAD_INPUT, &["nobody can be asked", "--passphrase-file"]),
        ("wallet show ada --directory people --passphrase-file secret", USAGE, &["ada"]),
        ("wallet show ada --directory people --passphrase-file wrong", BAD_INPUT, &["passphrase"]),
    ];
    for case in cases {
        desk.fails(case)?;
    }
    Ok(())
}

/// A configuration file with what does not belong into it.
fn of_the_configuration(desk: &Desk) -> Result<()> {
    let with = |file: &str, line: &str| desk.command(line).env("STIPEND_CONFIG", file).output();
    for line in ["wallet show //Dave", "profile check", "freeze //Dave --dev-key //Bob"] {
        let output = with("bad.toml", line)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(BAD_INPUT), "{line}: {said}");
        ensure!(said.contains("bad.toml, line 3: unknown field `passphrase`"), "{line}: {said}");
        ensure!(!said.contains("sesame"), "{line} repeats a secret: {said}");
        println!("[{BAD_INPUT}] {}", said.trim());
    }
    // What needs no profile works with any.
    ensure!(with("bad.toml", "completions bash")?.status.success(), "completions need no profile");
    let missing = with("missing.toml", "wallet show //Dave")?;
    let said = String::from_utf8_lossy(&missing.stderr);
    ensure!(missing.status.code() == Some(BAD_INPUT) && said.contains("missing.toml"), "{said}");
    Ok(())
}

/// A wallet that somebody changed after it was exported.
fn of_a_proof(desk: &Desk) -> Result<()> {
    for line in ["validators export validators.json", "wallet export //Dave --out wallet.json"] {
        let output = desk.command(line).output()?;
        ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let set = fs::read_to_string(desk.dir.join("validators.json"))?;
    let mut other: Value = serde_json::from_str(&set)?;
    other["genesis"] = format!("{:?}", H256::repeat_byte(0xab)).into();
    fs::write(desk.dir.join("other.json"), other.to_string())?;
    desk.fails(&("wallet verify wallet.json --validators other.json", NOT_PROVEN, &["chain"]))?;
    desk.fails(&("validators export validators.json", BAD_INPUT, &["does not exist yet"]))
}
