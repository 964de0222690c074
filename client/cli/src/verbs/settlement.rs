//! `stipend settlement`: how receipts were settled with providers.

use anyhow::Result;
use clap::Subcommand;
use stipend_sdk::primitives::{
    settlement::VerdictKind,
    view::{Score, Scores, SettlementView, VoteView},
    AccountId, Sequence,
};

use crate::{
    amount::credits,
    context::Context,
    failure::Failure,
    output::{Answer, Rows},
    parse,
    verbs::evidence::level_name,
};

/// Settlements.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show how each provider's part of the batch that holds a receipt was settled.
    Status {
        /// The gateway that metered.
        #[arg(value_parser = parse::account)]
        gateway: AccountId,
        /// The receipt's sequence number.
        sequence: Sequence,
    },
    /// Show what is not settled yet, oldest first.
    Pending {
        /// How many at most.
        #[arg(long)]
        limit: Option<u32>,
    },
    /// Show how providers and gateways fare: verdicts, refunds, energy.
    Scores,
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        let client = context.client().await?;
        match self {
            Verb::Status { gateway, sequence } => {
                let items = client.settlement_status(&gateway, sequence).await?;
                if items.is_empty() {
                    return Err(Failure::not_found(format!(
                        "the chain's state knows no batch of this gateway with receipt {sequence}; it is not submitted yet, or so old that only its block remembers it"
                    ))
                    .into());
                }
                list(&items, "")
            }
            Verb::Pending { limit } => {
                list(&client.settlement_pending(limit).await?, "everything is settled")
            }
            Verb::Scores => scores(&context.ledger().await?.scores().await?),
        }
    }
}

/// A verdict in a word.
pub(crate) fn verdict_name(verdict: VerdictKind) -> &'static str {
    match verdict {
        VerdictKind::Match => "match",
        VerdictKind::Adjust => "adjust",
        VerdictKind::Unattested => "unattested",
    }
}

fn list(items: &[SettlementView], empty: &'static str) -> Result<Answer> {
    let headings = &[
        "gateway",
        ">receipts",
        "provider",
        ">of it",
        ">block",
        "evidence",
        "verdict",
        ">refunded",
        ">votes",
        "voted for",
    ];
    let mut rows = Rows::new(headings, empty);
    for view in items {
        let settled = view.settled.as_ref();
        rows.push([
            parse::address(&view.item.gateway),
            format!("{}–{}", view.item.first_seq, view.last_seq),
            parse::address(&view.item.provider),
            view.count.to_string(),
            view.submitted_at.to_string(),
            level_name(view.evidence).into(),
            settled.map_or("open", |settled| verdict_name(settled.verdict)).into(),
            settled.map_or_else(String::new, |settled| credits(settled.refunded)),
            format!("{}/{}", view.votes.len(), view.quorum),
            tally(&view.votes),
        ]);
    }
    Answer::new(items, rows.finish())
}

fn scores(scores: &Scores) -> Result<Answer> {
    let headings = &[
        "who",
        "as",
        ">match",
        ">adjust",
        ">unattested",
        ">receipts",
        ">collected",
        ">refunded",
        ">energy Wh",
        ">CO2e g",
    ];
    let mut rows = Rows::new(headings, "nothing is settled yet");
    let mut push = |who: &AccountId, role: &str, score: &Score, emitted_mg: Option<u128>| {
        rows.push([
            parse::address(who),
            role.into(),
            score.matched.to_string(),
            score.adjusted.to_string(),
            score.unattested.to_string(),
            score.receipts.to_string(),
            credits(score.collected),
            credits(score.refunded),
            energy(score),
            emitted_mg.map_or_else(|| "-".into(), thousandths),
        ]);
    };
    for row in &scores.providers {
        let known = (row.score.receipts_with_energy > 0).then_some(row.emitted_mg).flatten();
        push(&row.provider, "provider", &row.score, known);
    }
    for row in &scores.gateways {
        push(&row.gateway, "gateway", &row.score, None);
    }
    Answer::new(scores, rows.finish())
}

/// Watt-hours; a dash where no attestation said anything of energy, which is not the same as none.
fn energy(score: &Score) -> String {
    if score.receipts_with_energy == 0 {
        return "-".into();
    }
    // A watt-hour is 3,600,000 millijoules.
    let shown = thousandths(score.energy_mj / 3_600);
    if score.receipts_with_energy == score.receipts {
        shown
    } else {
        format!("{shown} (of {} receipts)", score.receipts_with_energy)
    }
}

