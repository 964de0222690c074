//! A file of ten thousand grants: refused whole while anything in it is wrong, and granted once however often the
//! command is killed and run again.
//!
//! Ten thousand rows take about a minute on two cores; STIPEND_TEST_ROWS asks for fewer.

#[path = "hr_import/file.rs"]
mod file;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{bail, ensure, Context, Result};
use futures::{stream, StreamExt, TryStreamExt};
use serde_json::Value;
use stipend_primitives::{ClassId, Credits, Role, MICRO_CREDITS_PER_CREDIT};
use stipend_sdk::{Client, Signer};
use stipend_tests::{
    company::name,
    council::Council,
    operator::PATIENCE,
    process::program,
    services::{work_dir, Node},
};

use crate::file::{account, address, line, named, rows, write, Row, KINDS};

/// Grants in the file.
const ROWS: usize = 10_000;

/// Bad rows of each kind.
const BAD_OF_EACH_KIND: usize = 4;

/// Credits of the program that pays.
const BUDGET: Credits = 300_000;

/// HR at its desk.
struct Desk {
    dir: PathBuf,
    url: String,
    program: PathBuf,
}

impl Desk {
    /// Starts the import of a file.
    fn start(&self, file: &str) -> Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(["--json", "--url", &self.url, "--dev-key", "//Bob", "mint", "csv", file]);
        command.current_dir(&self.dir).env_remove("STIPEND_KEY_FILE").stdin(Stdio::null());
        let (out, err) = (File::create(self.dir.join("out"))?, File::create(self.dir.join("err"))?);
        Ok(command.stdout(out).stderr(err).spawn()?)
    }

    /// Runs the import to its end: its answer, or what is wrong with the file.
    fn import(&self, file: &str) -> Result<Result<Value, String>> {
        let status = self.start(file)?.wait()?;
        let text = |name| fs::read_to_string(self.dir.join(name));
        if status.success() {
            return Ok(Ok(serde_json::from_str(&text("out")?)?));
        }
        let said: Value = serde_json::from_str(&text("err")?).with_context(|| format!("{status}"))?;
        let error = said["error"].as_str().context("no error")?.to_owned();
        ensure!(status.code() == Some(64), "a bad file ends with {status}: {error}");
        Ok(Err(error))
    }

    /// Kills an import when its progress file has `count` lines of a kind; `false` if it was over before.
    fn kill_at(&self, file: &str, mark: &str, count: usize) -> Result<bool> {
        let mut import = self.start(file)?;
        let progress = self.dir.join(format!("{file}.progress"));
        let started = Instant::now();
        loop {
            let text = fs::read_to_string(&progress).unwrap_or_default();
            if text.matches(mark).count() >= count {
                import.kill()?;
                return Ok(import.wait()?.code().is_none());
            }
            if let Some(status) = import.try_wait()? {
                bail!(
                    "the import ended with {status} before it was killed: {}",
                    fs::read_to_string(self.dir.join("err"))?
                );
            }
            if started.elapsed() > PATIENCE {
                import.kill()?;
                import.wait()?;
                bail!("the progress file did not get {count} of {mark}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What the program has granted and what it has left, in micro-credits.
async fn program_of(client: &Client) -> Result<(Credits, Credits)> {
    let programs = client.finalised().await?.programs().await?;
    let (_, program) = programs.first().context("there is a program")?;
    Ok((program.granted, program.unminted))
}

/// Bob is an issuer who may grant a whole year's budget in a day, and owns program 0.
async fn found(client: &Client) -> Result<()> {
    let bob = Signer::from_uri("//Bob")?.account();
    let budget = BUDGET * MICRO_CREDITS_PER_CREDIT;
    let acts = vec![
        pallet_roles::Call::grant_role { who: bob.clone(), role: Role::Issuer, allowance: None }.into(),
        pallet_entitlements::Call::create_program {
            name: name("Company")?,
            class: ClassId::INNOVATION,
            owner: bob.clone(),
            budget,
        }
        .into(),
        pallet_entitlements::Call::set_mint_allowance {
            issuer: bob,
            class: ClassId::INNOVATION,
            amount: Some(2 * budget),
        }
        .into(),
    ];
    Council::of_development()?.acts(client, acts).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_grants_happen_once_or_not_at_all() -> Result<()> {
    let count = std::env::var("STIPEND_TEST_ROWS").map_or(Ok(ROWS), |rows| rows.parse())?;
    let started = Instant::now();
    let dir = work_dir("test-hr-import")?;
    let node = Node::start(&dir).await?;
    let client = Client::connect(&node.url).await?;
    found(&client).await?;
    let desk = Desk { dir, url: node.url.clone(), program: program("stipend")? };
    let good = rows(count);

    refused_until_every_bad_row_is_mended(&desk, &client, &good).await?;
    refused_when_it_is_too_much_in_all(&desk, &client, &good).await?;
    println!("the bad files were refused after {:.0?}", started.elapsed());

    let lines: Vec<String> = good.iter().map(line).collect();
    write(&desk.dir.join("people.csv"), &lines)?;
    // In the middle of sending, and again when some is minted and more is on its way.
    let chunks = count.div_ceil(512);
    for (mark, lines) in [("\"sent\"", chunks.min(3)), ("\"done\"", chunks / 2)] {
        ensure!(desk.kill_at("people.csv", mark, lines)?, "the import was over before it was killed");
        println!("killed at {lines} of {mark}, after {:.0?}", started.elapsed());
    }
    let minted = desk.import("people.csv")?.map_err(anyhow::Error::msg)?;
    ensure!(minted["rows"] == count, "{minted}");
    let (now, before) = (minted["minted_now"].as_u64(), minted["minted_before"].as_u64());
    ensure!(now.zip(before).is_some_and(|(now, before)| now > 0 && before > 0), "{minted}");
    println!(
        "minted after {:.0?}: {now:?} by the last run, {before:?} by those that were killed",
        started.elapsed()
    );
    everybody_has_exactly_what_the_file_says(&client, &good).await?;

    let again = desk.import("people.csv")?.map_err(anyhow::Error::msg)?;
    ensure!(again["minted_now"] == 0 && again["minted_before"] == count, "{again}");
    everybody_has_exactly_what_the_file_says(&client, &good).await?;
    println!("{count} rows, checked wallet by wallet, after {:.0?}", started.elapsed());
    Ok(())
}

/// Forty bad rows of ten kinds and four that stand twice: the command is run, and the rows that it names are mended, until it accepts the
/// file. It must name all of them and no other; what shows in the file alone at the first go, the rest at the
/// second.
async fn refused_until_every_bad_row_is_mended(desk: &Desk, client: &Client, good: &[Row]) -> Result<()> {
    let mut lines: Vec<String> = good.iter().map(line).collect();
    let mut bad: BTreeMap<usize, &str> = BTreeMap::new();
    let step = good.len() / (KINDS.len() * BAD_OF_EACH_KIND);
    for at in 0..KINDS.len() * BAD_OF_EACH_KIND {
        let (kind, spoil) = KINDS[at % KINDS.len()];
        let place = at * step;
        lines[place] = spoil(&good[place], at);
        // The heading is line 1.
        bad.insert(place + 2, kind);
    }
    // Rows that stand twice, behind all others.
    let twice: Vec<usize> = (1..=BAD_OF_EACH_KIND).map(|at| at * step + 1).collect();
    for place in twice {
        lines.push(lines[place].clone());
        bad.insert(lines.len() + 1, "a row that stands twice");
    }
    let nothing = program_of(client).await?;
    let mut found = BTreeSet::new();
    for round in 0..2 {
        write(&desk.dir.join("bad.csv"), &lines)?;
        let error = match desk.import("bad.csv")? {
            Err(error) => error,
            Ok(answer) => bail!("round {round}: a file with faults was taken: {answer}"),
        };
        let lines_named = named(&error);
        for line in &lines_named {
            ensure!(bad.contains_key(line), "line {line} is good, and is named: {error}");
            ensure!(found.insert(*line), "line {line} was mended, and is named again: {error}");
        }
        println!("round {round}: {} rows are named", lines_named.len());
        ensure!(!desk.dir.join("bad.csv.progress").exists(), "a refused file leaves nothing behind");
        if found.len() == bad.len() {
            break;
        }
        // From the back, for what stood twice is taken out.
        for line_number in lines_named.into_iter().rev() {
            match good.get(line_number - 2) {
                Some(row) => lines[line_number - 2] = line(row),
                None => drop(lines.remove(line_number - 2)),
            }
        }
    }
    let missed: Vec<_> = bad.iter().filter(|(line, _)| !found.contains(line)).collect();
    ensure!(missed.is_empty(), "not named: {missed:?}");
    ensure!(program_of(client).await? == nothing, "a refused file changed the program");
    Ok(())
}

/// Every row is good, and together they are more than the program has.
async fn refused_when_it_is_too_much_in_all(desk: &Desk, client: &Client, good: &[Row]) -> Result<()> {
    let nothing = program_of(client).await?;
    let lines: Vec<String> = good
        .iter()
        .take(100)
        .enumerate()
        .map(|(at, row)| format!("{},0,{},,", address(row.owner), 3_001 + at))
        .collect();
    write(&desk.dir.join("too-much.csv"), &lines)?;
    let error = desk.import("too-much.csv")?.err().context("more than the budget was taken")?;
    ensure!(
        error.contains("program 0 has 300000.000000 credits left, the rows take 305050.000000"),
        "{error}"
    );
    ensure!(program_of(client).await? == nothing, "a refused file changed the program");
    Ok(())
}

/// Every wallet holds the sum of its rows, nobody else was granted anything, and the program paid for it.
async fn everybody_has_exactly_what_the_file_says(client: &Client, good: &[Row]) -> Result<()> {
    let mut owed: BTreeMap<usize, Credits> = BTreeMap::new();
    for row in good {
        *owed.entry(row.owner).or_default() += row.amount;
    }
    let snapshot = client.finalised().await?;
    let look = |(owner, owed): (usize, Credits)| {
        let snapshot = &snapshot;
        async move { Ok::<_, anyhow::Error>((owner, owed, snapshot.wallet(&account(owner)).await?)) }
    };
    let wallets: Vec<_> = stream::iter(owed).map(look).buffer_unordered(32).try_collect().await?;
    for (owner, owed, wallet) in wallets {
        let held: Vec<Credits> = wallet.iter().map(|class| class.amounts.granted).collect();
        ensure!(held == [owed], "owner {owner} is owed {owed} and was granted {held:?}");
        ensure!(wallet[0].amounts.available == owed, "owner {owner} can use {:?}", wallet[0].amounts);
    }
    let sum: Credits = good.iter().map(|row| row.amount).sum();
    let budget = BUDGET * MICRO_CREDITS_PER_CREDIT;
    ensure!(
        program_of(client).await? == (sum, budget - sum),
        "the program granted something else than {sum}"
    );
    Ok(())
}
