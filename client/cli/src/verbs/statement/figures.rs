//! The figures of a statement: what the standings at the ends of months say about the months.

use std::collections::BTreeMap;

use serde::Serialize;
use stipend_sdk::primitives::{
    view::{decimal, decimal_option, Amounts, EntitlementView},
    ClassId, Credits, Moment,
};

use super::{outside::Worth, Month};

/// Where an owner's credits were at one moment, per class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Of the entitlements that could be used by then.
    usable: BTreeMap<ClassId, Amounts>,
    /// Granted, but usable only later.
    later: BTreeMap<ClassId, Credits>,
}

impl Standing {
    pub(super) fn new(entitlements: &[EntitlementView], moment: Moment) -> Self {
        let mut standing = Standing::default();
        for EntitlementView { class, valid_from, amounts, .. } in entitlements {
            if *valid_from > moment {
                *standing.later.entry(*class).or_default() += amounts.available + amounts.reserved;
                continue;
            }
            let sum = standing.usable.entry(*class).or_default();
            sum.granted += amounts.granted;
            sum.available += amounts.available;
            sum.reserved += amounts.reserved;
            sum.spent += amounts.spent;
            sum.expired += amounts.expired;
            sum.revoked += amounts.revoked;
        }
        standing
    }

    fn of(&self, class: ClassId) -> Amounts {
        self.usable.get(&class).copied().unwrap_or_default()
    }
}

/// What happened in one month, or in all of them.
///
/// `granted = used + expired + withdrawn + (left - left before)`, always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// First moment (Unix time, ms).
    pub(super) from: Moment,
    /// Micro-credits that became usable.
    #[serde(with = "decimal")]
    pub(super) granted: Credits,
    /// Micro-credits charged, less what was refunded; below zero if more was refunded than charged.
    #[serde(serialize_with = "as_text")]
    pub(super) used: i128,
    /// Micro-credits not used in time.
    #[serde(with = "decimal")]
    pub(super) expired: Credits,
    /// Micro-credits given back by the owner or withdrawn by an issuer.
    #[serde(with = "decimal")]
    pub(super) withdrawn: Credits,
    /// Micro-credits that could be used at the end.
    #[serde(with = "decimal")]
    pub(super) left: Credits,
    /// Micro-USD that the tokens used would have cost outside; `None` if nobody said.
    #[serde(with = "decimal_option")]
    pub(super) outside_micro_usd: Option<u128>,
}

fn as_text<S: serde::Serializer>(value: &i128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// A class over the year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ClassFigures {
    pub(super) class: ClassId,
    pub(super) name: String,
    /// Micro-credits that could be used when the year began.
    #[serde(with = "decimal")]
    pub(super) brought_forward: Credits,
    pub(super) months: Vec<Line>,
    /// All months together.
    pub(super) year: Line,
    /// Micro-credits granted that can be used only later.
    #[serde(with = "decimal")]
    pub(super) usable_later: Credits,
}

/// Every class that the owner ever held by the end of the statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Figures(pub(super) Vec<ClassFigures>);

impl Figures {
    pub(super) fn new(
        opening: Standing,
        months: &[Month],
        worth: Option<&Worth>,
        name_of: impl Fn(ClassId) -> String,
    ) -> Self {
        let Some(last) = months.last() else { return Figures(Vec::new()) };
        let mut classes: Vec<ClassId> =
            last.standing.usable.keys().chain(last.standing.later.keys()).copied().collect();
        classes.sort_unstable();
        classes.dedup();
        let of_class = |class: ClassId| {
            let before = std::iter::once(&opening).chain(months.iter().map(|month| &month.standing));
            let line = |(before, month): (&Standing, &Month)| {
                let outside = worth.and_then(|worth| worth.of(month.period.start, class));
                line(month.period.start, &before.of(class), &month.standing.of(class), outside)
            };
            let lines: Vec<Line> = before.zip(months).map(line).collect();
            ClassFigures {
                class,
                name: name_of(class),
                brought_forward: left(&opening.of(class)),
                year: total(&lines),
                months: lines,
                usable_later: last.standing.later.get(&class).copied().unwrap_or_default(),
            }
        };
        Figures(classes.into_iter().map(of_class).collect())
    }
}

fn left(amounts: &Amounts) -> Credits {
    amounts.available + amounts.reserved
}

fn line(from: Moment, before: &Amounts, after: &Amounts, outside_micro_usd: Option<u128>) -> Line {
    Line {
        from,
        // None of these three ever falls.
        granted: after.granted.saturating_sub(before.granted),
        expired: after.expired.saturating_sub(before.expired),
        withdrawn: after.revoked.saturating_sub(before.revoked),
        used: signed(after.spent) - signed(before.spent),
        left: left(after),
        outside_micro_usd,
    }
}

