//! `stipend roles`: who may do what.

use anyhow::Result;
use clap::Subcommand;
use futures::future::try_join_all;
use serde_json::json;
use stipend_sdk::{
    pallet_roles::Call,
    primitives::{AccountId, Role},
};

use crate::{
    context::Context,
    output::{Answer, Rows},
    parse,
};

/// Roles.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Give an account a role, or another allowance in a role that it has (council).
    Grant {
        /// council, issuer, gateway, provider, evaluator or auditor.
        #[arg(value_parser = parse::role)]
        role: Role,
        /// Who.
        #[arg(value_parser = parse::account)]
        who: AccountId,
        /// Transactions per block; the chain's default if it is not given.
        #[arg(long)]
        allowance: Option<u32>,
    },
    /// Take a role from an account (council).
    Revoke {
        /// The role.
        #[arg(value_parser = parse::role)]
        role: Role,
        /// Who.
        #[arg(value_parser = parse::account)]
        who: AccountId,
    },
    /// Show who has which role.
    List {
        /// Only this role.
        #[arg(long, value_parser = parse::role)]
        role: Option<Role>,
        /// Only this account.
        #[arg(long, value_parser = parse::account, conflicts_with = "role")]
        account: Option<AccountId>,
    },
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Grant { role, who, allowance } => {
                let what = json!({ "account": who, "role": role, "allowance": allowance });
                let human = format!("{} has the role {}", parse::address(&who), parse::role_name(role));
                let call = Call::grant_role { who, role, allowance };
                context.council(call, what, human).await
            }
            Verb::Revoke { role, who } => {
                let what = json!({ "account": who, "role": role });
                let human =
                    format!("{} has the role {} no longer", parse::address(&who), parse::role_name(role));
                let call = Call::revoke_role { who, role };
                context.council(call, what, human).await
            }
            Verb::List { account: Some(account), .. } => {
                let roles = context.ledger().await?.roles(&account).await?;
                list(roles.into_iter().map(|role| (role, vec![account.clone()])).collect())
            }
            Verb::List { role, .. } => {
                let ledger = context.ledger().await?;
                let wanted = role.map_or(parse::ROLES.to_vec(), |role| vec![role]);
                let members = wanted.into_iter().map(|role| {
                    let ledger = &ledger;
                    async move { ledger.members(role).await.map(|members| (role, members)) }
                });
                list(try_join_all(members).await?)
            }
        }
    }
}

fn list(members: Vec<(Role, Vec<AccountId>)>) -> Result<Answer> {
    let mut rows = Rows::new(&["role", "account"], "no account has such a role");
    let mut json = Vec::new();
    for (role, accounts) in members {
        for account in accounts {
            rows.push([parse::role_name(role).into(), parse::address(&account)]);
            json.push(json!({ "role": role, "account": account }));
        }
    }
    Answer::new(json, rows.finish())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_list_has_one_row_per_role_and_account() {
        let alice = parse::account("//Alice").unwrap();
        let answer =
            list(vec![(Role::Council, vec![alice.clone()]), (Role::Issuer, vec![alice.clone()])]).unwrap();
        assert_eq!(answer.json[1], json!({ "role": "issuer", "account": parse::address(&alice) }));
        assert_eq!(answer.human.lines().count(), 3);
    }
}
