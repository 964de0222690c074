//! The council: how many of its members each kind of act needs.
//!
//! | kind of act | approvals | calls |
//! |---|---|---|
//! | [`Act::Ledger`] | more than 1/2 | prices, classes, programs, mint allowances, energy budgets, policies of wallets, what outcomes earn |
//! | [`Act::Members`] | at least 2/3 | roles (seats on the council among them), providers, evidence |
//! | [`Act::Validators`] | at least 2/3 | validators, node list, stalled finality |
//! | [`Act::Upgrade`] | at least 3/4 | another runtime |
//!
//! The only member of a council of one acts alone; with two members, both are needed for everything.
//! Why these: docs/decisions/010-council-thresholds.md.

use alloc::vec::Vec;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    parameter_types,
    traits::{Consideration, ConstU32, MaybeConsideration, NeverEnsureOrigin},
    weights::Weight,
};
use pallet_collective::{EnsureProportionAtLeast, EnsureProportionMoreThan, Instance1, PrimeDefaultVote};
use scale_info::TypeInfo;
use sp_runtime::{DispatchError, Perbill};
use stipend_primitives::council::Motion;

use crate::{AccountId, BlockNumber, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin};

use super::{system::RuntimeBlockWeights, weights::CouncilWeight, MINUTE};

/// The council among the instances of `pallet-collective`.
pub type CouncilInstance = Instance1;

/// More than half of the council.
pub type EnsureLedger = EnsureProportionMoreThan<AccountId, CouncilInstance, 1, 2>;

/// Two thirds of the council.
pub type EnsureMembers = EnsureProportionAtLeast<AccountId, CouncilInstance, 2, 3>;

/// Two thirds of the council.
pub type EnsureValidators = EnsureProportionAtLeast<AccountId, CouncilInstance, 2, 3>;

/// Three quarters of the council.
pub type EnsureUpgrade = EnsureProportionAtLeast<AccountId, CouncilInstance, 3, 4>;

/// Seats at most. A company that wants more people to decide has them decide about a seat's vote.
pub const SEATS_MAX: u32 = 15;

/// What one member may have put to the vote at a time: enough for a day's work, and too few to keep
/// the others from proposing.
pub const PROPOSALS_PER_MEMBER: u32 = 10;

/// Everything that can be voted on at a time: no member's proposals take another's place.
pub const PROPOSALS_MAX: u32 = SEATS_MAX * PROPOSALS_PER_MEMBER;

/// What a call needs the council for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Prices, classes, programs, mint allowances, energy budgets, policies of wallets, what outcomes earn.
    Ledger,
    /// Roles, providers, and the evidence that is asked of them.
    Members,
    /// Validators, the node list, stalled finality.
    Validators,
    /// Another runtime.
    Upgrade,
}

impl Act {
    /// Every kind.
    pub const ALL: [Act; 4] = [Act::Ledger, Act::Members, Act::Validators, Act::Upgrade];

    /// The kind of a call; `None` if the call is not the council's to make.
    pub fn of(call: &RuntimeCall) -> Option<Act> {
        use pallet_entitlements::Call as Entitlements;
        use pallet_evidence::Call as Evidence;
        use pallet_governance::Call as Governance;
        use pallet_merit::Call as Merit;
        use pallet_roles::Call as Roles;
        use pallet_settlement::Call as Settlement;
        match call {
            RuntimeCall::Pricing(_) => Some(Act::Ledger),
            RuntimeCall::Entitlements(
                Entitlements::register_class { .. }
                | Entitlements::create_program { .. }
                | Entitlements::increase_budget { .. }
                | Entitlements::set_mint_allowance { .. }
                | Entitlements::set_energy_budget { .. }
                | Entitlements::set_policy { .. },
            ) => Some(Act::Ledger),
            RuntimeCall::Merit(
                Merit::register_kind { .. } | Merit::announce_rule { .. } | Merit::decide { .. },
            ) => Some(Act::Ledger),
            RuntimeCall::Roles(Roles::grant_role { .. } | Roles::revoke_role { .. })
            | RuntimeCall::Settlement(
                Settlement::register_provider { .. }
                | Settlement::reinstate_provider { .. }
                | Settlement::set_grid_intensity { .. },
            )
            | RuntimeCall::Evidence(
                Evidence::set_trust { .. } | Evidence::set_keys { .. } | Evidence::set_class_policy { .. },
            ) => Some(Act::Members),
            RuntimeCall::Roles(_)
            | RuntimeCall::Governance(
                Governance::note_stalled { .. }
                | Governance::add_node { .. }
                | Governance::remove_node { .. },
            ) => Some(Act::Validators),
            RuntimeCall::Governance(Governance::authorize_upgrade { .. }) => Some(Act::Upgrade),
            _ => None,
        }
    }

