//! `stipend evidence`: the hardware behind providers' keys, and what classes ask of it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use stipend_sdk::{
    evidence_token::{KeySet, Policy, NVIDIA_ISSUER},
    pallet_evidence::{
        types::{SourceUrl, PERIOD_DEFAULT, PERIOD_MAX, PERIOD_MIN, SOURCE_LEN_MAX},
        Call, Trust,
    },
    primitives::{
        evidence::{EvidenceLevel, EvidencePolicy, EvidenceStatus, TrustView},
        view::Class,
        BlockNumber, ClassId,
    },
};

use crate::{
    context::Context,
    failure::Failure,
    output::{Answer, Rows},
    parse,
};

/// Evidence.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show whose attestation tokens count, what classes ask for, and each provider's level.
    Show,
    /// Say whose attestation tokens count, and how often they are asked for (council).
    Trust(TrustArguments),
    /// Put keys in force that tokens are verified with (council).
    Keys {
        /// A JSON Web Key Set, as the issuer publishes it.
        file: PathBuf,
    },
    /// Say what a class asks of the providers that its credits pay, from the next block on (council).
    Ask {
        /// The class, by number or name.
        class: String,
        /// What it asks for.
        policy: Asked,
    },
}

/// Whose tokens count.
#[derive(Args, Debug)]
pub(crate) struct TrustArguments {
    /// Nobody's: there is no evidence any more.
    #[arg(long, conflicts_with_all = ["issuer", "source", "period", "accept_warnings"])]
    nobody: bool,
    /// The issuer that tokens must name.
    #[arg(long, default_value = NVIDIA_ISSUER)]
    issuer: String,
    /// Address of the issuer's key set, from which the validators take the keys; left out: `keys` gives them.
    #[arg(long, value_name = "URL", value_parser = source)]
    source: Option<SourceUrl>,
    /// Blocks from one round to the next; evidence lasts for three rounds.
    #[arg(long, value_name = "BLOCKS", default_value_t = PERIOD_DEFAULT,
          value_parser = clap::value_parser!(u32).range(i64::from(PERIOD_MIN)..=i64::from(PERIOD_MAX)))]
    period: BlockNumber,
    /// Let tokens count to which the issuer attached a warning, such as one about a certificate on hold.
    #[arg(long)]
    accept_warnings: bool,
}

/// What a class asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Asked {
    /// Nothing.
    None,
    /// Gateways may prefer providers with evidence; all are paid.
    Preferred,
    /// Charges of providers without evidence go back.
    Required,
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Show => {
                let ledger = context.ledger().await?;
                let (status, classes) = futures::try_join!(ledger.evidence(), ledger.classes())?;
                show(&status, &classes)
            }
            Verb::Trust(arguments) => {
                let trust = arguments.trust()?;
                let human = match &trust {
                    None => "nobody's attestation tokens count".to_owned(),
                    Some(trust) => format!(
                        "tokens of {} count, and are asked for every {} blocks",
                        parse::text(&trust.policy.issuer),
                        trust.period
                    ),
                };
                let what = trust.as_ref().map_or(json!({ "trust": null }), |trust| {
                    json!({ "trust": {
                        "issuer": parse::text(&trust.policy.issuer),
                        "source": trust.source.as_ref().map(|source| parse::text(source)),
                        "period": trust.period,
                        "accept_warnings": trust.policy.accept_warnings,
                    } })
                });
                context.council(Call::set_trust { trust }, what, human).await
            }
            Verb::Keys { file } => {
                let keys = read_keys(&file)?;
                let count = keys.keys().len();
                let ids: Vec<String> = keys.keys().iter().map(|key| parse::text(&key.id)).collect();
                let human = format!("{count} keys are in force");
                context.council(Call::set_keys { keys: Box::new(keys) }, json!({ "keys": ids }), human).await
            }
            Verb::Ask { class, policy } => {
                let id = context.class(&class).await?;
                let policy = policy.into();
                let what = json!({ "class": id, "policy": policy });
                let human = format!("class {} asks for evidence: {}", id.0, policy_name(policy));
                context.council(Call::set_class_policy { class: id, policy }, what, human).await
            }
        }
    }
}

impl From<Asked> for EvidencePolicy {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::None => EvidencePolicy::None,
            Asked::Preferred => EvidencePolicy::Preferred,
            Asked::Required => EvidencePolicy::Required,
        }
    }
}

impl TrustArguments {
    fn trust(self) -> Result<Option<Trust>> {
        if self.nobody {
            return Ok(None);
        }
        let issuer = self.issuer.into_bytes().try_into().map_err(|_| {
            Failure::bad_input("the issuer's name is too long: it is an https origin of at most 128 bytes")
        })?;
        let policy = Policy { issuer, accept_warnings: self.accept_warnings, ..Policy::default() };
        Ok(Some(Trust { policy, source: self.source, period: self.period }))
    }
}

/// Reads the address of a key set.
fn source(text: &str) -> Result<SourceUrl, String> {
    if !text.starts_with("https://") || text.contains([' ', '#', '@']) {
        return Err(format!(
            "\"{text}\" is not the address of a key set: write https://, the host and the path, such as https://nras.attestation.nvidia.com/.well-known/jwks.json"
        ));
    }
    SourceUrl::try_from(text.as_bytes().to_vec())
        .map_err(|_| format!("\"{text}\" is too long: an address has at most {SOURCE_LEN_MAX} bytes"))
}

