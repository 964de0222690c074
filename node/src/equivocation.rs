//! Reports validators that make two blocks in one slot.
//!
//! The SDK's import of blocks notices them and writes a log line. Here the two headers, which are the
//! proof, become a transaction that suspends their author: see `pallet-governance`.

use std::{collections::BTreeMap, sync::Arc};

use futures::StreamExt;
use sc_client_api::BlockchainEvents;
use sc_transaction_pool_api::{TransactionPool, TransactionSource};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_consensus_aura::{sr25519::AuthorityId, AuraApi, Slot, AURA_ENGINE_ID};
use sp_consensus_slots::EquivocationProof;
use sp_runtime::{codec::Decode, traits::Header as _, DigestItem, OpaqueExtrinsic};
use stipend_runtime::{authorized_extrinsic, opaque::Block, Header, UncheckedExtrinsic};

use crate::service::FullClient;

/// Slots whose headers are kept for comparison: a fork that is older was reported or is of no use.
const SLOTS_REMEMBERED: usize = 128;

/// The first header seen of each of the last slots.
#[derive(Default)]
struct Slots(BTreeMap<Slot, Header>);

impl Slots {
    /// Remembers a header. Answers with the one that was there before for its slot, if that is another.
    fn note(&mut self, slot: Slot, header: &Header) -> Option<Header> {
        if let Some(first) = self.0.get(&slot) {
            return (first.hash() != header.hash()).then(|| first.clone());
        }
        self.0.insert(slot, header.clone());
        while self.0.len() > SLOTS_REMEMBERED {
            self.0.pop_first();
        }
        None
    }
}

/// Watches every block that the node imports, and reports equivocation to its own pool.
pub async fn watch<P>(client: Arc<FullClient>, pool: Arc<P>)
where
    P: TransactionPool<Block = Block>,
{
    let mut imports = client.every_import_notification_stream();
    let mut slots = Slots::default();
    while let Some(block) = imports.next().await {
        let header = block.header;
        let Some(slot) = slot_of(&header) else { continue };
        let Some(first) = slots.note(slot, &header) else { continue };
        let Some(offender) = author(&client, &header, slot) else { continue };
        tracing::warn!(slot = *slot, %offender, "a validator made two blocks in one slot: reporting it");
        let report = report(EquivocationProof { offender, slot, first_header: first, second_header: header });
        let best = client.info().best_hash;
        if let Err(error) = pool.submit_one(best, TransactionSource::Local, report).await {
            // Another node was first, or the chain knows better.
            tracing::info!(%error, "the report of equivocation was not taken");
        }
    }
}

fn slot_of(header: &Header) -> Option<Slot> {
    header.digest().logs().iter().find_map(|item| match item {
        DigestItem::PreRuntime(AURA_ENGINE_ID, slot) => Slot::decode(&mut &slot[..]).ok(),
        _ => None,
    })
}

/// Whose slot it was, by the authorities of the block before.
fn author(client: &FullClient, header: &Header, slot: Slot) -> Option<AuthorityId> {
    let authorities: Vec<AuthorityId> = client.runtime_api().authorities(*header.parent_hash()).ok()?;
    let index = u64::from(slot).checked_rem(authorities.len() as u64)?;
    authorities.into_iter().nth(index as usize)
}

fn report(proof: EquivocationProof<Header, AuthorityId>) -> OpaqueExtrinsic {
    let call = pallet_governance::Call::report_equivocation { proof: Box::new(proof) };
    let transaction: UncheckedExtrinsic = authorized_extrinsic(call.into());
    transaction.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sp_core::H256;
    use sp_runtime::{codec::Encode, Digest};

    fn header(slot: u64, content: u8) -> Header {
        let logs = vec![DigestItem::PreRuntime(AURA_ENGINE_ID, Slot::from(slot).encode())];
        Header::new(1, H256::repeat_byte(content), H256::zero(), H256::zero(), Digest { logs })
    }

    fn note(slots: &mut Slots, header: &Header) -> Option<Header> {
        slots.note(slot_of(header).unwrap(), header)
    }

    #[test]
    fn two_headers_of_one_slot_are_an_equivocation_and_one_seen_twice_is_none() {
        let mut slots = Slots::default();
        assert_eq!(note(&mut slots, &header(1, 1)), None);
        assert_eq!(note(&mut slots, &header(2, 1)), None);
        assert_eq!(note(&mut slots, &header(1, 1)), None);
        assert_eq!(note(&mut slots, &header(1, 2)), Some(header(1, 1)));
    }

    #[test]
    fn only_the_last_slots_are_remembered() {
        let mut slots = Slots::default();
        for slot in 0..1_000 {
            note(&mut slots, &header(slot, 1));
        }
        assert_eq!(slots.0.len(), SLOTS_REMEMBERED);
        assert_eq!(note(&mut slots, &header(999, 2)), Some(header(999, 1)));
    }

    #[test]
    fn a_report_is_a_transaction_of_the_runtime() {
        let offender = sp_core::sr25519::Public::from_raw([7; 32]).into();
        let proof = EquivocationProof {
            offender,
            slot: 1.into(),
            first_header: header(1, 1),
            second_header: header(1, 2),
        };
        let bytes = report(proof).encode();
        let read = UncheckedExtrinsic::decode(&mut &bytes[..]).unwrap();
        assert!(matches!(read.function, stipend_runtime::RuntimeCall::Governance(_)));
    }
}
