//! Taking a gateway's claim and signing the answer.

use std::future::Future;

use codec::Encode;
use stipend_primitives::{
    attestation::{Attestation, Claim, SignedAttestation, SignedClaim},
    batch::RECEIPTS_MAX,
    leaf::UsageLeaf,
    signing,
};

use super::{
    now_ms,
    record::Record,
    types::{Range, Resolved, Standing},
    Store,
};
use crate::gpu::Share;

/// How a claim was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// It is new and now attested; so many of its requests were never metered here.
    New { unknown_count: usize },
    /// It was there.
    Repeated,
}

/// Why a claim is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClaimError {
    #[error("the claim is not well formed: {0}")]
    Malformed(&'static str),
    #[error("the claim is not of a gateway that this attestor serves")]
    UnknownGateway,
    #[error("the claim is addressed to another provider")]
    OtherProvider,
    #[error("the claim's signature is not its gateway's over this claim on this chain")]
    BadSignature,
    #[error("{0}")]
    Conflict(&'static str),
    #[error(transparent)]
    Log(#[from] stipend_receipt_log::Error),
}

impl Store {
    /// Checks a claim, decides its leaves for good, signs the attestation and makes both durable. `measured` is
    /// waited for once it is certain that the claim is new and the gateway's.
    pub(crate) async fn claim_after(
        &self,
        measured: impl Future<Output = ()>,
        signed: &SignedClaim,
    ) -> Result<Claimed, ClaimError> {
        let claim = &signed.claim;
        if !self.configured.contains(&claim.gateway) {
            return Err(ClaimError::UnknownGateway);
        }
        if claim.provider != self.provider {
            return Err(ClaimError::OtherProvider);
        }
        check_form(claim)?;
        let payload = claim.signing_payload(&self.genesis);
        if !signing::verify(&payload, &signed.signature, claim.gateway.as_ref()) {
            return Err(ClaimError::BadSignature);
        }
        let book = self.books.get(&claim.gateway).ok_or(ClaimError::UnknownGateway)?;
        // One claim of a gateway at a time: no request can get into two ranges.
        let _turn = book.claiming.lock().await;
        match book.standing(claim) {
            Standing::Same => return Ok(Claimed::Repeated),
            Standing::Conflict(why) => return Err(ClaimError::Conflict(why)),
            Standing::New => {}
        }
        measured.await;
        let Resolved { leaves, unknown_count, gpu } = book.resolve(claim);
        let signed = self.attest(claim, &leaves, gpu);
        let leaves: Vec<u8> = leaves.iter().flat_map(UsageLeaf::to_bytes).collect();
        let at_ms = now_ms();
        let record = Record::Range { signed: Box::new(signed.clone()), leaves: leaves.clone(), at_ms };
        let position = self.log.append(record.encode()).await?;
        book.insert(Range { signed, leaves: leaves.into(), at_ms, position });
        Ok(Claimed::New { unknown_count })
    }

    fn attest(&self, claim: &Claim, leaves: &[UsageLeaf], gpu: Share) -> SignedAttestation {
        let sum = |count: fn(&UsageLeaf) -> u32| leaves.iter().map(|leaf| u64::from(count(leaf))).sum();
        let attestation = Attestation {
            provider: self.provider.clone(),
            gateway: claim.gateway.clone(),
            first_seq: claim.first_seq,
            last_seq: claim.last_seq,
            count: leaves.len() as u32,
            input: sum(|leaf| leaf.usage.input),
            cached_input: sum(|leaf| leaf.usage.cached_input),
            output: sum(|leaf| leaf.usage.output),
            root: UsageLeaf::root(leaves),
            gpu_time_ms: gpu.time_us.map(|time_us| time_us / 1_000),
            energy_mj: gpu.energy_uj.map(|energy_uj| energy_uj / 1_000),
        };
        let signature = self.key.sign(&attestation.signing_payload(&self.genesis));
        SignedAttestation { attestation, signature }
    }
}

fn check_form(claim: &Claim) -> Result<(), ClaimError> {
    let span = claim.last_seq.checked_sub(claim.first_seq);
    if span.is_none_or(|span| span >= u64::from(RECEIPTS_MAX)) {
        return Err(ClaimError::Malformed("its range ends before it begins, or is larger than a batch"));
    }
    if claim.requests.is_empty() {
        return Err(ClaimError::Malformed("it names no request"));
    }
    let range = claim.first_seq..=claim.last_seq;
    if !claim.requests.iter().all(|(seq, _)| range.contains(seq)) {
        return Err(ClaimError::Malformed("a number lies outside of its range"));
    }
    if !claim.requests.is_sorted_by(|before, after| before.0 < after.0) {
        return Err(ClaimError::Malformed("its numbers do not rise"));
    }
    Ok(())
}
