//! Outcomes on a real chain: what they earn buys the next request's place in the queue, a revert takes it back, and
//! ten thousand invented ones are worth one cap.

use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use futures::future::try_join_all;
use serde_json::{json, Value};
use sp_core::bounded::BoundedVec;
use stipend_primitives::{
    key,
    merit::{Rule, Standing},
    mint::Grant,
    view::Amounts,
    AccountId, ClassId, Credits, Role, MICRO_CREDITS_PER_CREDIT as CREDIT,
};
use stipend_sdk::{
    merit::{MeritError, NewOutcome},
    Client, Signer,
};
use stipend_tests::{
    company::{name, Company, MODEL_GENERAL},
    process::program,
    services::{self, Node},
    stage::{Setup, Stage},
    try_state,
};

/// Milliseconds for which the development chain announces a rule, and time for a vote to become final.
const NOTICE_MS: u64 = 4_000 + 20_000;

/// What the program for awards has.
const BUDGET: Credits = 1_000 * CREDIT;

/// What invented outcomes of one evaluator can earn.
const EVALUATOR_CAP: Credits = 60 * CREDIT;

/// How long whatever has to come may take.
const PATIENCE: Duration = Duration::from_secs(180);

fn now_ms() -> Result<u64> {
    Ok(u64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_millis())?)
}

fn rule(program: u32) -> Result<Rule> {
    Ok(Rule {
        program,
        award: CREDIT,
        wallet_cap: 20 * CREDIT,
        evaluator_cap: EVALUATOR_CAP,
        // Longer than the test, and never about to end.
        period_ms: u64::MAX,
        window_ms: 3_600_000,
        lasts_ms: 7_200_000,
        sunset: now_ms()? + 86_400_000,
    })
}

