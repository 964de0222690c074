//! `stipend mint allowance`, `set-allowance`: what an issuer may mint in a period.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use stipend_sdk::{
    pallet_entitlements::Call,
    primitives::{view::IssuerAllowance, AccountId, Credits},
};

use crate::{
    amount::{self, credits},
    context::Context,
    failure::Failure,
    output::{in_credits, Answer, Rows},
    parse, time,
    who::Who,
};

/// Options of `mint set-allowance`.
#[derive(Args, Debug)]
pub(crate) struct Set {
    /// The issuer.
    #[arg(value_parser = parse::account)]
    issuer: AccountId,
    /// Number or name of the class.
    #[arg(long)]
    class: String,
    /// Credits per period; what was minted in this one is taken off.
    #[arg(long, value_parser = amount::parse, required_unless_present = "default")]
    amount: Option<Credits>,
    /// Back to what every issuer may mint.
    #[arg(long, conflicts_with = "amount")]
    default: bool,
}

impl Set {
    pub(super) async fn run(self, context: &Context) -> Result<Answer> {
        let Set { issuer, class: class_text, amount, .. } = self;
        let class = context.class(&class_text).await?;
        let what = json!({
            "issuer": parse::address(&issuer),
            "class": class,
            "amount": amount.map(|amount| amount.to_string()),
        });
        let limit = amount.map_or_else(|| "what every issuer may".to_owned(), in_credits);
        let human = format!("{} may mint {limit} of {class_text} per period", parse::address(&issuer));
        context.council(Call::set_mint_allowance { issuer, class, amount }, what, human).await
    }
}

/// Shows what an issuer may still mint.
pub(super) async fn show(context: &Context, issuer: Option<Who>) -> Result<Answer> {
    let issuer = context.account_or_own(issuer)?;
    let allowance = context.client().await?.mint_allowance(&issuer).await?.ok_or_else(|| {
        Failure::not_found(format!(
            "{} is not an issuer; the council grants the role with `stipend roles grant issuer ADDRESS`",
            parse::address(&issuer)
        ))
    })?;
    answer(&issuer, &allowance)
}

fn answer(issuer: &AccountId, allowance: &IssuerAllowance) -> Result<Answer> {
    let mut rows = Rows::new(&["class", ">left", ">minted", ">allowance"], "there is no class");
    for row in &allowance.classes {
        rows.push([parse::text(&row.name), credits(row.left), credits(row.minted), credits(row.allowance)]);
    }
    let human = format!(
        "{}\nThe next period begins at {}. Above {} credits in one grant another issuer signs too.",
        rows.finish(),
        time::moment(allowance.period_ends_at),
        credits(allowance.large_mint)
    );
    let mut json = serde_json::to_value(allowance)?;
    json["issuer"] = parse::address(issuer).into();
    Answer::new(json, human)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::primitives::{view::ClassAllowance, ClassId};

    #[test]
    fn what_is_left_is_shown_per_class_with_the_end_of_the_period() {
        let row = ClassAllowance {
            class: ClassId::PRIORITY,
            name: parse::name("Priority").unwrap(),
            allowance: 100_000_000,
            minted: 99_500_000,
            left: 500_000,
        };
        let allowance =
            IssuerAllowance { period_ends_at: 86_400_000, large_mint: 10_000_000, classes: vec![row] };
        let answer = answer(&AccountId::new([1; 32]), &allowance).unwrap();
        assert_eq!(answer.json["classes"][0]["left"], "500000");
        assert_eq!(answer.json["period_ends_at"], 86_400_000);
        for part in ["Priority", "0.500000", "99.500000", "1970-01-02T00:00:00Z", "10.000000"] {
            assert!(answer.human.contains(part), "{part}\n{}", answer.human);
        }
    }
}
