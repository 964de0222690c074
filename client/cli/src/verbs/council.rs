//! `stipend council`: what the council decides.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde_json::{json, Value};
use sp_core::H256;
use stipend_sdk::{
    council::{call_name, motion_call},
    pallet_governance,
    primitives::{council::Motion, AccountId, BlockNumber, Role},
    upgrade, Finalised,
};

use crate::{
    context::Context,
    failure::Failure,
    output::{yes, Answer, Rows},
    parse,
};

/// The council.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show who has a seat.
    Members,
    /// Show what is being voted on.
    List,
    /// Vote on a proposal (council).
    Vote {
        /// The proposal, as `list` shows it.
        #[arg(value_parser = parse::hash)]
        proposal: H256,
        /// For it or against it.
        vote: Vote,
    },
    /// End the vote on a proposal: it is carried out if it has its approvals (anybody with a role).
    Close {
        /// The proposal, as `list` shows it.
        #[arg(value_parser = parse::hash)]
        proposal: H256,
    },
    /// Propose another runtime (council); with its last approval anybody with a role can apply it.
    ProposeUpgrade {
        /// Its code: the compact compressed WASM that the build makes.
        file: PathBuf,
    },
    /// Have the validators of the next session start a new GRANDPA authority set, because the present one
    /// can finalise nothing any more (council; with --not-final, as nothing becomes final).
    NoteStalled {
        /// Blocks after the next session's beginning until the new set is in force: enough that nobody
        /// doubts that block any more.
        #[arg(long, value_name = "BLOCKS")]
        delay: BlockNumber,
        /// The last finalised block; what the node takes for it if not given.
        #[arg(long, value_name = "BLOCK")]
        best_finalized: Option<BlockNumber>,
    },
    /// Bring the code of the runtime that the council voted for (anybody with a role).
    ApplyUpgrade {
        /// The same file that was proposed.
        file: PathBuf,
    },
}

/// A vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Vote {
    /// For it.
    Yes,
    /// Against it.
    No,
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Members => members(context.ledger().await?.seats().await?),
            Verb::List => list(&context.ledger().await?.motions().await?),
            Verb::Vote { proposal, vote } => cast(context, proposal, vote == Vote::Yes).await,
            Verb::Close { proposal } => close(context, proposal).await,
            Verb::ProposeUpgrade { file } => propose_upgrade(context, &file).await,
            Verb::NoteStalled { delay, best_finalized } => note_stalled(context, delay, best_finalized).await,
            Verb::ApplyUpgrade { file } => apply_upgrade(context, &file).await,
        }
    }
}

async fn cast(context: &Context, proposal: H256, approve: bool) -> Result<Answer> {
    let (signer, client) = (context.signer()?, context.client().await?);
    let side = if approve { "for" } else { "against" };
    context.would(json!({ "proposal": proposal, "approve": approve, "signer": signer.address() }), || {
        format!("{} would vote {side} {proposal:?}", signer.address())
    })?;
    let spinner = context.spinner("waiting for a finalised block");
    let voted = client.council_vote(proposal, approve, &signer).await;
    spinner.finish_and_clear();
    let (done, motion) = voted?;
    Ok(Answer::done(
        &done,
        json!({ "proposal": motion }),
        format!("voted {side} it; {}", still_needed(&motion)),
    ))
}

async fn close(context: &Context, proposal: H256) -> Result<Answer> {
    let (signer, client) = (context.signer()?, context.client().await?);
    context.would(json!({ "proposal": proposal, "signer": signer.address() }), || {
        format!("{} would close the vote on {proposal:?}", signer.address())
    })?;
    let spinner = context.spinner("waiting for a finalised block");
    let closed = client.council_close(proposal, &signer).await;
    spinner.finish_and_clear();
    let (done, carried_out) = closed?;
    let human = if carried_out {
        "the act was carried out"
    } else {
        "the proposal was dropped: it did not get the approvals that it needed"
    };
    Ok(Answer::done(&done, json!({ "proposal": proposal, "carried_out": carried_out }), human))
}

async fn propose_upgrade(context: &Context, file: &Path) -> Result<Answer> {
    let code = read_runtime(file)?;
    let hash = upgrade::hash(&code);
    let human = format!(
        "the runtime {hash:?} ({} bytes) is authorised; `stipend council apply-upgrade {}` puts it in force",
        code.len(),
        file.display()
    );
    let what = json!({ "code_hash": hash, "bytes": code.len() });
    context.council(upgrade::authorize(&code), what, human).await
}

async fn note_stalled(
    context: &Context,
    delay: BlockNumber,
    best_finalized: Option<BlockNumber>,
) -> Result<Answer> {
    let best_finalized = match best_finalized {
        Some(block) => block,
        None => context.client().await?.finalised_head().await?.number,
    };
    ensure_that_removed_validators_left(context).await?;
    let what = json!({ "delay": delay, "best_finalized": best_finalized });
    let human = format!(
        "the validators of the next session finalise on top of block {best_finalized}, {delay} blocks after it began"
    );
    context.council(pallet_governance::Call::note_stalled { delay, best_finalized }, what, human).await
}

