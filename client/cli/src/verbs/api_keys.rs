//! `stipend api-keys`: keys for applications, bound to a wallet.

use anyhow::Result;
use clap::{Args, Subcommand};
use futures::future::try_join_all;
use serde_json::json;
use sp_core::H256;
use stipend_sdk::{
    pallet_entitlements::Call,
    primitives::{cost::PriceBook, key::KeyLimits, AccountId, ClassId, Credits, ModelId, Moment},
    ApiKeySecret,
};

use crate::{
    amount::{self, credits},
    context::Context,
    failure::Failure,
    output::{Answer, Rows},
    parse, time,
    who::Who,
};

/// API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a key and register its hash; the key itself is shown once and never again.
    Create {
        #[command(flatten)]
        limits: Limits,
        /// Gateway that credits are reserved for at once, so that the first request need not wait.
        #[arg(long, value_name = "GATEWAY", value_parser = parse::account, requires = "reserve")]
        reserve_for: Option<AccountId>,
        /// What to reserve: CLASS:CREDITS, such as innovation:5. May be repeated.
        #[arg(long, value_name = "CLASS:CREDITS", requires = "reserve_for")]
        reserve: Vec<String>,
    },
    /// Show the keys of an account; your own if none is named.
    List {
        /// Whose.
        owner: Option<Who>,
    },
    /// Make a key useless (its owner, or an issuer).
    Revoke {
        /// The key's hash, from `api-keys list`.
        #[arg(value_parser = parse::hash)]
        hash: H256,
    },
    /// Replace all limits of a key by those given here.
    Limits {
        /// The key's hash, from `api-keys list`.
        #[arg(value_parser = parse::hash)]
        hash: H256,
        #[command(flatten)]
        limits: Limits,
    },
}

/// What a key may do.
#[derive(Args, Debug)]
pub(crate) struct Limits {
    /// Name or number of a model that the key may use; may be repeated. Every model if none is given.
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// Credits that one request may cost at most.
    #[arg(long, value_name = "CREDITS", value_parser = amount::parse)]
    request_cost_max: Option<Credits>,
    /// Requests per minute at one gateway.
    #[arg(long, value_name = "COUNT")]
    requests_per_minute: Option<u32>,
    /// Credits per day (from midnight to midnight UTC) at one gateway.
    #[arg(long, value_name = "CREDITS", value_parser = amount::parse)]
    credits_per_day: Option<Credits>,
    /// Credits per minute at one gateway.
    #[arg(long, value_name = "CREDITS", value_parser = amount::parse)]
    credits_per_minute: Option<Credits>,
    /// Tokens, of prompts and answers together, per minute at one gateway.
    #[arg(long, value_name = "COUNT")]
    tokens_per_minute: Option<u64>,
    /// Credits per day at one gateway for one model: MODEL:CREDITS, such as tiny:5. May be repeated.
    #[arg(long = "model-credits-per-day", value_name = "MODEL:CREDITS")]
    model_credits_per_day: Vec<String>,
    /// First moment at which the key is refused.
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment)]
    expires: Option<Moment>,
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Create { limits, reserve_for, reserve } => {
                create(context, limits, reserve_for, &reserve).await
            }
            Verb::List { owner } => list(context, owner).await,
            Verb::Revoke { hash } => {
                let done = context.carry_out(Call::revoke_key { hash }).await?;
                Ok(Answer::done(
                    &done,
                    json!({ "hash": hash }),
                    format!("the key {hash:?} is of no use any more"),
                ))
            }
            Verb::Limits { hash, limits } => {
                let limits = limits.resolve(context).await?;
                let what = json!({ "hash": hash, "limits": limits });
                let done = context.carry_out(Call::set_limits { hash, limits }).await?;
                Ok(Answer::done(&done, what, format!("the key {hash:?} has these limits from now on")))
            }
        }
    }
}

impl Limits {
    async fn resolve(self, context: &Context) -> Result<KeyLimits> {
        let names_none = self.models.is_empty() && self.model_credits_per_day.is_empty();
        let book = if names_none { None } else { context.ledger().await?.current_book().await? };
        let models = self.models.iter().map(|model| numbered(book.as_ref(), model));
        let models = models.collect::<Result<Vec<_>>>()?;
        let caps = self.model_credits_per_day.iter().map(|cap| {
            let (model, amount) = cap.rsplit_once(':').ok_or_else(|| {
                Failure::usage(format!("\"{cap}\" is not a model's cap: write MODEL:CREDITS, such as tiny:5"))
            })?;
            Ok((numbered(book.as_ref(), model)?, amount::parse(amount).map_err(Failure::usage)?))
        });
        let caps = caps.collect::<Result<Vec<_>>>()?;
        let (models_count, caps_count) = (models.len(), caps.len());
        Ok(KeyLimits {
            models: models.try_into().map_err(|_| {
                Failure::usage(format!("a key cannot be limited to {models_count} models; name fewer"))
            })?,
            request_cost_max: self.request_cost_max,
            requests_per_minute_max: self.requests_per_minute,
            expires_at: self.expires,
            credits_per_day_max: self.credits_per_day,
            credits_per_minute_max: self.credits_per_minute,
            tokens_per_minute_max: self.tokens_per_minute,
            model_credits_per_day_max: caps.try_into().map_err(|_| {
                Failure::usage(format!("a key cannot have caps for {caps_count} models; name fewer"))
            })?,
        })
    }
}

