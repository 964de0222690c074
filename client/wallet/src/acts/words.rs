//! Acts in plain words: what somebody reads before they sign.

use serde::Serialize;
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{
    mint::Grant, view::EntitlementView, AccountId, Credits, KeyHash, Moment, ProgramId,
};
use stipend_sdk::pallet_entitlements::MINTS_MAX;

use super::{
    account,
    known::{limits_in_words, Known},
    read_grants, Act, Sums, Wrong,
};
use crate::pages::words::{credits, thousands, timestamp};

/// What signing would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// In a few words.
    pub title: String,
    /// In whole sentences.
    pub lines: Vec<String>,
    /// What cannot be undone.
    pub warning: Option<String>,
}

impl Act {
    /// What signing it would do, to somebody who is `viewer`. What cannot be done is told now, and not by a
    /// block.
    pub fn summary(&self, viewer: &AccountId, known: &Known) -> Result<Summary, Wrong> {
        match self {
            Act::RegisterKey { hash, limits } => {
                let mut lines =
                    vec![format!("A key with the hash {} can spend from your wallet.", brief(hash))];
                lines.extend(limits_in_words(limits, &known.names));
                Ok(summary("Make an API key", lines, None))
            }
            Act::SetLimits { hash, limits } => {
                own_key(known, viewer)?;
                let mut lines =
                    vec![format!("From now on the key {} has these limits and no others:", brief(hash))];
                lines.extend(limits_in_words(limits, &known.names));
                Ok(summary("Change the limits of a key", lines, None))
            }
            Act::RevokeKey { hash } => {
                own_key(known, viewer)?;
                let lines = vec![format!(
                    "The key {} stops working within seconds. Whatever uses it gets refusals.",
                    brief(hash)
                )];
                Ok(summary(
                    "Revoke an API key",
                    lines,
                    Some("A revoked key never works again; make a new one instead."),
                ))
            }
            Act::GiveBack { entitlement, amount } => self.give_back(viewer, known, *entitlement, *amount),
            Act::Grant { owner, program, amount, valid_from, valid_until } => {
                grant(known, owner, *program, *amount, *valid_from, *valid_until)
            }
            Act::GrantMany { grants, .. } => grant_many(known, grants),
            Act::Revoke { entitlement, amount } => revoke(known, *entitlement, *amount),
            Act::Freeze { owner, frozen } => Ok(freeze(&whose(owner)?, *frozen)),
            Act::Offboard { owner } => {
                let owner = whose(owner)?;
                let lines = vec![
                    format!("Everything that {owner} has and did not use goes back to its programs, parts of plans that begin later as well."),
                    "All API keys of this account are revoked.".to_owned(),
                ];
                Ok(summary(
                    "Offboard somebody",
                    lines,
                    Some("This cannot be undone. To stop the use for a while, freeze instead."),
                ))
            }
        }
    }

    fn give_back(
        &self,
        viewer: &AccountId,
        known: &Known,
        id: u64,
        amount: Credits,
    ) -> Result<Summary, Wrong> {
        let grant = known.named_grant(id)?;
        if grant.owner != *viewer {
            return Err(Wrong(format!("Grant {id} is not yours to give back.")));
        }
        enough(known, grant, amount)?;
        let lines = vec![format!(
            "{} of your grant {id} of {} go back to the program that they came from.",
            credits(amount),
            known.names.class(grant.class)
        )];
        Ok(summary("Give credits back", lines, Some("You cannot take them back; only HR can grant anew.")))
    }
}

fn summary(title: &str, lines: Vec<String>, warning: Option<&str>) -> Summary {
    Summary { title: title.into(), lines, warning: warning.map(str::to_owned) }
}

fn brief(hash: &KeyHash) -> String {
    let text = format!("{hash:?}");
    format!("{}…{}", &text[..10], &text[text.len() - 6..])
}

fn whose(text: &str) -> Result<String, Wrong> {
    account(text).map(|account| account.to_ss58check()).map_err(Wrong)
}

fn own_key(known: &Known, viewer: &AccountId) -> Result<(), Wrong> {
    match &known.key_owner {
        Some(owner) if owner == viewer => Ok(()),
        _ => Err(Wrong::new(
            "This key is not in your wallet, or it is revoked already. Reload the page to see your keys.",
        )),
    }
}

