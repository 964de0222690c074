//! `stipend settlement`: how receipts were settled with providers.

use anyhow::Result;
use clap::Subcommand;
use stipend_sdk::primitives::{
    settlement::VerdictKind,
    view::{SettlementView, VoteView},
    AccountId, Sequence,
};

use crate::{
    amount::credits,
    context::Context,
    failure::Failure,
    output::{Answer, Rows},
    parse,
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
            settled.map_or("open", |settled| verdict_name(settled.verdict)).into(),
            settled.map_or_else(String::new, |settled| credits(settled.refunded)),
            format!("{}/{}", view.votes.len(), view.quorum),
            tally(&view.votes),
        ]);
    }
    Answer::new(items, rows.finish())
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
    use stipend_sdk::primitives::{settlement::Item, view::Settled};

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
        let settled = Settled { verdict: VerdictKind::Adjust, refunded: 1_500_000, at: 6 };
        let answer = list(&[view(None), view(Some(settled))], "").unwrap();
        assert_eq!(answer.json[0]["settled"], serde_json::Value::Null);
        assert_eq!(answer.json[1]["settled"]["refunded"], "1500000");
        assert_eq!(answer.json[1]["settled"]["verdict"], "adjust");
        assert!(answer.human.contains("open") && answer.human.contains("1.500000"));
        assert!(answer.human.contains("2/3"));
    }

    #[test]
    fn nothing_pending_says_so() {
        assert_eq!(list(&[], "everything is settled").unwrap().human, "everything is settled");
    }
}
