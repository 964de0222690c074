//! Changes of the state's layout.
//!
//! Every pallet of Stipend has a storage version, which stands in the state too. Who changes a
//! layout raises the pallet's version by one, writes a
//! [`VersionedMigration`](frame_support::migrations::VersionedMigration) from the version before,
//! which runs exactly once whatever happens, and adds it to [`Migrations`]. The states that earlier
//! versions left behind stand in `tests/data/state`; `tests/tests/old_state.rs` takes each of them
//! through the migrations and has every pallet check itself.

use codec::Decode;
use frame_support::{
    migrations::VersionedMigration,
    traits::{ConstU32, UncheckedOnRuntimeUpgrade},
    weights::Weight,
    BoundedVec,
};
use pallet_entitlements::Keys;
use pallet_receipts::{BatchRecord, Batches};
use pallet_settlement::{types::QueuedRefunds, BurntKeys, Providers, RefundQueue};
use sp_core::H256;
use stipend_primitives::{
    attestation::GpuUse,
    batch::PROVIDERS_MAX,
    evidence::EvidenceLevel,
    key::{ApiKey, KeyLimits, KEY_MODELS_MAX},
    settlement::{Refunds, VerdictKind},
    view::{ProviderTotals, Settled},
    AccountId, BlockNumber, Credits, ModelId, Moment, Sequence,
};

use crate::{configs::system::DbWeight, Entitlements, Receipts, Runtime, Settlement};

/// Run in the first block of a new runtime, in this order.
pub type Migrations = (
    VersionedMigration<1, 2, BatchesV2, Receipts, DbWeight>,
    VersionedMigration<1, 2, BurntKeysAndGpuUse, Settlement, DbWeight>,
    VersionedMigration<1, 2, KeyCapsAndEnergy, Entitlements, DbWeight>,
    VersionedMigration<2, 3, WalletKinds, Entitlements, DbWeight>,
);

/// Version 2 of `pallet-receipts`: a provider's part of a batch says at which level the provider was, and what
/// its GPUs took. Before, that was software, and nobody measured.
pub struct BatchesV2;

/// [`ProviderTotals`] in version 1.
#[derive(Decode)]
struct Totals {
    provider: AccountId,
    count: u32,
    input: u64,
    cached_input: u64,
    output: u64,
    collected: Credits,
    root: H256,
    settled: Option<Verdict>,
}

/// [`Settled`] in version 1.
#[derive(Decode)]
struct Verdict {
    verdict: VerdictKind,
    refunded: Credits,
    at: BlockNumber,
}

impl From<Verdict> for Settled {
    fn from(Verdict { verdict, refunded, at }: Verdict) -> Self {
        Settled { verdict, refunded, gpu: GpuUse::default(), at }
    }
}

/// [`BatchRecord`] in version 1.
#[derive(Decode)]
struct Batch {
    first_seq: Sequence,
    submitted_at: BlockNumber,
    batch_hash: H256,
    receipts_root: H256,
    charged: Credits,
    uncollected: Credits,
    providers: BoundedVec<Totals, ConstU32<PROVIDERS_MAX>>,
}

impl From<Totals> for ProviderTotals {
    fn from(part: Totals) -> Self {
        let Totals { provider, count, input, cached_input, output, collected, root, settled } = part;
        let settled = settled.map(Settled::from);
        let evidence = EvidenceLevel::Software;
        ProviderTotals { provider, count, input, cached_input, output, collected, root, settled, evidence }
    }
}

impl From<Batch> for BatchRecord {
    fn from(batch: Batch) -> Self {
        let providers = batch.providers.into_iter().map(ProviderTotals::from).collect();
        BatchRecord {
            first_seq: batch.first_seq,
            submitted_at: batch.submitted_at,
            batch_hash: batch.batch_hash,
            receipts_root: batch.receipts_root,
            charged: batch.charged,
            uncollected: batch.uncollected,
            // As many as there were.
            providers: BoundedVec::truncate_from(providers),
        }
    }
}

impl UncheckedOnRuntimeUpgrade for BatchesV2 {
    fn on_runtime_upgrade() -> Weight {
        let mut count = 0;
        // At most 1,280 batches of each gateway.
        Batches::<Runtime>::translate::<Batch, _>(|_gateway, _last_seq, batch| {
            count += 1;
            Some(batch.into())
        });
        DbWeight::get().reads_writes(count, count)
    }
}

/// Version 2 of `pallet-settlement`: refunds that wait know what the GPUs took, and the keys of providers that
/// are suspended are burnt. Scores begin at nothing.
pub struct BurntKeysAndGpuUse;

/// [`QueuedRefunds`] in version 1.
#[derive(Decode)]
struct Queued {
    kind: VerdictKind,
    refunds: Refunds,
    refunded: Credits,
}

impl UncheckedOnRuntimeUpgrade for BurntKeysAndGpuUse {
    fn on_runtime_upgrade() -> Weight {
        let mut count = 0;
        RefundQueue::<Runtime>::translate::<Queued, _>(|_item, Queued { kind, refunds, refunded }| {
            count += 1;
            Some(QueuedRefunds { kind, refunds, refunded, gpu: GpuUse::default() })
        });
        for (who, provider) in Providers::<Runtime>::iter() {
            count += 1;
            if provider.suspended {
                BurntKeys::<Runtime>::insert(who, provider.key, ());
            }
        }
        DbWeight::get().reads_writes(count, count)
    }
}

/// Version 2 of `pallet-entitlements`: the limits of an API key have caps per day and per minute, and each class
/// knows what its wallets have reserved. The keys of before have no caps. What is unsettled from before counts
/// against no energy budget, since nobody knows which class paid for it.
///
/// Every key is read and written and every wallet read, in the first block.
pub struct KeyCapsAndEnergy;

/// [`ApiKey`] in version 1.
#[derive(Decode)]
struct Key {
    owner: AccountId,
    models: BoundedVec<ModelId, ConstU32<KEY_MODELS_MAX>>,
    request_cost_max: Option<Credits>,
    requests_per_minute_max: Option<u32>,
    expires_at: Option<Moment>,
}

impl From<Key> for ApiKey {
    fn from(key: Key) -> Self {
        let Key { owner, models, request_cost_max, requests_per_minute_max, expires_at } = key;
        let limits = KeyLimits {
            models,
            request_cost_max,
            requests_per_minute_max,
            expires_at,
            ..KeyLimits::default()
        };
        ApiKey { owner, limits }
    }
}

impl UncheckedOnRuntimeUpgrade for KeyCapsAndEnergy {
    fn on_runtime_upgrade() -> Weight {
        let mut count: u64 = 0;
        Keys::<Runtime>::translate::<Key, _>(|_hash, key| {
            count += 1;
            Some(key.into())
        });
        let wallets = Entitlements::count_reserved();
        // The classes beside them are few.
        DbWeight::get().reads_writes(count.saturating_add(wallets), count)
    }
}

/// Version 3 of `pallet-entitlements`: wallets can be of a kind that a policy binds. Those of before are
/// employees', of whom nothing is stored, so there is nothing to write: no wallet, key or grant is looked at.
pub struct WalletKinds;

impl UncheckedOnRuntimeUpgrade for WalletKinds {
    fn on_runtime_upgrade() -> Weight {
        Weight::zero()
    }
}
