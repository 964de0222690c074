//! `stipend validators`: who makes blocks.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;
use stipend_sdk::{
    pallet_roles::Call,
    pallet_session,
    primitives::{settlement::Turnout, AccountId, BlockNumber, Role},
    proof::Document,
};

use crate::{
    context::Context,
    output::{yes, Answer, Rows},
    parse,
    verbs::documents,
};

/// Validators.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Add an account to the validator set; it then publishes its session keys (council).
    Add {
        /// Who.
        #[arg(value_parser = parse::account)]
        who: AccountId,
    },
    /// Remove an account from the validator set (council).
    Remove {
        /// Who.
        #[arg(value_parser = parse::account)]
        who: AccountId,
    },
    /// Let a validator that was suspended for equivocation make blocks again (council).
    Reinstate {
        /// Who.
        #[arg(value_parser = parse::account)]
        who: AccountId,
    },
    /// Have the validator's own node (--url) make new session keys, and publish them (the validator).
    #[command(visible_alias = "publish-keys")]
    RotateKeys,
    /// Show the validator set, and who makes blocks in this session.
    List,
    /// Write the validator set that signs what is final now: what proofs are checked with offline.
    Export {
        /// The file to make.
        file: PathBuf,
        /// The set that signs after this block instead; a node forgets the state of old blocks unless it
        /// is an archive.
        #[arg(long, value_name = "BLOCK")]
        at: Option<BlockNumber>,
    },
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Add { who } => {
                let human = format!(
                    "{} is a validator; it makes blocks from the second session on after `stipend validators rotate-keys`",
                    parse::address(&who)
                );
                let what = json!({ "account": who });
                let call = Call::add_validator { who };
                context.council(call, what, human).await
            }
            Verb::Remove { who } => {
                let human =
                    format!("{} stops making blocks with the second session from now", parse::address(&who));
                let what = json!({ "account": who });
                let call = Call::remove_validator { who };
                context.council(call, what, human).await
            }
            Verb::Reinstate { who } => {
                let human = format!("{} may make blocks again", parse::address(&who));
                let what = json!({ "account": who });
                let call = Call::reinstate_validator { who };
                context.council(call, what, human).await
            }
            Verb::RotateKeys => rotate_keys(context).await,
            Verb::List => list(context).await,
            Verb::Export { file, at } => export(context, &file, at).await,
        }
    }
}

async fn rotate_keys(context: &Context) -> Result<Answer> {
    let who = context.signer()?.account();
    context.would(json!({ "account": who, "node": context.options.url }), || {
        format!(
            "the node at {} would make new session keys, and {} would publish them",
            context.options.url,
            parse::address(&who)
        )
    })?;
    let made = context.client().await?.new_session_keys(&who).await?;
    let what = json!({ "account": who, "session_keys": made.public });
    let call = pallet_session::Call::set_keys { keys: made.keys, proof: made.proof };
    let done = context.carry_out(call).await?;
    let human = format!(
        "the node's new session keys are {}'s, in force from the second session on; keep the old ones until then",
        parse::address(&who)
    );
    Ok(Answer::done(&done, what, human))
}

async fn export(context: &Context, file: &Path, at: Option<BlockNumber>) -> Result<Answer> {
    let set = context.client().await?.validator_set(at).await?;
    let (set_id, fingerprint, count) = (set.set_id, set.fingerprint(), set.authorities.len());
    let json = json!({
        "file": file,
        "genesis": set.genesis,
        "set_id": set_id,
        "validators": count,
        "fingerprint": fingerprint,
    });
    let human =
        || format!("validator set {set_id} with {count} validators would be written to {}", file.display());
    context.would(json.clone(), human)?;
    documents::write_new(file, &Document::Validators(set))?;
    let human = format!(
        "validator set {set_id} with {count} validators: {}\nfingerprint {fingerprint:?}\nThis node said so; before you trust it, compare the fingerprint with that of other nodes or of somebody you trust.",
        file.display()
    );
    Answer::new(json, human)
}

async fn list(context: &Context) -> Result<Answer> {
    let ledger = context.ledger().await?;
    let (set, active, suspended, turnout) = futures::try_join!(
        ledger.members(Role::Validator),
        ledger.validators(),
        ledger.suspended_validators(),
        ledger.turnout(),
    )?;
    table(&set, &active, &suspended, &turnout)
}

fn table(
    set: &[AccountId],
    active: &[AccountId],
    suspended: &[AccountId],
    turnout: &Turnout,
) -> Result<Answer> {
    let mut all = set.to_vec();
    all.extend(active.iter().filter(|who| !set.contains(who)).cloned());
    let headings = &["account", "in the set", "authority now", "suspended", ">settlements voted on"];
    let mut rows = Rows::new(headings, "there is no validator");
    let mut json = Vec::new();
    for who in all {
        let (in_set, is_active) = (set.contains(&who), active.contains(&who));
        let is_suspended = suspended.contains(&who);
        let votes = turnout.votes.iter().find(|(voter, _)| *voter == who).map(|(_, votes)| *votes);
        let voted = votes.map_or_else(|| "-".into(), |votes| format!("{votes} of {}", turnout.settled));
        rows.push([parse::address(&who), yes(in_set), yes(is_active), yes(is_suspended), voted]);
        json.push(json!({
            "account": who,
            "in_set": in_set,
            "makes_blocks": is_active && !is_suspended,
            "suspended": is_suspended,
            "settlements_voted_on": votes,
            "settlements": turnout.settled,
        }));
    }
    Answer::new(json, rows.finish())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_suspended_authority_makes_no_blocks_and_a_leaving_one_still_does() {
        let [alice, bob, carol] = ["//Alice", "//Bob", "//Charlie"].map(|name| parse::account(name).unwrap());
        let turnout = Turnout { settled: 9, votes: vec![(alice.clone(), 7)] };
        let set = [alice.clone(), bob.clone()];
        let answer = table(&set, &[alice, bob.clone(), carol], &[bob], &turnout).unwrap();
        assert_eq!(answer.json[0]["settlements_voted_on"], 7);
        assert!(answer.human.contains("7 of 9"));
        assert_eq!(answer.json[0]["makes_blocks"], true);
        assert_eq!(
            (&answer.json[1]["makes_blocks"], &answer.json[1]["suspended"]),
            (&json!(false), &json!(true))
        );
        assert_eq!(
            (&answer.json[2]["in_set"], &answer.json[2]["makes_blocks"]),
            (&json!(false), &json!(true))
        );
    }
}
