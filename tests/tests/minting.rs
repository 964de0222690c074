//! What HR may mint, as HR sees it: the allowance, the second issuer, a file that does not fit.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{ensure, Context, Result};
use serde_json::{json, Value};
use stipend_primitives::{mint::Grant, ClassId, Role, MICRO_CREDITS_PER_CREDIT};
use stipend_sdk::{Client, MintError, SignedMint, Signer};
use stipend_tests::{
    company::name,
    council::Council,
    process::program,
    services::{work_dir, Node},
};

/// The `stipend` command on one node, in a folder.
struct Stipend<'a> {
    node: &'a Node,
    dir: &'a Path,
    program: PathBuf,
}

impl Stipend<'_> {
    /// Runs a verb as one of the development accounts; its exit code and what it printed.
    fn run(&self, who: &str, verb: &[&str]) -> Result<(i32, Value)> {
        let output = Command::new(&self.program)
            .args(["--json", "--url", &self.node.url, "--dev-key", who])
            .args(verb)
            .current_dir(self.dir)
            .env_remove("STIPEND_KEY_FILE")
            .output()?;
        let text = if output.status.success() { output.stdout } else { output.stderr };
        let said = serde_json::from_slice(&text)
            .with_context(|| format!("{verb:?} printed {}", String::from_utf8_lossy(&text)))?;
        Ok((output.status.code().context("it was ended by a signal")?, said))
    }

    /// The same with a verb that must succeed.
    fn done(&self, who: &str, verb: &[&str]) -> Result<Value> {
        let (code, said) = self.run(who, verb)?;
        ensure!(code == 0, "{verb:?} by {who} ended with {code}: {said}");
        Ok(said)
    }

    /// The same with a verb that must be refused with `code` and these words.
    fn refused(&self, who: &str, verb: &[&str], code: i32, words: &[&str]) -> Result<()> {
        let (ended, said) = self.run(who, verb)?;
        let error = said["error"].as_str().unwrap_or_default();
        ensure!(ended == code, "{verb:?} by {who} ended with {ended}: {said}");
        for word in words {
            ensure!(error.contains(word), "{verb:?} by {who} does not say {word:?}: {error}");
        }
        Ok(())
    }

    /// Whole credits that an issuer may still mint of Innovation.
    fn left(&self, issuer: &str) -> Result<u128> {
        let said = self.done(issuer, &["mint", "allowance"])?;
        let micro: u128 = said["classes"][0]["left"].as_str().context("no figure")?.parse()?;
        Ok(micro / MICRO_CREDITS_PER_CREDIT)
    }
}

/// Bob and Charlie are issuers, Bob owns program 0.
async fn found(client: &Client) -> Result<()> {
    let (bob, charlie) = (Signer::from_uri("//Bob")?, Signer::from_uri("//Charlie")?);
    let issuer = |who: &Signer| pallet_roles::Call::grant_role {
        who: who.account(),
        role: Role::Issuer,
        allowance: None,
    };
    let program = pallet_entitlements::Call::create_program {
        name: name("Company")?,
        class: ClassId::INNOVATION,
        owner: bob.account(),
        budget: 1_000_000 * MICRO_CREDITS_PER_CREDIT,
    };
    let council = Council::of_development()?;
    council.acts(client, vec![issuer(&bob).into(), issuer(&charlie).into(), program.into()]).await?;
    Ok(())
}

/// Lets a period that ends soon end first, so that the whole story is in one.
async fn wait_for_a_long_period(client: &Client) -> Result<()> {
    let bob = Signer::from_uri("//Bob")?.account();
    let allowance = client.mint_allowance(&bob).await?.context("Bob is an issuer")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let left = Duration::from_millis(allowance.period_ends_at).saturating_sub(now);
    if left < Duration::from_secs(180) {
        tokio::time::sleep(left + Duration::from_secs(5)).await;
    }
    Ok(())
}

