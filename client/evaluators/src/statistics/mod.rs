//! The distributions that the tests here need, and the tests.
//!
//! Everything comes down to the regularised incomplete beta and gamma functions, computed as in the Digital
//! Library of Mathematical Functions (8.9, 8.11 and 8.17.22). Good to twelve digits where they are used; the unit tests compare with
//! values computed to forty.

mod functions;

use functions::{beta_regularised, gamma_upper_regularised};

/// Probability that a standard normal value is above `z`.
pub fn normal_above(z: f64) -> f64 {
    let tail = gamma_upper_regularised(0.5, z * z / 2.0) / 2.0;
    if z >= 0.0 {
        tail
    } else {
        1.0 - tail
    }
}

/// Probability that a value of Student's distribution with `freedom` degrees is above `t`.
pub fn student_above(t: f64, freedom: f64) -> f64 {
    let tail = beta_regularised(freedom / 2.0, 0.5, freedom / (freedom + t * t)) / 2.0;
    if t >= 0.0 {
        tail
    } else {
        1.0 - tail
    }
}

/// Probability of at least `heads` heads in `throws` throws of a fair coin.
pub fn coin_at_least(heads: u64, throws: u64) -> f64 {
    match heads {
        0 => 1.0,
        heads if heads > throws => 0.0,
        heads => beta_regularised(heads as f64, (throws - heads) as f64 + 1.0, 0.5),
    }
}

/// A share that was counted: `successes` of `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// How many were looked at; at least 1.
    pub count: u64,
    /// How many of them succeeded.
    pub successes: u64,
}

impl Share {
    /// The share itself.
    pub fn rate(&self) -> f64 {
        self.successes as f64 / self.count as f64
    }
}

/// A mean that was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// How many values; at least 2.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with `count - 1` below.
    pub deviation: f64,
}

/// Two-sided p-value of two shares being the same (z test with pooled variance). `None` where the normal
/// distribution does not fit: fewer than five successes or failures are expected on a side.
pub fn shares_differ(one: Share, other: Share) -> Option<f64> {
    let (n, m) = (one.count as f64, other.count as f64);
    let pooled = (one.successes as f64 + other.successes as f64) / (n + m);
    let expected = n.min(m) * pooled.min(1.0 - pooled);
    if expected < 5.0 {
        return None;
    }
    let error = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    let z = (other.rate() - one.rate()) / error;
    Some(2.0 * normal_above(z.abs()))
}

/// Two-sided p-value of two means being the same (Welch's t test). `None` where nothing varies.
pub fn means_differ(one: Mean, other: Mean) -> Option<f64> {
    let part = |mean: &Mean| mean.deviation * mean.deviation / mean.count as f64;
    let (a, b) = (part(&one), part(&other));
    let variance = a + b;
    let freedom_below = a * a / (one.count as f64 - 1.0) + b * b / (other.count as f64 - 1.0);
    // Deviations may be so small or so large that their squares are none.
    if !(variance.is_normal() && freedom_below.is_normal()) {
        return None;
    }
    let t = (other.mean - one.mean) / variance.sqrt();
    let p = 2.0 * student_above(t.abs(), variance * variance / freedom_below);
    p.is_finite().then_some(p)
}

#[cfg(test)]
mod tests;
