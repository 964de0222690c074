//! A consortium changes while it works: a validator joins, one leaves, all keys are replaced. Blocks
//! go on becoming final, and no receipt is lost or charged twice.

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use codec::Encode;
use stipend_sdk::{BlockRef, Client, NewSessionKeys};
use stipend_tests::{
    audit,
    company::name,
    consortium::{load::Load, spec::SESSION_BLOCKS, Consortium, FOUNDERS},
    observer::Observer,
    stage::{Setup, Stage},
};

/// Sessions after which a change of the validator set must be in force. It is planned at the end of
/// one session and in force at the end of the next; the third is for a machine that lags.
const SESSIONS_MAX: u32 = 3;

/// The validator that the company uses; it stays.
const OURS: usize = 0;

/// The validator that leaves.
const LEAVES: usize = 1;

/// The authorities of GRANDPA, as the runtime API names them: key and weight.
type Authorities = Vec<([u8; 32], u64)>;

#[tokio::test(flavor = "multi_thread")]
async fn validators_join_leave_and_change_keys_while_blocks_go_on_becoming_final() -> Result<()> {
    if std::env::var_os("STIPEND_TEST_LONG").is_none() {
        println!("NOT RUN: a changing validator set is part of `make test-long`");
        return Ok(());
    }
    let mut consortium = Consortium::start("test-validator-set", Some(SESSION_BLOCKS)).await?;
    let setup = Setup {
        dir: "test-validator-set-company",
        chain: Some(consortium.chain_at(OURS)),
        ..Default::default()
    };
    let stage = Stage::set(setup).await?;
    let observer = Observer::start(stage.client.clone());
    let load = Load::start(&stage);

    let joined = join(&mut consortium, &stage).await?;
    leave(&mut consortium, &stage, joined).await?;
    rotate(&mut consortium, &stage, joined).await?;

    let (lag, pause) = (consortium.finality.longest_lag(), consortium.finality.longest_pause());
    println!(
        "at most {lag} blocks were made, and {:.1} s passed, without a new final one",
        pause.as_secs_f64()
    );
    ensure!(lag <= 2 * SESSION_BLOCKS, "{lag} blocks were made without a final one: more than two sessions");

    let answers = load.finish().await?;
    audit::wait_until_final(&observer, &answers, Duration::from_secs(180)).await?;
    let audited = audit::check(&stage.client, &stage.company, &observer).await?;
    println!("{} receipts for {} acknowledged requests", audited.receipts, answers.len());
    consortium.finality.ensure_no_conflict()
}

/// A fifth validator joins, and its vote counts: with one of the five away the others need it.
async fn join(consortium: &mut Consortium, stage: &Stage) -> Result<usize> {
    let joined = consortium.join()?;
    let newcomer = &consortium.validators[joined];
    let (account, node) = (newcomer.account.clone(), newcomer.node_key.into());
    let call = pallet_governance::Call::add_node { node, name: name(&newcomer.name)? };
    let council = &stage.company.council;
    council.act(&stage.client, call).await?;
    council.act(&stage.client, pallet_roles::Call::add_validator { who: account.account() }).await?;
    consortium.start_validator(joined).await?;
    let client = consortium.client(joined)?;
    let keys = client.new_session_keys(&account.account()).await?;
    // Its own node may still be catching up.
    publish(&stage.client, consortium, joined, &keys).await?;

    let at = wait_for_authorities(&stage.client, "the fifth validator votes", |authorities| {
        authorities.len() == FOUNDERS + 1 && holds(authorities, &keys)
    })
    .await?;
    println!("validator {joined} joined; it votes since block {}", at.number);
    consortium.kill(LEAVES);
    let height = consortium.finality.height();
    let others: Vec<usize> = (0..=FOUNDERS).filter(|at| *at != LEAVES).collect();
    consortium.wait_for_progress(&others, height, 5).await.context("without one of five validators")?;
    consortium.start_validator(LEAVES).await?;
    Ok(joined)
}

/// One of the five leaves, and its vote counts no more: the others go on without it and one more.
async fn leave(consortium: &mut Consortium, stage: &Stage, joined: usize) -> Result<()> {
    let (who, key) =
        (consortium.validators[LEAVES].account.account(), consortium.validators[LEAVES].account.public());
    let call = pallet_roles::Call::remove_validator { who };
    stage.company.council.act(&stage.client, call).await?;
    let at = wait_for_authorities(&stage.client, "the validator that left votes no more", |authorities| {
        authorities.len() == FOUNDERS && authorities.iter().all(|(other, _)| *other != key)
    })
    .await?;
    println!("validator {LEAVES} left; it votes no more since block {}", at.number);
    // With five in the set, four of them would be needed.
    consortium.kill(LEAVES);
    consortium.kill(joined - 1);
    let height = consortium.finality.height();
    let rest: Vec<usize> = (0..=joined).filter(|at| *at != LEAVES && *at != joined - 1).collect();
    consortium.wait_for_progress(&rest, height, 5).await.context("without one of four validators")?;
    consortium.start_validator(joined - 1).await
}

/// Every validator replaces its keys; afterwards only the new ones vote.
async fn rotate(consortium: &mut Consortium, stage: &Stage, joined: usize) -> Result<()> {
    let stay: Vec<usize> = (0..=joined).filter(|at| *at != LEAVES).collect();
    let mut made = Vec::new();
    for at in &stay {
        let client = consortium.client(*at)?;
        let keys = client.new_session_keys(&consortium.validators[*at].account.account()).await?;
        publish(&stage.client, consortium, *at, &keys).await?;
        made.push(keys);
    }
    let at = wait_for_authorities(&stage.client, "all vote with new keys", |authorities| {
        authorities.len() == stay.len() && made.iter().all(|keys| holds(authorities, keys))
    })
    .await?;
    println!("all keys are new since block {}", at.number);
    consortium.wait_for_progress(&stay, at.number, 5).await.context("with new keys")?;
    let agreed = consortium.ensure_agreement(&stay).await?;
    println!("all agree at height {agreed}");
    Ok(())
}

/// The validator publishes keys that its own node made.
async fn publish(client: &Client, consortium: &Consortium, at: usize, keys: &NewSessionKeys) -> Result<()> {
    let call =
        stipend_sdk::pallet_session::Call::set_keys { keys: keys.keys.clone(), proof: keys.proof.clone() };
    client.submit_finalised(call.into(), &consortium.validators[at].account).await?;
    Ok(())
}

fn holds(authorities: &Authorities, keys: &NewSessionKeys) -> bool {
    let grandpa = keys.keys.grandpa.encode();
    authorities.iter().any(|(key, _)| key[..] == grandpa[..])
}

/// Waits until the authorities of GRANDPA in the newest final block are as they should be.
async fn wait_for_authorities(
    client: &Client,
    what: &str,
    reached: impl Fn(&Authorities) -> bool,
) -> Result<BlockRef> {
    let begun = client.finalised_head().await?;
    loop {
        let head = client.finalised_head().await?;
        let authorities = client.runtime_api("GrandpaApi_grandpa_authorities", (), Some(head.hash)).await?;
        if reached(&authorities) {
            return Ok(head);
        }
        let passed = head.number - begun.number;
        ensure!(
            passed <= SESSIONS_MAX * SESSION_BLOCKS,
            "{what}: not after {passed} final blocks; {} authorities",
            authorities.len()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
