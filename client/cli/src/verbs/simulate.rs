//! `stipend simulate`: what a basket would have bought.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use serde_json::json;
use stipend_sdk::primitives::{
    cost::{PriceEntry, Usage},
    view::{decimal, decimal_option, BasketRow},
    BasketId, BookVersion, ClassId, Credits, Moment,
};

use crate::{
    amount::credits,
    context::Context,
    failure::Failure,
    output::{Answer, Rows},
    parse,
    period::{self, Period},
    time,
};

use self::books::InForce;

mod books;
#[cfg(test)]
mod tests;

/// Micro-USD in the cent that worth is shown in.
const MICRO_USD_PER_CENT: u128 = 10_000;

/// `stipend simulate`.
#[derive(Args, Debug)]
pub(crate) struct Simulate {
    /// Name or number of the basket, as it is now.
    #[arg(long)]
    basket: String,
    /// The quarter whose prices count, such as 2026Q3: every price book that was in force. The one in force
    /// now if it is not given.
    #[arg(long, value_parser = period::parse_quarter)]
    quarter: Option<Period>,
    #[command(flatten)]
    request: Request,
}

/// A request of typical size.
#[derive(Args, Clone, Copy, Debug)]
struct Request {
    /// Prompt tokens of a typical request that are computed.
    #[arg(long, value_name = "TOKENS", default_value_t = 1_000)]
    input: u32,
    /// Prompt tokens of a typical request that come from the cache.
    #[arg(long, value_name = "TOKENS", default_value_t = 0)]
    cached: u32,
    /// Generated tokens of a typical request.
    #[arg(long, value_name = "TOKENS", default_value_t = 500)]
    output: u32,
}

impl Request {
    fn usage(self) -> Usage {
        Usage { input: self.input, cached_input: self.cached, output: self.output }
    }
}

/// What the credits of one class buy of one model, if all of them are spent on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Bought {
    model: String,
    /// Whether a Priority entitlement is needed.
    premium: bool,
    /// Micro-credits of a typical request.
    #[serde(with = "decimal")]
    request_cost: Credits,
    /// Requests; `None`: they cost nothing.
    #[serde(with = "decimal_option")]
    requests: Option<u128>,
    #[serde(with = "decimal")]
    input_tokens: u128,
    #[serde(with = "decimal")]
    cached_tokens: u128,
    #[serde(with = "decimal")]
    output_tokens: u128,
    /// Micro-USD that the same tokens cost outside; `None` if the book does not say.
    #[serde(with = "decimal_option")]
    outside_micro_usd: Option<u128>,
}

impl Simulate {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        let client = context.client().await?;
        let ledger = client.latest().await?;
        let (baskets, programs, classes) =
            futures::try_join!(ledger.baskets(), ledger.programs(), ledger.classes())?;
        let (id, _, name, lines) = find(&baskets, &self.basket)?;
        let mut amounts: BTreeMap<ClassId, Credits> = BTreeMap::new();
        for (program, amount, _) in lines {
            if let Some((_, program)) = programs.iter().find(|(known, _)| known == program) {
                *amounts.entry(program.class).or_default() += amount;
            }
        }
        let class_name = |id: ClassId| {
            let class = classes.iter().find(|(known, _)| *known == id);
            class.map_or_else(|| id.0.to_string(), |(_, class)| parse::text(&class.name))
        };
        let books = match self.quarter {
            Some(quarter) => books::of_period(client, quarter).await?,
            None => {
                let book = ledger.current_book().await?;
                book.into_iter().map(|book| InForce { book, from: None, until: None }).collect()
            }
        };
        if books.is_empty() {
            let message = "there was no price book; the council publishes one with `stipend prices publish`";
            return Err(Failure::not_found(message).into());
        }
        let title = format!("basket {id}, {}", parse::text(name));
        answer(&title, &books, &amounts, self.request.usage(), class_name)
    }
}

fn find<'a>(baskets: &'a [BasketRow], text: &str) -> Result<&'a BasketRow, Failure> {
    let named = |basket: &&BasketRow| parse::text(&basket.2).eq_ignore_ascii_case(text);
    let numbered = |basket: &&BasketRow| text.parse::<BasketId>().is_ok_and(|id| id == basket.0);
    let found: Vec<&BasketRow> = baskets.iter().filter(|it| named(it) || numbered(it)).collect();
    match found.as_slice() {
        [basket] => Ok(basket),
        [] => Err(Failure::not_found(format!("there is no basket \"{text}\"; see `stipend baskets list`"))),
        several => {
            let numbers: Vec<String> = several.iter().map(|basket| basket.0.to_string()).collect();
            let message = format!(
                "\"{text}\" may be any of the baskets {}; write a number that is no other basket's name",
                numbers.join(", ")
            );
            Err(Failure::usage(message))
        }
    }
}

