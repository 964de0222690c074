//! `stipend providers`: who serves inference, and where its attestor answers.

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use stipend_sdk::{
    pallet_settlement::Call,
    primitives::{
        evidence::{EvidenceInForce, EvidenceLevel, EvidenceStatus},
        view::Provider,
        AccountId, Endpoint, PublicKey,
    },
};

use crate::{
    context::Context,
    output::{yes, Answer, Rows},
    parse,
    verbs::evidence::level_name,
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
    /// Say what the grid that feeds a provider emits, so that its energy is shown as CO2e (council).
    SetGridIntensity {
        /// The provider.
        #[arg(value_parser = parse::account)]
        who: AccountId,
        /// Grams of CO2 equivalent for a kilowatt-hour, such as 381; leave it out if it is not known.
        #[arg(value_name = "G_PER_KWH")]
        grams: Option<u32>,
    },
    /// Let the attestations of a suspended provider that was given another key count again (council).
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
            Verb::List => {
                let ledger = context.ledger().await?;
                let (providers, status) = futures::try_join!(ledger.providers(), ledger.evidence())?;
                list(providers, &status)
            }
            Verb::SetEndpoint { endpoint } => {
                let url = parse::text(&endpoint);
                let done = context.carry_out(Call::set_endpoint { endpoint }).await?;
                Ok(Answer::done(&done, json!({ "endpoint": url }), format!("your attestor answers at {url}")))
            }
            Verb::SetGridIntensity { who, grams } => {
                let mg_per_kwh = grams.map(|grams| grams.saturating_mul(1_000));
                let address = parse::address(&who);
                let human = match grams {
                    Some(grams) => format!("{address}'s grid emits {grams} g of CO2e for a kilowatt-hour"),
                    None => format!("nobody knows what {address}'s grid emits"),
                };
                let what = json!({ "account": who, "mg_per_kwh": mg_per_kwh });
                context.council(Call::set_grid_intensity { who, mg_per_kwh }, what, human).await
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

/// A provider with its account and its evidence, in one JSON object.
#[derive(Serialize)]
struct Listed {
    account: AccountId,
    #[serde(flatten)]
    provider: Provider,
    level: EvidenceLevel,
    evidence: Option<EvidenceInForce>,
}

fn list(providers: Vec<(AccountId, Provider)>, status: &EvidenceStatus) -> Result<Answer> {
    let headings = ["provider", "endpoint", "suspended", "evidence", ">until block", "attestation key"];
    let mut rows = Rows::new(&headings, "there is no provider");
    let mut json = Vec::new();
    for (who, provider) in providers {
        let known = status.providers.iter().find(|row| row.provider == who);
        let level = known.map(|row| row.level).unwrap_or_default();
        let evidence = known.and_then(|row| row.evidence.clone());
        rows.push([
            parse::address(&who),
            parse::text(&provider.endpoint),
            yes(provider.suspended),
            level_name(level).into(),
            evidence.as_ref().map(|evidence| evidence.until.to_string()).unwrap_or_default(),
            format!("0x{}", hex::encode(provider.key)),
        ]);
        json.push(Listed { account: who, provider, level, evidence });
    }
    Answer::new(json, rows.finish())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::primitives::evidence::ProviderEvidence;

    #[test]
    fn the_list_shows_keys_in_hex_and_endpoints_as_text() {
        let provider = Provider {
            key: [7; 32],
            endpoint: parse::endpoint("http://10.0.0.7:8080").unwrap(),
            suspended: true,
        };
        let eve = parse::account("//Eve").unwrap();
        let evidence = EvidenceInForce { round: 6, until: 24, devices: 8, digest: Default::default() };
        let known = ProviderEvidence {
            provider: eve.clone(),
            level: EvidenceLevel::Hardware,
            evidence: Some(evidence),
        };
        let status = EvidenceStatus { trust: None, classes: vec![], providers: vec![known] };
        let bob = parse::account("//Bob").unwrap();
        let answer = list(vec![(eve, provider.clone()), (bob, provider)], &status).unwrap();
        assert_eq!(answer.json[0]["evidence"]["devices"], 8);
        assert_eq!(answer.json[1]["level"], "software");
        assert_eq!(answer.json[0]["endpoint"], "http://10.0.0.7:8080");
        assert_eq!(answer.json[0]["key"], format!("0x{}", "07".repeat(32)));
        assert_eq!(answer.json[0]["suspended"], true);
    }
}
