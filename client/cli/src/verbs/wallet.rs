//! `stipend wallet`: what an account holds.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Subcommand;
use futures::StreamExt;
use serde::Serialize;
use serde_json::json;
use stipend_sdk::{
    primitives::{view::ClassBalance, AccountId},
    proof::{Document, ValidatorSet, VerifiedWallet},
    rpc::WalletBalance,
};

use crate::{
    amount::credits,
    context::Context,
    output::{Answer, Rows},
    parse, time,
    verbs::{documents, sign_in},
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
    /// Write a wallet with a proof that holds without a node; your own if none is named.
    Export {
        /// Whose.
        #[arg(value_parser = parse::account)]
        owner: Option<AccountId>,
        /// The file to make.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Check an exported wallet and show it; nothing is asked over the network.
    Verify {
        /// The exported wallet.
        file: PathBuf,
        /// The validators to believe (a file of `validators export`).
        #[arg(long, value_name = "FILE")]
        validators: PathBuf,
    },
    /// Sign in to the wallet service's pages with your key, which stays on this machine: prints a link that
    /// works once.
    SignIn {
        /// Address of the service, such as https://wallet.example.
        url: String,
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
            Verb::Export { owner, out } => {
                let owner = context.account_or_own(owner)?;
                export(context, &owner, &out).await
            }
            Verb::Verify { file, validators } => {
                let set = documents::validators(&validators)?;
                verified(&documents::wallet(&file)?.verify(&set)?, &set)
            }
            Verb::SignIn { url } => sign_in::sign_in(context, &url).await,
        }
    }
}

async fn export(context: &Context, owner: &AccountId, out: &Path) -> Result<Answer> {
    let wallet = context.client().await?.prove_wallet(owner).await?;
    let (block, set_id) = (wallet.block_number()?, wallet.finality.set_id);
    documents::write_new(out, &Document::Wallet(wallet))?;
    let human = format!(
        "{} at finalised block {block}, signed by validator set {set_id}: {}",
        parse::address(owner),
        out.display()
    );
    let json = json!({ "file": out, "owner": owner, "block_number": block, "set_id": set_id });
    Answer::new(json, human)
}

fn verified(wallet: &VerifiedWallet, set: &ValidatorSet) -> Result<Answer> {
    let empty: Vec<_> = wallet.empty.iter().map(|(class, it)| (class, parse::text(&it.name))).collect();
    let json = json!({
        "verified": true,
        "owner": wallet.owner,
        "block_number": wallet.block_number,
        "block_hash": wallet.block_hash,
        "time": wallet.time,
        "balances": wallet.balances,
        "empty": empty.iter().map(|(class, name)| json!({ "class": class, "name": name })).collect::<Vec<_>>(),
        "validator_set": documents::proven_by_json(set),
    });
    let mut human = format!(
        "{} at finalised block {}, {}\n{}",
        parse::address(&wallet.owner),
        wallet.block_number,
        time::moment(wallet.time),
        table(&wallet.balances)
    );
    if !empty.is_empty() {
        let names: Vec<_> = empty.into_iter().map(|(_, name)| name).collect();
        human.push_str(&format!("\nnothing was ever granted in {}", names.join(", ")));
    }
    human.push_str(&format!("\nproven: {}", documents::proven_by(set)));
    Answer::new(json, human)
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
    use sp_core::H256;
    use stipend_sdk::primitives::{
        settlement::UnattestedPolicy,
        view::{Amounts, Class, ReservationView},
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

    #[test]
    fn a_proven_wallet_says_what_is_empty_and_who_vouches() {
        let class = Class { name: parse::name("Render").unwrap(), unattested: UnattestedPolicy::Refund };
        let wallet = VerifiedWallet {
            owner: parse::account("//Dave").unwrap(),
            balances: vec![balance(9_999_999)],
            empty: vec![(ClassId::RENDER, class)],
            block_number: 12,
            block_hash: H256([2; 32]),
            time: 0,
        };
        let set = ValidatorSet { genesis: H256([1; 32]), set_id: 7, authorities: vec![] };
        let answer = verified(&wallet, &set).unwrap();
        assert_eq!(answer.json["balances"][0]["amounts"]["available"], "9999999");
        assert_eq!(answer.json["empty"][0]["name"], "Render");
        assert_eq!(answer.json["validator_set"]["set_id"], 7);
        assert!(answer.human.contains("9.999999") && answer.human.contains("block 12"));
        assert!(answer.human.contains("nothing was ever granted in Render"));
        assert!(answer.human.contains("validator set 7"));
    }
}
