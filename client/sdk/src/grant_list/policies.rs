//! Checking rows against the policies of owners who are not employees, before anything is sent.

use std::collections::{BTreeMap, BTreeSet};

use futures::{stream, StreamExt, TryStreamExt};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{
    mint::Grant,
    policy::{Policy, WalletKind},
    AccountId, BasketId, ClassId, Credits, Moment, ProgramId,
};

use crate::{amount::credits, moment, printable, RpcError, Snapshot};

use super::{
    fault::{Fault, Faults},
    rows::Row,
};

/// Wallets asked for at a time.
const LOOK_AT_ONCE: usize = 16;

/// Owners in one question: 128 kB.
const OWNERS_AT_ONCE: usize = 4_096;

/// What binds an owner, and the credits that it holds of each class.
struct Bound {
    kind: String,
    policy: Policy,
    held: BTreeMap<ClassId, Credits>,
}

/// What the chain says that matters to owners of kinds.
#[derive(Default)]
struct Bounds {
    owners: BTreeMap<AccountId, Bound>,
    programs: BTreeMap<ProgramId, ClassId>,
    baskets: BTreeMap<BasketId, Vec<(ProgramId, Credits, Option<Moment>)>>,
}

/// Everything for which the policies of their owners forbid these rows, if they are granted `now`.
pub async fn forbidden(snapshot: &Snapshot, rows: &[Row], now: Moment) -> Result<Vec<Fault>, RpcError> {
    let kinds = snapshot.wallet_kinds().await?;
    if kinds.iter().all(|kind| kind.policy.is_none()) {
        return Ok(Vec::new());
    }
    let owners: BTreeSet<&AccountId> = rows.iter().map(|row| &row.owner).collect();
    let owners: Vec<AccountId> = owners.into_iter().cloned().collect();
    let mut bound = Vec::new();
    for owners in owners.chunks(OWNERS_AT_ONCE) {
        for (owner, number) in owners.iter().zip(snapshot.kinds_of(owners).await?) {
            let kind = kinds.iter().find(|kind| kind.kind == number);
            if let Some(WalletKind { name, policy: Some(policy), .. }) = kind {
                bound.push((owner.clone(), printable(name), policy.clone()));
            }
        }
    }
    if bound.is_empty() {
        return Ok(Vec::new());
    }
    let look = |(owner, kind, policy): (AccountId, String, Policy)| async move {
        let wallet = snapshot.wallet(&owner).await?;
        let held = wallet.into_iter().map(|row| (row.class, row.amounts.available + row.amounts.reserved));
        Ok::<_, RpcError>((owner, Bound { kind, policy, held: held.collect() }))
    };
    let owners = stream::iter(bound).map(look).buffer_unordered(LOOK_AT_ONCE).try_collect().await?;
    let (programs, baskets) = futures::try_join!(snapshot.programs(), snapshot.baskets())?;
    let bounds = Bounds {
        owners,
        programs: programs.into_iter().map(|(id, program)| (id, program.class)).collect(),
        baskets: baskets.into_iter().map(|(id, _, _, lines)| (id, lines)).collect(),
    };
    Ok(bounds.against(rows, now))
}

impl Bounds {
    /// The rows that are forbidden, when those before them that are not are granted.
    fn against(mut self, rows: &[Row], now: Moment) -> Vec<Fault> {
        let mut faults = Faults::default();
        for row in rows {
            for (program, amount, until) in self.lines(&row.grant, now) {
                let Some(bound) = self.owners.get_mut(&row.owner) else { continue };
                let Some(class) = self.programs.get(&program) else { continue };
                if let Err(reason) = bound.take(*class, amount, until, now) {
                    let whose = format!("{} is of the kind \"{}\"", row.owner.to_ss58check(), bound.kind);
                    faults.add(
                        row.line,
                        "owner",
                        format!("{whose}, {reason}; `stipend policies list` shows all kinds"),
                    );
                }
            }
        }
        faults.into_vec()
    }

    /// The program, the credits and the end of each entitlement that a grant makes.
    fn lines(&self, grant: &Grant, now: Moment) -> Vec<(ProgramId, Credits, Option<Moment>)> {
        match grant {
            Grant::One { program, amount, valid_until, .. } => vec![(*program, *amount, *valid_until)],
            Grant::Basket { basket } => {
                let lines = self.baskets.get(basket).into_iter().flatten();
                let end = |validity: Moment| now.checked_add(validity);
                lines.map(|(program, amount, validity)| (*program, *amount, validity.and_then(end))).collect()
            }
        }
    }
}

