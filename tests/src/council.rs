//! A council that agrees: whatever one proposes, the others approve.

use anyhow::{ensure, Context, Result};
use futures::future::try_join_all;
use stipend_primitives::council::Motion;
use stipend_runtime::RuntimeCall;
use stipend_sdk::{Client, CouncilAct, Finalised, Signer};

/// The keys of a chain's council.
pub struct Council {
    members: Vec<Signer>,
}

impl Council {
    /// The council of the development chain and of the local one: those of Alice, Bob and Charlie who
    /// have a seat.
    pub fn of_development() -> Result<Self> {
        let members = ["//Alice", "//Bob", "//Charlie"].map(Signer::from_uri).into_iter();
        Ok(Council { members: members.collect::<Result<_, _>>()? })
    }

    /// A council of these keys.
    pub fn new(members: Vec<Signer>) -> Self {
        Council { members }
    }

    /// Has the council carry out a call.
    pub async fn act(&self, client: &Client, call: impl Into<RuntimeCall>) -> Result<Finalised> {
        self.acts(client, vec![call.into()]).await?.pop().context("one call, one act")
    }

    /// Has the council carry out calls, in this order.
    pub async fn acts(&self, client: &Client, calls: Vec<RuntimeCall>) -> Result<Vec<Finalised>> {
        let seats = client.finalised().await?.seats().await?;
        let mut seated = self.members.iter().filter(|member| seats.contains(&member.account()));
        let first = seated.next().context("none of these keys has a seat on the council")?;
        let others: Vec<&Signer> = seated.collect();
        let mut done = Vec::with_capacity(calls.len());
        for act in client.council_acts(calls, first).await? {
            done.push(match act {
                CouncilAct::Done(finalised) => finalised,
                CouncilAct::Proposed { motion, .. } => carry(client, &motion, first, &others).await?,
            });
        }
        Ok(done)
    }
}

/// Has the others approve a proposal that the first approved already, and closes the vote.
async fn carry(client: &Client, motion: &Motion, first: &Signer, others: &[&Signer]) -> Result<Finalised> {
    let missing = (motion.approvals as usize).saturating_sub(motion.yes.len());
    ensure!(missing <= others.len(), "the act needs {missing} more members, and {} are here", others.len());
    let votes = others[..missing].iter().map(|member| client.council_vote(motion.hash, true, member));
    try_join_all(votes).await?;
    let (done, carried_out) = client.council_close(motion.hash, first).await?;
    ensure!(carried_out, "the council approved {:?}, and it was not carried out", motion.hash);
    Ok(done)
}
