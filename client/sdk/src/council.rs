//! Acts of the council.
//!
//! Nobody acts alone on a council of several: a member proposes, the others vote, and whoever likes
//! closes the vote once there are enough approvals, which carries the act out. The only member of a
//! council of one proposes and acts in one transaction.

use codec::Encode;
use frame_support::{dispatch::GetDispatchInfo, traits::GetCallMetadata};
use sp_core::H256;
use sp_runtime::DispatchResult;
use stipend_primitives::{council::Motion, settlement::Turnout, AccountId, NodeKey};
use stipend_runtime::{
    configs::council::{Act, CouncilInstance},
    Runtime, RuntimeCall, RuntimeEvent,
};

use crate::{
    client::{BlockRef, Client},
    rpc_error::RpcError,
    signer::Signer,
    snapshot::Snapshot,
    submit::{Finalised, Prepared, SubmitError},
};

type Call = pallet_collective::Call<Runtime, CouncilInstance>;
type Event = pallet_collective::Event<Runtime, CouncilInstance>;

/// What came of an act of the council.
#[derive(Clone, Debug)]
pub enum CouncilAct {
    /// The council has one member, and the act was carried out.
    Done(Finalised),
    /// The act was proposed, and approved by who proposed it.
    Proposed {
        /// The proposal and the votes on it.
        motion: Motion,
        /// The transaction that made it.
        at: Finalised,
    },
}

impl CouncilAct {
    /// The act, if it was carried out.
    pub fn done(self) -> Option<Finalised> {
        match self {
            CouncilAct::Done(done) => Some(done),
            CouncilAct::Proposed { .. } => None,
        }
    }
}

/// A transaction of the council's only member that carries a call out.
pub fn alone(call: RuntimeCall) -> RuntimeCall {
    propose(call, 1)
}

fn propose(call: RuntimeCall, threshold: u32) -> RuntimeCall {
    let length_bound = call.encoded_size() as u32;
    Call::propose { threshold, proposal: Box::new(call), length_bound }.into()
}

/// Approvals that a call needs in a council of `seats`. A call that is not the council's to make gets
/// as many as the strictest kind needs: the chain decides.
fn approvals(call: &RuntimeCall, seats: u32) -> u32 {
    Act::of(call).unwrap_or(Act::Upgrade).approvals(seats)
}

impl Client {
    /// Has the council carry out a call, or proposes it to the council where the signer is not the
    /// only member. Waits until that is final.
    pub async fn council_act(&self, call: RuntimeCall, signer: &Signer) -> Result<CouncilAct, SubmitError> {
        let threshold = approvals(&call, self.council_size().await?);
        let sent = self.send_new(propose(call, threshold), signer).await?;
        self.act_of(threshold, &sent, signer).await
    }

    /// The same with several calls, which are sent one right after the other, in this order.
    pub async fn council_acts(
        &self,
        calls: Vec<RuntimeCall>,
        signer: &Signer,
    ) -> Result<Vec<CouncilAct>, SubmitError> {
        let seats = self.council_size().await?;
        let mut sent = Vec::with_capacity(calls.len());
        for call in calls {
            let threshold = approvals(&call, seats);
            sent.push((threshold, self.send_new(propose(call, threshold), signer).await?));
        }
        let mut acts = Vec::with_capacity(sent.len());
        for (threshold, prepared) in &sent {
            acts.push(self.act_of(*threshold, prepared, signer).await?);
        }
        Ok(acts)
    }

    /// Seats as of the newest block: a proposal is judged on top of that, final or not.
    async fn council_size(&self) -> Result<u32, RpcError> {
        Ok(self.at(self.best_head().await?.hash).seats().await?.len() as u32)
    }

    /// Waits for a proposal; one that needs more than one approval gets the proposer's.
    async fn act_of(
        &self,
        threshold: u32,
        sent: &Prepared,
        signer: &Signer,
    ) -> Result<CouncilAct, SubmitError> {
        let done = self.watch(sent).await?;
        if threshold < 2 {
            return Ok(CouncilAct::Done(carried_out(done)?));
        }
        self.approve_own(done, signer).await
    }

    /// The approval of who proposed: proposing is no vote by itself.
    async fn approve_own(&self, proposed: Finalised, signer: &Signer) -> Result<CouncilAct, SubmitError> {
        let found = proposed.events.iter().find_map(|event| match event {
            RuntimeEvent::Council(Event::Proposed { proposal_hash, proposal_index, .. }) => {
                Some((*proposal_hash, *proposal_index))
            }
            _ => None,
        });
        let Some((hash, index)) = found else { return Ok(CouncilAct::Done(carried_out(proposed)?)) };
        let vote = Call::vote { proposal: hash, index, approve: true };
        let voted = self.submit_finalised(vote.into(), signer).await?;
        let motion = self.at(voted.block_hash).motion(hash).await?;
        Ok(CouncilAct::Proposed { motion, at: proposed })
    }

    /// Votes on a proposal. Waits until the vote is final, and answers with the votes of then.
    pub async fn council_vote(
        &self,
        proposal: H256,
        approve: bool,
        signer: &Signer,
    ) -> Result<(Finalised, Motion), SubmitError> {
        let index = self.latest().await?.motion(proposal).await?.index;
        let done = self.submit_finalised(Call::vote { proposal, index, approve }.into(), signer).await?;
        let motion = self.at(done.block_hash).motion(proposal).await?;
        Ok((done, motion))
    }