/// Registers the kind "commit" and waits until its rule holds; returns the program that pays.
async fn register(client: &Client, company: &Company, evaluators: &[&Signer]) -> Result<u32> {
    for evaluator in evaluators {
        let role = pallet_roles::Call::grant_role {
            who: evaluator.account(),
            role: Role::Evaluator,
            allowance: None,
        };
        company.council.act(client, role).await?;
    }
    let program = u32::try_from(client.finalised().await?.programs().await?.len())?;
    let budget = pallet_entitlements::Call::create_program {
        name: name("Awards")?,
        class: ClassId::PRIORITY,
        owner: company.hr.account(),
        budget: BUDGET,
    };
    company.council.act(client, budget).await?;
    let from = now_ms()? + NOTICE_MS;
    let kind = pallet_merit::Call::register_kind { name: name("commit")?, rule: rule(program)?, from };
    company.council.act(client, kind).await?;
    let kinds = client.merit_kinds().await?;
    ensure!(kinds.len() == 1 && kinds[0].in_force.is_none(), "the rule is announced: {kinds:?}");
    let began = Instant::now();
    while client.merit_kinds().await?[0].in_force.is_none() {
        ensure!(began.elapsed() < PATIENCE, "the rule does not hold after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(program)
}

fn commit(wallet: &AccountId, evidence: u8, weight: u32) -> NewOutcome {
    NewOutcome {
        kind: "commit".into(),
        wallet: wallet.clone(),
        weight,
        evidence: [evidence; 32],
        receipts: vec![[evidence; 32]],
        purpose: None,
    }
}

/// An account's Priority credits.
async fn priority(client: &Client, owner: &AccountId) -> Result<Amounts> {
    let rows = client.finalised().await?.wallet(owner).await?;
    Ok(rows.iter().find(|row| row.class == ClassId::PRIORITY).map(|row| row.amounts).unwrap_or_default())
}

/// Micro-credits that a program has left.
async fn unminted(client: &Client, program: u32) -> Result<Credits> {
    let programs = client.finalised().await?.programs().await?;
    let found = programs.into_iter().find(|(id, _)| *id == program);
    Ok(found.context("the program was made")?.1.unminted)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_earns_and_its_revert_takes_back_and_a_storm_is_worth_one_cap() -> Result<()> {
    let node = Node::start(&services::work_dir("test-merit")?).await?;
    let client = Client::connect(&node.url).await?;
    let company = Company::new(&["ada", "grace", "linus", "dora"])?;
    company.found(&client).await?;
    company.mint_baskets(&client).await?;
    let (honest, hostile) = (Signer::generate(), Signer::generate());
    let program = register(&client, &company, &[&honest, &hostile]).await?;

    earns_and_is_taken_back(&client, &company, &honest).await?;
    is_contested(&client, &company, &honest, &hostile).await?;
    storm(&client, &company, &hostile, program).await?;
    by_the_command(&node, &company, &honest).await?;

    let block = client.finalised_head().await?.hash;
    let checked = try_state::check(&node.url, block).await?;
    println!("{} keys are sound", checked.keys);
    Ok(())
}

async fn earns_and_is_taken_back(client: &Client, company: &Company, evaluator: &Signer) -> Result<()> {
    let ada = company.employees[0].signer.account();
    let before = priority(client, &ada).await?;
    let outcome = commit(&ada, 1, 3);
    let recorded = client.record_outcome(&outcome, evaluator).await?;
    ensure!((recorded.earned, recorded.minted) == (3 * CREDIT, 3 * CREDIT), "{recorded:?}");
    let after = priority(client, &ada).await?;
    ensure!(after.available == before.available + 3 * CREDIT, "{after:?}");

    let again = client.record_outcome(&outcome, evaluator).await;
    let refusal = again.err().context("evidence counts once")?.to_string();
    ensure!(refusal.contains("EvidenceCounted"), "{refusal}");
    let unknown = NewOutcome { kind: "thesis".into(), ..commit(&ada, 2, 1) };
    let refusal = client.record_outcome(&unknown, evaluator).await;
    ensure!(matches!(refusal, Err(MeritError::KindUnknown { .. })), "{refusal:?}");

    let back = client.withdraw_outcome(outcome.evidence, evaluator).await?;
    ensure!(back.len() == 1 && (back[0].taken, back[0].owed) == (3 * CREDIT, 0), "{back:?}");
    ensure!(priority(client, &ada).await?.available == before.available, "as if nothing had been");
    let refusal = client.withdraw_outcome(outcome.evidence, evaluator).await;
    ensure!(matches!(refusal, Err(MeritError::NoOutcome(_))), "{refusal:?}");
    Ok(())
}

async fn is_contested(client: &Client, company: &Company, evaluator: &Signer, other: &Signer) -> Result<()> {
    let ada = company.employees[0].signer.account();
    let recorded = client.record_outcome(&commit(&ada, 3, 2), evaluator).await?;
    let contest = pallet_merit::Call::contest { outcome: recorded.id, reason: Default::default() };
    client.submit_finalised(contest.into(), other).await?;
    let open = client.merit_contests(None).await?;
    ensure!(open.len() == 1 && open[0].id == recorded.id, "{open:?}");
    let outcomes = BoundedVec::truncate_from(vec![recorded.id]);
    company.council.act(client, pallet_merit::Call::decide { outcomes, stand: false }).await?;
    let outcome = client.merit_outcome(recorded.id).await?.context("it is remembered")?.outcome;
    ensure!((outcome.standing, outcome.taken) == (Standing::Overturned, 2 * CREDIT), "{outcome:?}");
    ensure!(client.merit_contests(None).await?.is_empty(), "the council has decided");
    Ok(())
}

/// Ten thousand invented outcomes for everybody.
async fn storm(client: &Client, company: &Company, hostile: &Signer, program: u32) -> Result<()> {
    let before = unminted(client, program).await?;
    let wallets: Vec<AccountId> =
        company.employees.iter().map(|employee| employee.signer.account()).collect();
    let invented: Vec<NewOutcome> = (0..10_000_u32)
        .map(|number| {
            let mut outcome = commit(&wallets[number as usize % wallets.len()], 0, 1 + number % 2);
            outcome.evidence[..4].copy_from_slice(&(number + 1).to_le_bytes());
            outcome.receipts = vec![outcome.evidence];
            outcome
        })
        .collect();
    let began = Instant::now();
    let sum = client.record_outcomes(&invented, hostile).await?;
    println!(
        "of 10000 invented outcomes {} counted, {} were skipped, in {:?}",
        sum.recorded,
        sum.skipped,
        began.elapsed()
    );
    ensure!(sum.recorded + sum.skipped == 10_000 && sum.recorded > 0, "{sum:?}");
    let lost = before - unminted(client, program).await?;
    ensure!(lost == EVALUATOR_CAP, "the storm was worth {lost}, and the cap is {EVALUATOR_CAP}");
    let left = client.merit_evaluator(&hostile.account()).await?;
    ensure!(left[0].left == 0, "{left:?}");
    for wallet in wallets {
        let merit = client.merit_wallet(&wallet).await?;
        let earned = merit.classes.first().map_or(0, |(_, account)| account.sums.earned);
        ensure!(earned <= 20 * CREDIT, "a wallet earned {earned}");
    }
    Ok(())
}

/// The same by hand.
async fn by_the_command(node: &Node, company: &Company, evaluator: &Signer) -> Result<()> {
    let dir = services::work_dir("test-merit-command")?;
    evaluator.save(dir.join("evaluator"))?;
    std::fs::write(dir.join("merge.txt"), "a merge")?;
    let stipend = |verb: &[&str]| -> Result<(i32, Value)> {
        let output = std::process::Command::new(program("stipend")?)
            .args(["--json", "--url", &node.url, "--key", "evaluator"])
            .args(verb)
            .current_dir(&dir)
            .output()?;
        let text = if output.status.success() { &output.stdout } else { &output.stderr };
        let said = serde_json::from_slice(text)
            .with_context(|| format!("{verb:?} printed {}", String::from_utf8_lossy(text)))?;
        Ok((output.status.code().context("it was ended by a signal")?, said))
    };
    // A wallet that the storm left room in: nobody's so far.
    let owner = company.hr.address();
    let record =
        ["merit", "record", "commit", &owner, "--evidence-file", "merge.txt", "--purpose", "release"];
    let (code, said) = stipend(&record)?;
    ensure!(code == 1 && said["error"].as_str().is_some_and(|it| it.contains("NothingHeld")), "{said}");
    let (code, kinds) = stipend(&["merit", "kinds", "list"])?;
    ensure!(code == 0 && kinds[0]["name"] == "commit", "{kinds}");
    let (code, caps) = stipend(&["merit", "caps"])?;
    ensure!(code == 0 && caps[0]["cap"] == EVALUATOR_CAP.to_string(), "{caps}");
    let ada = company.employees[0].signer.address();
    let (code, outcomes) = stipend(&["merit", "outcomes", &ada])?;
    ensure!(code == 0 && outcomes["outcomes"].as_array().is_some_and(|all| all.len() > 2), "{outcomes}");
    Ok(())
}

/// One request at a time, so that the order is the gateway's.
const ONE_AT_A_TIME: &str = "concurrency_max = 1\nageing_ms = 60000\n";

/// Sends a request with an API key; its status and when it was answered.
async fn ask(stage: &Stage, api_key: &str, fee: u32) -> Result<(u16, Instant)> {
    let body = json!({
        "model": MODEL_GENERAL,
        "max_tokens": 1,
        "ignore_eos": true,
        "messages": [{"role": "user", "content": "Say something."}],
    });
    let request = reqwest::Client::new()
        .post(format!("{}/chat/completions", stage.gateway_url()))
        .bearer_auth(api_key)
        .header("x-stipend-priority-fee", fee)
        .json(&body);
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    answer.text().await?;
    Ok((status, Instant::now()))
}

/// Asks until the status is the one expected.
async fn ask_until(stage: &Stage, api_key: &str, fee: u32, expected: u16) -> Result<()> {
    let began = Instant::now();
    loop {
        let (status, _) = ask(stage, api_key, fee).await?;
        if status == expected {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "a request with the fee {fee} gets {status}, not {expected}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Waits until as many requests wait for the first provider.
async fn until_they_wait(stage: &Stage, count: f64) -> Result<()> {
    let provider = stage.company.providers[0].address();
    let name = format!("stipend_gateway_upstream_waiting{{provider=\"{provider}\"}}");
    let began = Instant::now();
    loop {
        let text = reqwest::get(format!("{}/metrics", stage.gateway.url)).await?.text().await?;
        let line = text.lines().find_map(|line| line.strip_prefix(name.as_str()));
        let waiting: Option<f64> = line.and_then(|line| line.split_whitespace().last()?.parse().ok());
        if waiting.is_some_and(|waiting| waiting >= count) {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "{waiting:?} requests wait, not {count}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An employee who holds Innovation credits and nothing else: address and API key.
async fn employee_without_priority(stage: &Stage) -> Result<(Signer, String)> {
    let (signer, api_key) = (Signer::generate(), key::text(&rand::random()));
    let grant = Grant::One { program: 0, amount: 100 * CREDIT, valid_from: None, valid_until: None };
    let mint = pallet_entitlements::Call::mint { owner: signer.account(), grant };
    stage.client.submit_finalised(mint.into(), &stage.company.hr).await?;
    let reserve = BoundedVec::truncate_from(vec![(ClassId::INNOVATION, 50 * CREDIT)]);
    let register = pallet_entitlements::Call::register_key {
        hash: key::hash(&api_key),
        limits: Default::default(),
        reserve: Some((stage.company.gateway.account(), reserve)),
    };
    stage.client.submit_finalised(register.into(), &signer).await?;
    Ok((signer, api_key))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_commit_lets_the_next_request_overtake_and_its_revert_takes_that_back() -> Result<()> {
    let dir = services::work_dir("test-merit-engine")?;
    let engine = services::engine(&dir, "engine", MODEL_GENERAL, &["--first-token-ms", "100"]).await?;
    let stage = Stage::set(Setup {
        dir: "test-merit-stage",
        engine: Some((engine.url.clone(), MODEL_GENERAL.into())),
        upstream_more: ONE_AT_A_TIME,
        ..Default::default()
    })
    .await?;
    let evaluator = Signer::generate();
    register(&stage.client, &stage.company, &[&evaluator]).await?;
    let (owner, api_key) = employee_without_priority(&stage).await?;
    ask_until(&stage, &api_key, 0, 200).await?;
    let (status, _) = ask(&stage, &api_key, 5).await?;
    ensure!(status != 200, "a fee is paid in Priority credits, and there are none");

    let outcome = commit(&owner.account(), 1, 10);
    client_earns(&stage, &outcome, &evaluator).await?;
    ask_until(&stage, &api_key, 5, 200).await?;
    let others = &stage.company.employees[0].api_key;
    let without = try_join_all((0..12).map(|_| ask(&stage, others, 0)));
    let with = async {
        until_they_wait(&stage, 11.0).await?;
        ask(&stage, &api_key, 5).await
    };
    let (without, (status, with)) = tokio::try_join!(without, with)?;
    let before = without.iter().filter(|(_, ended)| *ended < with).count();
    println!("of 12 requests that waited without a fee {before} were served before the one that was earned");
    ensure!(status == 200 && before <= 4, "{before} of 12 went before it, and it got {status}");

    // Reverted: nothing that was earned can be reserved any more, and what was used or is reserved is owed.
    let back = stage.client.withdraw_outcome(outcome.evidence, &evaluator).await?;
    let left = priority(&stage.client, &owner.account()).await?;
    ensure!(left.available == 0, "{left:?}");
    ensure!(back[0].taken + back[0].owed == 10 * CREDIT, "{back:?}");
    let merit = stage.client.merit_wallet(&owner.account()).await?;
    ensure!(merit.classes[0].1.sums.earned == 0, "{merit:?}");
    println!("{} micro-credits were taken back, {} are owed", back[0].taken, back[0].owed);
    Ok(())
}

async fn client_earns(stage: &Stage, outcome: &NewOutcome, evaluator: &Signer) -> Result<()> {
    let recorded = stage.client.record_outcome(outcome, evaluator).await?;
    let earned = priority(&stage.client, &outcome.wallet).await?.available;
    ensure!(earned == recorded.minted && earned == 10 * CREDIT, "{earned} of {recorded:?}");
    Ok(())
}
