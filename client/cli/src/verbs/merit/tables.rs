//! What `stipend merit` shows.

use anyhow::Result;
use stipend_sdk::{
    merit::is_open,
    primitives::{
        merit::{DatedRule, EvaluatorUse, KindId, KindView, OutcomeView, Standing, WalletMerit},
        Moment,
    },
};

use crate::{
    amount::credits,
    output::{Answer, Rows},
    parse, time,
};

fn name(kinds: &[KindView], kind: KindId) -> String {
    let found = kinds.iter().find(|row| row.id == kind);
    found.map_or_else(|| kind.to_string(), |row| parse::text(&row.name))
}

/// All kinds: a row for each rule that holds or is announced.
pub(super) fn kinds(kinds: &[KindView]) -> Result<Answer> {
    let headings = &[
        "kind",
        "rule",
        "from",
        ">program",
        ">award",
        ">wallet cap",
        ">evaluator cap",
        "period",
        "window",
        "lasts",
        "sunset",
        ">outcomes",
        ">earned",
    ];
    let mut rows = Rows::new(
        headings,
        "there is no kind of outcome; the council makes one with `stipend merit kinds register`",
    );
    for kind in kinds {
        let both = [("holds", &kind.in_force), ("announced", &kind.announced)];
        for (state, DatedRule { version, from, rule, .. }) in
            both.into_iter().filter_map(|(state, rule)| rule.as_ref().map(|rule| (state, rule)))
        {
            rows.push([
                parse::text(&kind.name),
                format!("{version}, {state}"),
                time::moment(*from),
                rule.program.to_string(),
                credits(rule.award),
                credits(rule.wallet_cap),
                credits(rule.evaluator_cap),
                time::duration(rule.period_ms),
                time::duration(rule.window_ms),
                time::duration(rule.lasts_ms),
                time::moment(rule.sunset),
                kind.outcomes.to_string(),
                credits(kind.sums.earned),
            ]);
        }
    }
    Answer::new(kinds, rows.finish())
}

/// What a wallet earned and owes, and its outcomes.
pub(super) fn outcomes(merit: &WalletMerit, kinds: &[KindView], now: Moment) -> Result<Answer> {
    let mut classes = Rows::new(&["class", ">earned", ">owed"], "the wallet has earned nothing so far");
    for (class, account) in &merit.classes {
        classes.push([class.0.to_string(), credits(account.sums.earned), credits(account.owed)]);
    }
    let headings = &[">outcome", "kind", ">weight", ">earned", "recorded", "what became of it", "evidence"];
    let mut rows = Rows::new(headings, "the chain remembers no outcome of it");
    for OutcomeView { id, outcome } in &merit.outcomes {
        let became = match outcome.standing {
            Standing::Open if is_open(outcome, now) => {
                format!("counts; open until {}", time::moment(outcome.closes_at))
            }
            Standing::Open | Standing::Upheld => "counts".to_owned(),
            Standing::Contested => "contested".to_owned(),
            Standing::Withdrawn | Standing::Overturned => {
                format!("taken back: {} returned, {} owed", credits(outcome.taken), credits(outcome.owed))
            }
        };
        rows.push([
            id.to_string(),
            name(kinds, outcome.record.kind),
            outcome.record.weight.to_string(),
            credits(outcome.earned),
            time::moment(outcome.recorded_at),
            became,
            format!("{:?}", outcome.record.evidence),
        ]);
    }
    Answer::new(merit, format!("{}\n\n{}", classes.finish(), rows.finish()))
}

/// What the council has to decide on.
pub(super) fn contests(contests: &[OutcomeView], kinds: &[KindView]) -> Result<Answer> {
    let headings = &[">outcome", "kind", "wallet", "evaluator", ">earned", "contested by", "reason"];
    let mut rows = Rows::new(headings, "nothing is contested");
    for OutcomeView { id, outcome } in contests {
        let (by, reason) = outcome.contest.as_ref().map_or_else(Default::default, |contest| {
            (parse::address(&contest.by), format!("{:?}", contest.reason))
        });
        rows.push([
            id.to_string(),
            name(kinds, outcome.record.kind),
            parse::address(&outcome.record.wallet),
            parse::address(&outcome.evaluator),
            credits(outcome.earned),
            by,
            reason,
        ]);
    }
    Answer::new(contests, rows.finish())
}

/// What an evaluator's outcomes may still earn.
pub(super) fn caps(uses: &[EvaluatorUse]) -> Result<Answer> {
    let headings = &["kind", ">left", ">earned", ">cap", "next period"];
    let mut rows = Rows::new(headings, "no kind has a rule in force");
    for row in uses {
        rows.push([
            parse::text(&row.name),
            credits(row.left),
            credits(row.awarded),
            credits(row.cap),
            time::moment(row.period_ends_at),
        ]);
    }
    Answer::new(uses, rows.finish())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::primitives::{
        merit::{Rule, Sums},
        ClassId,
    };

    fn rule(version: u32, award: u128) -> DatedRule {
        let rule = Rule {
            program: 4,
            award,
            wallet_cap: 50_000_000,
            evaluator_cap: 80_000_000,
            period_ms: 86_400_000,
            window_ms: 3_600_000,
            lasts_ms: 864_000_000,
            sunset: 1_900_000_000_000,
        };
        DatedRule { version, announced_at: 1, from: 1_800_000_000_000, rule }
    }

    fn kind() -> KindView {
        KindView {
            id: 0,
            name: parse::name("commit").unwrap(),
            class: ClassId::PRIORITY,
            in_force: Some(rule(1, 10_000_000)),
            announced: Some(rule(2, 2_500_000)),
            outcomes: 7,
            reverted: 1,
            sums: Sums { earned: 60_000_000, ..Default::default() },
        }
    }

    #[test]
    fn a_kind_shows_the_rule_that_holds_and_the_one_to_come() {
        let answer = kinds(&[kind()]).unwrap();
        for part in ["commit", "1, holds", "2, announced", "10.000000", "2.500000", "1h", "10d", "60.000000"]
        {
            assert!(answer.human.contains(part), "{part}\n{}", answer.human);
        }
        assert_eq!(answer.json[0]["announced"]["rule"]["award"], "2500000");
        assert!(kinds(&[]).unwrap().human.contains("merit kinds register"));
    }

    #[test]
    fn an_evaluator_sees_what_is_left() {
        let row = EvaluatorUse {
            kind: 0,
            name: parse::name("commit").unwrap(),
            cap: 80_000_000,
            awarded: 30_000_000,
            left: 50_000_000,
            period_ends_at: 86_400_000,
        };
        let answer = caps(&[row]).unwrap();
        for part in ["commit", "50.000000", "80.000000", "1970-01-02"] {
            assert!(answer.human.contains(part), "{part}\n{}", answer.human);
        }
    }
}
