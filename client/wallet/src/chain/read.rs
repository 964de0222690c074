//! From extrinsics and events to what happened.

use codec::DecodeAll;
use frame_system::{EventRecord, Phase};
use pallet_entitlements::{Call as Entitlements, Event as EntitlementsEvent};
use pallet_receipts::{Call as Receipts, Event as ReceiptsEvent};
use pallet_settlement::{Call as Settlement, Event as SettlementEvent};
use sp_core::{Bytes, H256};
use stipend_runtime::{Runtime, RuntimeCall, RuntimeEvent, UncheckedExtrinsic};

use super::{Act, Note};

/// What happened in a block, in the order of its events.
pub(super) fn acts(body: &[Bytes], events: Vec<EventRecord<RuntimeEvent, H256>>) -> Vec<Act> {
    let mut acts = Vec::new();
    for record in events {
        let call = || match record.phase {
            Phase::ApplyExtrinsic(index) => body.get(index as usize).and_then(|bytes| call(bytes)),
            _ => None,
        };
        match record.event {
            RuntimeEvent::Receipts(ReceiptsEvent::BatchSubmitted { uncollected, .. }) => {
                if let Some(RuntimeCall::Receipts(Receipts::submit_batch { signed })) = call() {
                    acts.push(Act::Batch { batch: signed.batch, uncollected });
                }
            }
            RuntimeEvent::Settlement(event) => settlement(event, call, &mut acts),
            RuntimeEvent::Entitlements(event) => entitlements(event, call, &mut acts),
            _ => {}
        }
    }
    acts
}

fn call(bytes: &[u8]) -> Option<RuntimeCall> {
    UncheckedExtrinsic::decode_all(&mut &*bytes).ok().map(|extrinsic| extrinsic.function)
}

fn settlement(event: SettlementEvent<Runtime>, call: impl Fn() -> Option<RuntimeCall>, acts: &mut Vec<Act>) {
    // The vote that completes a quorum carries the refunds. What a later block pays of them stands in an
    // event of no extrinsic.
    let refunds = || match call() {
        Some(RuntimeCall::Settlement(Settlement::vote { vote, .. })) => vote.verdict.refunds().to_vec(),
        _ => Vec::new(),
    };
    match event {
        SettlementEvent::RefundsQueued { item, .. } => {
            acts.push(Act::Refunds(item.clone(), refunds()));
            acts.push(Act::Paid(item));
        }
        SettlementEvent::Settled { item, verdict, refunded, gpu } => {
            acts.push(Act::Refunds(item.clone(), refunds()));
            acts.push(Act::Settled { item, verdict, refunded, gpu });
        }
        SettlementEvent::GridIntensitySet { provider, mg_per_kwh } => {
            acts.push(Act::Grid(provider, mg_per_kwh));
        }
        _ => {}
    }
}

fn entitlements(
    event: EntitlementsEvent<Runtime>,
    call: impl Fn() -> Option<RuntimeCall>,
    acts: &mut Vec<Act>,
) {
    match event {
        EntitlementsEvent::ClassRegistered { .. } => acts.push(Act::Classes),
        EntitlementsEvent::ProgramCreated { id, owner, budget, .. } => {
            let note = Note { program: Some(id), actor: Some(owner), ..note("ProgramCreated", budget) };
            acts.extend([Act::Programs, Act::Noted(note)]);
        }
        EntitlementsEvent::BudgetIncreased { id, amount } => {
            let note = Note { program: Some(id), ..note("BudgetIncreased", amount) };
            acts.extend([Act::Programs, Act::Noted(note)]);
        }
        EntitlementsEvent::ReturnedToProgram { id, amount } => {
            let note = Note { program: Some(id), ..note("ReturnedToProgram", amount) };
            acts.extend([Act::Programs, Act::Noted(note)]);
        }
        EntitlementsEvent::Minted { id, owner, class, amount, issuer, program } => {
            let note = Note {
                owner: Some(owner.clone()),
                entitlement: Some(id),
                program: Some(program),
                class: Some(class),
                actor: Some(issuer),
                ..note("Minted", amount)
            };
            acts.extend([Act::Touched(owner), Act::Programs, Act::Noted(note)]);
        }
        EntitlementsEvent::Revoked { id, owner, amount, .. } => {
            let note = Note { owner: Some(owner.clone()), entitlement: Some(id), ..note("Revoked", amount) };
            acts.extend([Act::Touched(owner), Act::Programs, Act::Noted(note)]);
        }
        EntitlementsEvent::GivenBack { id, owner, amount } => {
            let note =
                Note { owner: Some(owner.clone()), entitlement: Some(id), ..note("GivenBack", amount) };
            acts.extend([Act::Touched(owner), Act::Programs, Act::Noted(note)]);
        }
        EntitlementsEvent::Frozen { owner, frozen } => {
            let kind = if frozen { "Frozen" } else { "Unfrozen" };
            let note = Note { kind, owner: Some(owner.clone()), ..Note::default() };
            acts.extend([Act::Touched(owner), Act::Noted(note)]);
        }
        EntitlementsEvent::Offboarded { owner } => {
            let note = Note { kind: "Offboarded", owner: Some(owner.clone()), ..Note::default() };
            acts.extend([Act::Touched(owner), Act::Programs, Act::Noted(note)]);
        }
        EntitlementsEvent::KeyRegistered { owner, hash } => {
            let note = Note { kind: "KeyRegistered", owner: Some(owner.clone()), ..Note::default() };
            acts.extend([Act::Touched(owner), Act::Key(hash), Act::Noted(note)]);
        }
        EntitlementsEvent::LimitsSet { hash } => acts.push(Act::Key(hash)),
        EntitlementsEvent::KeyRevoked { hash } => acts.push(Act::KeyGone(hash)),
        EntitlementsEvent::ReservationsMade { .. } | EntitlementsEvent::ReservationsReleased { .. } => {
            let rows = match call() {
                Some(RuntimeCall::Entitlements(Entitlements::reserve_many { rows, .. })) => rows,
                Some(RuntimeCall::Entitlements(Entitlements::release { rows })) => rows,
                _ => return,
            };
            acts.extend(rows.into_iter().map(|(owner, ..)| Act::Touched(owner)));
        }
        _ => {}
    }
}

fn note(kind: &'static str, amount: stipend_primitives::Credits) -> Note {
    Note { kind, amount: Some(amount), ..Note::default() }
}
