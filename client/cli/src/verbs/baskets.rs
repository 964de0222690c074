//! `stipend baskets`: templates of several grants.

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;
use stipend_sdk::{
    pallet_entitlements::{Call, BASKET_LINES_MAX},
    primitives::{BasketId, Credits, Moment, Name, ProgramId},
};

use crate::{
    amount::{self, credits},
    context::Context,
    failure::Failure,
    output::{Answer, Rows},
    parse, time,
};

/// One line: program, micro-credits, validity in ms.
type Line = (ProgramId, Credits, Option<Moment>);

/// Baskets.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Set what a basket grants; without a line the basket is removed (issuer).
    Set {
        /// Its number.
        id: BasketId,
        /// Its name.
        #[arg(value_parser = parse::name)]
        name: Name,
        /// PROGRAM:CREDITS, or PROGRAM:CREDITS:VALIDITY counted from the mint, such as 0:1000:365d.
        #[arg(long = "line", value_name = "LINE", value_parser = parse_line)]
        lines: Vec<Line>,
    },
    /// Show all baskets.
    List,
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Set { id, name, lines } => {
                let what = json!({ "id": id, "name": parse::text(&name), "lines": to_json(&lines) });
                let count = lines.len();
                let lines = lines.try_into().map_err(|_| {
                    Failure::usage(format!("a basket has at most {BASKET_LINES_MAX} lines, not {count}"))
                })?;
                let done = context.carry_out(Call::set_basket { id, name, lines }).await?;
                let human = match count {
                    0 => format!("basket {id} is gone"),
                    1 => format!("basket {id} grants 1 entitlement"),
                    count => format!("basket {id} grants {count} entitlements"),
                };
                Ok(Answer::done(&done, what, human))
            }
            Verb::List => {
                let mut baskets = context.ledger().await?.baskets().await?;
                baskets.sort_by_key(|(id, ..)| *id);
                let mut rows = Rows::new(
                    &[">basket", "name", ">program", ">credits", "valid for", "minted by"],
                    "there is no basket",
                );
                for (id, issuer, name, lines) in &baskets {
                    for (program, amount, validity) in lines {
                        rows.push([
                            id.to_string(),
                            parse::text(name),
                            program.to_string(),
                            credits(*amount),
                            validity.map_or_else(|| "ever".into(), time::duration),
                            parse::address(issuer),
                        ]);
                    }
                }
                let json: Vec<_> = baskets
                    .iter()
                    .map(|(id, issuer, name, lines)| {
                        let issuer = parse::address(issuer);
                        json!({ "id": id, "issuer": issuer, "name": parse::text(name), "lines": to_json(lines) })
                    })
                    .collect();
                Answer::new(json, rows.finish())
            }
        }
    }
}

fn to_json(lines: &[Line]) -> Vec<serde_json::Value> {
    let line = |(program, amount, validity): &Line| json!({ "program": program, "amount": amount.to_string(), "validity_ms": validity });
    lines.iter().map(line).collect()
}

fn parse_line(text: &str) -> Result<Line, String> {
    let wrong = || {
        format!("\"{text}\" is not a basket's line: write PROGRAM:CREDITS or PROGRAM:CREDITS:VALIDITY, such as 0:1000:365d")
    };
    let mut parts = text.split(':');
    let (program, amount) = parts.next().zip(parts.next()).ok_or_else(wrong)?;
    let program = program.parse().map_err(|_| wrong())?;
    let amount = amount::parse(amount)?;
    let validity = parts.next().map(time::parse_duration).transpose()?;
    match parts.next() {
        Some(_) => Err(wrong()),
        None => Ok((program, amount, validity)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_line_is_program_credits_and_perhaps_validity() {
        assert_eq!(parse_line("3:1.5").unwrap(), (3, 1_500_000, None));
        assert_eq!(parse_line("3:1:2h").unwrap(), (3, 1_000_000, Some(7_200_000)));
        for bad in ["", "3", "x:1", "3:", "3:1:", "3:1:2h:4", "3:-1"] {
            assert!(parse_line(bad).is_err(), "{bad}");
        }
    }
}
