//! The rules of FOCUS 1.2 that bear on these rows, by the specification's names for columns and attributes, with what
//! 1.3 wants besides. Each rule knows how to break a row, so that a test can show that it bites.

use super::{
    columns,
    table::{pico, Row},
};

/// Values to put into columns of a row.
pub type Change = Vec<(&'static str, Option<&'static str>)>;

/// A rule of a row.
pub struct Rule {
    /// Column or attribute, and the requirement.
    pub name: String,
    pub holds: Box<dyn Fn(&Row) -> bool>,
    /// Changes to a sound row of this category, after each of which the rule does not hold.
    pub category: &'static str,
    pub breaks: Vec<Change>,
}

/// What a row says in a column.
pub fn get<'r>(row: &'r Row, column: &str) -> Option<&'r str> {
    row.get(column).and_then(|value| value.as_deref())
}

fn is(row: &Row, column: &str, value: &str) -> bool {
    get(row, column) == Some(value)
}

/// A charge for use or purchase that corrects nothing: most columns must say something there.
fn is_plain(row: &Row) -> bool {
    (is(row, "ChargeCategory", "Usage") || is(row, "ChargeCategory", "Purchase"))
        && !is(row, "ChargeClass", "Correction")
}

/// A rule that one change breaks.
fn rule(
    name: impl Into<String>,
    category: &'static str,
    breaks: &[(&'static str, Option<&'static str>)],
    holds: impl Fn(&Row) -> bool + 'static,
) -> Rule {
    Rule { name: name.into(), holds: Box::new(holds), category, breaks: vec![breaks.to_vec()] }
}

/// A rule of one column's text, and text that breaks it.
fn format_rule(
    name: String,
    column: &'static str,
    wrong: &[&'static str],
    holds: impl Fn(&str) -> bool + 'static,
) -> Rule {
    let holds = move |row: &Row| get(row, column).is_none_or(&holds);
    let breaks = wrong.iter().map(|wrong| vec![(column, Some(*wrong))]).collect();
    Rule { name, holds: Box::new(holds), category: "Usage", breaks }
}

/// All rules of a row.
pub fn rules() -> Vec<Rule> {
    let mut rules = nullability();
    rules.extend(formats());
    rules.extend(values());
    rules.extend(intervals());
    rules.extend(products());
    rules
}

/// The names of the rules that a row does not keep.
pub fn broken<'n>(rules: &'n [Rule], row: &Row) -> Vec<&'n str> {
    rules.iter().filter(|rule| !(rule.holds)(row)).map(|rule| rule.name.as_str()).collect()
}

fn nullability() -> Vec<Rule> {
    let mut rules = Vec::new();
    for column in columns::NEVER_NULL {
        rules.push(rule(format!("{column}: MUST NOT be null"), "Usage", &[(column, None)], move |row| {
            get(row, column).is_some()
        }));
    }
    for column in columns::OF_PLAIN_CHARGES {
        let name = format!("{column}: MUST NOT be null when ChargeCategory is Usage or Purchase and ChargeClass is not Correction");
        rules.push(rule(name, "Usage", &[(column, None)], move |row| {
            !is_plain(row) || get(row, column).is_some()
        }));
        let name = format!("{column}: MUST be null when ChargeCategory is Tax");
        rules.push(rule(name, "Usage", &[("ChargeCategory", Some("Tax"))], move |row| {
            !is(row, "ChargeCategory", "Tax") || get(row, column).is_none()
        }));
    }
    for (column, value) in [("ConsumedQuantity", "1"), ("ConsumedUnit", "Tokens")] {
        let name = format!("{column}: MUST be null when ChargeCategory is not Usage");
        rules.push(rule(name, "Adjustment", &[(column, Some(value))], move |row| {
            is(row, "ChargeCategory", "Usage") || get(row, column).is_none()
        }));
        let name = format!(
            "{column}: MUST NOT be null when ChargeCategory is Usage and ChargeClass is not Correction"
        );
        rules.push(rule(name, "Usage", &[(column, None)], move |row| {
            !(is(row, "ChargeCategory", "Usage") && is_plain(row)) || get(row, column).is_some()
        }));
    }
    for (column, with) in columns::NULL_TOGETHER {
        let name = format!("{column}: MUST be null exactly when {with} is null");
        rules.push(rule(name, "Usage", &[(with, None)], move |row| {
            get(row, column).is_some() == get(row, with).is_some()
        }));
    }
    for (column, with, value) in columns::NULL_WITH {
        let name = format!("{column}: MUST be null when {with} is null");
        let breaks = [(*column, Some(*value)), (*with, None)];
        rules.push(rule(name, "Usage", &breaks, move |row| {
            get(row, column).is_none() || get(row, with).is_some()
        }));
    }
    rules
}