impl Bound {
    /// Counts a grant as held, or says why it is forbidden.
    fn take(
        &mut self,
        class: ClassId,
        amount: Credits,
        until: Option<Moment>,
        now: Moment,
    ) -> Result<(), String> {
        let Some(terms) = self.policy.terms(class) else {
            return Err(format!("to which nothing of class {} may be granted", class.0));
        };
        if !self.policy.permits_end(now, until) {
            let max = self.policy.validity_ms_max.map(moment::duration).unwrap_or_default();
            return Err(format!("whose grants must end within {max} from now"));
        }
        let held = self.held.entry(class).or_default();
        let holding = held.saturating_add(amount);
        if holding > terms.holding_max {
            return Err(format!(
                "which may hold {} credits of class {}, and would hold more",
                credits(terms.holding_max),
                class.0
            ));
        }
        *held = holding;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Signer;
    use stipend_primitives::policy::Terms;

    const DAY: Moment = 86_400_000;

    fn owner(name: &str) -> AccountId {
        Signer::from_uri(name).unwrap().account()
    }

    /// Dave may hold 10 micro-credits of Innovation for 30 days, and has 4; Eve is an employee.
    fn faults(rows: &[Row]) -> Vec<String> {
        let terms = vec![Terms { class: ClassId::INNOVATION, holding_max: 10 }];
        let policy =
            Policy { classes: terms.try_into().unwrap(), validity_ms_max: Some(30 * DAY), keys_max: 1 };
        let held = BTreeMap::from([(ClassId::INNOVATION, 4)]);
        let bounds = Bounds {
            owners: BTreeMap::from([(owner("//Dave"), Bound { kind: "contractor".into(), policy, held })]),
            programs: BTreeMap::from([(0, ClassId::INNOVATION), (1, ClassId::RENDER)]),
            baskets: BTreeMap::from([(5, vec![(0, 3, Some(DAY)), (0, 3, Some(31 * DAY))])]),
        };
        bounds.against(rows, 1_000).iter().map(ToString::to_string).collect()
    }

    fn one(line: u64, name: &str, program: ProgramId, amount: Credits, valid_until: Option<Moment>) -> Row {
        Row { line, owner: owner(name), grant: Grant::One { program, amount, valid_from: None, valid_until } }
    }

    #[test]
    fn rows_that_a_policy_permits_are_in_order_and_so_is_everything_of_employees() {
        let end = Some(1_000 + 30 * DAY);
        let rows = [one(2, "//Dave", 0, 5, end), one(3, "//Eve", 1, 99, None), one(4, "//Dave", 0, 1, end)];
        assert_eq!(faults(&rows), Vec::<String>::new());
    }

    #[test]
    fn each_row_that_is_forbidden_is_named_with_the_reason() {
        let rows = [
            one(2, "//Dave", 1, 1, Some(DAY)),
            one(3, "//Dave", 0, 1, None),
            one(4, "//Dave", 0, 1, Some(1_001 + 30 * DAY)),
            one(5, "//Dave", 0, 7, Some(DAY)),
        ];
        let faults = faults(&rows);
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults[0].starts_with("line 2:") && faults[0].contains("class 2"), "{faults:?}");
        assert!(faults[1].starts_with("lines 3 to 4:") && faults[1].contains("within 30d"), "{faults:?}");
        assert!(faults[2].starts_with("line 5:") && faults[2].contains("0.000010 credits"), "{faults:?}");
    }

    #[test]
    fn rows_count_together_and_one_that_is_refused_does_not_count() {
        let rows = [4, 3, 2].map(|amount| one(2 + amount as u64, "//Dave", 0, amount, Some(DAY)));
        let faults = faults(&rows);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("line 5:"), "{faults:?}");
    }

    #[test]
    fn each_line_of_a_basket_is_looked_at() {
        let row = Row { line: 2, owner: owner("//Dave"), grant: Grant::Basket { basket: 5 } };
        let faults = faults(&[row]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains("within 30d"), "{faults:?}");
    }
}
