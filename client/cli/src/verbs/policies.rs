//! `stipend policies`: kinds of wallets, for people who are not employees, and what binds each.

use anyhow::Result;
use clap::{Args, Subcommand};
use futures::future::try_join_all;
use serde_json::json;
use stipend_sdk::{
    pallet_entitlements::Call,
    primitives::{
        policy::{KindId, Policy, Terms, WalletKind},
        AccountId, Credits, Moment, Name,
    },
};

use crate::{
    amount::{self, credits},
    context::Context,
    failure::Failure,
    output::{Answer, Rows},
    parse, time,
    who::Who,
};

use self::{beyond::beyond, names::Names};

mod beyond;
mod names;

/// Kinds of wallets and their policies.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show all kinds and what binds each.
    List,
    /// Show of which kind an account's wallets are and what they hold beyond its policy; your own if none is
    /// named.
    Show {
        /// Whose.
        owner: Option<Who>,
    },
    /// Make a kind, or set its policy anew; counts at once, for what is granted from then on (council).
    Set(Set),
    /// Say of which kind an account's wallets are, before the first grant or after it (issuer).
    Assign {
        /// Whose.
        owner: Who,
        /// The kind, by number or name; `employee`, whom no policy binds, is number 0.
        kind: String,
    },
}

/// Options of `policies set`.
#[derive(Args, Debug)]
pub(crate) struct Set {
    /// The kind's number.
    #[arg(value_parser = clap::value_parser!(KindId).range(1..))]
    kind: KindId,
    /// Its name.
    #[arg(value_parser = parse::name)]
    name: Name,
    /// A class that may be granted, and how many credits of it a wallet may hold: CLASS:CREDITS, such as
    /// innovation:500. May be repeated; no other class may be granted.
    #[arg(long = "class", value_name = "CLASS:CREDITS", value_parser = parse_class)]
    classes: Vec<(String, Credits)>,
    /// How long after a grant it must end at the latest, such as 90d; without it, grants need not end.
    #[arg(long, value_parser = time::parse_duration)]
    validity: Option<Moment>,
    /// API keys that an owner may have at a time; with 0 none, and so nothing can be used.
    #[arg(long, value_name = "COUNT")]
    keys: u32,
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::List => {
                let kinds = context.client().await?.wallet_kinds().await?;
                list(&kinds, &Names::read(&context.ledger().await?).await?)
            }
            Verb::Show { owner } => {
                let owner = context.account_or_own(owner)?;
                let kind = context.client().await?.wallet_kind(&owner).await?;
                show(context, &owner, &kind).await
            }
            Verb::Set(set) => set.run(context).await,
            Verb::Assign { owner, kind } => assign(context, context.account(&owner)?, &kind).await,
        }
    }
}

impl Set {
    async fn run(self, context: &Context) -> Result<Answer> {
        let Set { kind, name, classes, validity, keys } = self;
        let numbered = classes.iter().map(|(class, holding_max)| async move {
            Ok::<_, anyhow::Error>(Terms { class: context.class(class).await?, holding_max: *holding_max })
        });
        let policy = policy(try_join_all(numbered).await?, validity, keys)?;
        let names = Names::read(&context.ledger().await?).await?;
        let human = format!("kind {kind} is \"{}\": {}", parse::text(&name), bounds(&policy, &names));
        let what = json!({ "kind": kind, "name": parse::text(&name), "policy": policy });
        context.council(Call::set_policy { kind, name, policy }, what, human).await
    }
}

fn policy(mut terms: Vec<Terms>, validity_ms_max: Option<Moment>, keys_max: u32) -> Result<Policy, Failure> {
    terms.sort_by_key(|terms| terms.class);
    let count = terms.len();
    let classes = terms.try_into().map_err(|_| Failure::usage(format!("{count} classes are too many")))?;
    let policy = Policy { classes, validity_ms_max, keys_max };
    if !policy.is_sound() {
        return Err(Failure::usage("name each class once, and a validity of more than nothing"));
    }
    Ok(policy)
}