fn enough(known: &Known, grant: &EntitlementView, amount: Credits) -> Result<(), Wrong> {
    if amount == 0 {
        return Err(Wrong::new("The amount is zero. Write how many credits."));
    }
    if amount > grant.amounts.available {
        return Err(Wrong(format!(
            "Of grant {} only {} are neither used nor reserved. Write at most that.",
            grant.id,
            known.unused(grant)
        )));
    }
    Ok(())
}

fn grant(
    known: &Known,
    owner: &str,
    program: ProgramId,
    amount: Credits,
    valid_from: Option<Moment>,
    valid_until: Option<Moment>,
) -> Result<Summary, Wrong> {
    let (owner, program) = (whose(owner)?, known.program(program)?);
    if amount == 0 {
        return Err(Wrong::new("The amount is zero. Write how many credits."));
    }
    if amount > program.unminted {
        return Err(Wrong(format!(
            "The program {} has {} credits left. Grant less, or ask for a larger budget.",
            program.name,
            credits(program.unminted)
        )));
    }
    if valid_until.zip(valid_from).is_some_and(|(until, from)| until <= from) {
        return Err(Wrong::new("The end is not after the beginning. Choose a later end."));
    }
    let begins = valid_from.map_or("at once".to_owned(), |from| format!("from {}", timestamp(from)));
    let ends = valid_until.map_or("without an end".to_owned(), |until| format!("until {}", timestamp(until)));
    let lines = vec![
        format!(
            "{owner} gets {} credits of {}, usable {begins}, {ends}.",
            credits(amount),
            program.class_name
        ),
        format!(
            "They come out of the program {}, which then has {} left.",
            program.name,
            credits(program.unminted - amount)
        ),
    ];
    Ok(summary("Grant credits", lines, None))
}

fn grant_many(known: &Known, grants: &str) -> Result<Summary, Wrong> {
    let grants = read_grants(grants)?;
    let (mut sums, mut baskets): (Sums<ProgramId>, usize) = (Sums::new(), 0);
    for (_, grant) in &grants {
        match grant {
            Grant::One { program, amount, .. } => {
                let sum = sums.entry(*program).or_default();
                *sum = sum.saturating_add(*amount);
            }
            Grant::Basket { .. } => baskets += 1,
        }
    }
    let mut lines = vec![format!(
        "{} grants at once, all or none (at most {MINTS_MAX}).",
        thousands(grants.len() as u128)
    )];
    for (program, amount) in sums {
        lines.push(format!(
            "{} credits out of the program {}.",
            credits(amount),
            known.program(program)?.name
        ));
    }
    if baskets > 0 {
        lines.push(format!("{} baskets.", thousands(baskets as u128)));
    }
    Ok(summary("Grant a part of a list", lines, None))
}

fn revoke(known: &Known, id: u64, amount: Option<Credits>) -> Result<Summary, Wrong> {
    let grant = known.named_grant(id)?;
    let program = known.program(grant.program)?;
    let (what, warning) = match amount {
        Some(amount) => {
            enough(known, grant, amount)?;
            (format!("{} of the {} that are unused", credits(amount), known.unused(grant)), None)
        }
        None => (
            format!(
                "All {} that are unused, and whatever is released or refunded later,",
                known.unused(grant)
            ),
            Some("The grant cannot be used any more. Only a new grant gives credits again."),
        ),
    };
    let owner = grant.owner.to_ss58check();
    let lines = vec![
        format!("{what} go back to the program {}.", program.name),
        format!("The grant has the number {id} and is held by {owner}. What was used stays used."),
    ];
    Ok(summary("Take a grant back", lines, warning))
}

fn freeze(owner: &str, frozen: bool) -> Summary {
    if frozen {
        let lines = vec![
            format!(
                "{owner} can use nothing until you lift this; gateways finish what they reserved already."
            ),
            "What has an end still ends.".to_owned(),
        ];
        summary("Freeze somebody's wallets", lines, None)
    } else {
        let lines = vec![format!("{owner} can use again what is left.")];
        summary("Lift a freeze", lines, None)
    }
}
