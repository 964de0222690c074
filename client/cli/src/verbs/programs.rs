//! `stipend programs`: budgets that entitlements are minted from.

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;
use stipend_sdk::{
    pallet_entitlements::{Call, Event},
    primitives::{view::Program, AccountId, ClassId, Credits, Name, ProgramId},
    Finalised, RuntimeEvent,
};

use crate::{
    amount::{self, credits},
    context::Context,
    output::{in_credits, Answer, Numbered, Rows},
    parse,
};

/// Programs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a program with new credits (council).
    Create {
        /// Its name.
        #[arg(value_parser = parse::name)]
        name: Name,
        /// Number or name of the class of everything minted from it.
        #[arg(long)]
        class: String,
        /// Who mints from it.
        #[arg(long, value_parser = parse::account)]
        owner: AccountId,
        /// Credits in it.
        #[arg(long, value_parser = amount::parse)]
        budget: Credits,
    },
    /// Make a program below an own one, out of its credits (the program's owner).
    Delegate {
        /// Number of the program above.
        parent: ProgramId,
        /// Name of the new one.
        #[arg(value_parser = parse::name)]
        name: Name,
        /// Who mints from it.
        #[arg(long, value_parser = parse::account)]
        owner: AccountId,
        /// Credits handed to it.
        #[arg(long, value_parser = amount::parse)]
        budget: Credits,
    },
    /// Add new credits to a program (council).
    Increase {
        /// The program's number.
        program: ProgramId,
        /// Credits to add.
        #[arg(value_parser = amount::parse)]
        amount: Credits,
    },
    /// Show all programs.
    List,
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Create { name, class, owner, budget } => {
                let class = context.class(&class).await?;
                let call = Call::create_program { name, class, owner, budget };
                context.council_with(call, |done| created(done, budget)).await
            }
            Verb::Delegate { parent, name, owner, budget } => {
                let done = context.carry_out(Call::delegate_program { parent, name, owner, budget }).await?;
                Ok(created(&done, budget))
            }
            Verb::Increase { program, amount } => {
                let what = json!({ "program": program, "amount": amount.to_string() });
                let human = format!("program {program} has {} more", in_credits(amount));
                let call = Call::increase_budget { program, amount };
                context.council(call, what, human).await
            }
            Verb::List => {
                let ledger = context.ledger().await?;
                let (programs, classes) = futures::try_join!(ledger.programs(), ledger.classes())?;
                list(programs, |id| {
                    let class = classes.iter().find(|(known, _)| *known == id);
                    class.map_or_else(|| id.0.to_string(), |(_, class)| parse::text(&class.name))
                })
            }
        }
    }
}

fn created(done: &Finalised, budget: Credits) -> Answer {
    let id = done.events.iter().find_map(|event| match event {
        RuntimeEvent::Entitlements(Event::ProgramCreated { id, .. }) => Some(*id),
        _ => None,
    });
    let what = json!({ "program": id, "budget": budget.to_string() });
    let number = id.map_or_else(String::new, |id| format!(" {id}"));
    Answer::done(done, what, format!("program{number} has a budget of {}", in_credits(budget)))
}

fn list(mut programs: Vec<(ProgramId, Program)>, class_name: impl Fn(ClassId) -> String) -> Result<Answer> {
    programs.sort_by_key(|(id, _)| *id);
    let headings =
        &[">program", "name", "class", ">under", ">budget", ">unminted", ">granted", ">delegated", "owner"];
    let mut rows =
        Rows::new(headings, "there is no program; the council makes one with `stipend programs create`");
    let mut json = Vec::new();
    for (id, program) in programs {
        rows.push([
            id.to_string(),
            parse::text(&program.name),
            class_name(program.class),
            program.parent.map_or_else(|| "-".into(), |parent| parent.to_string()),
            credits(program.budget),
            credits(program.unminted),
            credits(program.granted),
            credits(program.delegated),
            parse::address(&program.owner),
        ]);
        json.push(Numbered { id, it: program });
    }
    Answer::new(json, rows.finish())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn json_amounts_are_strings_of_micro_credits_and_table_amounts_are_credits() {
        let program = Program {
            owner: parse::account("//Bob").unwrap(),
            name: parse::name("engineering").unwrap(),
            class: ClassId::INNOVATION,
            parent: None,
            budget: u128::from(u64::MAX) * 10,
            unminted: 1,
            granted: 2_500_000,
            delegated: 0,
        };
        let answer = list(vec![(3, program)], |_| "Innovation".into()).unwrap();
        assert_eq!(answer.json[0]["budget"], "184467440737095516150");
        assert_eq!(answer.json[0]["name"], "engineering");
        assert_eq!(answer.json[0]["granted"], "2500000");
        assert!(answer.human.contains("184467440737095.516150") && answer.human.contains("2.500000"));
    }
}
