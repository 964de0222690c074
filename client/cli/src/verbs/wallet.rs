//! `stipend wallet`: what an account holds.

use anyhow::Result;
use clap::Subcommand;
use futures::StreamExt;
use serde::Serialize;
use stipend_sdk::{
    primitives::{view::ClassBalance, AccountId},
    rpc::WalletBalance,
};

use crate::{
    amount::credits,
    context::Context,
    output::{Answer, Rows},
    parse, time,
};

/// Wallets.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show a wallet; your own if none is named.
    Show {
        /// Whose.
        #[arg(value_parser = parse::account)]
        owner: Option<AccountId>,
    },
    /// Show a wallet again and again whenever it changes, until interrupted; in JSON, one line each.
    Watch {
        /// Whose.
        #[arg(value_parser = parse::account)]
        owner: Option<AccountId>,
    },
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Show { owner } => {
                let owner = context.account_or_own(owner)?;
                show(&owner, &context.client().await?.wallet_balance(&owner).await?)
            }
            Verb::Watch { owner } => {
                let owner = context.account_or_own(owner)?;
                let mut changes = context.client().await?.watch_wallet(owner.clone());
                while let Some(balance) = changes.next().await {
                    show(&owner, &balance?)?.print_one_of_many(context.options.json);
                }
                anyhow::bail!("the node ended the subscription; run the command again")
            }
        }
    }
}

/// A balance with its owner, in one JSON object.
#[derive(Serialize)]
struct Shown<'a> {
    owner: &'a AccountId,
    #[serde(flatten)]
    balance: &'a WalletBalance,
}

fn show(owner: &AccountId, balance: &WalletBalance) -> Result<Answer> {
    let mut human = format!(
        "{} at finalised block {}\n{}",
        parse::address(owner),
        balance.finalised_at,
        table(&balance.finalised)
    );
    if balance.pending != balance.finalised {
        let pending =
            format!("\nnot finalised yet, block {}\n{}", balance.pending_at, table(&balance.pending));
        human.push_str(&pending);
    }
    Answer::new(Shown { owner, balance }, human)
}

fn table(classes: &[ClassBalance]) -> String {
    let headings = &[
        "class",
        ">available",
        ">reserved",
        ">spent",
        ">expired",
        ">revoked",
        ">granted",
        "expires next",
        "frozen",
    ];
    let mut rows = Rows::new(headings, "nothing was granted to this account yet");
    for class in classes {
        let amounts = &class.amounts;
        rows.push([
            parse::text(&class.name),
            credits(amounts.available),
            credits(amounts.reserved),
            credits(amounts.spent),
            credits(amounts.expired),
            credits(amounts.revoked),
            credits(amounts.granted),
            time::moment_or("never", class.expires_next),
            if class.frozen { "frozen".into() } else { String::new() },
        ]);
    }
    let mut text = rows.finish();
    let mut reserved = Rows::new(&["reserved for", "class", ">credits", "until"], "");
    for class in classes {
        for reservation in &class.reservations {
            reserved.push([
                parse::address(&reservation.gateway),
                parse::text(&class.name),
                credits(reservation.amount),
                time::moment(reservation.expires_at),
            ]);
        }
    }
    let reserved = reserved.finish();
    if !reserved.is_empty() {
        text.push('\n');
        text.push_str(&reserved);
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::primitives::{
        view::{Amounts, ReservationView},
        ClassId,
    };

    fn balance(available: u128) -> ClassBalance {
        ClassBalance {
            class: ClassId::INNOVATION,
            name: parse::name("Innovation").unwrap(),
            amounts: Amounts {
                granted: 10_000_000,
                available,
                spent: 10_000_000 - available,
                ..Amounts::default()
            },
            reservations: vec![],
            expires_next: Some(0),
            frozen: false,
        }
    }

    #[test]
    fn amounts_are_micro_credits_in_json_and_credits_in_the_table() {
        let wallet = WalletBalance {
            finalised: vec![balance(10_000_000)],
            finalised_at: 4,
            pending: vec![balance(9_999_999)],
            pending_at: 6,
        };
        let answer = show(&parse::account("//Dave").unwrap(), &wallet).unwrap();
        assert_eq!(answer.json["finalised"][0]["amounts"]["available"], "10000000");
        assert_eq!(answer.json["finalised"][0]["name"], "Innovation");
        assert_eq!(answer.json["pending"][0]["amounts"]["spent"], "1");
        assert!(answer.human.contains("10.000000") && answer.human.contains("9.999999"));
        assert!(answer.human.contains("1970-01-01T00:00:00Z"));
    }

    #[test]
    fn what_is_not_finalised_is_shown_only_if_it_differs() {
        let wallet = WalletBalance {
            finalised: vec![balance(1)],
            finalised_at: 4,
            pending: vec![balance(1)],
            pending_at: 6,
        };
        let answer = show(&parse::account("//Dave").unwrap(), &wallet).unwrap();
        assert!(!answer.human.contains("not finalised"));
    }

    #[test]
    fn each_gateways_reservation_is_shown() {
        let mut reserved = balance(1);
        let gateway = parse::account("//Ferdie").unwrap();
        reserved.reservations.push(ReservationView {
            gateway: gateway.clone(),
            amount: 2_000_000,
            expires_at: 0,
        });
        let text = table(&[reserved]);
        assert!(text.contains(&parse::address(&gateway)) && text.contains("2.000000"), "{text}");
    }

    #[test]
    fn an_empty_wallet_says_so() {
        let wallet = WalletBalance { finalised: vec![], finalised_at: 1, pending: vec![], pending_at: 1 };
        let answer = show(&parse::account("//Dave").unwrap(), &wallet).unwrap();
        assert!(answer.human.contains("nothing was granted"));
    }
}
