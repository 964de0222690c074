//! What `/metrics` shows.

use prometheus::{
    core::Collector, Encoder, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::{
    sender::Step,
    store::{Figures, Judged},
};

/// The evaluator's own metrics. Labels come from the configuration and from lists here, so there are boundedly many.
pub(super) struct Metrics {
    registry: Registry,
    webhooks: IntCounterVec,
    receipts: IntCounterVec,
    judged: IntCounterVec,
    sent: IntCounterVec,
    outcomes: IntGaugeVec,
    outbox: IntGaugeVec,
    held: IntGauge,
    receipts_known: IntGauge,
    ledger_up: IntGauge,
    journal_up: IntGauge,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let registry = Registry::new();
        let counters = |name, help, labels: &[&str]| {
            register(&registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let gauges = |name, help, labels: &[&str]| {
            register(&registry, IntGaugeVec::new(Opts::new(name, help), labels))
        };
        let gauge = |name, help| register(&registry, IntGauge::new(name, help));
        Metrics {
            webhooks: counters(
                "stipend_evaluator_webhooks_total",
                "Webhooks, by forge and by the status that they got.",
                &["forge", "status"],
            ),
            receipts: counters(
                "stipend_evaluator_receipts_total",
                "Receipts handed in, by the status that they got.",
                &["status"],
            ),
            judged: counters(
                "stipend_evaluator_merges_total",
                "Merges judged, by what they came to.",
                &["result"],
            ),
            sent: counters(
                "stipend_evaluator_ledger_total",
                "Times that the ledger was told something, by what it said.",
                &["result"],
            ),
            outcomes: gauges("stipend_evaluator_outcomes", "Outcomes in the journal.", &["state"]),
            outbox: gauges(
                "stipend_evaluator_outbox",
                "What the ledger has not taken: waiting, or refused for good.",
                &["state"],
            ),
            held: gauge("stipend_evaluator_merges_held", "Merges that are held before they are judged."),
            receipts_known: gauge("stipend_evaluator_receipts_known", "Receipts that were handed in."),
            ledger_up: gauge(
                "stipend_evaluator_ledger_up",
                "Whether the ledger could be asked the last time.",
            ),
            journal_up: gauge("stipend_evaluator_journal_up", "Whether the journal can be read."),
            registry,
        }
    }

    pub(super) fn webhook(&self, forge: &str, status: u16) {
        self.webhooks.with_label_values(&[forge, &status.to_string()]).inc();
    }

    pub(super) fn receipt(&self, status: u16) {
        self.receipts.with_label_values(&[&status.to_string()]).inc();
    }

    pub(super) fn judged(&self, judged: &Judged) {
        let result = match judged {
            Judged::Reverted(_) => "reverted",
            Judged::Awarded(awarded) if awarded.nothing.is_some() => "nothing",
            Judged::Awarded(_) => "earned",
        };
        self.judged.with_label_values(&[result]).inc();
    }

    pub(super) fn step(&self, step: &Step) {
        let result = match step {
            Step::Idle => return,
            Step::Taken => "taken",
            Step::Refused(_) => "refused",
            Step::Unavailable(_) => "unavailable",
        };
        self.sent.with_label_values(&[result]).inc();
    }

    /// The exposition.
    pub(super) fn render(&self, figures: Option<Figures>, is_ledger_up: bool) -> Vec<u8> {
        self.journal_up.set(figures.is_some().into());
        self.ledger_up.set(is_ledger_up.into());
        if let Some(figures) = figures {
            self.outcomes.with_label_values(&["standing"]).set(figures.standing as i64);
            self.outcomes.with_label_values(&["withdrawn"]).set(figures.withdrawn as i64);
            self.outbox.with_label_values(&["waiting"]).set(figures.waiting as i64);
            self.outbox.with_label_values(&["refused"]).set(figures.refused as i64);
            self.held.set(figures.held as i64);
            self.receipts_known.set(figures.receipts as i64);
        }
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut text)
            .expect("writing to memory does not fail, and gathered families are well formed; qed");
        text
    }
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, metric: prometheus::Result<C>) -> C {
    let metric = metric.expect("names and labels are constants that follow the rules; qed");
    registry.register(Box::new(metric.clone())).expect("every name is registered once; qed");
    metric
}
