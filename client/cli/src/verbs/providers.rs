//! `stipend providers`: who serves inference, and where its attestor answers.

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use stipend_sdk::{
    pallet_settlement::Call,
    primitives::{view::Provider, AccountId, Endpoint, PublicKey},
};

use crate::{
    context::Context,
    output::{yes, Answer, Rows},
    parse,
};

/// Providers.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Register a provider's attestation key and endpoint, or replace them (council).
    Register {
        /// The provider's account; it has the role provider already.
        #[arg(value_parser = parse::account)]
        who: AccountId,
        /// Public key that its attestations are signed with, in hex.
        #[arg(long, value_name = "HEX", value_parser = parse::bytes::<32>)]
        attestation_key: PublicKey,
        /// Where its attestor answers, such as http://10.0.0.7:8080.
        #[arg(long, value_name = "URL", value_parser = parse::endpoint)]
        endpoint: Endpoint,
    },
    /// Show all providers.
    List,
    /// Move the own attestor (the provider).
    SetEndpoint {
        /// Where it answers from now on.
        #[arg(value_name = "URL", value_parser = parse::endpoint)]
        endpoint: Endpoint,
    },
    /// Let a suspended provider's attestations count again (council).
    Reinstate {
        /// The provider.
        #[arg(value_parser = parse::account)]
        who: AccountId,
    },
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Register { who, attestation_key, endpoint } => {
                let (address, url) = (parse::address(&who), parse::text(&endpoint));
                let what = json!({
                    "account": who,
                    "key": format!("0x{}", hex::encode(attestation_key)),
                    "endpoint": url,
                });
                let call = Call::register_provider { who, key: attestation_key, endpoint };
                let human = format!("{address} attests at {url}");
                context.council(call, what, human).await
            }
            Verb::List => list(context.ledger().await?.providers().await?),
            Verb::SetEndpoint { endpoint } => {
                let url = parse::text(&endpoint);
                let done = context.carry_out(Call::set_endpoint { endpoint }).await?;
                Ok(Answer::done(&done, json!({ "endpoint": url }), format!("your attestor answers at {url}")))
            }
            Verb::Reinstate { who } => {
                let (what, address) = (json!({ "account": who }), parse::address(&who));
                let human = format!("{address}'s attestations count again");
                let call = Call::reinstate_provider { who };
                context.council(call, what, human).await
            }
        }
    }
}

/// A provider with its account, in one JSON object.
#[derive(Serialize)]
struct Listed {
    account: AccountId,
    #[serde(flatten)]
    provider: Provider,
}

fn list(providers: Vec<(AccountId, Provider)>) -> Result<Answer> {
    let mut rows =
        Rows::new(&["provider", "endpoint", "suspended", "attestation key"], "there is no provider");
    let mut json = Vec::new();
    for (who, provider) in providers {
        rows.push([
            parse::address(&who),
            parse::text(&provider.endpoint),
            yes(provider.suspended),
            format!("0x{}", hex::encode(provider.key)),
        ]);
        json.push(Listed { account: who, provider });
    }
    Answer::new(json, rows.finish())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_list_shows_keys_in_hex_and_endpoints_as_text() {
        let provider = Provider {
            key: [7; 32],
            endpoint: parse::endpoint("http://10.0.0.7:8080").unwrap(),
            suspended: true,
        };
        let answer = list(vec![(parse::account("//Eve").unwrap(), provider)]).unwrap();
        assert_eq!(answer.json[0]["endpoint"], "http://10.0.0.7:8080");
        assert_eq!(answer.json[0]["key"], format!("0x{}", "07".repeat(32)));
        assert_eq!(answer.json[0]["suspended"], true);
    }
}
