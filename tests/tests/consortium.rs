//! Four validators, of which some die and some are cut off while employees work: with one away the
//! chain goes on, with two away it halts and never forks, and no receipt is lost or charged twice.

use std::time::{Duration, Instant};

use anyhow::{ensure, Result};
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use stipend_tests::{
    audit,
    consortium::{load::Load, Consortium, FOUNDERS},
    observer::Observer,
    stage::{Setup, Stage},
};

/// Blocks for which a halted chain is watched.
const HALT_BLOCKS: u32 = 8;

/// For how long a validator that is cut off from all others is watched.
const STILL: Duration = Duration::from_secs(5);

/// How long the chain may take to make blocks final again once enough validators are there.
const RESUME_MAX: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn validators_that_die_or_are_cut_off_fork_nothing_and_lose_no_receipt() -> Result<()> {
    let long = std::env::var_os("STIPEND_TEST_LONG").is_some();
    let (kills, partitions) = if long { (25, 10) } else { (1, 1) };
    let seed: u64 =
        std::env::var("STIPEND_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random);
    println!("seed: STIPEND_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);

    let mut consortium = Consortium::start("test-consortium", None).await?;
    let at = random.gen_range(0..FOUNDERS);
    println!("The company uses validator {at}.");
    let setup =
        Setup { dir: "test-consortium-company", chain: Some(consortium.chain_at(at)), ..Default::default() };
    let stage = Stage::set(setup).await?;
    let observer = Observer::start(stage.client.clone());
    let load = Load::start(&stage);

    for round in 1..=kills {
        kill_two(&mut consortium, &mut random, round).await?;
        println!("  {} requests answered", load.answered());
    }
    for round in 1..=partitions {
        if consortium.can_part() {
            part_three_from_one(&mut consortium, &mut random, round).await?;
            part_two_from_two(&mut consortium, &mut random, round).await?;
            println!("  {} requests answered", load.answered());
        }
    }

    let answers = load.finish().await?;
    audit::wait_until_final(&observer, &answers, Duration::from_secs(180)).await?;
    let height = consortium.ensure_agreement(&everybody()).await?;
    let audited = audit::check(&stage.client, &stage.company, &observer).await?;
    ensure!(audited.receipts >= answers.len(), "{} receipts for {} answers", audited.receipts, answers.len());
    let suspended = stage.client.finalised().await?.suspended_validators().await?;
    ensure!(suspended.is_empty(), "a validator that was killed and came back is suspended: {suspended:?}");
    println!(
        "{} receipts for {} acknowledged requests, none lost, none doubled; {} micro-credits spent, {} given \
         back; all validators agree at height {height}",
        audited.receipts,
        answers.len(),
        audited.spent,
        audited.refunded,
    );
    Ok(())
}

/// One validator dies: the chain goes on. A second dies: it halts, and goes on when one is back.
async fn kill_two(consortium: &mut Consortium, random: &mut StdRng, round: usize) -> Result<()> {
    let order = shuffled(random);
    let (first, second, rest) = (order[0], order[1], &order[2..]);
    let three = &order[1..];

    consortium.kill(first);
    let before = consortium.finality.height();
    let went_on = consortium.wait_for_progress(three, before, 5).await?;
    consortium.kill(second);
    consortium.ensure_halted(rest, HALT_BLOCKS).await?;
    consortium.finality.ensure_no_conflict()?;

    let (height, started) = (consortium.finality.height(), Instant::now());
    consortium.start_validator(second).await?;
    let up = started.elapsed();
    consortium.wait_for_progress(three, height, 1).await?;
    let resumed = started.elapsed();
    ensure!(resumed <= RESUME_MAX, "nothing was final for {resumed:?} after {second} came back");
    consortium.start_validator(first).await?;
    let agreed = consortium.ensure_agreement(&order).await?;
    println!(
        "kills {round}: without {first} five more blocks were final after {:.1} s; without {first} and {second} \
         none; {second} was up again after {:.1} s and blocks final after {:.1} s; all agree at {agreed}",
        went_on.as_secs_f64(),
        up.as_secs_f64(),
        resumed.as_secs_f64(),
    );
    Ok(())
}

/// One validator is cut off: the others go on and it does not.
async fn part_three_from_one(consortium: &mut Consortium, random: &mut StdRng, round: usize) -> Result<()> {
    let order = shuffled(random);
    let (lone, three) = (&order[..1], &order[1..]);
    consortium.part(&[three, lone])?;
    let before = consortium.finality.height();
    let went_on = consortium.wait_for_progress(three, before, 5).await?;
    consortium.ensure_still(lone, STILL).await?;
    consortium.finality.ensure_no_conflict()?;
    let healed = heal(consortium, &order).await?;
    println!(
        "partition {round}, {three:?} from {lone:?}: the three went on after {:.1} s, the one did not; all \
         agree {:.1} s after it was healed",
        went_on.as_secs_f64(),
        healed.as_secs_f64(),
    );
    Ok(())
}

/// Half of the validators are cut off from the other half: nobody goes on.
async fn part_two_from_two(consortium: &mut Consortium, random: &mut StdRng, round: usize) -> Result<()> {
    let order = shuffled(random);
    let (one_half, other_half) = order.split_at(2);
    consortium.part(&[one_half, other_half])?;
    consortium.ensure_halted(&order, HALT_BLOCKS).await?;
    consortium.finality.ensure_no_conflict()?;
    let healed = heal(consortium, &order).await?;
    println!(
        "partition {round}, {one_half:?} from {other_half:?}: nobody went on; all agree {:.1} s after it was \
         healed",
        healed.as_secs_f64(),
    );
    Ok(())
}

/// Makes the network one again and waits until all make the same new blocks final.
async fn heal(consortium: &mut Consortium, everybody: &[usize]) -> Result<Duration> {
    let (height, started) = (consortium.finality.height(), Instant::now());
    consortium.heal()?;
    consortium.wait_for_progress(everybody, height, 1).await?;
    consortium.ensure_agreement(everybody).await?;
    Ok(started.elapsed())
}

fn everybody() -> Vec<usize> {
    (0..FOUNDERS).collect()
}

fn shuffled(random: &mut StdRng) -> Vec<usize> {
    let mut order = everybody();
    order.shuffle(random);
    order
}