/// Micro-credits with a sign. No wallet holds as many as would not fit: a program's budget is 10^24 at most.
fn signed(amount: Credits) -> i128 {
    i128::try_from(amount).unwrap_or(i128::MAX)
}

fn total(lines: &[Line]) -> Line {
    let first = lines.first().map(|line| line.from).unwrap_or_default();
    let add = |sum: Line, line: &Line| Line {
        from: first,
        granted: sum.granted + line.granted,
        used: sum.used + line.used,
        expired: sum.expired + line.expired,
        withdrawn: sum.withdrawn + line.withdrawn,
        left: line.left,
        outside_micro_usd: match (sum.outside_micro_usd, line.outside_micro_usd) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or_default() + other.unwrap_or_default()),
        },
    };
    lines.iter().fold(Line::default(), add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::period::Period;
    use proptest::prelude::*;
    use stipend_sdk::primitives::AccountId;

    fn entitlement(valid_from: Moment, amounts: Amounts) -> EntitlementView {
        EntitlementView {
            id: 0,
            owner: AccountId::new([1; 32]),
            class: ClassId::INNOVATION,
            issuer: AccountId::new([2; 32]),
            program: 0,
            valid_from,
            valid_until: None,
            amounts,
        }
    }

    fn month(start: Moment, standing: Standing) -> Month {
        Month { period: Period { start, end: start + 10 }, standing, book: None }
    }

    fn figures(opening: Standing, months: &[Month]) -> ClassFigures {
        Figures::new(opening, months, None, |_| "Innovation".into()).0.remove(0)
    }

    #[test]
    fn months_are_the_differences_of_their_ends() {
        let amounts = |spent, expired, revoked| Amounts {
            granted: 100,
            available: 90 - spent - expired - revoked,
            reserved: 10,
            spent,
            expired,
            revoked,
        };
        let at = |moment, amounts| Standing::new(&[entitlement(5, amounts)], moment);
        let opening = at(5, amounts(20, 0, 0));
        let months = [month(10, at(20, amounts(50, 0, 5))), month(20, at(30, amounts(45, 30, 5)))];
        let figures = figures(opening, &months);
        assert_eq!(figures.brought_forward, 80);
        let of = |line: &Line| (line.granted, line.used, line.expired, line.withdrawn, line.left);
        assert_eq!(of(&figures.months[0]), (0, 30, 0, 5, 45));
        assert_eq!(of(&figures.months[1]), (0, -5, 30, 0, 20));
        assert_eq!(of(&figures.year), (0, 25, 30, 5, 20));
    }

    #[test]
    fn what_is_usable_later_counts_in_the_month_in_which_it_becomes_so() {
        let whole = Amounts { granted: 7, available: 7, ..Amounts::default() };
        let at = |moment| Standing::new(&[entitlement(25, whole)], moment);
        let both = figures(at(10), &[month(10, at(20)), month(20, at(30))]);
        assert_eq!((both.months[0].granted, both.months[1].granted, both.usable_later), (0, 7, 0));
        assert_eq!(figures(at(10), &[month(10, at(20))]).usable_later, 7);
    }

    #[test]
    fn a_negative_amount_is_text_too() {
        let line = Line { used: -5, ..Line::default() };
        assert_eq!(serde_json::to_value(line).map(|json| json["used"].clone()).ok(), Some("-5".into()));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_between_months(history in proptest::collection::vec((0u128..50, 0u128..50, 0u128..50, 0u128..50), 1..13)) {
            let (mut amounts, mut standings) = (Amounts::default(), vec![Standing::default()]);
            for (granted, spent, expired, revoked) in history {
                amounts.granted += granted;
                amounts.available += granted;
                for (place, part) in [(&mut amounts.spent, spent), (&mut amounts.expired, expired), (&mut amounts.revoked, revoked)] {
                    let part = part.min(amounts.available);
                    amounts.available -= part;
                    *place += part;
                }
                standings.push(Standing::new(&[entitlement(0, amounts)], 1));
            }
            let opening = standings.remove(0);
            let months: Vec<Month> = standings.into_iter().map(|standing| month(0, standing)).collect();
            let figures = figures(opening, &months);
            let gone = figures.year.used + signed(figures.year.expired + figures.year.withdrawn);
            prop_assert_eq!(signed(figures.year.granted), gone + signed(figures.year.left));
            let sum: Credits = figures.months.iter().map(|line| line.granted).sum();
            prop_assert_eq!(sum, amounts.granted);
        }
    }
}
