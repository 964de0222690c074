//! What is counted of looking for waste.

use prometheus::{IntCounter, IntCounterVec, Opts, Registry};
use stipend_detectors::Rule;

#[derive(Clone)]
pub(crate) struct WasteMetrics {
    findings: IntCounterVec,
    /// Requests that were looked at.
    pub(crate) looked_at: IntCounter,
    /// Requests that were not, because too many waited.
    pub(crate) not_looked_at: IntCounter,
    /// Requests that were told to wait or to name a purpose.
    pub(crate) held_back: IntCounter,
}

impl WasteMetrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let one = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let opts = Opts::new("stipend_gateway_waste_findings_total", "Findings of waste, by rule.");
        let findings = IntCounterVec::new(opts, &["rule"])?;
        registry.register(Box::new(findings.clone()))?;
        for rule in Rule::ALL {
            // What was not found is a zero, not a gap.
            findings.with_label_values(&[rule.name()]);
        }
        Ok(WasteMetrics {
            findings,
            looked_at: one("stipend_gateway_waste_looked_at_total", "Requests looked at for waste.")?,
            not_looked_at: one(
                "stipend_gateway_waste_not_looked_at_total",
                "Requests not looked at for waste because too many waited.",
            )?,
            held_back: one(
                "stipend_gateway_waste_held_back_total",
                "Requests told to wait or to name a purpose because of a finding.",
            )?,
        })
    }

    pub(crate) fn found(&self, rule: Rule) {
        self.findings.with_label_values(&[rule.name()]).inc();
    }
}
