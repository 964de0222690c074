//! Is this body a provider's valid attestation, and are these its leaves?

use alloc::vec::Vec;

use sp_core::H256;
use stipend_primitives::{
    attestation::{Attestation, SignedAttestation},
    leaf::{UsageLeaf, USAGE_LEAF_LEN},
    ledger::OpenItem,
    view::Provider,
};

/// Bytes of an attestation in JSON: one has about 700.
pub(crate) const ATTESTATION_LEN_MAX: usize = 4 * 1024;

/// Why an attestation, or its leaves, do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The body is not an attestation.
    Malformed,
    /// It is about another provider, gateway or range.
    OtherRange,
    /// The provider acknowledges another number of receipts than the gateway claims from it.
    OtherCount,
    /// It is not signed by the provider's key for this chain.
    WrongSignature,
    /// The leaves are not those under the attestation's root.
    OtherRoot,
    /// The totals are not the sums of the leaves.
    OtherTotals,
}

/// Reads an attestation and checks that it is the provider's, on this chain, about this item.
pub(crate) fn check(
    body: &[u8],
    open: &OpenItem,
    provider: &Provider,
    genesis: &H256,
) -> Result<Attestation, Fault> {
    let signed: SignedAttestation = serde_json::from_slice(body).map_err(|_| Fault::Malformed)?;
    let about = &signed.attestation;
    let item = &open.item;
    let same_range = about.provider == item.provider
        && about.gateway == item.gateway
        && about.first_seq == item.first_seq
        && about.last_seq == open.last_seq;
    if !same_range {
        return Err(Fault::OtherRange);
    }
    if about.count != open.count {
        return Err(Fault::OtherCount);
    }
    if !signed.verifies(genesis, &provider.key) {
        return Err(Fault::WrongSignature);
    }
    Ok(signed.attestation)
}

/// Bytes of the leaves of an item.
pub(crate) fn leaves_len(open: &OpenItem) -> usize {
    open.count as usize * USAGE_LEAF_LEN
}

/// Reads leaves and checks that they are what the provider signed.
pub(crate) fn check_leaves(body: &[u8], attestation: &Attestation) -> Result<Vec<UsageLeaf>, Fault> {
    let leaves = UsageLeaf::read_all(body).ok_or(Fault::Malformed)?;
    if leaves.len() != attestation.count as usize {
        return Err(Fault::OtherCount);
    }
    if UsageLeaf::root(&leaves) != attestation.root {
        return Err(Fault::OtherRoot);
    }
    let mut totals = (0u64, 0u64, 0u64);
    for leaf in &leaves {
        // At most 100,000 times a `u32`.
        totals.0 += u64::from(leaf.usage.input);
        totals.1 += u64::from(leaf.usage.cached_input);
        totals.2 += u64::from(leaf.usage.output);
    }
    if totals != (attestation.input, attestation.cached_input, attestation.output) {
        return Err(Fault::OtherTotals);
    }
    Ok(leaves)
}
