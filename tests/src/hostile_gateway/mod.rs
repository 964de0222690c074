//! Gateways that cheat: the council chose them, they have real requests served by an honest attestor,
//! and then they write batches and claims of their own making.
//!
//! | module | does |
//! |---|---|
//! | [`cheats`] | what each of them charges and claims, and what the rules make of it |
//! | [`attestor`] | the honest attestor that serves them all |

pub mod attestor;
pub mod cheats;

use anyhow::{ensure, Context, Result};
use codec::Encode;
use sp_core::{bounded::BoundedVec, H256};
use stipend_primitives::{
    attestation::{Claim, SignedClaim},
    batch::{Batch, Line, Record, SignedBatch},
    cost::Usage,
    AccountId, BookVersion, Digest, Sequence,
};
use stipend_sdk::Signer;

use crate::company::MODEL_GENERAL_ID;

/// How an attestor answers a claim that contradicts one before.
const CONFLICT: u16 = 409;

/// A request as a gateway charges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Names the request.
    pub digest: Digest,
    /// What it is charged for.
    pub usage: Usage,
}

/// A gateway that writes its own batches and claims.
pub struct HostileGateway {
    /// Signs its batches and claims.
    pub signer: Signer,
    /// Who pays.
    pub payer: Signer,
    /// Who served.
    pub provider: AccountId,
    /// The chain.
    pub genesis: H256,
}

impl HostileGateway {
    /// A gateway and a wallet that nobody knows yet.
    pub fn new(provider: AccountId, genesis: H256) -> Self {
        HostileGateway { signer: Signer::generate(), payer: Signer::generate(), provider, genesis }
    }

    /// A batch that charges the payer, signed.
    pub fn batch(&self, first_seq: Sequence, book: BookVersion, charges: &[Charge]) -> SignedBatch {
        let line = Line { provider: self.provider.clone(), book, model: MODEL_GENERAL_ID };
        let record = |charge: &Charge| {
            let Charge { digest, usage } = *charge;
            Record { wallet: 0, line: 0, usage, priority_fee: 0, digest }.to_bytes()
        };
        self.sign(Batch {
            gateway: self.signer.account(),
            first_seq,
            wallets: BoundedVec::truncate_from(vec![self.payer.account()]),
            lines: BoundedVec::truncate_from(vec![line]),
            records: BoundedVec::truncate_from(charges.iter().flat_map(record).collect()),
        })
    }

    /// Signs a batch, for this chain.
    pub fn sign(&self, batch: Batch) -> SignedBatch {
        let signature = self.signer.sign(&batch.signing_payload(&self.genesis));
        SignedBatch { batch, signature }
    }

    /// Claims that `digests` stand in `batch`, from its first number on.
    pub async fn claim(&self, attestor_url: &str, batch: &Batch, digests: &[Digest]) -> Result<()> {
        let status = self.send_claim(attestor_url, batch, digests).await?;
        ensure!((200..300).contains(&status), "the attestor answered a claim with {status}");
        Ok(())
    }

    /// The same with a claim that contradicts one before: the attestor refuses it.
    pub async fn claim_refused(&self, attestor_url: &str, batch: &Batch, digests: &[Digest]) -> Result<()> {
        let status = self.send_claim(attestor_url, batch, digests).await?;
        ensure!(status == CONFLICT, "the attestor answered a second claim of one range with {status}");
        Ok(())
    }

    async fn send_claim(&self, attestor_url: &str, batch: &Batch, digests: &[Digest]) -> Result<u16> {
        let claim = Claim {
            gateway: self.signer.account(),
            provider: self.provider.clone(),
            first_seq: batch.first_seq,
            last_seq: batch.last_seq(),
            requests: (batch.first_seq..).zip(digests.iter().copied()).collect(),
        };
        let signature = self.signer.sign(&claim.signing_payload(&self.genesis));
        let claims = reqwest::Client::new().post(format!("{attestor_url}/v1/claims"));
        let answer = claims.body(SignedClaim { claim, signature }.encode()).send().await;
        Ok(answer.context("the attestor takes no claims")?.status().as_u16())
    }
}
