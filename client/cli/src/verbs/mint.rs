//! `stipend mint`: granting entitlements.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use rand::RngCore;
use serde_json::json;
use sp_core::H256;
use stipend_sdk::{
    primitives::{mint::Grant, BasketId, Credits, EntitlementId, Moment, ProgramId},
    MintError, SignedMint,
};

use crate::{
    amount::{self, credits},
    context::Context,
    mint_many::{self, Sending},
    output::Answer,
    parse, time,
    who::Who,
};

mod allowance;
mod files;
mod plan;

/// Granting.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Grant one entitlement.
    One {
        /// Who receives.
        owner: Who,
        /// The program that pays; it fixes the class.
        #[arg(long)]
        program: ProgramId,
        /// Credits.
        #[arg(long, value_parser = amount::parse)]
        amount: Credits,
        /// First moment of use; at once if it is not given.
        #[arg(long, value_name = "TIME", value_parser = time::parse_moment)]
        from: Option<Moment>,
        /// First moment at which it is expired; never if it is not given.
        #[arg(long, value_name = "TIME", value_parser = time::parse_moment)]
        until: Option<Moment>,
        #[command(flatten)]
        request: Request,
    },
    /// Grant all lines of a basket.
    Basket {
        /// Who receives.
        owner: Who,
        /// The basket's number.
        basket: BasketId,
        #[command(flatten)]
        request: Request,
    },
    /// Grant to everybody in a CSV file: checked whole before anything is sent, sent in chunks that
    /// happen wholly or not at all, and continued, never repeated, when run again.
    Csv {
        /// The file: a heading line, then one grant per line. Columns: owner; program and amount, or basket;
        /// optionally valid_from and valid_until (dates or UTC times); for recurring grants and vesting
        /// plan, months, cliff and rollover.
        file: PathBuf,
        #[command(flatten)]
        sending: Sending,
    },
    /// Grant recurring credits, vesting, milestones or a temporary raise, as dated parts made at once.
    #[command(subcommand)]
    Plan(plan::Verb),
    /// Add the signature of a second issuer to signed requests (from --detached): large grants need it.
    Cosign(files::Cosign),
    /// Carry signed requests (from --detached) to the chain; `-` reads standard input.
    #[command(visible_alias = "send")]
    Carry {
        /// A JSON file with one signed request, or an array of them.
        file: PathBuf,
    },
    /// Show what an issuer may still mint in this period.
    Allowance {
        /// The issuer; the key's own account if it is not given.
        issuer: Option<Who>,
    },
    /// Set what an issuer may mint per period in a class (council).
    SetAllowance(allowance::Set),
}

/// How a request is signed.
#[derive(Args, Debug)]
pub(crate) struct Request {
    /// 16 bytes in hex that are never used twice; random if not given. A request sent again under
    /// the same key mints nothing.
    #[arg(long, value_name = "HEX", value_parser = parse::bytes::<16>)]
    idempotency_key: Option<[u8; 16]>,
    /// Do not send: print the signed request, which another issuer can sign too and anybody can carry to
    /// the chain.
    #[arg(long, visible_alias = "sign-only")]
    detached: bool,
    /// Genesis hash of the chain, to sign without a node.
    #[arg(long, value_name = "HASH", value_parser = parse::hash, requires = "detached")]
    genesis: Option<H256>,
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::One { owner, program, amount, from, until, request } => {
                let grant = Grant::One { program, amount, valid_from: from, valid_until: until };
                grant_to(context, &owner, grant, request).await
            }
            Verb::Basket { owner, basket, request } => {
                grant_to(context, &owner, Grant::Basket { basket }, request).await
            }
            Verb::Csv { file, sending } => mint_many::run_file(context, &file, sending).await,
            Verb::Plan(plan) => plan.run(context).await,
            Verb::Cosign(cosign) => cosign.run(context).await,
            Verb::Carry { file } => files::carry(context, &file).await,
            Verb::Allowance { issuer } => allowance::show(context, issuer).await,
            Verb::SetAllowance(set) => set.run(context).await,
        }
    }
}

