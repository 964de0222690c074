//! `stipend classes`: what an entitlement can buy.

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde_json::json;
use stipend_sdk::{
    pallet_entitlements::Call,
    primitives::{settlement::UnattestedPolicy, view::Class, ClassId, Name},
};

use crate::{
    context::Context,
    output::{Answer, Numbered, Rows},
    parse,
};

/// Classes.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show all classes.
    List,
    /// Register a class (council).
    Add {
        /// Its number.
        id: u16,
        /// Its name.
        #[arg(value_parser = parse::name)]
        name: Name,
        /// What becomes of charges that a provider does not attest.
        #[arg(long, default_value = "refund")]
        unattested: Unattested,
    },
}

/// What becomes of charges that a provider does not attest.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Unattested {
    /// They go back to the wallets.
    Refund,
    /// They stand.
    Accept,
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::List => list(context.ledger().await?.classes().await?),
            Verb::Add { id, name, unattested } => {
                let unattested = match unattested {
                    Unattested::Refund => UnattestedPolicy::Refund,
                    Unattested::Accept => UnattestedPolicy::Accept,
                };
                let text = parse::text(&name);
                let what = json!({ "id": id, "name": text, "unattested": unattested });
                let call = Call::register_class { id: ClassId(id), name, unattested };
                let human = format!("class {id} is {text}");
                context.council(call, what, human).await
            }
        }
    }
}

fn list(classes: Vec<(ClassId, Class)>) -> Result<Answer> {
    let mut rows = Rows::new(&[">class", "name", "not attested"], "there is no class");
    let mut json = Vec::new();
    for (id, class) in classes {
        let policy = match class.unattested {
            UnattestedPolicy::Refund => "refunded",
            UnattestedPolicy::Accept => "accepted",
        };
        rows.push([id.0.to_string(), parse::text(&class.name), policy.into()]);
        json.push(Numbered { id, it: class });
    }
    Answer::new(json, rows.finish())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_class_is_shown_with_its_number_name_and_policy() {
        let class = Class { name: parse::name("Bio").unwrap(), unattested: UnattestedPolicy::Accept };
        let answer = list(vec![(ClassId(4), class)]).unwrap();
        assert_eq!(answer.json, json!([{ "id": 4, "name": "Bio", "unattested": "accept" }]));
        assert!(answer.human.contains("Bio") && answer.human.contains("accepted"));
    }
}