async fn assign(context: &Context, owner: AccountId, kind: &str) -> Result<Answer> {
    let kind = find(context.client().await?.wallet_kinds().await?, kind)?;
    let call = Call::set_kind { owner: owner.clone(), kind: kind.kind };
    let done = context.carry_out(call).await?;
    let (names, reasons) = look(context, &owner, &kind).await?;
    let name = parse::text(&kind.name);
    let what = json!({ "owner": owner, "kind": kind.kind, "name": name, "beyond": reasons });
    Ok(Answer::done(&done, what, sentence(&owner, &kind, &names, &reasons)))
}

async fn show(context: &Context, owner: &AccountId, kind: &WalletKind) -> Result<Answer> {
    let (names, reasons) = look(context, owner, kind).await?;
    let json = json!({ "owner": owner, "kind": kind, "beyond": reasons });
    Answer::new(json, sentence(owner, kind, &names, &reasons))
}

/// How classes are called, and what an owner holds that could not be granted again.
async fn look(context: &Context, owner: &AccountId, kind: &WalletKind) -> Result<(Names, Vec<String>)> {
    let ledger = context.ledger().await?;
    let names = Names::read(&ledger).await?;
    let Some(policy) = &kind.policy else { return Ok((names, Vec::new())) };
    let (held, keys) = futures::try_join!(ledger.entitlements(owner), ledger.api_keys_of(owner))?;
    let reasons = beyond(policy, &names, &held, keys.len(), time::now());
    Ok((names, reasons))
}

fn sentence(owner: &AccountId, kind: &WalletKind, names: &Names, beyond: &[String]) -> String {
    let name = parse::text(&kind.name);
    let policy = kind.policy.as_ref();
    let bounds = policy.map_or_else(|| "nothing binds them".into(), |policy| bounds(policy, names));
    let mut text = format!("the wallets of {} are of the kind \"{name}\": {bounds}", parse::address(owner));
    if !beyond.is_empty() {
        text += "\nWhat stays theirs from before, and counts:";
        for reason in beyond {
            text += &format!("\n  {reason}");
        }
        text += "\n`stipend entitlements revoke` and `stipend api-keys revoke` take it back, if you want to.";
    }
    text
}

/// A policy in one line.
fn bounds(policy: &Policy, names: &Names) -> String {
    let classes: Vec<_> = policy
        .classes
        .iter()
        .map(|terms| format!("{} of {}", credits(terms.holding_max), names.of(terms.class)))
        .collect();
    let held = match classes.is_empty() {
        true => "nothing may be granted".to_owned(),
        false => format!("a wallet may hold credits: {}", classes.join(", ")),
    };
    let ends = policy.validity_ms_max.map_or_else(
        || "grants need not end".to_owned(),
        |max| format!("grants end within {}", time::duration(max)),
    );
    format!("{held}; {ends}; API keys at a time: {}", policy.keys_max)
}

fn list(kinds: &[WalletKind], names: &Names) -> Result<Answer> {
    let headings = &[">kind", "name", "class", ">may hold", "longest validity", ">API keys"];
    let mut rows = Rows::new(headings, "there is no kind");
    for WalletKind { kind, name: kind_name, policy } in kinds {
        let mut push = |class: String, held: String| {
            let (ends, keys) = match policy {
                Some(policy) => (
                    policy.validity_ms_max.map_or_else(|| "any".into(), time::duration),
                    policy.keys_max.to_string(),
                ),
                None => ("any".into(), "any".into()),
            };
            rows.push([kind.to_string(), parse::text(kind_name), class, held, ends, keys]);
        };
        match policy {
            None => push("every".into(), "any".into()),
            Some(policy) if policy.classes.is_empty() => push("none".into(), credits(0)),
            Some(policy) => {
                policy
                    .classes
                    .iter()
                    .for_each(|terms| push(names.of(terms.class), credits(terms.holding_max)));
            }
        }
    }
    Answer::new(kinds, rows.finish())
}