/// A model by its name in the price book, or by its number.
fn numbered(book: Option<&PriceBook>, model: &str) -> Result<ModelId> {
    let named = book.and_then(|book| book.entry_named(model)).map(|entry| entry.model);
    named.or_else(|| model.parse().ok().map(ModelId)).ok_or_else(|| {
        let reason = format!("the price book has no model \"{model}\"; see `stipend prices show`");
        Failure::not_found(reason).into()
    })
}

async fn create(
    context: &Context,
    limits: Limits,
    reserve_for: Option<AccountId>,
    reserve: &[String],
) -> Result<Answer> {
    let owner = context.signer()?.account();
    let limits = limits.resolve(context).await?;
    let reserve = match reserve_for {
        None => None,
        Some(gateway) => {
            let rows = try_join_all(reserve.iter().map(|row| reservation(context, row))).await?;
            let count = rows.len();
            let rows = rows.try_into().map_err(|_| {
                Failure::usage(format!("{count} reservations are more than a key can begin with; name fewer"))
            })?;
            Some((gateway, rows))
        }
    };
    let secret = ApiKeySecret::generate();
    let hash = secret.hash();
    let json_limits = serde_json::to_value(&limits)?;
    let done = context.carry_out(Call::register_key { hash, limits, reserve }).await?;
    let what = json!({ "key": secret.expose(), "hash": hash, "owner": owner, "limits": json_limits });
    let human = format!(
        "{}\nThis is shown once: store it now. The chain knows it only by its hash {hash:?}.\nregistered",
        secret.expose()
    );
    Ok(Answer::done(&done, what, human))
}

async fn reservation(context: &Context, row: &str) -> Result<(ClassId, Credits)> {
    let (class, amount) = row.split_once(':').ok_or_else(|| {
        Failure::usage(format!("\"{row}\" is not a reservation: write CLASS:CREDITS, such as innovation:5"))
    })?;
    let amount = amount::parse(amount).map_err(Failure::usage)?;
    Ok((context.class(class).await?, amount))
}

async fn list(context: &Context, owner: Option<Who>) -> Result<Answer> {
    let owner = context.account_or_own(owner)?;
    let ledger = context.ledger().await?;
    let hashes = ledger.api_keys_of(&owner).await?;
    let (keys, book) = futures::try_join!(
        try_join_all(hashes.iter().map(|hash| ledger.api_key(*hash))),
        ledger.current_book()
    )?;
    let name_of = |model: &ModelId| {
        let entry = book.as_ref().and_then(|book| book.entry(*model));
        entry.map_or_else(|| model.0.to_string(), |entry| parse::text(&entry.name))
    };
    let headings = &["hash", "models", ">credits per request", ">requests per minute", "caps", "expires"];
    let mut rows = Rows::new(headings, "the account has no API key; make one with `stipend api-keys create`");
    let mut json = Vec::new();
    for (hash, key) in hashes.iter().zip(keys).filter_map(|(hash, key)| Some((hash, key?))) {
        let limits = &key.limits;
        let models: Vec<_> = limits.models.iter().map(name_of).collect();
        rows.push([
            format!("{hash:?}"),
            if models.is_empty() { "all".into() } else { models.join(", ") },
            limits.request_cost_max.map_or_else(|| "no cap".into(), credits),
            limits.requests_per_minute_max.map_or_else(|| "no cap".into(), |count| count.to_string()),
            caps(limits, name_of),
            time::moment_or("never", limits.expires_at),
        ]);
        json.push(json!({ "hash": hash, "owner": owner, "limits": limits }));
    }
    Answer::new(json, rows.finish())
}

/// The caps per day and minute, each with its unit.
fn caps(limits: &KeyLimits, name_of: impl Fn(&ModelId) -> String) -> String {
    let day = limits.credits_per_day_max.map(|cap| format!("{} a day", credits(cap)));
    let minute = limits.credits_per_minute_max.map(|cap| format!("{} a minute", credits(cap)));
    let tokens = limits.tokens_per_minute_max.map(|cap| format!("{cap} tokens a minute"));
    let of_models = limits.model_credits_per_day_max.iter();
    let of_models = of_models.map(|(model, cap)| format!("{} a day for {}", credits(*cap), name_of(model)));
    let caps: Vec<_> = day.into_iter().chain(minute).chain(tokens).chain(of_models).collect();
    if caps.is_empty() {
        return "none".into();
    }
    caps.join(", ")
}
