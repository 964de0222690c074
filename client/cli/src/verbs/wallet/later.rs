//! What a wallet holds already and can use only later: the coming parts of plans.

use anyhow::Result;
use serde_json::json;
use stipend_sdk::primitives::{view::EntitlementView, AccountId, Moment};

use crate::{
    amount::credits,
    context::Context,
    output::{Answer, Rows},
    time,
};

/// Adds that to a wallet's answer, where there is any: it is part of what counts as available.
pub(super) async fn add(context: &Context, owner: &AccountId, answer: Answer) -> Result<Answer> {
    let entitlements = context.ledger().await?.entitlements(owner).await?;
    Ok(added(entitlements, time::now(), answer))
}

fn added(entitlements: Vec<EntitlementView>, now: Moment, mut answer: Answer) -> Answer {
    let is_later = |it: &EntitlementView| it.valid_from > now && it.amounts.available > 0;
    let mut later: Vec<EntitlementView> = entitlements.into_iter().filter(is_later).collect();
    later.sort_by_key(|entitlement| (entitlement.valid_from, entitlement.id));
    let mut rows = Rows::new(&["usable later, from", ">entitlement", ">class", ">credits", "until"], "");
    for entitlement in &later {
        rows.push([
            time::moment(entitlement.valid_from),
            entitlement.id.to_string(),
            entitlement.class.0.to_string(),
            credits(entitlement.amounts.available),
            time::moment_or("for ever", entitlement.valid_until),
        ]);
    }
    if !later.is_empty() {
        answer.human.push_str("\nOf what is available, this can be used only later:\n");
        answer.human.push_str(&rows.finish());
    }
    answer.json["usable_later"] = json!(later);
    answer
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::primitives::{view::Amounts, ClassId};

    #[test]
    fn only_what_is_there_and_not_usable_yet_is_shown_first_things_first() {
        let entitlement = |id, valid_from, available| EntitlementView {
            id,
            owner: AccountId::new([1; 32]),
            class: ClassId::INNOVATION,
            issuer: AccountId::new([2; 32]),
            program: 0,
            valid_from,
            valid_until: None,
            amounts: Amounts { granted: 9, available, ..Amounts::default() },
        };
        let all =
            vec![entitlement(1, 5, 9), entitlement(2, 7, 9), entitlement(3, 6, 9), entitlement(4, 8, 0)];
        let answer = added(all, 5, Answer::new(json!({}), "wallet").unwrap());
        let ids: Vec<_> =
            answer.json["usable_later"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
        assert_eq!(ids, [3, 2]);
        assert!(answer.human.contains("used only later"));
        let none = added(vec![entitlement(1, 5, 9)], 5, Answer::new(json!({}), "wallet").unwrap());
        assert_eq!((none.json["usable_later"].clone(), none.human.as_str()), (json!([]), "wallet"));
    }
}