/// A kind by number or name.
fn find(kinds: Vec<WalletKind>, text: &str) -> Result<WalletKind, Failure> {
    let is_meant = |row: &WalletKind| match text.parse::<KindId>() {
        Ok(number) => row.kind == number,
        Err(_) => parse::text(&row.name).eq_ignore_ascii_case(text),
    };
    let names: Vec<_> = kinds.iter().map(|row| parse::text(&row.name)).collect();
    let mut meant = kinds.into_iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(kind), None) => Ok(kind),
        (Some(_), Some(_)) => {
            Err(Failure::usage(format!("several kinds are called \"{text}\"; give the number")))
        }
        (None, _) => Err(Failure::not_found(format!(
            "there is no kind \"{text}\"; there are {}; the council makes one with `stipend policies set`",
            names.join(", ")
        ))),
    }
}

/// Reads CLASS:CREDITS.
fn parse_class(text: &str) -> Result<(String, Credits), String> {
    let (class, amount) =
        text.split_once(':').filter(|(class, _)| !class.trim().is_empty()).ok_or_else(|| {
            format!("\"{text}\" is not a class and credits: write CLASS:CREDITS, such as innovation:500")
        })?;
    Ok((class.trim().to_owned(), amount::parse(amount)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::primitives::ClassId;

    fn contractor() -> WalletKind {
        let terms = |class, holding_max| Terms { class, holding_max };
        let terms = vec![terms(ClassId::REASONING, 1), terms(ClassId::INNOVATION, 500_000_000)];
        let policy = policy(terms, Some(90 * 86_400_000), 2).unwrap();
        WalletKind { kind: 1, name: parse::name("Contractor").unwrap(), policy: Some(policy) }
    }

    #[test]
    fn a_kind_is_shown_with_a_row_for_each_class() {
        let kinds = [WalletKind::employee(), contractor()];
        let answer = list(&kinds, &Names::of_genesis()).unwrap();
        assert_eq!(answer.json[0]["policy"], json!(null));
        assert_eq!(answer.json[1]["policy"]["classes"][0]["holding_max"], "500000000");
        for part in ["employee", "any", "Innovation", "500.000000", "0.000001", "90d"] {
            assert!(answer.human.contains(part), "{part}\n{}", answer.human);
        }
    }

    #[test]
    fn a_kind_is_found_by_number_and_name_and_nothing_is_guessed() {
        let kinds = || vec![WalletKind::employee(), contractor(), WalletKind { kind: 7, ..contractor() }];
        assert_eq!(find(kinds(), "7").unwrap().kind, 7);
        assert_eq!(find(kinds(), "EMPLOYEE").unwrap().kind, 0);
        assert!(find(kinds(), "contractor").unwrap_err().to_string().contains("give the number"));
        assert!(find(kinds(), "contract").unwrap_err().to_string().contains("there is no kind"));
    }

    #[test]
    fn classes_come_in_any_order_but_once() {
        let terms = |class| Terms { class, holding_max: 1 };
        let twice = policy(vec![terms(ClassId::RENDER), terms(ClassId::RENDER)], None, 1);
        assert!(twice.unwrap_err().to_string().contains("each class once"));
        assert!(policy(vec![terms(ClassId::RENDER)], Some(0), 1).is_err());
        assert!(contractor().policy.unwrap().is_sound());
    }

    #[test]
    fn a_class_is_read_with_its_credits() {
        assert_eq!(parse_class("innovation:1.5").unwrap(), ("innovation".into(), 1_500_000));
        for wrong in ["innovation", ":5", "innovation:", "innovation:-1"] {
            assert!(parse_class(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_a_wallet_holds_from_before_is_said_with_what_to_do() {
        let owner = AccountId::new([1; 32]);
        let names = Names::of_genesis();
        let quiet = sentence(&owner, &contractor(), &names, &[]);
        assert!(quiet.contains("500.000000 of Innovation") && quiet.contains("within 90d"), "{quiet}");
        assert!(!quiet.contains("revoke"));
        let loud = sentence(&owner, &contractor(), &names, &["3 API keys; 2 are allowed".into()]);
        assert!(loud.contains("3 API keys") && loud.contains("entitlements revoke"), "{loud}");
        assert!(sentence(&owner, &WalletKind::employee(), &names, &[]).contains("nothing binds them"));
    }
}