/// A number of thousandths, with a point.
pub(crate) fn thousandths(value: u128) -> String {
    format!("{}.{:03}", value / 1_000, value % 1_000)
}

/// How many votes stand for what.
fn tally(votes: &[VoteView]) -> String {
    let mut counts: Vec<((VerdictKind, sp_core::H256), usize)> = Vec::new();
    for vote in votes {
        let key = (vote.kind, vote.verdict_hash);
        match counts.iter_mut().find(|(known, _)| *known == key) {
            Some((_, count)) => *count += 1,
            None => counts.push((key, 1)),
        }
    }
    let words: Vec<_> =
        counts.iter().map(|((kind, _), count)| format!("{count} {}", verdict_name(*kind))).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sp_core::H256;
    use stipend_sdk::primitives::{
        attestation::GpuUse,
        evidence::EvidenceLevel,
        settlement::Item,
        view::{GatewayScore, ProviderScore, Settled},
    };

    fn vote(validator: u8, verdict: u8, kind: VerdictKind) -> VoteView {
        VoteView { validator: H256([validator; 32]), verdict_hash: H256([verdict; 32]), kind }
    }

    fn view(settled: Option<Settled>) -> SettlementView {
        SettlementView {
            item: Item {
                gateway: parse::account("//Ferdie").unwrap(),
                first_seq: 0,
                provider: parse::account("//Eve").unwrap(),
            },
            last_seq: 9,
            submitted_at: 4,
            count: 10,
            votes: vec![vote(1, 1, VerdictKind::Match), vote(2, 1, VerdictKind::Match)],
            quorum: 3,
            settled,
            evidence: EvidenceLevel::Hardware,
        }
    }

    #[test]
    fn votes_for_different_adjustments_are_counted_apart() {
        let votes = [
            vote(1, 1, VerdictKind::Adjust),
            vote(2, 2, VerdictKind::Adjust),
            vote(3, 1, VerdictKind::Adjust),
            vote(4, 3, VerdictKind::Match),
        ];
        assert_eq!(tally(&votes), "2 adjust, 1 adjust, 1 match");
    }

    #[test]
    fn open_and_settled_items_are_told_apart() {
        let settled =
            Settled { verdict: VerdictKind::Adjust, refunded: 1_500_000, gpu: GpuUse::default(), at: 6 };
        let answer = list(&[view(None), view(Some(settled))], "").unwrap();
        assert_eq!(answer.json[0]["settled"], serde_json::Value::Null);
        assert_eq!(answer.json[1]["settled"]["refunded"], "1500000");
        assert_eq!(answer.json[1]["settled"]["verdict"], "adjust");
        assert!(answer.human.contains("open") && answer.human.contains("1.500000"));
        assert!(answer.human.contains("2/3") && answer.human.contains("hardware"));
    }

    #[test]
    fn energy_that_nobody_measured_is_not_zero() {
        let unknown = Score { matched: 3, receipts: 30, ..Score::default() };
        assert_eq!(energy(&unknown), "-");
        let some = Score { receipts_with_energy: 10, energy_mj: 5_400_000, ..unknown.clone() };
        assert_eq!(energy(&some), "1.500 (of 10 receipts)");
        let all = Score { receipts_with_energy: 30, energy_mj: 3_600, ..unknown };
        assert_eq!(energy(&all), "0.001");
    }

    #[test]
    fn the_scores_show_what_the_grid_emitted_where_it_is_known() {
        let score = Score {
            matched: 1,
            receipts: 2,
            receipts_with_energy: 2,
            energy_mj: 7_200_000,
            ..Score::default()
        };
        let provider = parse::account("//Eve").unwrap();
        let row = ProviderScore {
            provider,
            score: score.clone(),
            grid_mg_per_kwh: Some(400_000),
            emitted_mg: Some(800),
        };
        let gateway = GatewayScore { gateway: parse::account("//Ferdie").unwrap(), score };
        let answer = scores(&Scores { providers: vec![row], gateways: vec![gateway] }).unwrap();
        assert!(answer.human.contains("2.000") && answer.human.contains("0.800"), "{}", answer.human);
        assert_eq!(answer.json["providers"][0]["energy_mj"], "7200000");
        assert_eq!(answer.json["providers"][0]["emitted_mg"], "800");
    }

    #[test]
    fn nothing_pending_says_so() {
        assert_eq!(list(&[], "everything is settled").unwrap().human, "everything is settled");
    }
}
