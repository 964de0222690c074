//! What an owner holds from before its policy, and could not be granted again.

use std::collections::BTreeMap;

use stipend_sdk::primitives::{policy::Policy, view::EntitlementView, ClassId, Credits, Moment};

use super::names::Names;
use crate::{amount::credits, time};

/// Everything that goes beyond, a sentence each.
pub(super) fn beyond(
    policy: &Policy,
    names: &Names,
    held: &[EntitlementView],
    keys: usize,
    now: Moment,
) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut sums: BTreeMap<ClassId, Credits> = BTreeMap::new();
    let left = |it: &EntitlementView| it.amounts.available + it.amounts.reserved;
    for entitlement in held.iter().filter(|it| left(it) > 0) {
        *sums.entry(entitlement.class).or_default() += left(entitlement);
    }
    for (class, held) in sums {
        match policy.terms(class) {
            None => reasons.push(format!(
                "{} credits of {}, of which none may be granted",
                credits(held),
                names.of(class)
            )),
            Some(terms) if held > terms.holding_max => reasons.push(format!(
                "{} credits of {}; {} may be held",
                credits(held),
                names.of(class),
                credits(terms.holding_max)
            )),
            Some(_) => {}
        }
    }
    for entitlement in held.iter().filter(|it| left(it) > 0) {
        if !policy.permits_end(now, entitlement.valid_until) {
            let end = entitlement
                .valid_until
                .map_or_else(|| "never ends".to_owned(), |end| format!("ends at {}", time::moment(end)));
            let max = policy.validity_ms_max.map(time::duration).unwrap_or_default();
            reasons.push(format!("entitlement {}, which {end}; grants now end within {max}", entitlement.id));
        }
    }
    if keys > policy.keys_max as usize {
        reasons.push(format!("{keys} API keys; {} are allowed", policy.keys_max));
    }
    reasons
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::primitives::{policy::Terms, view::Amounts, AccountId};

    const DAY: Moment = 86_400_000;

    fn policy() -> Policy {
        let classes = vec![Terms { class: ClassId::INNOVATION, holding_max: 10 }];
        Policy { classes: classes.try_into().unwrap(), validity_ms_max: Some(30 * DAY), keys_max: 1 }
    }

    fn held(id: u64, class: ClassId, available: Credits, valid_until: Option<Moment>) -> EntitlementView {
        EntitlementView {
            id,
            owner: AccountId::new([1; 32]),
            class,
            issuer: AccountId::new([2; 32]),
            program: 0,
            valid_from: 0,
            valid_until,
            amounts: Amounts { granted: available + 5, available, spent: 5, ..Amounts::default() },
        }
    }

    #[test]
    fn what_keeps_to_the_policy_is_not_said() {
        let fits =
            [held(0, ClassId::INNOVATION, 6, Some(30 * DAY)), held(1, ClassId::INNOVATION, 4, Some(DAY))];
        assert!(beyond(&policy(), &Names::of_genesis(), &fits, 1, 0).is_empty());
        let used_up = [held(2, ClassId::RENDER, 0, None)];
        assert!(beyond(&policy(), &Names::of_genesis(), &used_up, 0, 0).is_empty());
    }

    #[test]
    fn each_thing_that_goes_beyond_is_said_once() {
        let much = [
            held(0, ClassId::INNOVATION, 6, Some(31 * DAY)),
            held(1, ClassId::INNOVATION, 5, Some(DAY)),
            held(2, ClassId::RENDER, 3, Some(DAY)),
        ];
        let reasons = beyond(&policy(), &Names::of_genesis(), &much, 2, 0);
        assert_eq!(reasons.len(), 4, "{reasons:?}");
        let all = reasons.join("\n");
        for part in
            ["0.000011 credits of Innovation", "Render, of which none", "entitlement 0,", "30d", "2 API keys"]
        {
            assert!(all.contains(part), "{part}\n{all}");
        }
    }
}