    /// Approvals that an act of this kind needs in a council of `seats`.
    pub fn approvals(self, seats: u32) -> u32 {
        match self {
            Act::Ledger => seats / 2 + 1,
            Act::Members | Act::Validators => (seats * 2).div_ceil(3),
            Act::Upgrade => (seats * 3).div_ceil(4),
        }
    }
}

parameter_types! {
    /// A long weekend: whoever is asked on a Friday can answer on a Monday.
    pub const MotionDuration: BlockNumber = 4 * 24 * 60 * MINUTE;
    /// What is carried out at once leaves half of a block to everybody else.
    pub MaxProposalWeight: Weight = Perbill::from_percent(50) * RuntimeBlockWeights::get().max_block;
}

/// Lets a member propose as long as fewer than [`PROPOSALS_PER_MEMBER`] of its proposals are open.
///
/// `pallet-collective` remembers who proposed what in `CostOf`, and forgets it only when asked to.
/// Each new proposal has what is over forgotten, so there are never more entries than proposals.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ProposalTicket;

impl Consideration<AccountId, u32> for ProposalTicket {
    fn new(who: &AccountId, _open: u32) -> Result<Self, DispatchError> {
        use pallet_collective::{CostOf, ProposalOf};

        let mut open = 0;
        // Collected first: what is walked over must not change meanwhile.
        let proposers: Vec<_> = CostOf::<Runtime, CouncilInstance>::iter().collect();
        for (hash, (proposer, _ticket)) in proposers {
            if !ProposalOf::<Runtime, CouncilInstance>::contains_key(hash) {
                CostOf::<Runtime, CouncilInstance>::remove(hash);
            } else if proposer == *who {
                open += 1;
            }
        }
        if open >= PROPOSALS_PER_MEMBER {
            return Err(pallet_collective::Error::<Runtime, CouncilInstance>::TooManyProposals.into());
        }
        Ok(ProposalTicket)
    }

    fn update(self, _who: &AccountId, _open: u32) -> Result<Self, DispatchError> {
        Ok(self)
    }

    fn drop(self, _who: &AccountId) -> Result<(), DispatchError> {
        Ok(())
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn ensure_successful(_who: &AccountId, _open: u32) {}
}

impl MaybeConsideration<AccountId, u32> for ProposalTicket {
    fn is_none(&self) -> bool {
        false
    }
}

/// What the council votes on, oldest first.
pub fn motions() -> Vec<Motion> {
    use pallet_collective::{ProposalOf, Proposals, Voting};

    let mut motions: Vec<Motion> = Proposals::<Runtime, CouncilInstance>::get()
        .into_iter()
        .filter_map(|hash| {
            let call = ProposalOf::<Runtime, CouncilInstance>::get(hash)?.encode();
            // The fields of `pallet_collective::Votes` are private, their encoding is not.
            let votes = Voting::<Runtime, CouncilInstance>::get(hash)?.encode();
            let (index, approvals, yes, no, ends_at) = Decode::decode(&mut &votes[..]).ok()?;
            Some(Motion { hash, index, approvals, yes, no, ends_at, call })
        })
        .collect();
    motions.sort_by_key(|motion| motion.index);
    motions
}

impl pallet_collective::Config<CouncilInstance> for Runtime {
    type RuntimeOrigin = RuntimeOrigin;
    type Proposal = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type MotionDuration = MotionDuration;
    type MaxProposals = ConstU32<PROPOSALS_MAX>;
    type MaxMembers = ConstU32<SEATS_MAX>;
    /// Nobody is prime, so whoever does not vote, does not approve.
    type DefaultVote = PrimeDefaultVote;
    type WeightInfo = CouncilWeight;
    /// Seats come and go with the role in `pallet-roles`, and in no other way.
    type SetMembersOrigin = NeverEnsureOrigin<()>;
    type MaxProposalWeight = MaxProposalWeight;
    /// The council votes a proposal down.
    type DisapproveOrigin = NeverEnsureOrigin<()>;
    type KillOrigin = NeverEnsureOrigin<()>;
    type Consideration = ProposalTicket;
}

impl pallet_governance::Config for Runtime {
    type UpgradeOrigin = EnsureUpgrade;
    type NodesMax = ConstU32<{ stipend_primitives::NODES_MAX }>;
    type WeightInfo = pallet_governance::weights::SubstrateWeight<Runtime>;
}
