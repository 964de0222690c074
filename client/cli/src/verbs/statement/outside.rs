//! What the tokens of a year would have cost outside, by the wallet service's sums of receipts.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use serde::Deserialize;
use stipend_sdk::{
    calendar::DAY_MS,
    primitives::{AccountId, BlockNumber, ClassId, ModelId, Moment},
};

use crate::{context::Context, failure::Failure, parse, verbs::sign_in::Session};

use super::Month;

/// How often a service that is behind is asked again, and the time between.
const TRIES: u32 = 15;
const PAUSE: Duration = Duration::from_secs(1);

/// Days that the service answers for: ten years.
const DAYS: u64 = 3_660;

/// What was used of a model on a day.
#[derive(Clone, Debug, Deserialize)]
struct Used {
    day: u64,
    class: ClassId,
    model: ModelId,
    model_name: String,
    input: u64,
    cached: u64,
    output: u64,
}

/// The block that the service's sums go up to.
#[derive(Deserialize)]
struct AsOf {
    block: BlockNumber,
}

#[derive(Deserialize)]
struct Days {
    as_of: AsOf,
    from_day: u64,
    used: Vec<Used>,
}

/// Micro-USD per month (by its first moment) and class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Worth {
    pub(super) sums: BTreeMap<(Moment, ClassId), u128>,
    /// Models that were used and had no reference price, so that they count for nothing.
    pub(super) without_price: Vec<String>,
}

impl Worth {
    pub(super) fn of(&self, month: Moment, class: ClassId) -> Option<u128> {
        Some(self.sums.get(&(month, class)).copied().unwrap_or_default())
    }
}

/// Asks the service, signed in with the key that signs, once its sums go up to block `until`.
pub(super) async fn ask(
    context: &Context,
    url: &str,
    account: &AccountId,
    months: &[Month],
    until: BlockNumber,
) -> Result<Worth> {
    let session = Session::open(context, url).await?;
    let path = format!("wallets/{}/days?days={DAYS}", parse::address(account));
    let mut tries = 0..TRIES;
    let days = loop {
        let days: Days = session.get(&path).await?.ok_or_else(|| {
            Failure::usage("the wallet service does not show this wallet to your key; sign with the owner's key or an auditor's, or leave --wallet-service out")
        })?;
        if days.as_of.block >= until {
            break days;
        }
        if tries.next().is_none() {
            let behind = until - days.as_of.block;
            let message = format!("the wallet service is {behind} blocks behind, so its sums are not whole; run the command again when its /readyz says that it is near");
            return Err(Failure::unreachable(message).into());
        }
        tokio::time::sleep(PAUSE).await;
    };
    let first = months.first().map(|month| month.period.start / DAY_MS).unwrap_or_default();
    if first < days.from_day {
        let message = "the wallet service's sums do not reach back to that year; leave --wallet-service out";
        return Err(Failure::usage(message).into());
    }
    Ok(worth(&days.used, months))
}

/// Prices the tokens of each month by the book in force at its end.
fn worth(used: &[Used], months: &[Month]) -> Worth {
    // Tokens times micro-USD per million, rounded only when all are added up.
    let (mut products, mut worth) = (BTreeMap::<(Moment, ClassId), u128>::new(), Worth::default());
    for row in used {
        let moment = row.day * DAY_MS;
        let Some(month) =
            months.iter().find(|month| (month.period.start..month.period.end).contains(&moment))
        else {
            continue;
        };
        let entry = month.book.as_ref().and_then(|book| book.entry(row.model));
        match entry.filter(|entry| entry.reference_input > 0 || entry.reference_output > 0) {
            Some(entry) => {
                let prompt = u128::from(row.input) + u128::from(row.cached);
                let product = prompt * u128::from(entry.reference_input)
                    + u128::from(row.output) * u128::from(entry.reference_output);
                *products.entry((month.period.start, row.class)).or_default() += product;
            }
            None if worth.without_price.contains(&row.model_name) => {}
            None => worth.without_price.push(row.model_name.clone()),
        }
    }
    worth.sums = products.into_iter().map(|(key, product)| (key, product / 1_000_000)).collect();
    worth
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{period::Period, verbs::statement::figures::Standing};
    use stipend_sdk::primitives::cost::{PriceBook, PriceEntry};

    fn used(day: u64, model: u16, input: u64, output: u64) -> Used {
        let model_name = format!("model {model}");
        Used { day, class: ClassId::INNOVATION, model: ModelId(model), model_name, input, cached: 1, output }
    }

    fn month(start: Moment, end: Moment, reference_output: u64) -> Month {
        let entry = PriceEntry {
            model: ModelId(1),
            name: parse::name("m").unwrap(),
            class: ClassId::INNOVATION,
            premium: false,
            c_input: 1,
            c_cached: 1,
            c_output: 1,
            c_model: 0,
            weight: 0,
            reference_input: 500_000,
            reference_output,
        };
        let entries = vec![entry].try_into().unwrap();
        let book = PriceBook { version: 1, effective_at: 0, chargeable_until: None, entries };
        Month { period: Period { start, end }, standing: Standing::default(), book: Some(book) }
    }

    #[test]
    fn tokens_are_priced_by_the_book_of_their_month() {
        let months = [month(0, 2 * DAY_MS, 1_000_000), month(2 * DAY_MS, 3 * DAY_MS, 2_000_000)];
        let days = [used(0, 1, 1, 3), used(1, 1, 1, 4), used(2, 1, 3, 5), used(3, 1, 1_000, 1_000)];
        let worth = worth(&days, &months);
        assert_eq!(worth.of(0, ClassId::INNOVATION), Some(2 + 7));
        assert_eq!(worth.of(2 * DAY_MS, ClassId::INNOVATION), Some(2 + 10));
        assert_eq!(worth.of(0, ClassId::RENDER), Some(0));
        assert!(worth.without_price.is_empty());
    }

    #[test]
    fn models_without_a_reference_are_named_once() {
        let days = [used(0, 9, 1, 3), used(0, 9, 1, 3)];
        let worth = worth(&days, &[month(0, DAY_MS, 1)]);
        assert_eq!(worth.without_price, ["model 9"]);
        assert_eq!(worth.of(0, ClassId::INNOVATION), Some(0));
    }
}
