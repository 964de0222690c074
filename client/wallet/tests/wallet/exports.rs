//! Exports add up to the chain, and FOCUS rows keep FOCUS's rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use stipend_primitives::{AccountId, Credits};
use stipend_wallet::export::{self, Export, FOCUS_COLUMNS};

use super::{
    history::History,
    place::sqlite,
    projection::{catch_up, owners},
};

/// Columns that FOCUS 1.2 has as mandatory.
const MANDATORY: [&str; 21] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
];

/// Of these, those that may be null.
const NULLABLE: [&str; 4] = ["BillingAccountName", "ChargeClass", "PricingQuantity", "PricingUnit"];

type Row = HashMap<String, String>;

fn exported(place: &stipend_wallet::db::Place, kind: Export, owner: Option<&AccountId>) -> String {
    let mut text = Vec::new();
    let mut connection = place.open().unwrap();
    export::write(&mut *connection, kind, owner, "https://wallet.example", &mut |chunk| {
        text.extend(chunk);
        Ok(())
    })
    .unwrap();
    String::from_utf8(text).unwrap()
}

/// A decimal number in millionths of a millionth.
fn pico(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(part.len() <= 12 && digits.chars().all(|c| c.is_ascii_digit() || c == '.'), "{text}");
    let part: i128 = format!("{part:0<12}").parse().unwrap();
    sign * (whole.parse::<i128>().unwrap() * 1_000_000_000_000 + part)
}

fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    shape == "9999-99-99T99:99:99Z"
}

/// The rules of FOCUS 1.2 that bear on these rows, column by column.
fn validate(row: &Row) {
    let value = |column: &str| row[column].as_str();
    for column in MANDATORY {
        assert!(NULLABLE.contains(&column) || !value(column).is_empty(), "{column} is null: {row:?}");
    }
    for column in
        ["BilledCost", "ContractedCost", "EffectiveCost", "ListCost", "PricingCurrencyEffectiveCost"]
    {
        pico(value(column));
    }
    for column in ["BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"] {
        assert!(is_time(value(column)), "{column}: {}", value(column));
    }
    assert!(value("BillingPeriodStart").ends_with("-01T00:00:00Z"));
    assert!(value("BillingPeriodStart") <= value("ChargePeriodStart"));
    assert!(value("ChargePeriodStart") < value("ChargePeriodEnd"));
    assert!(value("ChargePeriodStart") < value("BillingPeriodEnd"));
    assert_eq!(value("BillingCurrency"), "USD", "a national currency");
    assert!(["Usage", "Purchase", "Tax", "Credit", "Adjustment"].contains(&value("ChargeCategory")));
    assert!(["", "Correction"].contains(&value("ChargeClass")));
    assert!(["One-Time", "Recurring", "Usage-Based"].contains(&value("ChargeFrequency")));
    assert_eq!(value("ServiceCategory"), "AI and Machine Learning");
    let is_usage = value("ChargeCategory") == "Usage";
    if is_usage && value("ChargeClass").is_empty() {
        for column in [
            "PricingQuantity",
            "PricingUnit",
            "PricingCategory",
            "SkuId",
            "SkuPriceId",
            "ListUnitPrice",
            "ContractedUnitPrice",
            "ConsumedQuantity",
            "ConsumedUnit",
        ] {
            assert!(!value(column).is_empty(), "{column} is null: {row:?}");
        }
        let quantity: i128 = value("PricingQuantity").parse().unwrap();
        assert!(quantity > 0);
        for (price, cost) in [
            ("ListUnitPrice", "ListCost"),
            ("ContractedUnitPrice", "ContractedCost"),
            ("PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost"),
        ] {
            assert_eq!(pico(value(price)) * quantity, pico(value(cost)), "{price}: {row:?}");
        }
        assert!(["Standard", "Dynamic", "Committed", "Other"].contains(&value("PricingCategory")));
    }
    if !is_usage {
        assert!(value("ConsumedQuantity").is_empty() && value("ConsumedUnit").is_empty());
        assert_ne!(value("ChargeFrequency"), "Usage-Based");
    }
    assert!(value("PricingUnit").is_empty() || ["Tokens", "Requests"].contains(&value("PricingUnit")));
}

