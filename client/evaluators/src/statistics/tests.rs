// The expected values stand here as they were computed.
#![allow(clippy::excessive_precision)]

use super::{
    functions::{beta_regularised, ln_gamma},
    *,
};
use proptest::prelude::*;

/// The expected values were computed to forty digits.
#[track_caller]
fn near(value: f64, expected: f64) {
    let error = (value - expected).abs() / expected.abs().max(1e-300);
    assert!(error < 1e-11 || (value - expected).abs() < 1e-15, "{value:e} is not {expected:e}");
}

#[test]
fn the_gamma_function_has_its_values() {
    for (x, expected) in [
        (0.1, 2.252_712_651_734_205_9),
        (0.5, 0.572_364_942_924_700_09),
        (3.7, 1.428_072_326_665_388_1),
        (10.5, 13.940_625_219_403_764),
        (100.0, 359.134_205_369_575_4),
        (1e4, 82_099.717_496_442_377),
        (1e6, 12_815_504.569_147_612),
    ] {
        near(ln_gamma(x), expected);
    }
    assert!(ln_gamma(1.0).abs() < 1e-13 && ln_gamma(2.0).abs() < 1e-13);
}

#[test]
fn the_beta_function_has_its_values() {
    for (a, b, x, expected) in [
        (0.5, 0.5, 0.3, 0.369_010_119_565_545_38),
        (2.0, 3.0, 0.4, 0.524_8),
        (10.0, 0.5, 0.9, 0.151_640_909_634_709_97),
        (50.0, 60.0, 0.5, 0.830_907_293_901_669_41),
        (1000.0, 900.0, 0.5, 0.010_861_082_630_667_564),
        (1.0, 1.0, 0.7, 0.7),
        (200.0, 1.0, 0.99, 0.133_979_674_857_961_71),
    ] {
        let value = beta_regularised(a, b, x);
        assert!((value / expected - 1.0).abs() < 1e-10, "{a} {b} {x}: {value:e}");
    }
}

#[test]
fn the_normal_tail_has_its_values_far_out_too() {
    for (z, expected) in [
        (0.0, 0.5),
        (0.5, 0.308_537_538_725_986_9),
        (1.0, 0.158_655_253_931_457_05),
        (1.96, 0.024_997_895_148_220_436),
        (5.0, 2.866_515_718_791_939_1e-7),
        (8.0, 6.220_960_574_271_784_1e-16),
        (12.0, 1.776_482_112_077_679e-33),
    ] {
        near(normal_above(z), expected);
        near(normal_above(-z), 1.0 - expected);
    }
}

#[test]
fn students_tail_has_its_values() {
    for (t, freedom, expected) in [
        (1.0, 1.0, 0.25),
        (2.228_138_852, 10.0, 0.024_999_999_999_418_262),
        (1.5, 3.7, 0.106_799_084_601_006_77),
        (4.0, 30.0, 0.000_190_922_818_041_878_42),
        (0.2, 200.0, 0.420_841_895_879_216_74),
        (6.0, 1000.0, 1.377_684_586_688_734_6e-9),
    ] {
        near(student_above(t, freedom), expected);
        near(student_above(-t, freedom), 1.0 - expected);
    }
}

#[test]
fn a_fair_coins_tail_has_its_values() {
    for (heads, throws, expected) in [
        (5, 5, 0.031_25),
        (8, 10, 0.054_687_5),
        (10, 10, 0.000_976_562_5),
        (60, 100, 0.028_443_966_820_490_396),
        (0, 7, 1.0),
        (0, 0, 1.0),
        (700, 1300, 0.003_007_896_930_522_476_5),
        (1, 1, 0.5),
        (3, 2, 0.0),
    ] {
        let value = coin_at_least(heads, throws);
        assert!((value - expected).abs() <= expected * 1e-10, "{heads} of {throws}: {value:e}");
    }
}

#[test]
fn two_shares_are_compared_with_pooled_variance() {
    let share = |count, successes| Share { count, successes };
    near(shares_differ(share(1000, 100), share(1000, 130)).unwrap_or(9.0), 0.035_488_450_466_474_7);
    near(shares_differ(share(5000, 400), share(5000, 500)).unwrap_or(9.0), 0.000_475_337_231_537_628);
    assert_eq!(shares_differ(share(20, 0), share(20, 4)), None, "two successes a side are too few");
    assert_eq!(shares_differ(share(100, 0), share(100, 0)), None);
}

#[test]
fn two_means_are_compared_by_welch() {
    let one = Mean { count: 30, mean: 10.0, deviation: 2.0 };
    let other = Mean { count: 40, mean: 11.5, deviation: 3.0 };
    near(means_differ(one, other).unwrap_or(9.0), 0.014_645_839_029_937_5);
    let still = Mean { deviation: 0.0, ..one };
    assert_eq!(means_differ(still, still), None);
}

proptest! {
    #[test]
    fn p_values_are_probabilities_and_do_not_depend_on_the_order(
        n in 2u64..10_000_000, m in 2u64..10_000_000, a in 0.0f64..=1.0, b in 0.0f64..=1.0,
        x in -1e9f64..1e9, y in -1e9f64..1e9, s in 1e-6f64..1e9, r in 1e-6f64..1e9,
    ) {
        let one = Share { count: n, successes: (n as f64 * a) as u64 };
        let other = Share { count: m, successes: (m as f64 * b) as u64 };
        let p = shares_differ(one, other);
        prop_assert_eq!(p, shares_differ(other, one));
        prop_assert!(p.is_none_or(|p| (0.0..=1.0).contains(&p)));
        let one = Mean { count: n, mean: x, deviation: s };
        let other = Mean { count: m, mean: y, deviation: r };
        let p = means_differ(one, other);
        prop_assert!(p.is_some_and(|p| (0.0..=1.0).contains(&p)));
    }

    #[test]
    fn more_heads_are_less_likely(throws in 1u64..5_000, heads in 0u64..5_000) {
        let heads = heads % throws;
        prop_assert!(coin_at_least(heads + 1, throws) <= coin_at_least(heads, throws) + 1e-12);
    }
}