fn formats() -> Vec<Rule> {
    let mut rules = Vec::new();
    for column in columns::DECIMALS {
        let wrong = ["1e6", "1,000", "+1", "$1", "1.", "one"];
        rules.push(format_rule(format!("NumericFormat of {column}"), column, &wrong, |text| {
            pico(text).is_some()
        }));
    }
    for column in columns::TIMES {
        let wrong =
            ["2026-11-01", "2026-11-01T00:00:00", "2026-11-01T00:00:00+00:00", "2026-13-01T00:00:00Z"];
        rules.push(format_rule(format!("DateTimeFormat of {column}: UTC, with Z"), column, &wrong, is_time));
    }
    for column in ["Tags", "SkuPriceDetails"] {
        let wrong = ["tag", "[1]", "{\"a\":{\"b\":1}}", "{\"a\":[1]}"];
        let name = format!("KeyValueFormat of {column}: an object of keys and single values");
        rules.push(format_rule(name, column, &wrong, is_key_value));
    }
    for column in ["PricingUnit", "ConsumedUnit"] {
        let wrong = ["tokens", "Token", "Tokens/s", "1K"];
        let name = format!("UnitFormat of {column}: capitalised words, in the plural");
        rules.push(format_rule(name, column, &wrong, is_unit));
    }
    let name = "CurrencyFormat of BillingCurrency: a national currency's code of ISO 4217".to_owned();
    rules.push(format_rule(name, "BillingCurrency", &["usd", "US$", "Credits"], |code| {
        columns::CURRENCIES.contains(&code)
    }));
    const PLACEHOLDERS: [&str; 5] = ["", "Not Applicable", "N/A", "null", "-"];
    for column in columns::known() {
        let name = format!("NullHandling of {column}: no empty or placeholder string");
        rules.push(format_rule(name, column, &PLACEHOLDERS, |text| !PLACEHOLDERS.contains(&text)));
    }
    rules
}

fn values() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (column, allowed) in columns::ALLOWED {
        let name = format!("{column}: MUST be one of the allowed values");
        rules.push(rule(name, "Usage", &[(column, Some("Something"))], move |row| {
            get(row, column).is_none_or(|value| allowed.contains(&value))
        }));
    }
    for column in columns::NOT_NEGATIVE {
        let name = format!("{column}: MUST be a non-negative decimal value");
        rules.push(rule(name, "Usage", &[(column, Some("-1"))], move |row| {
            get(row, column).is_none_or(|text| pico(text).is_none_or(|amount| amount >= 0))
        }));
    }
    rules.push(rule(
        "ChargeFrequency: MUST NOT be Usage-Based when ChargeCategory is Purchase",
        "Usage",
        &[("ChargeCategory", Some("Purchase"))],
        |row| !(is(row, "ChargeCategory", "Purchase") && is(row, "ChargeFrequency", "Usage-Based")),
    ));
    rules.push(rule(
        "ServiceSubcategory: MUST have one and only one parent ServiceCategory",
        "Usage",
        &[("ServiceCategory", Some("Compute"))],
        |row| {
            !is(row, "ServiceSubcategory", "Generative AI")
                || is(row, "ServiceCategory", "AI and Machine Learning")
        },
    ));
    rules.push(rule(
        "InvoiceId: MUST be null when the charge is on no invoice",
        "Usage",
        &[("InvoiceId", Some("1"))],
        |row| get(row, "InvoiceId").is_none(),
    ));
    rules
}

