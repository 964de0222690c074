//! Figures of the ledger for Prometheus, beside the SDK's own.
//!
//! | metric | meaning |
//! |---|---|
//! | `stipend_batches_unsettled{gateway}` | batches with an open item; 256 of one gateway are the most |
//! | `stipend_votes_missing{validator}` | items open for more than ten blocks that a validator has not voted on |
//! | `stipend_credits_available{class}` | credits that nobody has set aside |
//! | `stipend_credits_reserved{class}` | credits set aside for gateways |
//! | `stipend_energy_budget_joules{class}` | energy that the credits of a class may cost in a period, where the council set a budget |
//! | `stipend_energy_used_joules{class}` | what of it is used in this period |
//! | `stipend_energy_held_joules{class}` | what of it is held for credits that are reserved or not settled |
//! | `stipend_transactions_refused_total{reason}` | transactions that did not get into the pool |
//! | `stipend_requests_refused_total` | requests of nodes that are not on the chain's list |
//!
//! Unsettled batches, missing votes and energy are read at every finalised block. The credits need a walk over all wallets, which
//! is taken once a minute, in pages.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use sc_client_api::BlockchainEvents;
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_core::{crypto::Ss58Codec, H256};
use stipend_primitives::{view::ClassEnergy, ClassId, Credits, MICRO_CREDITS_PER_CREDIT};
use stipend_runtime_api::{EnergyApi, EntitlementsApi, MetricsApi};
use substrate_prometheus_endpoint::{
    prometheus::core::Atomic, register, Counter, CounterVec, GaugeVec, Opts, PrometheusError, Registry, F64,
    U64,
};

use crate::service::FullClient;

/// An item is settled within four or five blocks; a vote that is still missing after ten is late.
const VOTE_LATE_AFTER: u32 = 10;

/// Time between two walks over the wallets.
const WALK_EVERY: Duration = Duration::from_secs(60);

/// Wallets in one page: a few milliseconds.
const PAGE: u32 = 500;

/// Millijoules of a joule.
const MJ_PER_J: f64 = 1_000.0;

/// The node's own metrics.
#[derive(Clone)]
pub struct Metrics {
    batches_unsettled: GaugeVec<U64>,
    votes_missing: GaugeVec<U64>,
    credits_available: GaugeVec<F64>,
    credits_reserved: GaugeVec<F64>,
    energy_budget: GaugeVec<F64>,
    energy_used: GaugeVec<F64>,
    energy_held: GaugeVec<F64>,
    /// Transactions that did not get into the pool.
    pub transactions_refused: CounterVec<U64>,
    /// Requests of nodes that are not on the chain's list.
    pub requests_refused: Counter<U64>,
}

