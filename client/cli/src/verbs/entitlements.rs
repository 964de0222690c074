//! `stipend entitlements`: single entitlements.

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;
use stipend_sdk::{
    pallet_entitlements::Call,
    primitives::{view::EntitlementView, Credits, EntitlementId},
};

use crate::{
    amount::{self, credits},
    context::Context,
    failure::Failure,
    output::{in_credits, Answer, Rows},
    parse, time,
    who::Who,
};

/// Entitlements.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show one entitlement.
    Show {
        /// Its number.
        id: EntitlementId,
    },
    /// Show all entitlements of an account; your own if none is named.
    List {
        /// Whose.
        owner: Option<Who>,
    },
    /// Take unused credits of an entitlement back into its program (issuer).
    Revoke {
        /// Its number.
        id: EntitlementId,
        /// Credits; without this the entitlement is withdrawn as a whole.
        #[arg(long, value_parser = amount::parse)]
        amount: Option<Credits>,
    },
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Show { id } => match context.ledger().await?.entitlement(id).await? {
                Some(entitlement) => show(&entitlement),
                None => Err(Failure::not_found(format!("there is no entitlement {id}")).into()),
            },
            Verb::List { owner } => {
                let owner = context.account_or_own(owner)?;
                list(context.ledger().await?.entitlements(&owner).await?)
            }
            Verb::Revoke { id, amount } => {
                let done = context.carry_out(Call::revoke { id, amount }).await?;
                let what = json!({ "id": id, "amount": amount.map(|amount| amount.to_string()) });
                let human = match amount {
                    Some(amount) => {
                        format!("{} of entitlement {id} are back in its program", in_credits(amount))
                    }
                    None => format!("entitlement {id} is withdrawn"),
                };
                Ok(Answer::done(&done, what, human))
            }
        }
    }
}

fn show(entitlement: &EntitlementView) -> Result<Answer> {
    let amounts = &entitlement.amounts;
    let mut rows = Rows::new(&["entitlement", &entitlement.id.to_string()], "");
    for (name, value) in [
        ("owner", parse::address(&entitlement.owner)),
        ("class", entitlement.class.0.to_string()),
        ("issuer", parse::address(&entitlement.issuer)),
        ("program", entitlement.program.to_string()),
        ("valid from", time::moment(entitlement.valid_from)),
        ("valid until", time::moment_or("for ever", entitlement.valid_until)),
        ("granted", in_credits(amounts.granted)),
        ("available", in_credits(amounts.available)),
        ("reserved", in_credits(amounts.reserved)),
        ("spent", in_credits(amounts.spent)),
        ("expired", in_credits(amounts.expired)),
        ("revoked", in_credits(amounts.revoked)),
    ] {
        rows.push([name.into(), value]);
    }
    Answer::new(entitlement, rows.finish())
}

fn list(entitlements: Vec<EntitlementView>) -> Result<Answer> {
    let headings = &[
        ">id",
        ">class",
        ">program",
        ">granted",
        ">available",
        ">reserved",
        ">spent",
        ">expired",
        ">revoked",
        "valid from",
        "valid until",
    ];
    let mut rows = Rows::new(headings, "the account has no entitlement");
    for entitlement in &entitlements {
        let amounts = &entitlement.amounts;
        rows.push([
            entitlement.id.to_string(),
            entitlement.class.0.to_string(),
            entitlement.program.to_string(),
            credits(amounts.granted),
            credits(amounts.available),
            credits(amounts.reserved),
            credits(amounts.spent),
            credits(amounts.expired),
            credits(amounts.revoked),
            time::moment(entitlement.valid_from),
            time::moment_or("for ever", entitlement.valid_until),
        ]);
    }
    Answer::new(&entitlements, rows.finish())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::primitives::{view::Amounts, ClassId};

    #[test]
    fn one_and_many_have_the_same_json() {
        let account = parse::account("//Dave").unwrap();
        let entitlement = EntitlementView {
            id: 7,
            owner: account.clone(),
            class: ClassId(0),
            issuer: account,
            program: 0,
            valid_from: 0,
            valid_until: None,
            amounts: Amounts { granted: 5, available: 5, ..Amounts::default() },
        };
        let one = show(&entitlement).unwrap();
        let many = list(vec![entitlement]).unwrap();
        assert_eq!(one.json, many.json[0]);
        assert_eq!(one.json["amounts"]["available"], "5");
        assert!(one.human.contains("0.000005 credits") && one.human.contains("for ever"));
    }
}
