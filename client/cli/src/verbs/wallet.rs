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
    who::Who,
};

mod later;
#[cfg(test)]
mod tests;

/// Wallets.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show a wallet; your own if none is named.
    Show {
        /// Whose.
        owner: Option<Who>,
    },
    /// Show a wallet again and again whenever it changes, until interrupted; in JSON, one line each.
    Watch {
        /// Whose.
        owner: Option<Who>,
    },
    /// Write a wallet with a proof that holds without a node; your own if none is named.
    Export {
        /// Whose.
        owner: Option<Who>,
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
        #[arg(value_name = "URL", env = "STIPEND_WALLET_SERVICE", hide_env_values = true)]
        wallet_service: String,
    },
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Show { owner } => {
                let owner = context.account_or_own(owner)?;
                let answer = show(&owner, &context.client().await?.wallet_balance(&owner).await?)?;
                later::add(context, &owner, answer).await
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
            Verb::SignIn { wallet_service } => sign_in::sign_in(context, &wallet_service).await,
        }
    }
}

async fn export(context: &Context, owner: &AccountId, out: &Path) -> Result<Answer> {
    let wallet = context.client().await?.prove_wallet(owner).await?;
    let (block, set_id) = (wallet.block_number()?, wallet.finality.set_id);
    let json = json!({ "file": out, "owner": owner, "block_number": block, "set_id": set_id });
    context.would(json.clone(), || {
        format!("{} at finalised block {block} would be written to {}", parse::address(owner), out.display())
    })?;
    documents::write_new(out, &Document::Wallet(wallet))?;
    let human = format!(
        "{} at finalised block {block}, signed by validator set {set_id}: {}",
        parse::address(owner),
        out.display()
    );
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
