//! Every command of docs/operate.md is run, and does what the page says.

use std::path::Path;

use anyhow::{bail, ensure, Context, Result};
use stipend_primitives::AccountId;
use stipend_sdk::Client;
use stipend_tests::{
    operator::{wait_until, PATIENCE},
    page::{steps, Machines, Step},
    services::{repository, work_dir},
};

/// The hosts of the page, in the order of their addresses.
const HOSTS: [&str; 7] = ["munich", "oslo", "paris", "rome", "reader", "lyon", "desk"];

/// Sessions of the page's network, in blocks: the shortest, for the page's ten minutes are too long for a test.
const SESSION_BLOCKS: &str = "10";

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_page_does_what_it_says() -> Result<()> {
    if std::env::var_os("STIPEND_TEST_LONG").is_none() {
        println!("NOT RUN: running the operators' page is part of `make test-long`");
        return Ok(());
    }
    let root = work_dir("test-operate-page")?;
    let Some(machines) = Machines::new(&root, &HOSTS)? else { return Ok(()) };
    let page = std::fs::read_to_string(repository().join("docs/operate.md"))?;
    let steps = steps(&page);
    ensure!(steps.len() > 15, "the page has only {} steps", steps.len());
    let mut client = None;
    for step in steps {
        match step {
            Step::Run { hosts, commands } => {
                for host in hosts {
                    println!("--- {host}\n{commands}");
                    let variables = [("STIPEND_SESSION_BLOCKS", SESSION_BLOCKS)];
                    let said = tokio::task::block_in_place(|| machines.run(&host, &commands, &variables))?;
                    println!("{said}");
                }
            }
            Step::Expect(words) => {
                println!("--- expect {words:?}");
                if client.is_none() {
                    client = Some(Client::connect_within(&machines.rpc["reader"], PATIENCE).await?);
                }
                let client = client.as_ref().context("not connected")?;
                expect(&machines, &root, client, &words).await?;
            }
        }
    }
    Ok(())
}

async fn expect(machines: &Machines, root: &Path, client: &Client, words: &[String]) -> Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["final"] => {
            let from = client.best_head().await?.number;
            wait_until("blocks become final", || async {
                Ok((client.finalised_head().await?.number > from).then_some(()))
            })
            .await
        }
        ["makes-blocks", host] => makes_blocks(client, &account_of(root, host)?, true).await,
        ["makes-no-blocks", host] => makes_blocks(client, &account_of(root, host)?, false).await,
        ["lose", ref hosts @ ..] => hosts.iter().try_for_each(|host| machines.lose(host)),
        _ => bail!("the page expects something that the test does not know: {words:?}"),
    }
}

async fn makes_blocks(client: &Client, who: &AccountId, wanted: bool) -> Result<()> {
    wait_until("the validator set changes", || async {
        let validators = client.finalised().await?.validators().await?;
        Ok((validators.contains(who) == wanted).then_some(()))
    })
    .await
}

/// A validator's account, by its folder on the desk.
fn account_of(root: &Path, host: &str) -> Result<AccountId> {
    let facts = std::fs::read_to_string(root.join("desk/acme/hosts").join(host).join("host.toml"))?;
    let line = facts.lines().find_map(|line| line.strip_prefix("validator = ")).context("no validator")?;
    line.trim_matches('"').parse().map_err(|_| anyhow::anyhow!("{line} is no account"))
}