    /// Ends the vote on a proposal: it is carried out if it has its approvals, and dropped if it cannot
    /// have them any more. Answers with whether it was carried out.
    pub async fn council_close(
        &self,
        proposal: H256,
        signer: &Signer,
    ) -> Result<(Finalised, bool), SubmitError> {
        let motion = self.latest().await?.motion(proposal).await?;
        let call = motion_call(&motion)?;
        let close = Call::close {
            proposal_hash: proposal,
            index: motion.index,
            proposal_weight_bound: call.get_dispatch_info().call_weight,
            length_bound: motion.call.len() as u32,
        };
        let done = self.submit_finalised(close.into(), signer).await?;
        if verdict(&done).is_none() {
            return Ok((done, false));
        }
        Ok((carried_out(done)?, true))
    }
}

/// The call that a proposal is about.
pub fn motion_call(motion: &Motion) -> Result<RuntimeCall, RpcError> {
    codec::DecodeAll::decode_all(&mut &motion.call[..]).map_err(|error| RpcError::Unreadable {
        method: "CouncilApi_motions".into(),
        cause: format!("{error}; install the client that belongs to the chain"),
    })
}

/// What a call is, as `Pallet.call`.
pub fn call_name(call: &RuntimeCall) -> String {
    let names = call.get_call_metadata();
    format!("{}.{}", names.pallet_name, names.function_name)
}

/// What became of the act in a transaction, if one was carried out.
fn verdict(done: &Finalised) -> Option<DispatchResult> {
    done.events.iter().find_map(|event| match event {
        RuntimeEvent::Council(Event::Executed { result, .. }) => Some(*result),
        _ => None,
    })
}

/// An act that failed is a failure, though the transaction that voted for it succeeded.
fn carried_out(done: Finalised) -> Result<Finalised, SubmitError> {
    match verdict(&done) {
        Some(Err(error)) => {
            let at = BlockRef { number: done.block_number, hash: done.block_hash };
            Err(SubmitError::Failed { failure: error.into(), at })
        }
        _ => Ok(done),
    }
}

/// The council and what it decides about.
impl Snapshot {
    /// The accounts with a seat on the council, sorted.
    pub async fn seats(&self) -> Result<Vec<AccountId>, RpcError> {
        self.runtime_api("CouncilApi_seats", ()).await
    }

    /// What the council votes on, oldest first.
    pub async fn motions(&self) -> Result<Vec<Motion>, RpcError> {
        self.runtime_api("CouncilApi_motions", ()).await
    }

    /// One proposal.
    pub async fn motion(&self, hash: H256) -> Result<Motion, RpcError> {
        let found = self.motions().await?.into_iter().find(|motion| motion.hash == hash);
        found.ok_or(RpcError::NoSuchProposal(hash))
    }

    /// The validators that may make no blocks until the council reinstates them.
    pub async fn suspended_validators(&self) -> Result<Vec<AccountId>, RpcError> {
        self.runtime_api("RolesApi_suspended_validators", ()).await
    }

    /// Who votes on settlements in the session under way.
    pub async fn turnout(&self) -> Result<Turnout, RpcError> {
        self.runtime_api("SettlementApi_turnout", ()).await
    }

    /// Network key and name of each node of the network, sorted; none: everybody may take part.
    pub async fn nodes(&self) -> Result<Vec<(NodeKey, Vec<u8>)>, RpcError> {
        self.runtime_api("NodesApi_nodes", ()).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sp_runtime::DispatchError;

    fn finalised(events: Vec<Event>) -> Finalised {
        Finalised {
            block_hash: H256::repeat_byte(1),
            block_number: 7,
            extrinsic_hash: H256::repeat_byte(2),
            events: events.into_iter().map(RuntimeEvent::Council).collect(),
        }
    }

    fn executed(result: DispatchResult) -> Event {
        Event::Executed { proposal_hash: H256::zero(), result }
    }

    #[test]
    fn an_act_that_failed_is_a_failure_though_its_transaction_was_carried_out() {
        let error = carried_out(finalised(vec![executed(Err(DispatchError::BadOrigin))])).unwrap_err();
        assert!(error.failure().unwrap().is("Runtime", "BadOrigin"));
        assert!(carried_out(finalised(vec![executed(Ok(()))])).is_ok());
    }

    #[test]
    fn a_vote_that_was_lost_carries_nothing_out() {
        let done = finalised(vec![Event::Disapproved { proposal_hash: H256::zero() }]);
        assert_eq!(verdict(&done), None);
    }

    #[test]
    fn a_call_asks_for_the_approvals_of_its_kind() {
        let upgrade = pallet_governance::Call::authorize_upgrade { code_hash: H256::zero() }.into();
        let publish = pallet_pricing::Call::publish { entries: Default::default() }.into();
        assert_eq!((approvals(&upgrade, 8), approvals(&publish, 8)), (6, 5));
        assert_eq!((approvals(&upgrade, 1), approvals(&publish, 1)), (1, 1));
        // What the council may not do is left to the chain to refuse.
        let remark = frame_system::Call::remark { remark: vec![] }.into();
        assert_eq!(approvals(&remark, 4), 3);
    }

    #[test]
    fn a_proposal_shows_its_call() {
        let call: RuntimeCall = frame_system::Call::remark { remark: b"hello".to_vec() }.into();
        let mut motion = Motion {
            hash: H256::zero(),
            index: 0,
            approvals: 2,
            yes: vec![],
            no: vec![],
            ends_at: 9,
            call: call.encode(),
        };
        assert_eq!(motion_call(&motion).unwrap(), call);
        assert_eq!(call_name(&call), "System.remark");
        motion.call.push(0);
        assert!(motion_call(&motion).unwrap_err().to_string().contains("install the client"));
    }
}
