//! What is left of a key's caps, for whoever holds the key.

use stipend_primitives::{ModelId, Moment};

use super::{limits, Cap, Caps, Use};

/// One cap and what is used of it. Amounts are micro-credits, or tokens where the cap counts those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CapUse {
    pub(crate) cap: Cap,
    /// The one model that the cap is on; `None`: all of them.
    pub(crate) model: Option<ModelId>,
    pub(crate) max: u128,
    /// By requests that have ended.
    pub(crate) used: u128,
    /// By requests in flight: the most that they can use.
    pub(crate) held: u128,
    /// When `used` begins anew.
    pub(crate) resets_at_ms: Moment,
}

impl Use {
    /// What is used of every cap now, all at one moment.
    pub(crate) fn of_caps(&self, caps: &Caps, now_ms: Moment) -> Vec<CapUse> {
        let mut windows = self.0.lock();
        let shown = all(caps).into_iter().map(|(cap, model, max)| {
            let window = windows.window(cap, model).at(now_ms, cap.length_ms());
            let model = Some(model).filter(|_| cap == Cap::ModelCreditsPerDay);
            let (used, held) = (window.used(), window.held());
            CapUse { cap, model, max, used, held, resets_at_ms: now_ms + window.left_ms() }
        });
        shown.collect()
    }
}

/// Every cap once: those of the key, then those of single models.
fn all(caps: &Caps) -> Vec<(Cap, ModelId, u128)> {
    let of_model = |model| limits(caps, model).map(move |(cap, max)| (cap, model, max));
    let is_of_key = |(cap, ..): &(Cap, ModelId, u128)| *cap != Cap::ModelCreditsPerDay;
    // Which model is asked for makes no difference to the caps of the key.
    let mut all: Vec<_> = of_model(ModelId(0)).filter(is_of_key).collect();
    let mut models: Vec<ModelId> = caps.model_credits_per_day_max.iter().map(|(model, _)| *model).collect();
    models.sort_unstable();
    models.dedup();
    all.extend(models.into_iter().flat_map(of_model).filter(|cap| !is_of_key(cap)));
    all
}
