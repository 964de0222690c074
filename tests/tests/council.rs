//! The council as its members use it: one acts alone until there are three, and then nobody does.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use stipend_primitives::{AccountId, Role};
use stipend_sdk::{Client, CouncilAct, Signer};
use stipend_tests::{
    company::prices,
    council::Council,
    process::program,
    services::{work_dir, Node},
};

/// The `stipend` command on one node.
struct Stipend<'a> {
    node: &'a Node,
    program: PathBuf,
}

impl Stipend<'_> {
    /// Runs a verb as one of the development accounts; answers with its exit code and what it printed.
    fn run(&self, who: &str, verb: &[&str]) -> Result<(i32, Value)> {
        let output = Command::new(&self.program)
            .args(["--json", "--url", &self.node.url, "--dev-key", who])
            .args(verb)
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
}

fn grant(who: AccountId, role: Role) -> pallet_roles::Call<stipend_runtime::Runtime> {
    pallet_roles::Call::grant_role { who, role, allowance: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_members_decide_what_one_decided_alone() -> Result<()> {
    let dir = work_dir("test-council")?;
    let node = Node::start(&dir).await?;
    let client = Client::connect(&node.url).await?;
    let [alice, bob, charlie, eve] = ["//Alice", "//Bob", "//Charlie", "//Eve"].map(Signer::from_uri);
    let (alice, bob, charlie, eve) = (alice?, bob?, charlie?, eve?);

    // Alone, she seats two more. From then on she needs one of them.
    for member in [&bob, &charlie] {
        let act = client.council_act(grant(member.account(), Role::Council).into(), &alice).await?;
        match act {
            CouncilAct::Done(_) => {}
            CouncilAct::Proposed { motion, .. } => {
                // The second seat takes the first new member's approval already.
                client.council_vote(motion.hash, true, &bob).await?;
                client.council_close(motion.hash, &alice).await?;
            }
        }
    }
    ensure!(client.finalised().await?.seats().await?.len() == 3, "the council has not three seats");
    let act = client.council_act(grant(eve.account(), Role::Issuer).into(), &alice).await?;
    ensure!(matches!(act, CouncilAct::Proposed { .. }), "one of three acted alone");
    ensure!(client.finalised().await?.roles(&eve.account()).await?.is_empty(), "an open proposal was done");

    by_command(&node, &eve).await?;
    by_library(&client, &eve).await
}

/// The rest of the vote, with the `stipend` command.
async fn by_command(node: &Node, eve: &Signer) -> Result<()> {
    let stipend = Stipend { node, program: program("stipend")? };
    let list = stipend.done("//Bob", &["council", "list"])?;
    let proposal = list[0]["hash"].as_str().context("one proposal is open")?.to_owned();
    ensure!(list[0]["act"] == "Roles.grant_role", "another proposal is open: {list}");

    let (code, refusal) = stipend.run("//Alice", &["council", "close", &proposal])?;
    ensure!(
        code == 1 && refusal["error"].to_string().contains("TooEarly"),
        "closed with too few votes: {refusal}"
    );
    stipend.done("//Bob", &["council", "vote", &proposal, "yes"])?;
    let closed = stipend.done("//Charlie", &["council", "close", &proposal])?;
    ensure!(closed["carried_out"] == true, "the vote carried nothing out: {closed}");
    let roles = stipend.done("//Bob", &["roles", "list", "--account", &eve.address()])?;
    ensure!(roles[0]["role"] == "issuer", "Eve did not get the role: {roles}");

    // Voted down, a proposal does nothing.
    let proposed = stipend.done("//Charlie", &["roles", "revoke", "issuer", &eve.address()])?;
    let proposal = proposed["proposal"]["hash"].as_str().context("it was proposed")?.to_owned();
    stipend.done("//Alice", &["council", "vote", &proposal, "no"])?;
    stipend.done("//Bob", &["council", "vote", &proposal, "no"])?;
    let closed = stipend.done("//Alice", &["council", "close", &proposal])?;
    ensure!(closed["carried_out"] == false, "what was voted down was carried out: {closed}");

    let (code, gone) = stipend.run("//Alice", &["council", "vote", &proposal, "yes"])?;
    ensure!(code == 4, "a closed proposal is still there: {gone}");
    refuse_other_files(&stipend, Path::new("Cargo.toml"))
}

/// What is no runtime is never proposed.
fn refuse_other_files(stipend: &Stipend, file: &Path) -> Result<()> {
    let file = stipend_tests::services::repository().join(file);
    let (code, refusal) =
        stipend.run("//Alice", &["council", "propose-upgrade", &file.display().to_string()])?;
    ensure!(code == 64, "a text file was proposed as a runtime: {refusal}");
    Ok(())
}

/// Several acts, one after the other, with the library.
async fn by_library(client: &Client, eve: &Signer) -> Result<()> {
    let council = Council::of_development()?;
    let publish = pallet_pricing::Call::publish { entries: prices() };
    let revoke = pallet_roles::Call::revoke_role { who: eve.account(), role: Role::Issuer };
    let done = council.acts(client, vec![publish.into(), revoke.into()]).await?;
    ensure!(done.len() == 2, "two acts were asked for");
    let ledger = client.finalised().await?;
    ensure!(ledger.current_book().await?.is_some(), "the prices were not published");
    ensure!(ledger.roles(&eve.account()).await?.is_empty(), "Eve still has a role");
    ensure!(ledger.motions().await?.is_empty(), "a proposal is left over");

    // An act that the chain refuses is an error, though the vote for it went through.
    let again = pallet_roles::Call::revoke_role { who: eve.account(), role: Role::Issuer };
    let refusal = council.act(client, again).await.err().context("what cannot be done was done")?;
    ensure!(format!("{refusal:#}").contains("RoleNotHeld"), "another refusal: {refusal:#}");
    Ok(())
}
