//! What one API key may use per minute and per day, at this gateway.
//!
//! A request holds the most that it can use against every cap before it goes out, and afterwards the hold is replaced by
//! what it did use, so `used + held` never passes a cap, whatever runs at the same time. Windows are fixed: minutes and
//! days of UTC. What is held stays held over the end of a window, and counts in the one in which its request ends.
//!
//! Locks only the key's own counters, and only for keys with such caps. Each gateway counts by itself.

mod reached;
mod shown;
mod window;

use std::sync::Arc;

use parking_lot::Mutex;
use stipend_primitives::{key::KeyLimits, Credits, KeyHash, ModelId, Moment};

pub(crate) use reached::CapReached;
pub(crate) use shown::CapUse;
use window::{Refused, Window};
pub(crate) use window::{DAY_MS, MINUTE_MS};

/// Shares of a cap, in per cent, that are told once in each window.
const TOLD_PERCENT: [u8; 3] = [80, 95, 100];

/// The caps of one key; `None`, or nothing named: no cap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caps {
    /// Micro-credits of all classes together.
    pub(crate) credits_per_day_max: Option<Credits>,
    /// Micro-credits of all classes together.
    pub(crate) credits_per_minute_max: Option<Credits>,
    /// Of prompts and answers together.
    pub(crate) tokens_per_minute_max: Option<u64>,
    /// Micro-credits of all classes together, for single models.
    pub(crate) model_credits_per_day_max: Vec<(ModelId, Credits)>,
}

impl Caps {
    pub(crate) fn of(limits: &KeyLimits) -> Self {
        Caps {
            credits_per_day_max: limits.credits_per_day_max,
            credits_per_minute_max: limits.credits_per_minute_max,
            tokens_per_minute_max: limits.tokens_per_minute_max,
            model_credits_per_day_max: limits.model_credits_per_day_max.to_vec(),
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        *self == Caps::default()
    }

    fn of_model(&self, model: ModelId) -> Option<Credits> {
        let caps = self.model_credits_per_day_max.iter().filter(|(capped, _)| *capped == model);
        caps.map(|(_, cap)| *cap).min()
    }
}

/// Which cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cap {
    CreditsPerDay,
    CreditsPerMinute,
    TokensPerMinute,
    ModelCreditsPerDay,
}

impl Cap {
    /// The name in headers, metrics and the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Cap::CreditsPerDay => "credits_per_day",
            Cap::CreditsPerMinute => "credits_per_minute",
            Cap::TokensPerMinute => "tokens_per_minute",
            Cap::ModelCreditsPerDay => "model_credits_per_day",
        }
    }

    /// What it counts.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Cap::TokensPerMinute => "tokens",
            Cap::CreditsPerDay | Cap::CreditsPerMinute | Cap::ModelCreditsPerDay => "micro_credits",
        }
    }

    fn length_ms(self) -> u64 {
        match self {
            Cap::CreditsPerDay | Cap::ModelCreditsPerDay => DAY_MS,
            Cap::CreditsPerMinute | Cap::TokensPerMinute => MINUTE_MS,
        }
    }
}

/// A share of a cap was reached for the first time in its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) cap: Cap,
    pub(crate) percent: u8,
}

/// What one request can use at most, or did use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    /// Micro-credits of all classes together.
    pub(crate) credits: Credits,
    pub(crate) tokens: u64,
}

impl Amounts {
    fn of(&self, cap: Cap) -> u128 {
        match cap {
            Cap::TokensPerMinute => self.tokens.into(),
            Cap::CreditsPerDay | Cap::CreditsPerMinute | Cap::ModelCreditsPerDay => self.credits,
        }
    }
}

/// What one key has used. Outlives a change of its caps.
#[derive(Default)]
pub(crate) struct Use(Mutex<Windows>);

#[derive(Default)]
struct Windows {
    of_key: [Window; 3],
    of_models: Vec<(ModelId, Window)>,
    /// Told to the key's next caller.
    untold: Option<Warning>,
}

impl Windows {
    fn window(&mut self, cap: Cap, model: ModelId) -> &mut Window {
        let index = match cap {
            Cap::CreditsPerDay => 0,
            Cap::CreditsPerMinute => 1,
            Cap::TokensPerMinute => 2,
            Cap::ModelCreditsPerDay => return self.of_model(model),
        };
        &mut self.of_key[index]
    }

    fn of_model(&mut self, model: ModelId) -> &mut Window {
        let known = self.of_models.iter().position(|(known, _)| *known == model);
        let index = known.unwrap_or_else(|| {
            self.of_models.push((model, Window::default()));
            self.of_models.len() - 1
        });
        &mut self.of_models[index].1
    }
}

impl Use {
    /// Counts what an earlier run charged today.
    pub(crate) fn restore(&self, model: ModelId, credits: Credits, at_ms: Moment) {
        let mut windows = self.0.lock();
        for cap in [Cap::CreditsPerDay, Cap::ModelCreditsPerDay] {
            windows.window(cap, model).at(at_ms, DAY_MS).restore(credits);
        }
    }

