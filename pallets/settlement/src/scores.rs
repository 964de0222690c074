//! How providers and gateways fare.

use stipend_primitives::{
    attestation::GpuUse,
    energy::emitted_mg,
    ledger::Unsettled,
    settlement::{Item, VerdictKind},
    view::{GatewayScore, ProviderScore, Score, Scores},
    Credits,
};

use crate::pallet::{Config, GatewayScores, GridIntensities, Pallet, ProviderScores};

impl<T: Config> Pallet<T> {
    /// Counts an item that is about to be closed.
    pub(crate) fn score(item: &Item, verdict: VerdictKind, refunded: Credits, gpu: GpuUse) {
        let Some(open) = T::Unsettled::open_item(item) else { return };
        let count = |score: &mut Score| {
            let items = match verdict {
                VerdictKind::Match => &mut score.matched,
                VerdictKind::Adjust => &mut score.adjusted,
                VerdictKind::Unattested => &mut score.unattested,
            };
            *items = items.saturating_add(1);
            let receipts = u64::from(open.count);
            score.receipts = score.receipts.saturating_add(receipts);
            score.collected = score.collected.saturating_add(open.collected);
            score.refunded = score.refunded.saturating_add(refunded);
            score.gpu_time_ms = score.gpu_time_ms.saturating_add(gpu.time_ms.unwrap_or(0));
            if let Some(energy_mj) = gpu.energy_mj {
                score.receipts_with_energy = score.receipts_with_energy.saturating_add(receipts);
                score.energy_mj = score.energy_mj.saturating_add(energy_mj.into());
            }
        };
        ProviderScores::<T>::mutate(&item.provider, count);
        GatewayScores::<T>::mutate(&item.gateway, count);
    }

    /// How everybody fares.
    pub fn scores() -> Scores {
        let providers = ProviderScores::<T>::iter().map(|(provider, score)| {
            let grid_mg_per_kwh = GridIntensities::<T>::get(&provider);
            let emitted_mg = grid_mg_per_kwh.map(|intensity| emitted_mg(score.energy_mj, intensity));
            ProviderScore { provider, score, grid_mg_per_kwh, emitted_mg }
        });
        let gateways = GatewayScores::<T>::iter().map(|(gateway, score)| GatewayScore { gateway, score });
        Scores { providers: providers.collect(), gateways: gateways.collect() }
    }
}
