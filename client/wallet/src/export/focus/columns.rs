//! The columns, and what stands in them.

use std::borrow::Cow;

use stipend_primitives::{Credits, Moment};

use super::super::ExportError;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    Text,
    /// A second in UTC.
    Time,
    /// An exact decimal number with this many places.
    Decimal(u8),
    /// A count that is Stipend's own.
    Count,
}

/// Places of US dollars: millionths of what the price book's reference prices are millionths of.
const USD: Kind = Kind::Decimal(12);

/// Places of credits.
const CREDITS: Kind = Kind::Decimal(6);

/// Tokens and requests are whole.
const QUANTITY: Kind = Kind::Decimal(0);

macro_rules! columns {
    ($($name:ident $kind:expr,)*) => {
        /// A column.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        // FOCUS wants `x_` before columns that are not its own. Some of its columns are null in all rows.
        #[allow(non_camel_case_types, dead_code)]
        pub(crate) enum Column { $($name,)* }

        /// The columns, in the order of the file: FOCUS's, then those with `x_`, which are Stipend's own.
        pub const COLUMNS: &[&str] = &[$(stringify!($name),)*];

        /// What each of them holds.
        pub(crate) const KINDS: &[Kind] = &[$($kind,)*];
    };
}

columns! {
    BilledCost USD,
    BillingAccountId Kind::Text,
    BillingAccountName Kind::Text,
    BillingAccountType Kind::Text,
    BillingCurrency Kind::Text,
    BillingPeriodEnd Kind::Time,
    BillingPeriodStart Kind::Time,
    ChargeCategory Kind::Text,
    ChargeClass Kind::Text,
    ChargeDescription Kind::Text,
    ChargeFrequency Kind::Text,
    ChargePeriodEnd Kind::Time,
    ChargePeriodStart Kind::Time,
    ConsumedQuantity QUANTITY,
    ConsumedUnit Kind::Text,
    ContractedCost USD,
    ContractedUnitPrice USD,
    EffectiveCost USD,
    HostProviderName Kind::Text,
    InvoiceId Kind::Text,
    InvoiceIssuerName Kind::Text,
    ListCost USD,
    ListUnitPrice USD,
    PricingCategory Kind::Text,
    PricingCurrency Kind::Text,
    PricingCurrencyContractedUnitPrice CREDITS,
    PricingCurrencyEffectiveCost CREDITS,
    PricingCurrencyListUnitPrice CREDITS,
    PricingQuantity QUANTITY,
    PricingUnit Kind::Text,
    ProviderName Kind::Text,
    PublisherName Kind::Text,
    RegionId Kind::Text,
    RegionName Kind::Text,
    ResourceId Kind::Text,
    ResourceName Kind::Text,
    ResourceType Kind::Text,
    ServiceCategory Kind::Text,
    ServiceName Kind::Text,
    ServiceProviderName Kind::Text,
    ServiceSubcategory Kind::Text,
    SkuId Kind::Text,
    SkuMeter Kind::Text,
    SkuPriceDetails Kind::Text,
    SkuPriceId Kind::Text,
    SubAccountId Kind::Text,
    SubAccountName Kind::Text,
    SubAccountType Kind::Text,
    Tags Kind::Text,
    x_Block Kind::Count,
    x_ClassId Kind::Count,
    x_ClassName Kind::Text,
    x_EnergyMillijoules Kind::Count,
    x_EntitlementIds Kind::Text,
    x_Gateway Kind::Text,
    x_PriceBook Kind::Count,
    x_Sequence Kind::Count,
}

/// What stands in a column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text, never empty.
    Text(Cow<'static, str>),
    /// Whole seconds, in milliseconds since 1970.
    Time(Moment),
    /// In units of the column's last place.
    Decimal(i128),
    /// A count.
    Count(u64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Value::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text.into())
    }
}

/// A row: a value per column, or nothing.
#[derive(Clone, Debug)]
pub(crate) struct Line(Vec<Option<Value>>);

impl Line {
    /// One without anything.
    pub(super) fn new() -> Self {
        Line(vec![None; COLUMNS.len()])
    }

    /// Writes into a column. Text that is empty is nothing: FOCUS knows no empty text.
    pub(super) fn set(&mut self, column: Column, value: impl Into<Value>) {
        let value = value.into();
        let is_empty = matches!(&value, Value::Text(text) if text.is_empty());
        self.0[column as usize] = (!is_empty).then_some(value);
    }

    /// Writes an amount into a column of decimal numbers.
    pub(super) fn amount(&mut self, column: Column, amount: Credits) -> Result<(), ExportError> {
        let amount = i128::try_from(amount).map_err(|_| ExportError::TooLarge(amount.to_string()))?;
        self.set(column, Value::Decimal(amount));
        Ok(())
    }

    /// What stands in the columns, in their order.
    pub(super) fn values(&self) -> &[Option<Value>] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_at_its_name_and_has_its_kind() {
        assert_eq!(COLUMNS.len(), KINDS.len());
        assert_eq!(COLUMNS[Column::ListCost as usize], "ListCost");
        assert_eq!(KINDS[Column::ListCost as usize], USD);
        assert_eq!(COLUMNS[Column::x_Sequence as usize], "x_Sequence");
        assert_eq!(COLUMNS.len(), Column::x_Sequence as usize + 1);
    }

    #[test]
    fn empty_text_is_nothing() {
        let mut line = Line::new();
        line.set(Column::ChargeClass, "");
        assert_eq!(line.values()[Column::ChargeClass as usize], None);
        line.set(Column::ChargeClass, "Correction");
        assert_eq!(line.values()[Column::ChargeClass as usize], Some("Correction".into()));
    }
}
