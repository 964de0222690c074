//! What the tables know of what an act names, in words.

use stipend_primitives::{key::KeyLimits, view::EntitlementView, AccountId, Credits, ProgramId};

use super::{Act, Wrong};
use crate::{
    db::{Answer, Connection},
    pages::words::{credits, thousands, timestamp},
    read::{
        programs::{self, Program},
        single, Names,
    },
};

/// What the tables know of what an act names.
pub struct Known {
    pub(super) names: Names,
    programs: Vec<Program>,
    grant: Option<EntitlementView>,
    pub(super) key_owner: Option<AccountId>,
}

impl Known {
    /// Looks it up.
    pub fn read(connection: &mut dyn Connection, act: &Act) -> Answer<Self> {
        let (grant, key_owner) = match act {
            Act::Revoke { entitlement, .. } | Act::GiveBack { entitlement, .. } => {
                (single::entitlement(connection, *entitlement)?, None)
            }
            Act::SetLimits { hash, .. } | Act::RevokeKey { hash } => {
                (None, single::key_owner(connection, *hash)?)
            }
            _ => (None, None),
        };
        let names = Names::read(connection)?;
        Ok(Known { names, programs: programs::list(connection)?, grant, key_owner })
    }

    pub(super) fn program(&self, id: ProgramId) -> Result<&Program, Wrong> {
        let found = self.programs.iter().find(|program| program.id == id);
        found.ok_or_else(|| Wrong(format!("There is no program {id}. Choose one of your programs.")))
    }

    pub(super) fn named_grant(&self, id: u64) -> Result<&EntitlementView, Wrong> {
        self.grant.as_ref().ok_or_else(|| {
            Wrong(format!("There is no grant {id}. Its number stands in the list of grants; look there."))
        })
    }

    pub(super) fn unused(&self, grant: &EntitlementView) -> String {
        format!("{} of {}", credits(grant.amounts.available), self.names.class(grant.class))
    }
}

/// Limits of a key, one sentence each.
pub(super) fn limits_in_words(limits: &KeyLimits, names: &Names) -> Vec<String> {
    let mut lines = Vec::new();
    if limits.models.is_empty() {
        lines.push("It may use every model.".to_owned());
    } else {
        let models: Vec<String> = limits.models.iter().map(|model| names.model(*model)).collect();
        lines.push(format!("It may use {} only.", models.join(", ")));
    }
    let of = |amount: Option<Credits>, what: &str| {
        amount.map(|amount| format!("At most {} credits {what}.", credits(amount)))
    };
    lines.extend(of(limits.request_cost_max, "a request"));
    lines.extend(of(limits.credits_per_minute_max, "a minute at one gateway"));
    lines.extend(of(limits.credits_per_day_max, "a day at one gateway"));
    for (model, cap) in &limits.model_credits_per_day_max {
        lines.extend(of(Some(*cap), &format!("a day at one gateway for {}", names.model(*model))));
    }
    let count = |count: u64, what: &str| {
        format!("At most {} {what} a minute at one gateway.", thousands(count.into()))
    };
    lines.extend(limits.requests_per_minute_max.map(|most| count(most.into(), "requests")));
    lines.extend(limits.tokens_per_minute_max.map(|most| count(most, "tokens")));
    lines.push(match limits.expires_at {
        Some(moment) => format!("It works until {}.", timestamp(moment)),
        None => "It works until it is revoked.".to_owned(),
    });
    lines
}