impl Metrics {
    /// Puts the metrics on the node's page.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let gauges = |name: &str, help: &str, label: &str| {
            register(GaugeVec::new(Opts::new(name, help), &[label])?, registry)
        };
        let amounts = |name: &str, help: &str| {
            register(GaugeVec::<F64>::new(Opts::new(name, help), &["class"])?, registry)
        };
        Ok(Metrics {
            batches_unsettled: gauges(
                "stipend_batches_unsettled",
                "Batches of a gateway with an open item; 256 are the most",
                "gateway",
            )?,
            votes_missing: gauges(
                "stipend_votes_missing",
                "Items open for more than ten blocks that a validator has not voted on",
                "validator",
            )?,
            credits_available: amounts(
                "stipend_credits_available",
                "Credits in all wallets that are not set aside",
            )?,
            credits_reserved: amounts("stipend_credits_reserved", "Credits set aside for gateways")?,
            energy_budget: amounts(
                "stipend_energy_budget_joules",
                "Energy that the credits of a class may cost in a period",
            )?,
            energy_used: amounts(
                "stipend_energy_used_joules",
                "Energy used of a class's budget in this period",
            )?,
            energy_held: amounts(
                "stipend_energy_held_joules",
                "Energy of a class's budget held for credits that are reserved or not settled",
            )?,
            transactions_refused: register(
                CounterVec::new(
                    Opts::new(
                        "stipend_transactions_refused_total",
                        "Transactions that did not get into the pool",
                    ),
                    &["reason"],
                )?,
                registry,
            )?,
            requests_refused: register(
                Counter::new(
                    "stipend_requests_refused_total",
                    "Requests of nodes that are not on the chain's list",
                )?,
                registry,
            )?,
        })
    }

    /// Reads the figures as blocks become final, until the node ends.
    pub async fn observe(self, client: Arc<FullClient>) {
        let mut final_blocks = client.finality_notification_stream();
        let mut walked: Option<Instant> = None;
        while let Some(block) = final_blocks.next().await {
            let mut newest = block.hash;
            // While blocks come faster than they can be looked at, only the newest counts.
            while let Some(Some(block)) = futures::FutureExt::now_or_never(final_blocks.next()) {
                newest = block.hash;
            }
            let walk = walked.is_none_or(|at| at.elapsed() >= WALK_EVERY);
            let read = self
                .read_settlement(&client, newest)
                .and_then(|()| self.read_energy(&client, newest))
                .and_then(|()| match walk {
                    true => self.read_wallets(&client, newest),
                    false => Ok(()),
                });
            if walk {
                walked = Some(Instant::now());
            }
            if let Err(fault) = read {
                tracing::debug!(target: "stipend::metrics", %fault, "the ledger's figures cannot be read at {newest}");
            }
        }
    }

    fn read_settlement(&self, client: &FullClient, at: H256) -> Result<(), ApiError> {
        let api = client.runtime_api();
        let unsettled = api.unsettled(at)?;
        let missing = api.votes_missing(at, VOTE_LATE_AFTER)?;
        replace(
            &self.batches_unsettled,
            unsettled.into_iter().map(|(who, count)| (who.to_ss58check(), count.into())),
        );
        replace(
            &self.votes_missing,
            missing.into_iter().map(|(who, count)| (who.to_ss58check(), count.into())),
        );
        Ok(())
    }

    fn read_energy(&self, client: &FullClient, at: H256) -> Result<(), ApiError> {
        let classes = client.runtime_api().energy_status(at)?;
        let joules = |part: fn(&ClassEnergy) -> u128| {
            classes.iter().map(move |row| {
                (String::from_utf8_lossy(&row.name).into_owned(), part(row) as f64 / MJ_PER_J)
            })
        };
        replace(&self.energy_budget, joules(|row| row.budget.millijoules_max));
        replace(&self.energy_used, joules(|row| row.used_mj));
        replace(&self.energy_held, joules(|row| row.held_mj));
        Ok(())
    }

    fn read_wallets(&self, client: &FullClient, at: H256) -> Result<(), ApiError> {
        let api = client.runtime_api();
        let mut totals: BTreeMap<ClassId, (Credits, Credits)> = BTreeMap::new();
        let mut after = None;
        loop {
            let (page, next) = api.wallet_totals(at, after, PAGE)?;
            for (class, available, reserved) in page {
                let total = totals.entry(class).or_default();
                total.0 = total.0.saturating_add(available);
                total.1 = total.1.saturating_add(reserved);
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let names: BTreeMap<ClassId, String> = api
            .classes(at)?
            .into_iter()
            .map(|(id, class)| (id, String::from_utf8_lossy(&class.name).into_owned()))
            .collect();
        let name = |class: &ClassId| names.get(class).cloned().unwrap_or_else(|| class.0.to_string());
        let amounts = |part: fn(&(Credits, Credits)) -> Credits| {
            totals.iter().map(move |(class, total)| (name(class), in_credits(part(total))))
        };
        replace(&self.credits_available, amounts(|total| total.0));
        replace(&self.credits_reserved, amounts(|total| total.1));
        Ok(())
    }
}

/// Credits as Prometheus keeps numbers: exact up to nine thousand million credits.
fn in_credits(amount: Credits) -> f64 {
    amount as f64 / MICRO_CREDITS_PER_CREDIT as f64
}

/// Sets a gauge for each label that exists now, and drops the others.
fn replace<T: Atomic>(gauges: &GaugeVec<T>, values: impl Iterator<Item = (String, T::T)>) {
    gauges.reset();
    for (label, value) in values {
        gauges.with_label_values(&[&label]).set(value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_gateway_that_is_gone_is_no_longer_shown() {
        let registry = Registry::new();
        let metrics = Metrics::register(&registry).unwrap();
        let values = |pairs: &[(&str, u64)]| {
            pairs.iter().map(|(label, value)| (label.to_string(), *value)).collect::<Vec<_>>()
        };
        replace(&metrics.batches_unsettled, values(&[("a", 3), ("b", 4)]).into_iter());
        replace(&metrics.batches_unsettled, values(&[("b", 5)]).into_iter());
        let shown = registry.gather();
        let family = shown.iter().find(|family| family.get_name() == "stipend_batches_unsettled").unwrap();
        let gauges = family.get_metric();
        assert_eq!(gauges.len(), 1);
        assert_eq!((gauges[0].get_label()[0].get_value(), gauges[0].get_gauge().get_value()), ("b", 5.0));
    }

    #[test]
    fn amounts_are_shown_in_credits() {
        assert_eq!(in_credits(2_500_000), 2.5);
    }
}
