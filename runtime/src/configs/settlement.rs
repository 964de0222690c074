//! Settlement, and evidence of the providers' hardware.

use frame_support::traits::ConstU32;

use crate::{
    transaction::BatchOfExtrinsic, Entitlements, Evidence, Pricing, Receipts, Roles, Runtime, Timestamp,
};

use super::{council::EnsureMembers, MINUTE};

impl pallet_settlement::Config for Runtime {
    type CouncilOrigin = EnsureMembers;
    type Roles = Roles;
    type Ledger = Entitlements;
    type Prices = Pricing;
    type Unsettled = Receipts;
    type Evidence = Evidence;
    type ExtractBatch = BatchOfExtrinsic;
    /// A minute: an attestor that is restarted has attested by then.
    type UnattestedAfter = ConstU32<MINUTE>;
    type WeightInfo = pallet_settlement::weights::SubstrateWeight<Runtime>;
}

impl pallet_evidence::Config for Runtime {
    type CouncilOrigin = EnsureMembers;
    type Time = Timestamp;
    type WeightInfo = pallet_evidence::weights::SubstrateWeight<Runtime>;
}
