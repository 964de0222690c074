//! Incomplete beta and gamma functions.

/// Relative change below which a series or a fraction has converged.
const PRECISION: f64 = 1e-15;

/// Stands in for a zero divisor in a continued fraction [Lentz's method].
const TINY: f64 = 1e-300;

/// Terms after which we stop. The fraction of the beta function needs of the order of the root of its arguments.
const TERMS_MAX: u32 = 100_000;

/// Logarithm of the gamma function for `x > 0`: Stirling's series above 15, the recurrence below
/// [DLMF 5.11.1, 5.5.1].
pub(super) fn ln_gamma(x: f64) -> f64 {
    const STIRLING: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let (mut x, mut below) = (x, 1.0);
    while x < 15.0 {
        below *= x;
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let mut power = inverse;
    let mut series = 0.0;
    for coefficient in STIRLING {
        series += coefficient * power;
        power *= inverse * inverse;
    }
    (x - 0.5) * x.ln() - x + (2.0 * std::f64::consts::PI).ln() / 2.0 + series - f64::ln(below)
}

/// A continued fraction `1 / (1 + a1 / (1 + a2 / (1 + …)))`, by Lentz's method.
fn fraction(coefficient: impl Fn(u32) -> f64) -> f64 {
    let guarded = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut above, mut below, mut value) = (1.0, 0.0, 1.0);
    for term in 1..=TERMS_MAX {
        let a = coefficient(term);
        below = 1.0 / guarded(1.0 + a * below);
        above = guarded(1.0 + a / above);
        let change: f64 = above * below;
        value *= change;
        if (change - 1.0).abs() < PRECISION {
            break;
        }
    }
    1.0 / value
}

/// The regularised incomplete beta function for `a, b > 0` and `0 <= x <= 1`.
pub(super) fn beta_regularised(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges quickly on this side of the mean [DLMF 8.17.22].
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_regularised_left(b, a, 1.0 - x);
    }
    beta_regularised_left(a, b, x)
}

fn beta_regularised_left(a: f64, b: f64, x: f64) -> f64 {
    let front = a * x.ln() + b * (-x).ln_1p() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    let coefficient = |term: u32| {
        let m = f64::from(term / 2);
        if term.is_multiple_of(2) {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        }
    };
    (front.exp() / a * fraction(coefficient)).clamp(0.0, 1.0)
}

/// The upper regularised incomplete gamma function for `a > 0` and `x >= 0`.
pub(super) fn gamma_upper_regularised(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        // The series of the lower function [DLMF 8.11.4].
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * PRECISION {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return (1.0 - front * sum).clamp(0.0, 1.0);
    }
    // The fraction of the upper one [DLMF 8.9.2]: coefficients over x, in the form of `fraction`.
    let coefficient = |term: u32| {
        let half = f64::from(term / 2);
        if term.is_multiple_of(2) {
            half / x
        } else {
            (half + 1.0 - a) / x
        }
    };
    (front / x * fraction(coefficient)).clamp(0.0, 1.0)
}
