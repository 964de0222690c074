//! Receipts and refunds as rows.

use stipend_primitives::{cost::PriceEntry, ClassId, Credits, Moment};

use super::{
    super::{ExportError, Refund, Shared},
    columns::{Column, Line, Value},
    known::Known,
};
use crate::{db::Connection, pages::words::month, read::receipts::Receipt};

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

fn meters_of(receipt: &Receipt, entry: &PriceEntry) -> impl Iterator<Item = Meter> {
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
    let meters = [
        tokens("Input tokens", usage.input, entry.c_input, entry.reference_input),
        tokens("Cached input tokens", usage.cached_input, entry.c_cached, entry.reference_input),
        tokens("Output tokens", usage.output, entry.c_output, entry.reference_output),
        single("Requests", request, false),
        single("Priority", receipt.fee, true),
    ];
    // FOCUS wants positive quantities of usage; the request itself always counts, so that no receipt is lost.
    meters.into_iter().filter(|meter| meter.quantity > 0 && (meter.cost > 0 || meter.name != "Priority"))
}

/// The rows of a receipt: one per meter, and one for what nobody covered.
pub(super) fn of_receipt(
    connection: &mut dyn Connection,
    known: &mut Known,
    shared: &Shared,
    receipt: &Receipt,
) -> Result<Vec<Line>, ExportError> {
    let entry = known.price(connection, receipt.book, receipt.model)?;
    let mut lines = Vec::with_capacity(6);
    for meter in meters_of(receipt, &entry) {
        let class = if meter.in_priority { ClassId::PRIORITY } else { receipt.class };
        let mut line = of_meter(shared, receipt, &meter)?;
        let valid = known.entitlements(connection, &receipt.wallet, class, receipt.moment)?;
        line.set(Column::x_EntitlementIds, valid);
        if let (Some(energy), "Requests") = (receipt.energy_mj, meter.name) {
            line.set(Column::x_EnergyMillijoules, Value::Count(energy));
        }
        own(&mut line, shared, receipt, class);
        lines.push(line);
    }
    for (class, amount) in
        [(receipt.class, receipt.uncollected), (ClassId::PRIORITY, receipt.uncollected_fee)]
    {
        if amount > 0 {
            let what = format!("Charged for {} and covered by no wallet", receipt.model_name);
            let mut line = common(shared, receipt.moment, receipt.moment, receipt.wallet.to_string());
            given_back(&mut line, what, amount, receipt.provider.to_string())?;
            own(&mut line, shared, receipt, class);
            lines.push(line);
        }
    }
    Ok(lines)
}

fn of_meter(shared: &Shared, receipt: &Receipt, meter: &Meter) -> Result<Line, ExportError> {
    let mut line = common(shared, receipt.moment, receipt.moment, receipt.wallet.to_string());
    let quantity = Value::Decimal(meter.quantity.into());
    line.set(Column::ChargeCategory, "Usage");
    line.set(Column::ChargeDescription, format!("{} of {}", meter.name, receipt.model_name));
    line.set(Column::ChargeFrequency, "Usage-Based");
    line.set(Column::ConsumedQuantity, quantity.clone());
    line.set(Column::ConsumedUnit, meter.unit);
    line.set(Column::ContractedUnitPrice, Value::Decimal(0));
    line.amount(Column::ListCost, meter.reference * u128::from(meter.quantity))?;
    line.amount(Column::ListUnitPrice, meter.reference)?;
    line.set(Column::PricingCategory, "Standard");
    line.amount(Column::PricingCurrencyContractedUnitPrice, meter.price)?;
    line.amount(Column::PricingCurrencyEffectiveCost, meter.cost)?;
    line.amount(Column::PricingCurrencyListUnitPrice, meter.price)?;
    line.set(Column::PricingQuantity, quantity);
    line.set(Column::PricingUnit, meter.unit);
    line.set(Column::ResourceId, receipt.model_name.clone());
    line.set(Column::ResourceName, receipt.model_name.clone());
    line.set(Column::ResourceType, "Language model");
    line.set(Column::SkuId, receipt.model_name.clone());
    line.set(Column::SkuMeter, meter.name);
    line.set(Column::SkuPriceId, format!("{}/{}", receipt.model_name, meter.name));
    provided(&mut line, receipt.provider.to_string());
    Ok(line)
}

