//! `stipend prices`: what models cost.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;
use stipend_sdk::{
    pallet_pricing::{Call, Event},
    primitives::{
        cost::{PriceBook, Usage},
        view::Quote,
        BlockNumber, BookVersion,
    },
    Finalised, RuntimeEvent,
};

use crate::{
    amount::credits,
    context::Context,
    failure::Failure,
    output::{yes, Answer, Rows},
    parse, price_file,
};

/// Prices.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Publish a price book from a TOML file (council).
    Publish {
        /// The file; this crate's README shows one.
        file: PathBuf,
        /// Block from which on it is in force; the next one if not given.
        #[arg(long, value_name = "BLOCK")]
        at: Option<BlockNumber>,
    },
    /// Show the price book in force, or another version.
    Show {
        /// The version.
        #[arg(long)]
        version: Option<BookVersion>,
    },
    /// Say what a request costs by the book in force.
    Quote {
        /// The model's name.
        model: String,
        /// Computed prompt tokens.
        #[arg(long, default_value_t = 0)]
        input: u32,
        /// Prompt tokens from the cache.
        #[arg(long, default_value_t = 0)]
        cached: u32,
        /// Generated tokens.
        #[arg(long, default_value_t = 0)]
        output: u32,
        /// Micro-credits of Priority for a place in the queue.
        #[arg(long, default_value_t = 0)]
        priority_fee: u32,
    },
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Publish { file, at } => publish(context, &file, at).await,
            Verb::Show { version } => match context.client().await?.price_book(version).await? {
                Some(book) => show(&book),
                None => Err(Failure::not_found(match version {
                    Some(version) => format!("there is no price book {version}"),
                    None => {
                        "no price book is in force; the council publishes one with `stipend prices publish`"
                            .into()
                    }
                })
                .into()),
            },
            Verb::Quote { model, input, cached, output, priority_fee } => {
                let usage = Usage { input, cached_input: cached, output };
                quote(&context.client().await?.quote(&model, usage, priority_fee).await?)
            }
        }
    }
}

async fn publish(context: &Context, file: &std::path::Path, at: Option<BlockNumber>) -> Result<Answer> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::bad_input(format!("cannot read {}: {error}", file.display())))?;
    let classes = context.ledger().await?.classes().await?;
    let entries = price_file::read(&text, &classes).map_err(|faults| {
        let list = faults.join("\n  ");
        Failure::bad_input(format!("{} is not a price book; nothing was sent.\n  {list}", file.display()))
    })?;
    let count = entries.len();
    let call = match at {
        Some(effective_at) => Call::schedule { entries, effective_at },
        None => Call::publish { entries },
    };
    context.council_with(call, |done| published(done, count)).await
}

fn published(done: &Finalised, count: usize) -> Answer {
    let published = done.events.iter().find_map(|event| match event {
        RuntimeEvent::Pricing(Event::Published { version, effective_at }) => Some((*version, *effective_at)),
        _ => None,
    });
    let (version, effective_at) = published.unzip();
    let what = json!({ "version": version, "effective_at": effective_at, "models": count });
    let human = format!(
        "price book {} with {count} models is in force from block {} on",
        version.map_or_else(|| "?".into(), |version| version.to_string()),
        effective_at.map_or_else(|| "?".into(), |block| block.to_string()),
    );
    Answer::done(done, what, human)
}

fn show(book: &PriceBook) -> Result<Answer> {
    let headings = &[
        ">model",
        "name",
        ">class",
        "premium",
        ">input",
        ">cached",
        ">output",
        ">per request",
        ">outside in",
        ">outside out",
    ];
    let mut rows = Rows::new(headings, "the book is empty");
    let mut models = Vec::new();
    for entry in &book.entries {
        let request = u128::from(entry.c_model) * u128::from(entry.weight);
        rows.push([
            entry.model.0.to_string(),
            parse::text(&entry.name),
            entry.class.0.to_string(),
            yes(entry.premium),
            entry.c_input.to_string(),
            entry.c_cached.to_string(),
            entry.c_output.to_string(),
            request.to_string(),
            entry.reference_input.to_string(),
            entry.reference_output.to_string(),
        ]);
        models.push(json!({
            "model": entry.model,
            "name": parse::text(&entry.name),
            "class": entry.class,
            "premium": entry.premium,
            "c_input": entry.c_input.to_string(),
            "c_cached": entry.c_cached.to_string(),
            "c_output": entry.c_output.to_string(),
            "c_model": entry.c_model.to_string(),
            "weight": entry.weight,
            "reference_input": entry.reference_input.to_string(),
            "reference_output": entry.reference_output.to_string(),
        }));
    }
    let end = book.chargeable_until.map_or_else(String::new, |end| format!(", chargeable until block {end}"));
    let human = format!(
        "price book {}, in force from block {}{end}\n{}\nmicro-credits per token and per request; outside: micro-USD per million tokens",
        book.version,
        book.effective_at,
        rows.finish()
    );
    let json = json!({
        "version": book.version,
        "effective_at": book.effective_at,
        "chargeable_until": book.chargeable_until,
        "models": models,
    });
    Answer::new(json, human)
}

fn quote(quote: &Quote) -> Result<Answer> {
    let mut rows = Rows::new(&["part", ">credits"], "");
    for (part, amount) in [
        ("prompt, computed", quote.input),
        ("prompt, cached", quote.cached_input),
        ("generated", quote.output),
        ("per request", quote.model),
        ("base cost", quote.cost),
        ("priority fee (class Priority)", quote.priority_fee),
    ] {
        rows.push([part.into(), credits(amount)]);
    }
    let premium = if quote.premium { "; the wallet needs a Priority entitlement" } else { "" };
    let human =
        format!("{}\npaid in class {} by price book {}{premium}", rows.finish(), quote.class.0, quote.book);
    Answer::new(quote, human)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::primitives::{cost::PriceEntry, ClassId, ModelId};

    #[test]
    fn a_book_in_json_has_names_as_text_and_amounts_as_strings() {
        let entry = PriceEntry {
            model: ModelId(1),
            name: parse::name("tiny").unwrap(),
            class: ClassId(0),
            premium: true,
            c_input: u64::MAX,
            c_cached: 1,
            c_output: 2,
            c_model: 3,
            weight: 4,
            reference_input: 5,
            reference_output: 6,
        };
        let entries = vec![entry].try_into().unwrap();
        let book = PriceBook { version: 2, effective_at: 9, chargeable_until: Some(700), entries };
        let answer = show(&book).unwrap();
        assert_eq!(answer.json["models"][0]["name"], "tiny");
        assert_eq!(answer.json["models"][0]["c_input"], u64::MAX.to_string());
        assert!(answer.human.contains("chargeable until block 700"));
        assert!(answer.human.contains("12"), "weight times c_model per request: {}", answer.human);
    }

    #[test]
    fn a_quote_in_json_has_amounts_as_strings() {
        let answer = quote(&Quote {
            book: 1,
            class: ClassId(0),
            premium: false,
            input: 10,
            cached_input: 0,
            output: 20,
            model: 0,
            cost: 30,
            priority_fee: 0,
        })
        .unwrap();
        assert_eq!(answer.json["cost"], "30");
        assert!(answer.human.contains("0.000030"));
    }
}
