//! Weights of the SDK's pallets where this runtime has them do more.

use frame_support::weights::Weight;
use pallet_collective::{weights::SubstrateWeight, WeightInfo};

use crate::Runtime;

use super::system::DbWeight;

type Sdk = SubstrateWeight<Runtime>;

/// The SDK's weights of `pallet-collective`, and what [`super::council::ProposalTicket`] costs: it
/// looks at every open proposal.
pub struct CouncilWeight;

impl WeightInfo for CouncilWeight {
    fn set_members(m: u32, n: u32, p: u32) -> Weight {
        Sdk::set_members(m, n, p)
    }

    fn execute(b: u32, m: u32) -> Weight {
        Sdk::execute(b, m)
    }

    fn propose_execute(b: u32, m: u32) -> Weight {
        Sdk::propose_execute(b, m)
    }

    fn propose_proposed(b: u32, m: u32, p: u32) -> Weight {
        // Per proposal: who made it, whether it is still open, and that it is forgotten if not.
        Sdk::propose_proposed(b, m, p)
            .saturating_add(DbWeight::get().reads_writes(2, 1).saturating_mul(p.into()))
    }

    fn vote(m: u32) -> Weight {
        Sdk::vote(m)
    }

    fn close_early_disapproved(m: u32, p: u32) -> Weight {
        Sdk::close_early_disapproved(m, p)
    }

    fn close_early_approved(b: u32, m: u32, p: u32) -> Weight {
        Sdk::close_early_approved(b, m, p)
    }

    fn close_disapproved(m: u32, p: u32) -> Weight {
        Sdk::close_disapproved(m, p)
    }

    fn close_approved(b: u32, m: u32, p: u32) -> Weight {
        Sdk::close_approved(b, m, p)
    }

    fn disapprove_proposal(p: u32) -> Weight {
        Sdk::disapprove_proposal(p)
    }

    fn kill(d: u32, p: u32) -> Weight {
        Sdk::kill(d, p)
    }

    fn release_proposal_cost() -> Weight {
        Sdk::release_proposal_cost()
    }
}
