//! A walk through the wallet's pages in a real browser, on a real chain: an employee is granted credits, makes a key,
//! uses it, sees what that cost and why, and takes the proof away; HR grants a list to hundreds; an auditor takes all books
//! away, and they add up to the chain. Says aloud that it did not run where there is no browser.

#[path = "wallet_walk/files.rs"]
mod files;
#[path = "wallet_walk/list.rs"]
mod list;
#[path = "wallet_walk/person.rs"]
mod person;

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use stipend_browser::Browser;
use stipend_primitives::{Credits, Role};
use stipend_sdk::Signer;
use stipend_tests::{
    audit,
    company::{prices, MODEL_GENERAL, MODEL_GENERAL_ID, MODEL_REASONING},
    observer::Observer,
    operator::{self, wait_until},
    process::free_port,
    replay::{Answer, Call, Replay},
    services::{work_dir, Node},
    stage::{RunningChain, Setup, Stage},
    trace::{self, Request},
    wallet_service::WalletService,
};

use person::Person;

/// Requests of colleagues, so that there is more in the books than one row.
const REQUESTS: usize = 24;

/// Of these, requests that a provider understates, so that something is given back.
const MISREPORTED: u32 = 2;

/// Everything that runs.
struct World {
    stage: Stage,
    wallet: WalletService,
    observer: Observer,
    url: String,
}

impl World {
    async fn set() -> Result<(Self, Node)> {
        // One that keeps old state, from which the wallet service's tables are made.
        let node_dir = work_dir("test-wallet-walk-node")?;
        let node = Node::start_on(&node_dir, free_port()?, &["--state-pruning=archive"]).await?;
        let chain = Some(RunningChain { url: node.url.clone(), host: "127.0.0.1".into() });
        let setup = Setup { dir: "test-wallet-walk", misreport: MISREPORTED, chain, ..Default::default() };
        let stage = Stage::set(setup).await?;
        let observer = Observer::start(stage.client.clone());
        let wallet = WalletService::start(&stage.dir, &node.url).await?;
        Ok((World { stage, wallet, observer, url: node.url.clone() }, node))
    }

    /// Somebody with a key file.
    fn newcomer(&self, name: &str) -> Result<Signer> {
        let signer = Signer::generate();
        signer.save(self.stage.dir.join("keys").join(name))?;
        Ok(signer)
    }

    /// The `stipend` command, as somebody whose key is in the stage's folder.
    fn stipend(&self, who: &str, verb: &[&str]) -> Result<serde_json::Value> {
        let key = self.stage.dir.join("keys").join(who).display().to_string();
        operator::stipend([&["--url", &self.url, "--key", &key][..], verb].concat())
    }

