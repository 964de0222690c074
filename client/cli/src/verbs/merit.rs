//! `stipend merit`: outcomes and what they earn.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use sp_core::H256;
use stipend_sdk::{
    merit::{kind_of, NewOutcome},
    pallet_merit::{Call, Decided, DECIDED_MAX},
    primitives::{
        merit::{KindId, OutcomeId, Rule},
        Credits, Moment, Name, ProgramId,
    },
};

use crate::{
    amount, amount::credits, context::Context, failure::Failure, output::Answer, parse, time, who::Who,
};

mod tables;

/// Outcomes.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Kinds of outcomes, and what they earn.
    #[command(subcommand)]
    Kinds(Kinds),
    /// Record an outcome; what it earns is granted at once (evaluator).
    Record(Record),
    /// Take an own outcome back while its window is open (evaluator).
    Withdraw {
        /// The hash of its evidence.
        #[arg(value_parser = parse::hash)]
        evidence: H256,
    },
    /// Say that an outcome is none (another evaluator, the wallet's owner, who owns the program that paid).
    Contest {
        /// The outcome's number.
        outcome: OutcomeId,
        /// The hash of the reasons.
        #[arg(long, value_parser = parse::hash)]
        reason: H256,
    },
    /// Decide on contested outcomes (council).
    Decide {
        /// The outcomes' numbers.
        #[arg(required = true)]
        outcomes: Vec<OutcomeId>,
        /// They stand.
        #[arg(long, conflicts_with = "overturn")]
        stand: bool,
        /// What they earned is taken back.
        #[arg(long, required_unless_present = "stand")]
        overturn: bool,
    },
    /// Show what the council has to decide on.
    Contests,
    /// Show what a wallet earned and owes, and its outcomes.
    Outcomes {
        /// Whose; your own if left out.
        owner: Option<Who>,
    },
    /// Show what an evaluator's outcomes may still earn in this period.
    Caps {
        /// Whose; your own if left out.
        evaluator: Option<Who>,
    },
}

/// Verbs of `merit kinds`.
#[derive(Debug, Subcommand)]
pub(crate) enum Kinds {
    /// Show all kinds, the rule that holds and the one announced.
    List,
    /// Make a kind with its first rule (council).
    Register {
        /// Its name, for ever.
        #[arg(value_parser = parse::name)]
        name: Name,
        #[command(flatten)]
        rule: RuleArguments,
    },
    /// Announce the next rule of a kind (council).
    Announce {
        /// The kind's name.
        name: String,
        #[command(flatten)]
        rule: RuleArguments,
    },
}

/// What a rule says.
#[derive(Args, Debug)]
pub(crate) struct RuleArguments {
    /// The program that pays: its class is what is earned.
    #[arg(long)]
    program: ProgramId,
    /// Credits for one unit of weight.
    #[arg(long, value_parser = amount::parse)]
    award: Credits,
    /// Credits that one wallet can earn in a period.
    #[arg(long, value_parser = amount::parse)]
    wallet_cap: Credits,
    /// Credits that one evaluator's outcomes can earn in a period.
    #[arg(long, value_parser = amount::parse)]
    evaluator_cap: Credits,
    /// Length of a period; periods of a day begin at midnight UTC.
    #[arg(long, value_parser = time::parse_duration, default_value = "1d")]
    period: Moment,
    /// How long an outcome can be contested or withdrawn.
    #[arg(long, value_parser = time::parse_duration, default_value = "7d")]
    window: Moment,
    /// How long what was earned can be used.
    #[arg(long, value_parser = time::parse_duration, default_value = "90d")]
    lasts: Moment,
    /// When nothing new counts any more.
    #[arg(long, value_parser = time::parse_moment)]
    sunset: Moment,
    /// From when on the rule holds: at least the chain's notice from now, a day unless its genesis says otherwise.
    #[arg(long, value_parser = time::parse_moment)]
    from: Moment,
}

/// An outcome to record.
#[derive(Args, Debug)]
pub(crate) struct Record {
    /// Its kind, by name.
    kind: String,
    /// Whose compute led to it.
    wallet: Who,
    /// How much of it.
    #[arg(long, default_value_t = 1)]
    weight: u32,
    /// Hash of what shows it.
    #[arg(long, value_parser = parse::hash, required_unless_present = "evidence_file")]
    evidence: Option<H256>,
    /// What shows it, to be hashed (BLAKE2b-256).
    #[arg(long, value_name = "FILE", conflicts_with = "evidence")]
    evidence_file: Option<PathBuf>,
    /// A receipt that it came from, by id; once for each.
    #[arg(long = "receipt", value_name = "ID", value_parser = parse::hash)]
    receipts: Vec<H256>,
    /// The purpose tag of the requests that it came from.
    #[arg(long, required_unless_present = "receipts")]
    purpose: Option<String>,
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Kinds(verb) => verb.run(context).await,
            Verb::Record(record) => record.run(context).await,
            Verb::Withdraw { evidence } => withdraw(context, evidence).await,
            Verb::Contest { outcome, reason } => {
                let done = context.carry_out(Call::contest { outcome, reason }).await?;
                let human = format!("outcome {outcome} is contested; the council decides");
                Ok(Answer::done(&done, json!({ "outcome": outcome, "reason": reason }), human))
            }
            Verb::Decide { outcomes, stand, .. } => decide(context, outcomes, stand).await,
            Verb::Contests => {
                let client = context.client().await?;
                let (contests, kinds) =
                    futures::try_join!(client.merit_contests(None), client.merit_kinds())?;
                tables::contests(&contests, &kinds)
            }
            Verb::Outcomes { owner } => {
                let (owner, client) = (context.account_or_own(owner)?, context.client().await?);
                let (merit, kinds) = futures::try_join!(client.merit_wallet(&owner), client.merit_kinds())?;
                tables::outcomes(&merit, &kinds, time::now())
            }
            Verb::Caps { evaluator } => {
                let who = context.account_or_own(evaluator)?;
                tables::caps(&context.client().await?.merit_evaluator(&who).await?)
            }
        }
    }
}