fn bought(entry: &PriceEntry, usage: &Usage, amount: Credits) -> Bought {
    let request_cost = entry.cost(usage);
    let requests = amount.checked_div(request_cost);
    let tokens = |count: u32| requests.unwrap_or_default().saturating_mul(u128::from(count));
    let (input_tokens, cached_tokens, output_tokens) =
        (tokens(usage.input), tokens(usage.cached_input), tokens(usage.output));
    let is_known = requests.is_some() && (entry.reference_input > 0 || entry.reference_output > 0);
    // The prices are for a million tokens.
    let outside = || {
        let prompt = input_tokens.saturating_add(cached_tokens).saturating_mul(entry.reference_input.into());
        prompt.saturating_add(output_tokens.saturating_mul(entry.reference_output.into())) / 1_000_000
    };
    Bought {
        model: parse::text(&entry.name),
        premium: entry.premium,
        request_cost,
        requests,
        input_tokens,
        cached_tokens,
        output_tokens,
        outside_micro_usd: is_known.then(outside),
    }
}

fn answer(
    title: &str,
    books: &[InForce],
    amounts: &BTreeMap<ClassId, Credits>,
    usage: Usage,
    class_name: impl Fn(ClassId) -> String,
) -> Result<Answer> {
    let Usage { input, cached_input, output } = usage;
    let mut human = format!(
        "{title}: what it buys if all credits of a class go to one model, in requests of {input} prompt tokens, {cached_input} more from the cache and {output} generated"
    );
    let mut json = Vec::new();
    for InForce { book, from, until } in books {
        let headings = &[
            "class",
            ">credits",
            "model",
            ">a request",
            ">requests",
            ">tokens in",
            ">tokens out",
            ">outside, USD",
        ];
        let mut rows = Rows::new(headings, "the basket is empty");
        let mut classes = Vec::new();
        for (class, amount) in amounts {
            let models: Vec<Bought> = book
                .entries
                .iter()
                .filter(|entry| entry.class == *class)
                .map(|entry| bought(entry, &usage, *amount))
                .collect();
            if models.is_empty() {
                let mut cells = [const { String::new() }; 8];
                cells[0] = class_name(*class);
                cells[1] = credits(*amount);
                cells[2] = "no model is paid in it".to_owned();
                rows.push(cells);
            }
            for model in &models {
                rows.push(row(&class_name(*class), *amount, model));
            }
            let (name, amount) = (class_name(*class), amount.to_string());
            classes.push(json!({ "class": class, "name": name, "amount": amount, "models": models }));
        }
        human.push_str(&format!("\n\n{}\n{}", heading(book.version, *from, *until), rows.finish()));
        json.push(json!({ "book": book.version, "from": from, "until": until, "classes": classes }));
    }
    human.push_str(
        "\n\nOutside: by the reference prices of the book; cached prompt tokens count as prompt tokens.",
    );
    Answer::new(json!({ "request": usage, "periods": json }), human)
}

fn heading(version: BookVersion, from: Option<Moment>, until: Option<Moment>) -> String {
    match (from, until) {
        (Some(from), Some(until)) => {
            format!("price book {version}, in force from {} to {}", time::moment(from), time::moment(until))
        }
        _ => format!("price book {version}, in force now"),
    }
}

fn row(class: &str, amount: Credits, model: &Bought) -> [String; 8] {
    let premium = if model.premium { " (with Priority)" } else { "" };
    let counted = |count: u128| if model.requests.is_some() { count.to_string() } else { String::new() };
    [
        class.to_owned(),
        credits(amount),
        format!("{}{premium}", model.model),
        credits(model.request_cost),
        model.requests.map_or_else(|| "any number".into(), |count| count.to_string()),
        counted(model.input_tokens.saturating_add(model.cached_tokens)),
        counted(model.output_tokens),
        model.outside_micro_usd.map_or_else(|| "not known".into(), dollars),
    ]
}

/// Writes micro-USD in dollars and cents, rounded down.
pub(crate) fn dollars(micro_usd: u128) -> String {
    let cents = micro_usd / MICRO_USD_PER_CENT;
    format!("{}.{:02}", cents / 100, cents % 100)
}
