//! FinOps FOCUS 1.2 rows: one per meter of a receipt, and one per refund.
//!
//! Credits are a virtual currency: what was paid in them stands in the `PricingCurrency…` columns, which FOCUS
//! 1.2 has for this. Nobody is invoiced for them, so the costs in the billing currency are zero, but for the
//! list cost, which is what the same tokens would cost outside by the price book's reference prices.

use stipend_primitives::{cost::PriceEntry, Credits, Moment};

use super::{ExportError, Refund, Shared};
use crate::{
    db::{Connection, DbError},
    pages::words::{month, timestamp},
    read::{prices, receipts::Receipt},
};

/// The columns, in the order of the file. Those with `x_` are Stipend's own.
pub const COLUMNS: [&str; 55] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
    "x_Block",
    "x_ClassId",
    "x_ClassName",
    "x_EnergyMillijoules",
    "x_EntitlementIds",
    "x_Gateway",
    "x_PriceBook",
    "x_Sequence",
];

pub(super) fn header() -> String {
    format!("{}\n", COLUMNS.join(","))
}

/// A row: a value per column, empty where there is none.
struct Line(Vec<(&'static str, String)>);

impl Line {
    fn write(self, out: &mut String) {
        for (at, column) in COLUMNS.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            let value = self.0.iter().find(|(name, _)| name == column).map_or("", |(_, value)| value);
            if value.contains([',', '"', '\n', '\r']) {
                out.push_str(&format!("\"{}\"", value.replace('"', "\"\"")));
            } else {
                out.push_str(value);
            }
        }
        out.push('\n');
    }
}

/// What one meter of a receipt counts and costs.
struct Meter {
    name: &'static str,
    unit: &'static str,
    quantity: u64,
    /// Micro-credits per unit.
    price: Credits,
    /// Micro-credits.
    cost: Credits,
    /// Millionths of a millionth of a USD per unit, outside.
    reference: u128,
    in_priority: bool,
}

fn meters_of(receipt: &Receipt, entry: &PriceEntry) -> Vec<Meter> {
    let usage = &receipt.usage;
    let request = Credits::from(entry.weight) * Credits::from(entry.c_model);
    let tokens = |name, quantity: u32, price: u64, reference: u64| Meter {
        name,
        unit: "Tokens",
        quantity: quantity.into(),
        price: price.into(),
        cost: Credits::from(quantity) * Credits::from(price),
        reference: reference.into(),
        in_priority: false,
    };
    let single = |name, price, in_priority| Meter {
        name,
        unit: "Requests",
        quantity: 1,
        price,
        cost: price,
        reference: 0,
        in_priority,
    };
    let meters = vec![
        tokens("Input tokens", usage.input, entry.c_input, entry.reference_input),
        tokens("Cached input tokens", usage.cached_input, entry.c_cached, entry.reference_input),
        tokens("Output tokens", usage.output, entry.c_output, entry.reference_output),
        single("Requests", request, false),
        single("Priority", receipt.fee, true),
    ];
    // FOCUS wants positive quantities of usage; the request itself always counts, so that no receipt is lost.
    meters
        .into_iter()
        .filter(|meter| meter.quantity > 0 && (meter.cost > 0 || meter.name != "Priority"))
        .collect()
}

/// Writes the rows of a receipt: one per meter, and one for what nobody covered.
pub(super) fn receipt(
    connection: &mut dyn Connection,
    shared: &Shared,
    receipt: &Receipt,
    out: &mut String,
) -> Result<(), ExportError> {
    let entry = prices::entry(connection, receipt.book, receipt.model)?
        .ok_or_else(|| DbError::Foreign(format!("no price of model {}", receipt.model.0)))?;
    for meter in meters_of(receipt, &entry) {
        let class = if meter.in_priority { stipend_primitives::ClassId::PRIORITY } else { receipt.class };
        let mut line = common(shared, receipt.moment, receipt.moment, &receipt.wallet.to_string());
        line.extend([
            ("ChargeCategory", "Usage".to_owned()),
            ("ChargeDescription", format!("{} of {}", meter.name, receipt.model_name)),
            ("ChargeFrequency", "Usage-Based".into()),
            ("ConsumedQuantity", meter.quantity.to_string()),
            ("ConsumedUnit", meter.unit.into()),
            ("ContractedUnitPrice", "0".into()),
            ("ListCost", pico(meter.reference * u128::from(meter.quantity))),
            ("ListUnitPrice", pico(meter.reference)),
            ("PricingCategory", "Standard".into()),
            ("PricingCurrencyContractedUnitPrice", micro(meter.price)),
            ("PricingCurrencyEffectiveCost", micro(meter.cost)),
            ("PricingCurrencyListUnitPrice", micro(meter.price)),
            ("PricingQuantity", meter.quantity.to_string()),
            ("PricingUnit", meter.unit.into()),
            ("PublisherName", receipt.provider.to_string()),
            ("ResourceId", receipt.model_name.clone()),
            ("ResourceName", receipt.model_name.clone()),
            ("ResourceType", "Language model".into()),
            ("SkuId", receipt.model_name.clone()),
            ("SkuMeter", meter.name.into()),
            ("SkuPriceId", format!("{}/{}", receipt.model_name, meter.name)),
            ("x_EntitlementIds", entitlements(connection, receipt, class)?),
        ]);
        if meter.name == "Requests" {
            let energy = receipt.energy_mj.map(|energy| energy.to_string()).unwrap_or_default();
            line.push(("x_EnergyMillijoules", energy));
        }
        line.extend(own(shared, receipt, class));
        Line(line).write(out);
    }
    for (class, amount) in [
        (receipt.class, receipt.uncollected),
        (stipend_primitives::ClassId::PRIORITY, receipt.uncollected_fee),
    ] {
        if amount > 0 {
            let what = format!("Charged for {} and covered by no wallet", receipt.model_name);
            let mut line = common(shared, receipt.moment, receipt.moment, &receipt.wallet.to_string());
            line.extend(given_back(what, amount, &receipt.provider.to_string()));
            line.extend(own(shared, receipt, class));
            Line(line).write(out);
        }
    }
    Ok(())
}

fn own(
    shared: &Shared,
    receipt: &Receipt,
    class: stipend_primitives::ClassId,
) -> [(&'static str, String); 6] {
    [
        ("x_Block", receipt.block.to_string()),
        ("x_ClassId", class.0.to_string()),
        ("x_ClassName", shared.names.class(class)),
        ("x_Gateway", receipt.gateway.to_string()),
        ("x_PriceBook", receipt.book.to_string()),
        ("x_Sequence", receipt.sequence.to_string()),
    ]
}

/// Writes the row of a refund.
pub(super) fn refund(shared: &Shared, refund: &Refund, out: &mut String) {
    let mut line = common(shared, refund.moment, refund.batch_moment, &refund.owner.to_string());
    line.extend(given_back("Refund by settlement".into(), refund.given, &refund.provider.to_string()));
    line.extend([
        ("x_Block", refund.block.to_string()),
        ("x_ClassId", refund.class.0.to_string()),
        ("x_ClassName", shared.names.class(refund.class)),
        ("x_Gateway", refund.gateway.to_string()),
        ("x_Sequence", refund.first_seq.to_string()),
    ]);
    Line(line).write(out);
}

fn given_back(what: String, amount: Credits, provider: &str) -> [(&'static str, String); 6] {
    [
        ("ChargeCategory", "Adjustment".into()),
        ("ChargeDescription", what),
        ("ChargeFrequency", "One-Time".into()),
        ("ListCost", "0".into()),
        ("PricingCurrencyEffectiveCost", format!("-{}", micro(amount))),
        ("PublisherName", provider.to_owned()),
    ]
}

/// What all rows have. A charge that corrects one of an earlier month is a correction.
fn common(shared: &Shared, moment: Moment, corrected: Moment, wallet: &str) -> Vec<(&'static str, String)> {
    let (start, end) = month(moment);
    let is_correction = month(corrected) != (start, end);
    vec![
        ("BilledCost", "0".into()),
        ("BillingAccountId", shared.origin.to_owned()),
        ("BillingAccountName", "Stipend".into()),
        ("BillingAccountType", "Company".into()),
        ("BillingCurrency", "USD".into()),
        ("BillingPeriodEnd", timestamp(end)),
        ("BillingPeriodStart", timestamp(start)),
        ("ChargeClass", if is_correction { "Correction".into() } else { String::new() }),
        ("ChargePeriodEnd", timestamp(moment - moment % 1_000 + 1_000)),
        ("ChargePeriodStart", timestamp(moment)),
        ("ContractedCost", "0".into()),
        ("EffectiveCost", "0".into()),
        ("InvoiceIssuerName", "Stipend".into()),
        ("PricingCurrency", "Credits".into()),
        ("ProviderName", "Stipend".into()),
        ("ServiceCategory", "AI and Machine Learning".into()),
        ("ServiceName", "Stipend inference".into()),
        ("ServiceSubcategory", "Generative AI".into()),
        ("SubAccountId", wallet.to_owned()),
        ("SubAccountName", wallet.to_owned()),
        ("SubAccountType", "Wallet".into()),
        ("Tags", "{}".into()),
    ]
}

/// The wallet's entitlements in a class. The chain charges the one that expires first, and does not say
/// which that was: where there is one, it was that.
fn entitlements(
    connection: &mut dyn Connection,
    receipt: &Receipt,
    class: stipend_primitives::ClassId,
) -> Result<String, ExportError> {
    let rows = connection.query(
        "SELECT e.id FROM entitlements e JOIN accounts a ON a.id = e.owner
         WHERE a.account = ?1 AND e.class = ?2 AND e.valid_from <= ?3 ORDER BY e.id",
        &[(&receipt.wallet).into(), class.0.into(), receipt.moment.into()],
    )?;
    let ids: Result<Vec<String>, DbError> = rows.iter().map(|row| Ok(row.int(0)?.to_string())).collect();
    Ok(ids?.join(";"))
}

/// Millionths as a decimal number.
fn micro(amount: u128) -> String {
    decimal(amount, 6)
}

/// Millionths of a millionth as a decimal number.
fn pico(amount: u128) -> String {
    decimal(amount, 12)
}

fn decimal(amount: u128, places: u32) -> String {
    let one = 10u128.pow(places);
    let (whole, part) = (amount / one, amount % one);
    if part == 0 {
        return whole.to_string();
    }
    let digits = format!("{part:0width$}", width = places as usize);
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_decimals() {
        for (amount, expected) in [
            (0, "0"),
            (1, "0.000001"),
            (1_000_000, "1"),
            (1_500_000, "1.5"),
            (u128::MAX, "340282366920938463463374607431768.211455"),
        ] {
            assert_eq!(micro(amount), expected);
        }
        assert_eq!(pico(2_500_000), "0.0000025");
    }
}