impl Kinds {
    async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Kinds::List => tables::kinds(&context.client().await?.merit_kinds().await?),
            Kinds::Register { name, rule } => {
                let (rule, from) = rule.rule();
                let (what, human) = described(&parse::text(&name), None, &rule, from);
                context.council(Call::register_kind { name, rule, from }, what, human).await
            }
            Kinds::Announce { name, rule } => {
                let kinds = context.client().await?.merit_kinds().await?;
                let kind = kind_of(&kinds, &name).map_err(|error| Failure::not_found(error.to_string()))?.id;
                let (rule, from) = rule.rule();
                let (what, human) = described(&name, Some(kind), &rule, from);
                context.council(Call::announce_rule { kind, rule, from }, what, human).await
            }
        }
    }
}

impl RuleArguments {
    /// The rule, and when it begins.
    fn rule(self) -> (Rule, Moment) {
        let RuleArguments { program, award, wallet_cap, evaluator_cap, sunset, from, .. } = self;
        let (period_ms, window_ms, lasts_ms) = (self.period, self.window, self.lasts);
        let rule = Rule { program, award, wallet_cap, evaluator_cap, period_ms, window_ms, lasts_ms, sunset };
        (rule, from)
    }
}

fn described(name: &str, kind: Option<KindId>, rule: &Rule, from: Moment) -> (serde_json::Value, String) {
    let human = format!(
        "from {} on an outcome \"{name}\" earns {} credits for each unit of its weight",
        time::moment(from),
        credits(rule.award)
    );
    (json!({ "kind": kind, "name": name, "rule": rule, "from": from }), human)
}

impl Record {
    async fn run(self, context: &Context) -> Result<Answer> {
        let evidence = match (&self.evidence, &self.evidence_file) {
            (Some(evidence), _) => *evidence,
            (None, Some(file)) => hash_of(file)?,
            (None, None) => return Err(Failure::usage("name the evidence, or the file that is it").into()),
        };
        let outcome = NewOutcome {
            kind: self.kind,
            wallet: context.account(&self.wallet)?,
            weight: self.weight,
            evidence: evidence.0,
            receipts: self.receipts.iter().map(|id| id.0).collect(),
            purpose: self.purpose,
        };
        let (signer, client) = (context.signer()?, context.client().await?);
        let record = outcome.record(&client.merit_kinds().await?)?;
        context.would_send(&Call::record { record }.into(), false)?;
        let spinner = context.spinner("waiting for a finalised block");
        let recorded = client.record_outcome(&outcome, &signer).await;
        spinner.finish_and_clear();
        let recorded = recorded?;
        let owed = recorded.earned - recorded.minted;
        let human = format!(
            "outcome {} earned {} credits; {} of them paid what the wallet owed",
            recorded.id,
            credits(recorded.earned),
            credits(owed)
        );
        let what = json!({
            "outcome": recorded.id,
            "evidence": evidence,
            "earned": recorded.earned.to_string(),
            "minted": recorded.minted.to_string(),
        });
        Ok(Answer::done(&recorded.at, what, human))
    }
}

fn hash_of(file: &Path) -> Result<H256> {
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::bad_input(format!("cannot read {}: {error}", file.display())))?;
    Ok(H256(sp_crypto_hashing::blake2_256(&bytes)))
}

async fn withdraw(context: &Context, evidence: H256) -> Result<Answer> {
    let (signer, client) = (context.signer()?, context.client().await?);
    context.would(json!({ "evidence": evidence, "signer": signer.address() }), || {
        format!("{} would withdraw what it recorded by {evidence:?}", signer.address())
    })?;
    let spinner = context.spinner("waiting for a finalised block");
    let withdrawn = client.withdraw_outcome(evidence.0, &signer).await;
    spinner.finish_and_clear();
    let withdrawn = withdrawn?;
    let sum =
        |part: fn(&stipend_sdk::merit::TakenBack) -> Credits| withdrawn.iter().map(part).sum::<Credits>();
    let (taken, owed) = (sum(|it| it.taken), sum(|it| it.owed));
    let outcomes: Vec<OutcomeId> = withdrawn.iter().map(|it| it.id).collect();
    let human =
        format!("{} credits were taken back; {} had been used and are owed", credits(taken), credits(owed));
    let what = json!({ "outcomes": outcomes, "taken": taken.to_string(), "owed": owed.to_string() });
    match withdrawn.last() {
        Some(last) => Ok(Answer::done(&last.at, what, human)),
        None => Answer::new(what, human),
    }
}

async fn decide(context: &Context, outcomes: Vec<OutcomeId>, stand: bool) -> Result<Answer> {
    let ids = Decided::try_from(outcomes.clone())
        .map_err(|_| Failure::usage(format!("decide on at most {DECIDED_MAX} outcomes at once")))?;
    let human = if stand { "the outcomes stand" } else { "what the outcomes earned is taken back" };
    let what = json!({ "outcomes": outcomes, "stand": stand });
    context.council(Call::decide { outcomes: ids, stand }, what, human.to_owned()).await
}