fn csv(dir: &Path, file: &str, amounts: &[u32]) -> Result<()> {
    let mut text = String::from("owner,program,amount\n");
    for (at, amount) in amounts.iter().enumerate() {
        text += &format!("//Person{at},0,{amount}\n");
    }
    Ok(fs::write(dir.join(file), text)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn hr_mints_within_its_allowance_and_a_large_grant_takes_a_colleague() -> Result<()> {
    let dir = work_dir("test-minting")?;
    let node = Node::start(&dir).await?;
    let client = Client::connect(&node.url).await?;
    found(&client).await?;
    wait_for_a_long_period(&client).await?;
    let stipend = Stipend { node: &node, dir: &dir, program: program("stipend")? };
    ensure!(stipend.left("//Bob")? == 100_000, "a fresh issuer has the whole allowance");

    large_grant(&stipend)?;
    ensure!(stipend.left("//Bob")? == 75_000, "a large grant counts against who asked for it");
    ensure!(stipend.left("//Charlie")? == 100_000, "and not against who signed too");

    file_that_does_not_fit(&stipend)?;
    ensure!(stipend.left("//Bob")? == 5_000, "the file took 70,000");

    exhausted(&client, &stipend).await
}

/// 25,000 credits to Dave, out of Bob's program and with Charlie's consent.
fn large_grant(stipend: &Stipend<'_>) -> Result<()> {
    let one = ["mint", "one", "//Dave", "--program", "0", "--amount", "25000"];
    stipend.refused("//Bob", &one, 1, &["--sign-only", "mint cosign", "another issuer"])?;

    let request = stipend.done("//Bob", &[&one[..], &["--sign-only"]].concat())?;
    fs::write(stipend.dir.join("request.json"), request.to_string())?;
    stipend.refused("//Bob", &["mint", "send", "request.json"], 1, &["another issuer"])?;
    stipend.refused("//Bob", &["mint", "cosign", "request.json"], 64, &["another issuer must sign"])?;
    let looked = stipend.done("//Charlie", &["mint", "cosign", "request.json", "--dry-run"])?;
    ensure!(looked["signed"] == false, "{looked}");
    stipend.refused("//Bob", &["mint", "send", "request.json"], 1, &["another issuer"])?;

    // Somebody who is no issuer can sign, and it is of no use.
    fs::copy(stipend.dir.join("request.json"), stipend.dir.join("stranger.json"))?;
    stipend.done("//Eve", &["mint", "cosign", "stranger.json"])?;
    stipend.refused("//Eve", &["mint", "send", "stranger.json"], 1, &["is not an issuer"])?;

    stipend.done("//Charlie", &["mint", "cosign", "request.json"])?;
    // Anybody carries it, any number of times, and it mints once.
    for _ in 0..2 {
        let minted = stipend.done("//Eve", &["mint", "send", "request.json"])?;
        ensure!(minted[0]["entitlements"] == json!([0]), "{minted}");
    }
    Ok(())
}

/// Eight people with 10,000 credits each, where 75,000 are left; then seven.
fn file_that_does_not_fit(stipend: &Stipend<'_>) -> Result<()> {
    csv(stipend.dir, "people.csv", &[10_000; 8])?;
    let words = ["line 9: does not fit", "75000.000000 credits of Innovation", "set-allowance"];
    for verb in [&["mint", "csv", "people.csv", "--dry-run"][..], &["mint", "csv", "people.csv"]] {
        stipend.refused("//Bob", verb, 64, &words)?;
    }
    csv(stipend.dir, "people.csv", &[10_000, 10_001])?;
    stipend.refused("//Bob", &["mint", "csv", "people.csv"], 64, &["line 3: more than 10000.000000"])?;
    ensure!(stipend.left("//Bob")? == 75_000, "a refused file takes nothing");

    csv(stipend.dir, "people.csv", &[10_000; 7])?;
    let minted = stipend.done("//Bob", &["mint", "csv", "people.csv"])?;
    ensure!(minted["minted_now"] == 7, "{minted}");
    Ok(())
}

/// The node's typed error, the command's advice, and the council's help.
async fn exhausted(client: &Client, stipend: &Stipend<'_>) -> Result<()> {
    let (bob, dave) = (Signer::from_uri("//Bob")?, Signer::from_uri("//Dave")?);
    let grant = |credits: u128| Grant::One {
        program: 0,
        amount: credits * MICRO_CREDITS_PER_CREDIT,
        valid_from: None,
        valid_until: None,
    };
    let mint = SignedMint::new(&bob, &client.genesis(), dave.account(), grant(5_001), [1; 16]);
    match client.mint(&mint).await {
        Err(MintError::AllowanceExhausted(data)) => {
            let known = client.mint_allowance(&bob.account()).await?.context("Bob is an issuer")?;
            ensure!(data.left == 5_000 * MICRO_CREDITS_PER_CREDIT, "{data:?}");
            ensure!(data.period_ends_at == known.period_ends_at, "{data:?}, {known:?}");
        }
        other => anyhow::bail!("more than the allowance was answered with {other:?}"),
    }
    let one = ["mint", "one", "//Dave", "--program", "0", "--amount", "5001"];
    stipend.refused("//Bob", &one, 1, &["5000.000000 credits more", "set-allowance"])?;

    let raise = ["mint", "set-allowance", "//Bob", "--class", "innovation", "--amount", "100001"];
    stipend.refused("//Bob", &raise, 1, &[])?;
    stipend.done("//Alice", &raise)?;
    ensure!(stipend.left("//Bob")? == 5_001, "a raise counts at once");
    stipend.done("//Bob", &one)?;
    ensure!(stipend.left("//Bob")? == 0, "and is used up");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn hr_makes_a_plan_once_for_somebody_of_its_directory() -> Result<()> {
    let dir = work_dir("test-plans")?;
    let node = Node::start(&dir).await?;
    let client = Client::connect(&node.url).await?;
    found(&client).await?;
    let stipend = Stipend { node: &node, dir: &dir, program: program("stipend")? };
    fs::write(dir.join("secret"), "correct horse battery staple\n")?;
    fs::set_permissions(dir.join("secret"), fs::Permissions::from_mode(0o600))?;
    fs::write(dir.join("people.csv"), "name,number,account\nDave Doe,7,//Dave\n")?;
    let directory = ["--directory", "people", "--passphrase-file", "secret"];
    let imported =
        stipend.done("//Bob", &[&directory[..], &["directory", "import", "people.csv"]].concat())?;
    ensure!(imported["added"] == 1, "{imported}");

    // A hundred credits and a bit over twelve months: seven parts, the first for six of them.
    let plan = ["mint", "plan", "vesting", "dave doe", "--program", "0", "--amount", "100.000005"];
    let months = ["--months", "12", "--cliff", "6", "--from", "2099-01-31"];
    let command = [&directory[..], &plan, &months].concat();
    let words = ["\"dave doe\" is not an account", "--directory"];
    stipend.refused("//Bob", &[&plan[..], &months].concat(), 2, &words)?;
    let shown = stipend.done("//Bob", &[&command[..], &["--dry-run"]].concat())?;
    ensure!(
        shown["sent"] == false && shown["grants"].as_array().is_some_and(|all| all.len() == 7),
        "{shown}"
    );
    let minted = stipend.done("//Bob", &command)?;
    ensure!(minted["minted_now"] == 7, "{minted}");
    let again = stipend.done("//Bob", &command)?;
    ensure!(again["minted_now"] == 0 && again["minted_before"] == 7, "{again}");

    let dave = Signer::from_uri("//Dave")?.account();
    let entitlements = client.finalised().await?.entitlements(&dave).await?;
    let amounts: Vec<u128> = entitlements.iter().map(|it| it.amounts.granted).collect();
    // 100,000,005 = 12 * 8,333,333 + 9
    ensure!(amounts[..2] == [6 * 8_333_333, 8_333_333] && amounts[6] == 8_333_342, "{amounts:?}");
    ensure!(amounts.iter().sum::<u128>() == 100_000_005, "{amounts:?}");
    // 2099-07-31 and 2099-08-31
    let dates: Vec<u64> = entitlements.iter().map(|it| it.valid_from).collect();
    ensure!(dates[..2] == [4_089_139_200_000, 4_091_817_600_000], "{dates:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contractor_is_granted_what_the_councils_policy_permits_and_nothing_else() -> Result<()> {
    let dir = work_dir("test-policies")?;
    let node = Node::start(&dir).await?;
    let client = Client::connect(&node.url).await?;
    found(&client).await?;
    let stipend = Stipend { node: &node, dir: &dir, program: program("stipend")? };
    let set = ["policies", "set", "1", "contractor", "--class", "innovation:100", "--validity", "30d"];
    let set = [&set[..], &["--keys", "1"]].concat();
    stipend.refused("//Bob", &set, 1, &[])?;
    stipend.done("//Alice", &set)?;
    // Before anything was granted.
    let assign = |kind| ["policies", "assign", "//Dave", kind];
    stipend.refused("//Bob", &assign("student"), 4, &["there is no kind", "contractor"])?;
    let said = stipend.done("//Bob", &assign("Contractor"))?;
    ensure!(said["kind"] == 1 && said["beyond"] == json!([]), "{said}");
    let dave = Signer::from_uri("//Dave")?.account();
    ensure!(client.wallet_kind(&dave).await?.kind == 1 && client.wallet_kinds().await?.len() == 2);

    let grant = |amount| ["mint", "one", "//Dave", "--program", "0", "--amount", amount];
    let month = ["--until", "29d"];
    stipend.refused("//Bob", &grant("60"), 1, &["PolicyForbidsValidity", "give an earlier end"])?;
    stipend.done("//Bob", &[&grant("60")[..], &month].concat())?;
    let more = [&grant("41")[..], &month].concat();
    stipend.refused("//Bob", &more, 1, &["PolicyForbidsHolding", "grant less"])?;
    fs::write(dir.join("people.csv"), "owner,program,amount\n//Eve,0,5\n//Dave,0,5\n")?;
    let words = ["line 3: ", "is of the kind \"contractor\"", "within 30d"];
    stipend.refused("//Bob", &["mint", "csv", "people.csv"], 64, &words)?;
    stipend.done("//Dave", &["api-keys", "create"])?;
    stipend.refused("//Dave", &["api-keys", "create"], 1, &["PolicyForbidsKey"])?;

    // An employee meanwhile: what is granted then stays.
    stipend.done("//Bob", &assign("employee"))?;
    stipend.done("//Bob", &grant("60"))?;
    let said = stipend.done("//Bob", &assign("1"))?;
    ensure!(said["beyond"].as_array().is_some_and(|beyond| beyond.len() == 2), "{said}");
    stipend.done("//Bob", &["offboard", "//Dave"])?;
    let said = stipend.done("//Dave", &["policies", "show"])?;
    ensure!(said["kind"]["kind"] == 0 && said["kind"]["name"] == "employee", "{said}");
    Ok(())
}
