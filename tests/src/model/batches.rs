//! Batches, right and wrong.

use sp_core::{bounded::BoundedVec, Pair};
use stipend_primitives::{
    batch::{Batch, Line, Record, SignedBatch},
    cost::Usage,
    ModelId,
};

use super::world::World;

/// What can be wrong with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Gap,
    Repeat,
    WrongSignature,
    UnknownBook,
    UnknownModel,
    UnknownWallet,
    TornRecord,
}

impl Fault {
    pub(super) fn of(number: u8) -> Self {
        match number % 24 {
            0 => Fault::Gap,
            1 => Fault::Repeat,
            2 => Fault::WrongSignature,
            3 => Fault::UnknownBook,
            4 => Fault::UnknownModel,
            5 => Fault::UnknownWallet,
            6 => Fault::TornRecord,
            _ => Fault::None,
        }
    }
}

impl World {
    /// A batch that continues the gateway's sequence, unless it is to be wrong.
    pub(super) fn batch(
        &self,
        gateway: u8,
        fault: Fault,
        receipts: &[(u8, u8, u16, u16, u16)],
    ) -> SignedBatch {
        let gateway = self.gateway(gateway);
        let account = World::account(gateway);
        let next = self.next_seq(&account);
        let first_seq = match fault {
            Fault::Gap => next + 1,
            Fault::Repeat => next.saturating_sub(1),
            _ => next,
        };
        let book = if fault == Fault::UnknownBook { 999 } else { self.book() };
        let mut lines: Vec<Line> = (0..4u16)
            .map(|at| Line {
                provider: World::account(&self.providers[usize::from(at) % self.providers.len()]),
                book,
                model: ModelId(1 + at / 2),
            })
            .collect();
        if fault == Fault::UnknownModel {
            lines.iter_mut().for_each(|line| line.model = ModelId(77));
        }
        let records: Vec<u8> = receipts
            .iter()
            .enumerate()
            .flat_map(|(at, &(owner, line, input, output, fee))| {
                let mut digest = [0; 16];
                digest[..8].copy_from_slice(&(first_seq + at as u64).to_le_bytes());
                Record {
                    wallet: if fault == Fault::UnknownWallet { 9_999 } else { u16::from(owner) % 4 },
                    line: u16::from(line) % 4,
                    usage: Usage {
                        input: u32::from(input) % 500,
                        cached_input: u32::from(input) % 7,
                        output: u32::from(output) % 300,
                    },
                    priority_fee: if fee % 3 == 0 { u32::from(fee) } else { 0 },
                    digest,
                }
                .to_bytes()
            })
            .take(if fault == Fault::TornRecord { 35 } else { usize::MAX })
            .collect();
        let batch = Batch {
            gateway: account,
            first_seq,
            wallets: BoundedVec::truncate_from(self.owners.iter().map(World::account).collect()),
            lines: BoundedVec::truncate_from(lines),
            records: BoundedVec::truncate_from(records),
        };
        let signer = if fault == Fault::WrongSignature { &self.issuers[0] } else { gateway };
        let signature = signer.sign(&batch.signing_payload(&self.genesis())).0;
        SignedBatch { batch, signature }
    }
}