/// Moments are text of one form, so they are in order as text is.
fn intervals() -> Vec<Rule> {
    let later = |first: &'static str, second: &'static str| {
        move |row: &Row| get(row, first).zip(get(row, second)).is_none_or(|(first, second)| first < second)
    };
    let early = Some("2020-01-01T00:00:00Z");
    let late = Some("2099-01-01T00:00:00Z");
    vec![
        rule(
            "BillingPeriodEnd: MUST be the exclusive end bound of the billing period",
            "Usage",
            &[("BillingPeriodEnd", early)],
            later("BillingPeriodStart", "BillingPeriodEnd"),
        ),
        rule(
            "ChargePeriodEnd: MUST be the exclusive end bound of the charge period",
            "Usage",
            &[("ChargePeriodEnd", early)],
            later("ChargePeriodStart", "ChargePeriodEnd"),
        ),
        rule(
            "BillingPeriodStart: MUST be the inclusive start bound, which the charge's is not before",
            "Usage",
            &[("BillingPeriodStart", late)],
            |row| get(row, "BillingPeriodStart") <= get(row, "ChargePeriodStart"),
        ),
        rule(
            "BillingPeriodEnd: MUST be the exclusive end bound, before which the charge starts",
            "Usage",
            &[("ChargePeriodStart", late)],
            later("ChargePeriodStart", "BillingPeriodEnd"),
        ),
        rule(
            "BillingPeriodStart: a calendar month's first moment",
            "Usage",
            &[("BillingPeriodStart", Some("2026-11-01T00:00:01Z"))],
            |row| get(row, "BillingPeriodStart").is_none_or(|text| text.ends_with("-01T00:00:00Z")),
        ),
    ]
}

fn products() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (cost, price) in columns::PRODUCTS {
        let name = format!("{cost}: MUST equal the product of {price} and PricingQuantity");
        rules.push(rule(name, "Usage", &[(cost, Some("0.123456"))], move |row| {
            let amount = |column: &str| get(row, column).and_then(pico);
            let (Some(price), Some(quantity)) = (amount(price), amount("PricingQuantity")) else {
                return true;
            };
            is(row, "ChargeClass", "Correction")
                || amount(cost) == price.checked_mul(quantity / 1_000_000_000_000)
        }));
    }
    for cost in ["ListCost", "ContractedCost", "EffectiveCost"] {
        let name = format!("{cost}: MUST match BilledCost when there is no unit price and no related charge");
        rules.push(rule(name, "Adjustment", &[(cost, Some("1"))], move |row| {
            !is(row, "ChargeCategory", "Adjustment")
                || get(row, "ListUnitPrice").is_some()
                || get(row, cost) == get(row, "BilledCost")
        }));
    }
    rules
}

/// `2026-11-22T01:02:03Z`, and a moment that exists.
pub fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    let part = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<u32>().ok());
    shape == "9999-99-99T99:99:99Z"
        && part(5, 7).is_some_and(|month| (1..=12).contains(&month))
        && part(8, 10).is_some_and(|day| (1..=31).contains(&day))
        && part(11, 13).is_some_and(|hour| hour < 24)
        && part(14, 16).is_some_and(|minute| minute < 60)
        && part(17, 19).is_some_and(|second| second < 60)
}

fn is_key_value(text: &str) -> bool {
    let Ok(serde_json::Value::Object(object)) = serde_json::from_str(text) else { return false };
    object.values().all(|value| !value.is_object() && !value.is_array())
}

fn is_unit(text: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_uppercase())
            && word.ends_with('s')
            && word.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    text.split(' ').all(is_word)
}