fn own(line: &mut Line, shared: &Shared, receipt: &Receipt, class: ClassId) {
    line.set(Column::x_Block, Value::Count(receipt.block.into()));
    line.set(Column::x_ClassId, Value::Count(class.0.into()));
    line.set(Column::x_ClassName, shared.names.class(class));
    line.set(Column::x_Gateway, receipt.gateway.to_string());
    line.set(Column::x_PriceBook, Value::Count(receipt.book.into()));
    line.set(Column::x_Sequence, Value::Count(receipt.sequence));
}

/// The row of a refund.
pub(super) fn of_refund(shared: &Shared, refund: &Refund) -> Result<Line, ExportError> {
    let mut line = common(shared, refund.moment, refund.batch_moment, refund.owner.to_string());
    let what = "Refund by settlement".to_owned();
    given_back(&mut line, what, refund.given, refund.provider.to_string())?;
    line.set(Column::x_Block, Value::Count(refund.block.into()));
    line.set(Column::x_ClassId, Value::Count(refund.class.0.into()));
    line.set(Column::x_ClassName, shared.names.class(refund.class));
    line.set(Column::x_Gateway, refund.gateway.to_string());
    line.set(Column::x_Sequence, Value::Count(refund.first_seq));
    Ok(line)
}

fn given_back(line: &mut Line, what: String, amount: Credits, provider: String) -> Result<(), ExportError> {
    let amount = i128::try_from(amount).map_err(|_| ExportError::TooLarge(amount.to_string()))?;
    line.set(Column::ChargeCategory, "Adjustment");
    line.set(Column::ChargeDescription, what);
    line.set(Column::ChargeFrequency, "One-Time");
    line.set(Column::ListCost, Value::Decimal(0));
    line.set(Column::PricingCurrencyEffectiveCost, Value::Decimal(-amount));
    provided(line, provider);
    Ok(())
}

/// Whose machines it ran on: FOCUS 1.2 calls them the publisher, 1.3 the host provider.
fn provided(line: &mut Line, provider: String) {
    line.set(Column::HostProviderName, provider.clone());
    line.set(Column::PublisherName, provider);
}

/// What all rows have. A charge that corrects one of an earlier month is a correction.
fn common(shared: &Shared, moment: Moment, corrected: Moment, wallet: String) -> Line {
    let (start, end) = month(moment);
    let begun = moment - moment % 1_000;
    let mut line = Line::new();
    for cost in [Column::BilledCost, Column::ContractedCost, Column::EffectiveCost] {
        line.set(cost, Value::Decimal(0));
    }
    line.set(Column::BillingAccountId, shared.origin.to_owned());
    line.set(Column::BillingAccountName, "Stipend");
    line.set(Column::BillingAccountType, "Company");
    line.set(Column::BillingCurrency, "USD");
    line.set(Column::BillingPeriodEnd, Value::Time(end));
    line.set(Column::BillingPeriodStart, Value::Time(start));
    if month(corrected) != (start, end) {
        line.set(Column::ChargeClass, "Correction");
    }
    line.set(Column::ChargePeriodEnd, Value::Time(begun + 1_000));
    line.set(Column::ChargePeriodStart, Value::Time(begun));
    line.set(Column::InvoiceIssuerName, "Stipend");
    line.set(Column::PricingCurrency, "Credits");
    line.set(Column::ProviderName, "Stipend");
    line.set(Column::ServiceCategory, "AI and Machine Learning");
    line.set(Column::ServiceName, "Stipend inference");
    line.set(Column::ServiceProviderName, "Stipend");
    line.set(Column::ServiceSubcategory, "Generative AI");
    line.set(Column::SubAccountId, wallet.clone());
    line.set(Column::SubAccountName, wallet);
    line.set(Column::SubAccountType, "Wallet");
    line.set(Column::Tags, "{}");
    line
}