async fn world(seed: u64) -> (History, tempfile::TempDir, stipend_wallet::db::Place) {
    let mut history = History::new(seed, owners());
    history.step_ms = 9 * 3_600_000;
    history.run(70);
    history.settle_all();
    let folder = tempfile::tempdir().unwrap();
    let place = sqlite(folder.path());
    catch_up(&history.fake, &place).await.unwrap();
    (history, folder, place)
}

/// What the chain says was spent, by owner and class.
fn spent(history: &History) -> BTreeMap<(String, u16), Credits> {
    let (_, ledger) = history.fake.head();
    let rows = ledger.wallets.iter().flat_map(|(owner, (balances, _))| {
        balances.iter().map(move |row| ((owner.to_string(), row.class.0), row.amounts.spent))
    });
    rows.filter(|(_, spent)| *spent > 0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn focus_rows_keep_the_rules_and_add_up_to_the_chain() {
    for seed in 20..22 {
        let (history, _folder, place) = world(seed).await;
        let (text, own) = tokio::task::spawn_blocking(move || {
            (exported(&place, Export::Focus, None), exported(&place, Export::Focus, Some(&owners()[0])))
        })
        .await
        .unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(columns, FOCUS_COLUMNS);
        assert_eq!(columns.iter().collect::<BTreeSet<_>>().len(), columns.len());
        assert!(MANDATORY.iter().all(|column| columns.iter().any(|known| known == column)));
        let mut sums: BTreeMap<(String, u16), i128> = BTreeMap::new();
        let (mut categories, mut classes) = (BTreeSet::new(), BTreeSet::new());
        for row in reader.deserialize::<Row>() {
            let row = row.unwrap();
            validate(&row);
            categories.insert(row["ChargeCategory"].clone());
            classes.insert(row["ChargeClass"].clone());
            let key = (row["SubAccountId"].clone(), row["x_ClassId"].parse().unwrap());
            let amount = pico(&row["PricingCurrencyEffectiveCost"]);
            assert_eq!(amount % 1_000_000, 0);
            *sums.entry(key).or_default() += amount / 1_000_000;
        }
        let sums: BTreeMap<_, _> =
            sums.into_iter().filter(|(_, sum)| *sum != 0).map(|(key, sum)| (key, sum as u128)).collect();
        assert_eq!(sums, spent(&history), "seed {seed}");
        assert_eq!(categories.len(), 2, "usage and adjustments: {categories:?}");
        let own_sum: i128 = csv::Reader::from_reader(own.as_bytes())
            .deserialize::<Row>()
            .map(|row| {
                let row = row.unwrap();
                assert_eq!(row["SubAccountId"], owners()[0].to_string());
                pico(&row["PricingCurrencyEffectiveCost"]) / 1_000_000
            })
            .sum();
        let expected: u128 = spent(&history)
            .iter()
            .filter(|((owner, _), _)| *owner == owners()[0].to_string())
            .map(|(_, spent)| spent)
            .sum();
        assert_eq!(own_sum, expected as i128);
    }
}

fn amount(value: &Value) -> i128 {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_and_events_add_up_to_the_chain_too() {
    let (history, _folder, place) = world(31).await;
    let (receipts, events) = tokio::task::spawn_blocking(move || {
        (exported(&place, Export::Receipts, None), exported(&place, Export::OpenMeter, None))
    })
    .await
    .unwrap();
    let expected: u128 = spent(&history).values().sum();
    let mut sum = 0;
    for line in receipts.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        sum += match row["kind"].as_str().unwrap() {
            "receipt" => {
                amount(&row["cost"]) + amount(&row["fee"])
                    - amount(&row["uncollected"])
                    - amount(&row["uncollected_fee"])
            }
            _ => -amount(&row["amount"]),
        };
    }
    assert_eq!(sum, expected as i128);
    let (mut sum, mut ids) = (0, BTreeSet::new());
    for line in events.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        for field in ["specversion", "type", "id", "source", "subject", "time"] {
            assert!(event[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {event}");
        }
        assert_eq!(event["specversion"], "1.0");
        assert!(is_time(event["time"].as_str().unwrap()));
        assert!(ids.insert(event["id"].as_str().unwrap().to_owned()), "an id stands twice: {event}");
        let data = &event["data"];
        sum += match event["type"].as_str().unwrap() {
            "stipend.receipt" => {
                amount(&data["cost_microcredits"]) + amount(&data["priority_fee_microcredits"])
            }
            _ => -amount(&data["refund_microcredits"]),
        };
    }
    assert_eq!(sum, expected as i128);
}
