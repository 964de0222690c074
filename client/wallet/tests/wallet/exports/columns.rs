//! What FOCUS says of single columns.

/// Columns that must be there, and since which version.
pub const MANDATORY: &[(&str, &str)] = &[
    ("1.2", "BilledCost"),
    ("1.2", "BillingAccountId"),
    ("1.2", "BillingAccountName"),
    ("1.2", "BillingCurrency"),
    ("1.2", "BillingPeriodEnd"),
    ("1.2", "BillingPeriodStart"),
    ("1.2", "ChargeCategory"),
    ("1.2", "ChargeClass"),
    ("1.2", "ChargeDescription"),
    ("1.2", "ChargePeriodEnd"),
    ("1.2", "ChargePeriodStart"),
    ("1.2", "ContractedCost"),
    ("1.2", "EffectiveCost"),
    ("1.2", "InvoiceIssuerName"),
    ("1.2", "ListCost"),
    ("1.2", "PricingQuantity"),
    ("1.2", "PricingUnit"),
    // These two are deprecated in 1.3, and mandatory there too.
    ("1.2", "ProviderName"),
    ("1.2", "PublisherName"),
    ("1.2", "ServiceCategory"),
    ("1.2", "ServiceName"),
    ("1.3", "HostProviderName"),
    ("1.3", "ServiceProviderName"),
];

/// Columns that must be there because of what this company has: usage that is measured, published unit prices, a virtual
/// currency, sub accounts and resources.
pub const CONDITIONAL: &[(&str, &str)] = &[
    ("1.2", "BillingAccountType"),
    ("1.2", "ConsumedQuantity"),
    ("1.2", "ConsumedUnit"),
    ("1.2", "ContractedUnitPrice"),
    ("1.2", "ListUnitPrice"),
    ("1.2", "PricingCategory"),
    ("1.2", "PricingCurrency"),
    ("1.2", "PricingCurrencyContractedUnitPrice"),
    ("1.2", "PricingCurrencyEffectiveCost"),
    ("1.2", "PricingCurrencyListUnitPrice"),
    ("1.2", "RegionId"),
    ("1.2", "RegionName"),
    ("1.2", "ResourceId"),
    ("1.2", "ResourceName"),
    ("1.2", "ResourceType"),
    ("1.2", "SkuId"),
    ("1.2", "SkuMeter"),
    ("1.2", "SkuPriceDetails"),
    ("1.2", "SkuPriceId"),
    ("1.2", "SubAccountId"),
    ("1.2", "SubAccountName"),
    ("1.2", "SubAccountType"),
    ("1.2", "Tags"),
];

/// Columns that should be there.
pub const RECOMMENDED: &[(&str, &str)] =
    &[("1.2", "ChargeFrequency"), ("1.2", "InvoiceId"), ("1.2", "ServiceSubcategory")];

/// All columns above.
pub fn known() -> impl Iterator<Item = &'static str> {
    MANDATORY.iter().chain(CONDITIONAL).chain(RECOMMENDED).map(|(_, column)| *column)
}

/// Columns that must always say something.
pub const NEVER_NULL: &[&str] = &[
    "BilledCost",
    "BillingAccountId",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "HostProviderName",
    "InvoiceIssuerName",
    "ListCost",
    "PricingCurrency",
    "PricingCurrencyEffectiveCost",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "ServiceProviderName",
    "ServiceSubcategory",
];

/// Columns that must say something for use and purchase, and nothing for taxes.
pub const OF_PLAIN_CHARGES: &[&str] = &[
    "ContractedUnitPrice",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
    "PricingUnit",
    "SkuId",
    "SkuPriceId",
];

/// Columns of which both or none says something.
pub const NULL_TOGETHER: &[(&str, &str)] = &[
    ("SubAccountName", "SubAccountId"),
    ("SubAccountType", "SubAccountId"),
    ("BillingAccountType", "BillingAccountId"),
    ("ResourceType", "ResourceId"),
    ("ConsumedUnit", "ConsumedQuantity"),
];

/// Columns that say nothing where another one says nothing, and a value for them.
pub const NULL_WITH: &[(&str, &str, &str)] = &[
    ("PricingCategory", "SkuPriceId", "Standard"),
    ("SkuMeter", "SkuId", "Input tokens"),
    ("SkuPriceDetails", "SkuPriceId", "{}"),
    ("ResourceName", "ResourceId", "a model"),
    ("RegionName", "RegionId", "Europe"),
];

/// Columns of type Decimal.
pub const DECIMALS: &[&str] = &[
    "BilledCost",
    "ConsumedQuantity",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "ListCost",
    "ListUnitPrice",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
];

/// Columns of type Date/Time.
pub const TIMES: &[&str] =
    &["BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart"];

/// Columns that are never negative.
pub const NOT_NEGATIVE: &[&str] = &[
    "ContractedUnitPrice",
    "ListUnitPrice",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyListUnitPrice",
];

/// Costs, and the unit prices that they are a multiple of. The last is our own: nothing is taken off in credits.
pub const PRODUCTS: &[(&str, &str)] = &[
    ("ListCost", "ListUnitPrice"),
    ("ContractedCost", "ContractedUnitPrice"),
    ("PricingCurrencyEffectiveCost", "PricingCurrencyContractedUnitPrice"),
];

/// Some codes of ISO 4217.
pub const CURRENCIES: &[&str] =
    &["AUD", "BRL", "CAD", "CHF", "CNY", "DKK", "EUR", "GBP", "INR", "JPY", "NOK", "SEK", "SGD", "USD"];

/// Columns with allowed values.
pub const ALLOWED: &[(&str, &[&str])] = &[
    ("ChargeCategory", &["Usage", "Purchase", "Tax", "Credit", "Adjustment"]),
    ("ChargeClass", &["Correction"]),
    ("ChargeFrequency", &["One-Time", "Recurring", "Usage-Based"]),
    ("PricingCategory", &["Standard", "Dynamic", "Committed", "Other"]),
    (
        "ServiceCategory",
        &[
            "AI and Machine Learning",
            "Analytics",
            "Business Applications",
            "Compute",
            "Databases",
            "Developer Tools",
            "Multicloud",
            "Identity",
            "Integration",
            "Internet of Things",
            "Management and Governance",
            "Media",
            "Migration",
            "Mobile",
            "Networking",
            "Security",
            "Storage",
            "Web",
            "Other",
        ],
    ),
    (
        "ServiceSubcategory",
        &[
            "AI Platforms",
            "Bots",
            "Generative AI",
            "Machine Learning",
            "Natural Language Processing",
            "Other (AI and Machine Learning)",
        ],
    ),
];
