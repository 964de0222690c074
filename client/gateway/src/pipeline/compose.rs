//! Receipts put together to a batch.
//!
//! The result is a pure function of the receipts, in their order: a restart that composes the same
//! range again gets the same bytes.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use codec::Encode;
use sp_core::{bounded::BoundedVec, H256};
use stipend_primitives::{
    attestation::{Claim, SignedClaim},
    batch::{
        Batch, Line, SignedBatch, CLASSES_MAX, DEBITS_MAX, LINES_MAX, PROVIDERS_MAX, RECEIPTS_MAX,
        WALLETS_MAX,
    },
    signing::{self, Domain},
    AccountId, ClassId, Credits, Digest, Sequence, Signature,
};
use stipend_sdk::Signer;

use crate::receipt::Receipt;

/// Signs for this gateway on one chain.
#[derive(Clone)]
pub(crate) struct Pen {
    pub(crate) signer: Signer,
    pub(crate) genesis: H256,
}

impl Pen {
    /// The signature by which a provider knows that a request is this gateway's.
    pub(crate) fn forward(&self, provider: &AccountId, digest: &Digest) -> Signature {
        let mut body = [0; 48];
        body[..32].copy_from_slice(provider.as_ref());
        body[32..].copy_from_slice(digest);
        self.signer.sign(&signing::payload(Domain::Forward, &self.genesis, &body))
    }
}

/// A batch that still grows.
pub(crate) struct OpenBatch {
    first_seq: Sequence,
    receipts_max: u32,
    count: u32,
    wallets: Vec<AccountId>,
    wallet_at: HashMap<AccountId, u16>,
    lines: Vec<Line>,
    line_at: HashMap<Line, u16>,
    providers: HashSet<AccountId>,
    classes: HashSet<ClassId>,
    records: Vec<u8>,
    charges: HashMap<(u16, ClassId), Credits>,
    requests: HashMap<AccountId, Vec<(Sequence, Digest)>>,
}

/// The receipt is beyond what one batch may hold: close the batch, then push it to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// A batch whose bytes will never change.
pub(crate) struct ClosedBatch {
    pub(crate) first_seq: Sequence,
    pub(crate) last_seq: Sequence,
    pub(crate) hash: H256,
    pub(crate) signed: SignedBatch,
    /// What it charges.
    pub(crate) charges: Vec<(AccountId, ClassId, Credits)>,
    /// What each provider is told, SCALE-encoded.
    pub(crate) claims: Vec<(AccountId, Bytes)>,
}

impl OpenBatch {
    pub(crate) fn new(first_seq: Sequence, receipts_max: u32) -> Self {
        OpenBatch {
            first_seq,
            receipts_max: receipts_max.min(RECEIPTS_MAX),
            count: 0,
            wallets: Vec::new(),
            wallet_at: HashMap::new(),
            lines: Vec::new(),
            line_at: HashMap::new(),
            providers: HashSet::new(),
            classes: HashSet::from([ClassId::PRIORITY]),
            records: Vec::new(),
            charges: HashMap::new(),
            requests: HashMap::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The number that its first receipt has or will have.
    pub(crate) fn first_seq(&self) -> Sequence {
        self.first_seq
    }

    /// The number that the next receipt has.
    pub(crate) fn next_seq(&self) -> Sequence {
        self.first_seq + u64::from(self.count)
    }

    /// Takes in the next receipt.
    pub(crate) fn push(&mut self, receipt: &Receipt) -> Result<(), Full> {
        let line = receipt.line();
        if !self.has_room(receipt, &line) {
            return Err(Full);
        }
        let seq = self.next_seq();
        let wallet = index_of(&mut self.wallet_at, &mut self.wallets, receipt.wallet.clone());
        let line = index_of(&mut self.line_at, &mut self.lines, line);
        self.records.extend_from_slice(&receipt.record(wallet, line).to_bytes());
        self.providers.insert(receipt.provider.clone());
        for (class, amount) in receipt.charges().into_iter().filter(|(_, amount)| *amount > 0) {
            self.classes.insert(class);
            let sum = self.charges.entry((wallet, class)).or_default();
            *sum = sum.saturating_add(amount);
        }
        self.requests.entry(receipt.provider.clone()).or_default().push((seq, receipt.digest));
        self.count += 1;
        Ok(())
    }

    /// The chain's bounds, each with the most that one receipt can add to it.
    fn has_room(&self, receipt: &Receipt, line: &Line) -> bool {
        self.count < self.receipts_max
            && (self.wallets.len() < WALLETS_MAX as usize || self.wallet_at.contains_key(&receipt.wallet))
            && (self.lines.len() < LINES_MAX as usize || self.line_at.contains_key(line))
            && (self.providers.len() < PROVIDERS_MAX as usize || self.providers.contains(&receipt.provider))
            && (self.classes.len() < CLASSES_MAX || self.classes.contains(&receipt.class))
            && self.charges.len() + 2 <= DEBITS_MAX as usize
    }

    /// Signs the batch and the claims that go with it.
    pub(crate) fn close(self, pen: &Pen) -> ClosedBatch {
        let gateway = pen.signer.account();
        let last_seq = self.next_seq().saturating_sub(1);
        let batch = Batch {
            gateway: gateway.clone(),
            first_seq: self.first_seq,
            wallets: BoundedVec::truncate_from(self.wallets),
            lines: BoundedVec::truncate_from(self.lines),
            records: BoundedVec::truncate_from(self.records),
        };
        let wallets = &batch.wallets;
        let charges = self.charges.into_iter();
        let charges =
            charges.map(|((wallet, class), sum)| (wallets[usize::from(wallet)].clone(), class, sum));
        let mut charges: Vec<_> = charges.collect();
        charges.sort_unstable();
        let mut claims = Vec::with_capacity(self.requests.len());
        for (provider, requests) in self.requests {
            let (gateway, first_seq) = (gateway.clone(), self.first_seq);
            let claim = Claim { gateway, provider: provider.clone(), first_seq, last_seq, requests };
            let signature = pen.signer.sign(&claim.signing_payload(&pen.genesis));
            claims.push((provider, SignedClaim { claim, signature }.encode().into()));
        }
        let signature = pen.signer.sign(&batch.signing_payload(&pen.genesis));
        let hash = batch.hash();
        let signed = SignedBatch { batch, signature };
        ClosedBatch { first_seq: self.first_seq, last_seq, hash, signed, charges, claims }
    }
}

fn index_of<T: Clone + Eq + std::hash::Hash>(at: &mut HashMap<T, u16>, table: &mut Vec<T>, item: T) -> u16 {
    *at.entry(item).or_insert_with_key(|item| {
        table.push(item.clone());
        // Both tables are far smaller than 2^16: `has_room` sees to it.
        (table.len() - 1) as u16
    })
}