fn read_keys(file: &Path) -> Result<KeySet> {
    let bad = |why: String| Failure::bad_input(format!("{}: {why}", file.display()));
    let bytes = std::fs::read(file).map_err(|error| bad(format!("cannot be read: {error}")))?;
    Ok(KeySet::from_jwks(&bytes).map_err(|fault| bad(fault.to_string()))?)
}

/// A level in a word.
pub(crate) fn level_name(level: EvidenceLevel) -> &'static str {
    match level {
        EvidenceLevel::Software => "software",
        EvidenceLevel::Hardware => "hardware",
    }
}

fn policy_name(policy: EvidencePolicy) -> &'static str {
    match policy {
        EvidencePolicy::None => "none",
        EvidencePolicy::Preferred => "preferred",
        EvidencePolicy::Required => "required",
    }
}

fn show(status: &EvidenceStatus, classes: &[(ClassId, Class)]) -> Result<Answer> {
    let mut asks = Rows::new(&[">class", "name", "evidence"], "no class asks for evidence");
    for row in &status.classes {
        let name = classes.iter().find(|(id, _)| *id == row.class);
        let name = name.map_or_else(String::new, |(_, class)| parse::text(&class.name));
        asks.push([row.class.0.to_string(), name, policy_name(row.policy).into()]);
    }
    let headings = ["provider", "level", ">GPUs", ">until block", ">round", "digest"];
    let mut providers = Rows::new(&headings, "there is no provider");
    for row in &status.providers {
        let in_force = row.evidence.as_ref();
        let cell = |text: Option<String>| text.unwrap_or_default();
        providers.push([
            parse::address(&row.provider),
            level_name(row.level).into(),
            cell(in_force.map(|evidence| evidence.devices.to_string())),
            cell(in_force.map(|evidence| evidence.until.to_string())),
            cell(in_force.map(|evidence| evidence.round.to_string())),
            cell(in_force.map(|evidence| format!("{:?}", evidence.digest))),
        ]);
    }
    let human = [trusted(status.trust.as_ref()), asks.finish(), providers.finish()].join("\n\n");
    Answer::new(status, human)
}

fn trusted(trust: Option<&TrustView>) -> String {
    let Some(trust) = trust else {
        return "Nobody's attestation tokens count: every provider is software. `stipend evidence trust` changes that."
            .into();
    };
    let keys = match (trust.keys, trust.keys_of_round, &trust.source) {
        (0, _, Some(source)) => {
            format!("no keys yet; the validators look for them at {}", parse::text(source.as_bytes()))
        }
        (0, _, None) => "no keys yet; `stipend evidence keys` gives them".into(),
        (count, Some(round), _) => {
            format!("{count} keys, found by the validators in the round of block {round}")
        }
        (count, None, _) => format!("{count} keys, given by the council"),
    };
    let issuer = parse::text(trust.issuer.as_bytes());
    format!("Tokens of {issuer} count, asked for every {} blocks; {keys}.", trust.period)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sp_core::H256;
    use stipend_sdk::primitives::evidence::{ClassEvidence, EvidenceInForce, ProviderEvidence};

    fn status() -> EvidenceStatus {
        let evidence = EvidenceInForce { round: 600, until: 2_400, devices: 8, digest: H256::repeat_byte(7) };
        EvidenceStatus {
            trust: Some(TrustView {
                issuer: NVIDIA_ISSUER.into(),
                source: None,
                period: 600,
                keys: 32,
                keys_of_round: Some(600),
            }),
            classes: vec![ClassEvidence { class: ClassId::RENDER, policy: EvidencePolicy::Required }],
            providers: vec![
                ProviderEvidence {
                    provider: parse::account("//Eve").unwrap(),
                    level: EvidenceLevel::Hardware,
                    evidence: Some(evidence),
                },
                ProviderEvidence {
                    provider: parse::account("//Ferdie").unwrap(),
                    level: EvidenceLevel::Software,
                    evidence: None,
                },
            ],
        }
    }

    #[test]
    fn providers_are_shown_with_their_level_and_how_long_it_lasts() {
        let answer = show(&status(), &[]).unwrap();
        assert_eq!(answer.json["providers"][0]["evidence"]["until"], 2_400);
        assert_eq!(answer.json["providers"][1]["level"], "software");
        assert_eq!(answer.json["classes"][0]["policy"], "required");
        for text in ["hardware", "2400", "software", "required", "32 keys", "block 600"] {
            assert!(answer.human.contains(text), "{text}\n{}", answer.human);
        }
    }

    #[test]
    fn a_chain_that_trusts_nobody_says_so() {
        let nothing = EvidenceStatus { trust: None, classes: vec![], providers: vec![] };
        let answer = show(&nothing, &[]).unwrap();
        assert!(answer.human.contains("every provider is software") && answer.json["trust"].is_null());
    }

    #[test]
    fn keys_are_read_from_a_key_set_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jwks.json");
        assert!(read_keys(&file).unwrap_err().to_string().contains("cannot be read"));
        std::fs::write(&file, "{}").unwrap();
        assert!(read_keys(&file).unwrap_err().to_string().contains("not a JSON Web Key Set"));
    }

    #[test]
    fn a_key_set_has_an_https_address() {
        assert!(source("https://issuer.example/jwks.json").is_ok());
        assert!(source("http://issuer.example/jwks.json").unwrap_err().contains("https://"));
        assert!(source(&format!("https://{}", "a".repeat(300))).unwrap_err().contains("too long"));
    }
}
