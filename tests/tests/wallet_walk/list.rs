//! HR grants a list in the page, and watches how far it is.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{ensure, Context, Result};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{AccountId, Credits, MICRO_CREDITS_PER_CREDIT};

use super::{person::Person, World};

/// Notes every state of the progress.
const WATCH: &str = "
const progress = document.getElementById('list-progress');
window.seen = [];
new MutationObserver(() => window.seen.push(progress.value)).observe(progress, { attributes: true });
return true";

/// How long the largest list may take, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(1_200);

/// Who stands in a line of the list, and how many credits they get.
fn line(at: u32) -> (AccountId, Credits) {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&at.to_be_bytes());
    (AccountId::new(bytes), Credits::from(at % 3 + 1) * MICRO_CREDITS_PER_CREDIT)
}

/// Six hundred lines, or, where STIPEND_TEST_LONG is set, ten thousand: all granted, each once.
pub(crate) async fn granted(world: &World, person: &Person<'_>) -> Result<()> {
    let lines = if std::env::var_os("STIPEND_TEST_LONG").is_some() { 10_000 } else { 600 };
    let (browser, file) = (person.browser, world.stage.dir.join("list.csv"));
    let mut text = String::from("owner,program,amount\n");
    for (owner, amount) in (0..lines).map(line) {
        text += &format!("{},0,{}\n", owner.to_ss58check(), amount / MICRO_CREDITS_PER_CREDIT);
    }
    std::fs::write(&file, text)?;
    browser.open(&format!("{}/grant/list", person.site)).await;
    browser.choose_file("#list-file", &file).await;
    browser.wait_for("Every line is in order").await;
    let page = browser.wait_for("would be granted now").await;
    let all =
        page.lines().find_map(|line| line.strip_suffix(" would be granted now.")).context("how many")?;
    ensure!(all.chars().filter(char::is_ascii_digit).collect::<String>() == lines.to_string(), "{page}");
    browser.wait_until("a progress to watch", WATCH).await;
    person.sign("#list-key", "#list-start").await;
    let done = format!("{all} of {all} granted");
    browser.wait_for_within(&done, PATIENCE).await;
    browser.wait_for("All is granted.").await;
    let seen = browser.evaluate("return window.seen").await;
    let mut seen: Vec<u64> =
        seen.as_array().context("states")?.iter().filter_map(|value| value.as_u64()).collect();
    ensure!(seen.is_sorted(), "the progress went back: {seen:?}");
    seen.dedup();
    let parts = u64::from(lines).div_ceil(512);
    ensure!(
        seen.last() == Some(&u64::from(lines)) && seen.len() as u64 >= parts,
        "the progress was {seen:?}"
    );
    check(world, lines).await?;

    // The same file once more grants nothing.
    world.wait_for_pages().await?;
    browser.open(&format!("{}/grant/list", person.site)).await;
    browser.choose_file("#list-file", &file).await;
    browser.wait_for("Nothing is left to grant").await;
    println!("{lines} lines granted in the page, shown at {seen:?}");
    Ok(())
}

/// Every owner of the list has what the list says, and nothing else.
async fn check(world: &World, lines: u32) -> Result<()> {
    let snapshot = world.stage.client.finalised().await?;
    let mut wrong = BTreeMap::new();
    for (owner, amount) in (0..lines).map(line) {
        let granted: Vec<Credits> =
            snapshot.entitlements(&owner).await?.iter().map(|grant| grant.amounts.granted).collect();
        if granted != [amount] {
            wrong.insert(owner.to_ss58check(), granted);
        }
    }
    ensure!(wrong.is_empty(), "{} of {lines} owners have something else: {wrong:?}", wrong.len());
    Ok(())
}
