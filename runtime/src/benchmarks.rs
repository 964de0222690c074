//! The pallets whose weights are measured here. The SDK's own come with theirs.

frame_benchmarking::define_benchmarks!(
    [pallet_roles, Roles]
    [pallet_entitlements, Entitlements]
    [pallet_pricing, Pricing]
    [pallet_receipts, Receipts]
    [pallet_settlement, Settlement]
    [pallet_evidence, Evidence]
    [pallet_governance, Governance]
    [pallet_merit, Merit]
);