    /// Waits until the pages know what is final now.
    async fn wait_for_pages(&self) -> Result<()> {
        self.wallet.wait_for_block(self.stage.client.finalised_head().await?.number).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_and_an_auditor_walk_through_the_pages_on_a_real_chain() -> Result<()> {
    if !Browser::available() {
        return Ok(());
    }
    let (world, _node) = World::set().await?;
    let hedy = world.newcomer("hedy")?;
    let browser = Browser::start().await;
    let person = Person::sign_in(&browser, &world, "hedy").await?;

    granted(&world, &person, &hedy).await?;
    let api_key = make_key(&world, &person).await?;
    let answer = charged(&world, &person, &hedy, &api_key).await?;
    explained(&world, &person, &hedy, &answer).await?;
    person.sign_out().await;

    let hr = Person::sign_in(&browser, &world, "hr").await?;
    list::granted(&world, &hr).await?;
    hr.sign_out().await;

    colleagues_ask(&world).await?;
    let auditor = world.newcomer("auditor")?;
    let role =
        pallet_roles::Call::grant_role { who: auditor.account(), role: Role::Auditor, allowance: None };
    world.stage.company.council.act(&world.stage.client, role).await?;
    let person = Person::sign_in(&browser, &world, "auditor").await?;
    audited(&world, &person, &hedy).await?;
    stated(&world, &person, &hedy).await
}

/// HR grants; the page, which nobody reloads, shows it pending and then final.
async fn granted(world: &World, person: &Person<'_>, hedy: &Signer) -> Result<()> {
    person.browser.wait_for("Nothing was granted to this wallet yet.").await;
    person.watch_figures().await;
    let grant = ["mint", "one", &hedy.address(), "--program", "0", "--amount", "123.5"];
    world.stipend("hr", &grant)?;
    person.wait_until_final("123.500000").await;
    person.check_it_was_pending("123.500000").await
}

/// A key for an application, made and signed in the page, which shows it once.
async fn make_key(world: &World, person: &Person<'_>) -> Result<String> {
    let browser = person.browser;
    person.open("keys").await;
    browser.click("#make summary").await;
    browser.type_into("#new-credits_per_day_max", "50").await;
    browser.click("#make button").await;
    person.sign("#confirm-key", "#confirm-sign").await;
    browser.wait_for("Done: final in block").await;
    let key = browser.evaluate("return document.getElementById('secret-text').textContent").await;
    browser.click("#confirm-close").await;
    browser.wait_until_gone("Done: final in block").await;
    let key = key.as_str().context("the page shows no key")?.to_owned();
    world.wait_for_pages().await?;
    person.open("keys").await;
    browser.wait_for(&format!("{:?}", stipend_primitives::key::hash(&key))).await;
    Ok(key)
}

/// A streamed answer through the gateway; its charge is pending on the page, and then final.
async fn charged(world: &World, person: &Person<'_>, hedy: &Signer, api_key: &str) -> Result<Answer> {
    person.open("").await;
    person.browser.wait_for("Nothing is pending.").await;
    person.watch_figures().await;
    let call = Call {
        index: 0,
        request: Request { at: Duration::ZERO, input: 321, output: 45 },
        api_key: api_key.to_owned(),
        model: MODEL_GENERAL.into(),
        stream: true,
    };
    // The gateway hears of a new key with the block that makes it final.
    let replay = Replay { gateway_url: world.stage.gateway_url(), speed: 1.0, attempts_max: 100 };
    let answer = replay.insist(&reqwest::Client::new(), &call).await?;
    ensure!((answer.usage.input, answer.usage.output) == (321, 45), "{:?}", answer.usage);
    let cost = cost_of(&answer)?;
    person.wait_until_final(&credits(cost)).await;
    person.check_it_was_pending(&credits(cost)).await?;
    let spent: Credits = spent(world, &[hedy]).await?;
    ensure!(spent == cost, "the chain says {spent} was spent, the page {cost}");
    Ok(answer)
}

/// What a request costs, computed here.
fn cost_of(answer: &Answer) -> Result<Credits> {
    let prices = prices();
    let entry = prices.iter().find(|entry| entry.model == MODEL_GENERAL_ID).context("no price")?;
    Ok(entry.cost(&answer.usage))
}

/// The receipt says what it cost and why, and its proof holds without this service and without a node.
async fn explained(world: &World, person: &Person<'_>, hedy: &Signer, answer: &Answer) -> Result<()> {
    let (browser, dir) = (person.browser, &world.stage.dir);
    world.wait_for_pages().await?;
    person.open("receipts").await;
    browser.click("tbody a").await;
    let text = browser.wait_for("What it cost, and why").await;
    // 321 computed tokens at 250 micro-credits, 45 generated ones at 1,000, and 50 for the request.
    for part in ["0.080250", "0.045000", "0.000050", "0.125300", &hex::encode(answer.digest)] {
        ensure!(text.contains(part), "{part} is not on the receipt's page: {text}");
    }
    ensure!(text.contains(&credits(cost_of(answer)?)), "the page shows another cost: {text}");
    let proof = browser.download("a[href$='/proof']").await;
    let (proof, set) = (proof.display().to_string(), dir.join("set.json").display().to_string());
    world.stipend("hedy", &["validators", "export", &set])?;
    // Nobody listens there: an address that would be asked in vain.
    let nowhere = ["--url", "ws://127.0.0.1:9", "receipts", "verify", &proof, "--validators", &set];
    let said = operator::stipend(nowhere)?;
    ensure!(said["wallet"] == serde_json::json!(hedy.account()), "the proof is of another wallet: {said}");
    ensure!(said["input"] == 321 && said["output"] == 45, "the proof has other figures: {said}");
    Ok(())
}

/// Colleagues use their keys too; returns when all of it is settled.
async fn colleagues_ask(world: &World) -> Result<()> {
    let employees = &world.stage.company.employees;
    let calls = trace::requests(REQUESTS)?.into_iter().enumerate().map(|(index, request)| Call {
        index,
        request,
        api_key: employees[index % employees.len()].api_key.clone(),
        model: [MODEL_GENERAL, MODEL_REASONING][index % 2].into(),
        stream: index % 3 == 0,
    });
    let replay = Replay { gateway_url: world.stage.gateway_url(), speed: 100.0, attempts_max: 1 };
    let answers = replay.run(calls.collect(), |_| {}).await?;
    audit::wait_until_final(&world.observer, &answers, Duration::from_secs(90)).await?;
    wait_until("everything is settled", || async {
        let settled = world.observer.with(|seen| seen.settled.len());
        Ok((settled > REQUESTS).then_some(()))
    })
    .await?;
    world.wait_for_pages().await
}

/// Everything that an auditor can take away adds up to what the chain says.
async fn audited(world: &World, person: &Person<'_>, hedy: &Signer) -> Result<()> {
    let browser = person.browser;
    browser.wait_for("Exports of everything").await;
    let mut owners: Vec<&Signer> = world.stage.company.employees.iter().map(|one| &one.signer).collect();
    owners.push(hedy);
    let expected = i128::try_from(spent(world, &owners).await?)?;
    let mut counts = Vec::new();
    for (file, sum) in files::SUMS {
        let path = browser.download(&format!("a[href='/api/v1/export/{file}']")).await;
        ensure!(path.file_name().is_some_and(|name| name == *file), "{file} came as {path:?}");
        let (sum, receipts) = sum(&std::fs::read(path)?)?;
        ensure!(sum == expected, "{file} adds up to {sum}, the chain says {expected}");
        counts.push(receipts);
    }
    ensure!(counts.iter().all(|count| *count == REQUESTS + 1), "{counts:?} receipts");
    println!("{expected} micro-credits of {} receipts, in each of {} files", counts[0], counts.len());

    // One wallet's files, from its own page.
    person.open_of(&hedy.address(), "").await;
    let own = i128::try_from(spent(world, &[hedy]).await?)?;
    for (file, sum) in files::SUMS {
        let (sum, _) = sum(&std::fs::read(browser.download(&format!("a[href$='/export/{file}']")).await)?)?;
        ensure!(sum == own, "{file} of one wallet adds up to {sum}, the chain says {own}");
    }
    Ok(())
}

/// The statement of the year, a page of its own, says what the chain says, and fits on A4.
async fn stated(world: &World, person: &Person<'_>, hedy: &Signer) -> Result<()> {
    let browser = person.browser;
    let foot = browser.wait_for("As of final block").await;
    let moment = foot.rsplit("As of final block").next().and_then(|foot| foot.split(", ").nth(1));
    let year = moment.and_then(|moment| moment.split('-').next()).context("the page has no time")?;
    let file = world.stage.dir.join("statement.html");
    let (address, out) = (hedy.address(), file.display().to_string());
    let line = ["statement", &address, "--year", year, "--out", &out, "--wallet-service", &person.site];
    let said = world.stipend("auditor", &line)?;
    let spent = spent(world, &[hedy]).await?;
    ensure!(said["classes"][0]["year"]["used"] == spent.to_string(), "the statement says {said}");
    browser.open(&format!("file://{out}")).await;
    let text = browser.wait_for("Statement of what was granted and used").await;
    ensure!(text.contains(&credits(spent)) && text.contains("123.500000"), "{text}");
    // A4 without its margins, at 96 pixels an inch.
    browser.look("light", 672).await;
    ensure!(browser.beyond().await <= 0, "the statement is too wide for A4");
    std::fs::write(world.stage.dir.join("statement.pdf"), browser.paper().await)?;
    Ok(())
}

/// What wallets have spent, by the newest final block.
async fn spent(world: &World, owners: &[&Signer]) -> Result<Credits> {
    let snapshot = world.stage.client.finalised().await?;
    let mut spent = 0;
    for owner in owners {
        spent +=
            snapshot.wallet(&owner.account()).await?.iter().map(|row| row.amounts.spent).sum::<Credits>();
    }
    Ok(spent)
}

/// Credits as the pages write them, up to a thousand.
fn credits(micro: Credits) -> String {
    format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
}