    /// Micro-credits that a request for a model may use now.
    pub(crate) fn room(&self, caps: &Caps, model: ModelId, now_ms: Moment) -> Credits {
        if caps.is_none() {
            return Credits::MAX;
        }
        let mut windows = self.0.lock();
        let rooms = limits(caps, model)
            .filter(|(cap, _)| *cap != Cap::TokensPerMinute)
            .map(|(cap, max)| windows.window(cap, model).at(now_ms, cap.length_ms()).room(max));
        rooms.min().unwrap_or(Credits::MAX)
    }

    /// Holds the most that a request can use against every cap, or against none and says why.
    pub(crate) fn hold(
        self: &Arc<Self>,
        caps: &Caps,
        model: ModelId,
        most: Amounts,
        now_ms: Moment,
    ) -> Result<CapHold, CapReached> {
        let mut windows = self.0.lock();
        for (cap, max) in limits(caps, model) {
            let window = windows.window(cap, model).at(now_ms, cap.length_ms());
            if let Err(refused) = window.check(most.of(cap), max) {
                // Nothing that fits is left: what is held may come back, and the rest may be too small for others only.
                let is_over = matches!(refused, Refused::Used { .. });
                let warning =
                    is_over.then(|| window.tell(100)).flatten().map(|percent| Warning { cap, percent });
                windows.untold = warning.or(windows.untold);
                return Err(CapReached { cap, max, needed: most.of(cap), refused, warning });
            }
        }
        let held: Vec<(Cap, u128)> = limits(caps, model).collect();
        for (cap, _) in &held {
            windows.window(*cap, model).hold(most.of(*cap));
        }
        Ok(CapHold { of: self.clone(), model, most, caps: held })
    }

    /// Holds for a request of an earlier run, whatever is left.
    pub(crate) fn hold_again(
        self: &Arc<Self>,
        caps: &Caps,
        model: ModelId,
        most: Amounts,
        now_ms: Moment,
    ) -> CapHold {
        let mut windows = self.0.lock();
        let held: Vec<(Cap, u128)> = limits(caps, model).collect();
        for (cap, _) in &held {
            windows.window(*cap, model).at(now_ms, cap.length_ms()).hold(most.of(*cap));
        }
        CapHold { of: self.clone(), model, most, caps: held }
    }

    /// What the key's caller has not been told yet.
    pub(crate) fn take_untold(&self) -> Option<Warning> {
        self.0.lock().untold.take()
    }
}

fn limits(caps: &Caps, model: ModelId) -> impl Iterator<Item = (Cap, u128)> {
    [
        (Cap::CreditsPerDay, caps.credits_per_day_max),
        (Cap::CreditsPerMinute, caps.credits_per_minute_max),
        (Cap::TokensPerMinute, caps.tokens_per_minute_max.map(u128::from)),
        (Cap::ModelCreditsPerDay, caps.of_model(model)),
    ]
    .into_iter()
    .filter_map(|(cap, max)| Some((cap, max?)))
}

/// What one request in flight holds against its key's caps. Dropping it gives that back.
pub(crate) struct CapHold {
    of: Arc<Use>,
    model: ModelId,
    most: Amounts,
    caps: Vec<(Cap, u128)>,
}

impl CapHold {
    /// Replaces the hold by what the request did use. Returns what is to be told.
    pub(crate) fn settle(mut self, used: Amounts, now_ms: Moment) -> Vec<Warning> {
        let caps = std::mem::take(&mut self.caps);
        if caps.is_empty() {
            return Vec::new();
        }
        let mut windows = self.of.0.lock();
        let mut warnings = Vec::new();
        for (cap, max) in caps {
            let window = windows.window(cap, self.model).at(now_ms, cap.length_ms());
            window.settle(self.most.of(cap), used.of(cap));
            let percent = TOLD_PERCENT.into_iter().rev().find(|percent| window.has_reached(*percent, max));
            let told = percent.and_then(|percent| window.tell(percent));
            warnings.extend(told.map(|percent| Warning { cap, percent }));
        }
        windows.untold = warnings.iter().copied().max_by_key(|warning| warning.percent).or(windows.untold);
        warnings
    }
}

impl Drop for CapHold {
    fn drop(&mut self) {
        if self.caps.is_empty() {
            return;
        }
        let mut windows = self.of.0.lock();
        for (cap, _) in std::mem::take(&mut self.caps) {
            windows.window(cap, self.model).release(self.most.of(cap));
        }
    }
}

/// Which key it is, for the log: enough of its hash to find it on the chain.
pub(crate) fn short(hash: &KeyHash) -> String {
    hex::encode(&hash.0[..8])
}

#[cfg(test)]
mod tests;