/// A new set of voters with one in it that is gone would be as stuck as the present one.
async fn ensure_that_removed_validators_left(context: &Context) -> Result<()> {
    let ledger = context.ledger().await?;
    let (set, authorities) = futures::try_join!(ledger.members(Role::Validator), ledger.validators())?;
    match authorities.iter().find(|who| !set.contains(who)) {
        None => Ok(()),
        Some(who) => Err(Failure::bad_input(format!(
            "{} was removed but is an authority until the end of the next session: wait until `stipend validators \
             list` shows it no more, and propose it then",
            parse::address(who)
        ))
        .into()),
    }
}

async fn apply_upgrade(context: &Context, file: &Path) -> Result<Answer> {
    let code = read_runtime(file)?;
    let (hash, bytes) = (upgrade::hash(&code), code.len());
    match context.ledger().await?.authorized_upgrade().await? {
        Some(authorized) if authorized == hash => {}
        Some(authorized) => {
            return Err(Failure::bad_input(format!(
                "the council voted for the runtime {authorized:?}, and {} holds {hash:?}: take the file that was proposed",
                file.display()
            ))
            .into())
        }
        None => {
            return Err(Failure::not_found(
                "no upgrade is authorised: it was applied already, or `stipend council propose-upgrade` and the votes are still to come",
            )
            .into())
        }
    }
    let (signer, client) = (context.signer()?, context.client().await?);
    context.would(json!({ "code_hash": hash, "bytes": bytes, "signer": signer.address() }), || {
        format!("{} would bring the runtime {hash:?} ({bytes} bytes)", signer.address())
    })?;
    let spinner = context.spinner("waiting for a finalised block");
    let applied = client.apply_upgrade(code, &signer).await;
    spinner.finish_and_clear();
    let done = applied?;
    let version = client.runtime_version().await?.spec_version;
    let what = json!({ "code_hash": hash, "bytes": bytes, "spec_version": version });
    Ok(Answer::done(&done, what, format!("the chain runs version {version} of its runtime")))
}

fn read_runtime(file: &Path) -> Result<Vec<u8>> {
    let code = std::fs::read(file)
        .map_err(|error| Failure::bad_input(format!("cannot read {}: {error}", file.display())))?;
    if !upgrade::is_runtime(&code) {
        return Err(Failure::bad_input(format!(
            "{} holds no runtime: give the WASM that the build makes, stipend_runtime.compact.compressed.wasm",
            file.display()
        ))
        .into());
    }
    Ok(code)
}

/// The answer where an act was proposed and has to be voted on.
pub(crate) fn proposed(motion: &Motion, at: &Finalised) -> Answer {
    let human = format!("proposed to the council as {:?}; {}", motion.hash, still_needed(motion));
    Answer::done(at, json!({ "proposal": motion }), human)
}

fn still_needed(motion: &Motion) -> String {
    let hash = motion.hash;
    let missing = (motion.approvals as usize).saturating_sub(motion.yes.len());
    if missing == 0 {
        return format!(
            "it has its {} approvals: `stipend council close {hash:?}` carries it out",
            motion.approvals
        );
    }
    format!(
        "it has {} of {} approvals: before block {} {missing} more of `stipend council vote {hash:?} yes`, and then `stipend council close {hash:?}`",
        motion.yes.len(),
        motion.approvals,
        motion.ends_at,
    )
}

fn members(seats: Vec<AccountId>) -> Result<Answer> {
    let mut rows = Rows::new(&["member"], "the council is empty");
    for who in &seats {
        rows.push([parse::address(who)]);
    }
    Answer::new(seats, rows.finish())
}

fn list(motions: &[Motion]) -> Result<Answer> {
    let mut rows = Rows::new(
        &["proposal", "act", ">yes", ">needed", ">no", "can be closed", ">ends at block", "arguments"],
        "the council votes on nothing",
    );
    let mut all = Vec::new();
    for motion in motions {
        let call = motion_call(motion)?;
        rows.push([
            format!("{:?}", motion.hash),
            call_name(&call),
            motion.yes.len().to_string(),
            motion.approvals.to_string(),
            motion.no.len().to_string(),
            yes(motion.yes.len() >= motion.approvals as usize),
            motion.ends_at.to_string(),
            format!("{call:?}"),
        ]);
        let mut shown = serde_json::to_value(motion)?;
        if let Value::Object(fields) = &mut shown {
            fields.insert("act".into(), call_name(&call).into());
            fields.insert("arguments".into(), format!("{call:?}").into());
        }
        all.push(shown);
    }
    Answer::new(all, rows.finish())
}

#[cfg(test)]
mod tests;