async fn grant_to(context: &Context, owner: &Who, grant: Grant, request: Request) -> Result<Answer> {
    let owner = context.account(owner)?;
    let signer = context.signer()?;
    let genesis = match request.genesis {
        Some(genesis) => genesis,
        None => context.client().await?.genesis(),
    };
    let idempotency_key = request.idempotency_key.unwrap_or_else(|| {
        let mut random = [0; 16];
        rand::rngs::OsRng.fill_bytes(&mut random);
        random
    });
    let key = hex::encode(idempotency_key);
    let what = json!({ "owner": owner, "grant": grant, "signer": signer.address(), "idempotency_key": format!("0x{key}") });
    context.would(what, || {
        let (what, owner) = (files::in_words(&grant), parse::address(&owner));
        format!(
            "{} would sign and {} a grant of {what}, to {owner}",
            signer.address(),
            if request.detached { "print" } else { "send" }
        )
    })?;
    let mint = SignedMint::new(&signer, &genesis, owner, grant, idempotency_key);
    if request.detached {
        return Answer::new(&mint, format!("{:#}", serde_json::to_value(&mint)?));
    }
    let spinner = context.spinner("waiting for a finalised block");
    let minted = context.client().await?.mint_finalised(&mint).await;
    spinner.finish_and_clear();
    let ids = minted.map_err(|error| with_advice(error, &mint))?;
    minted_answer(&mint, &ids)
}

/// Says after a failure what to do about it, as one does with this command.
fn with_advice(error: MintError, mint: &SignedMint) -> anyhow::Error {
    let key = hex::encode(mint.request.idempotency_key);
    match error {
        MintError::AllowanceExhausted(exhausted) => {
            let until = time::moment(exhausted.period_ends_at);
            let (left, asked) = (credits(exhausted.left), credits(exhausted.asked));
            let issuer = parse::address(&mint.request.issuer);
            anyhow::anyhow!(
                "nothing was minted: until {until} {issuer} may mint {left} credits more of this class, and this takes {asked}; wait until then, grant less, or ask the council for `stipend mint set-allowance`"
            )
        }
        MintError::SecondIssuerNeeded(large) => anyhow::Error::from(MintError::SecondIssuerNeeded(large))
            .context("nothing was minted: run the same command with --sign-only > request.json, have another issuer run `stipend mint cosign request.json`, then run `stipend mint send request.json`"),
        // These leave open what became of the request.
        error if matches!(&error, MintError::Lost) || matches!(&error, MintError::Rpc(rpc) if rpc.is_transient()) => {
            anyhow::Error::from(error).context(format!(
                "whether anything was minted is not known; run the same command with --idempotency-key {key}, which mints at most once"
            ))
        }
        error => error.into(),
    }
}

fn minted_answer(mint: &SignedMint, ids: &[EntitlementId]) -> Result<Answer> {
    let owner = parse::address(&mint.request.owner);
    let key = hex::encode(mint.request.idempotency_key);
    let numbers: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let noun = if ids.len() == 1 { "entitlement" } else { "entitlements" };
    let human = format!("{owner} has {noun} {} (finalised)", numbers.join(", "));
    let json = json!({ "owner": owner, "entitlements": ids, "idempotency_key": format!("0x{key}") });
    Answer::new(json, human)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::{
        primitives::ClassId,
        rpc::{Exhausted, Large},
        Signer,
    };

    fn signed() -> SignedMint {
        let signer = Signer::from_uri("//Alice").unwrap();
        let grant = Grant::One { program: 0, amount: 7, valid_from: None, valid_until: None };
        SignedMint::new(&signer, &H256::zero(), signer.account(), grant, [9; 16])
    }

    #[test]
    fn an_open_outcome_names_the_key_to_ask_again_with() {
        let error = with_advice(MintError::Lost, &signed());
        assert!(format!("{error:#}").contains(&"09".repeat(16)));
        let error = with_advice(MintError::BadSignature, &signed());
        assert!(!format!("{error:#}").contains("--idempotency-key"));
    }

    #[test]
    fn limits_are_told_with_the_commands_that_help() {
        let exhausted = Exhausted {
            class: ClassId::INNOVATION,
            asked: 3_000_000,
            left: 2_500_000,
            period_ends_at: 86_400_000,
        };
        let error = format!("{:#}", with_advice(MintError::AllowanceExhausted(exhausted), &signed()));
        assert!(error.contains("until 1970-01-02T00:00:00Z") && error.contains("2.500000"), "{error}");
        let large = Large { large_mint: 1, payload: [0; 32] };
        let error = format!("{:#}", with_advice(MintError::SecondIssuerNeeded(large), &signed()));
        assert!(error.contains("--sign-only") && error.contains("mint cosign"), "{error}");
    }

    #[test]
    fn the_answer_names_what_was_minted() {
        let answer = minted_answer(&signed(), &[4, 5]).unwrap();
        assert_eq!(answer.json["entitlements"], json!([4, 5]));
        assert!(answer.human.contains("entitlements 4, 5"));
    }
}
