//! Checks the chain's books against sums made here, from the trace and the price list alone.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use stipend_primitives::{
    cost::Usage,
    leaf::UsageLeaf,
    settlement::VerdictKind,
    view::{Amounts, ClassBalance},
    ClassId, Credits, Digest, Sequence,
};

use super::{by_digest, employee_of, model_of, MISREPORTED};
use crate::{
    company::{BASKET_LINES, MODEL_GENERAL},
    observer::Observer,
    replay::Answer,
    stage::Stage,
};

/// What was found.
pub(super) struct Checks {
    /// Wallets at the end, in the order of the employees.
    pub wallets: Vec<Vec<ClassBalance>>,
    /// Micro-credits that the understated requests gave back.
    pub refunds: Credits,
    /// Requests whose receipt and attestation differ.
    pub adjusted: usize,
    /// What does not hold; empty when all is well.
    pub failures: Vec<String>,
}

/// The price list once more, in plain numbers: class, input, output, weight times model.
fn price(model: &str) -> (ClassId, Credits, Credits, Credits) {
    if model == MODEL_GENERAL {
        (ClassId::INNOVATION, 250, 1_000, 50)
    } else {
        (ClassId::REASONING, 1_000, 4_000, 200)
    }
}

fn cost_of(model: &str, usage: &Usage) -> (ClassId, Credits) {
    let (class, input, output, fixed) = price(model);
    // A cached prompt token costs a tenth of a computed one.
    let cost = Credits::from(usage.input) * input
        + Credits::from(usage.cached_input) * (input / 10)
        + Credits::from(usage.output) * output
        + fixed;
    (class, cost)
}

/// Compares everything.
pub(super) async fn check(stage: &Stage, observer: &Observer, answers: &[Answer]) -> Result<Checks> {
    let mut failures = Vec::new();
    let mut holds = |condition: bool, otherwise: String| {
        if !condition {
            failures.push(otherwise);
        }
    };
    let attested = attested(stage, observer).await?;
    let known = by_digest(answers);
    let (mut spent, mut refunds, mut adjusted) = (HashMap::new(), 0, 0);
    for answer in answers {
        let model = model_of(answer.index);
        let employee = employee_of(answer.index, stage.company.employees.len());
        let (class, cost) = cost_of(model, &answer.usage);
        let claimed = attested.get(&answer.digest).copied().unwrap_or(answer.usage);
        let (_, settled) = cost_of(model, &claimed.min(answer.usage));
        adjusted += usize::from(claimed != answer.usage);
        refunds += cost - settled;
        *spent.entry((employee, class)).or_insert(0) += settled;
    }

    observer.with(|seen| {
        holds(seen.repeated.is_empty(), format!("{} receipts stand twice", seen.repeated.len()));
        holds(
            seen.finalised.len() == known.len(),
            format!("{} receipts on chain for {} answers", seen.finalised.len(), known.len()),
        );
        let refunded: Credits = seen.verdicts.iter().map(|verdict| verdict.2).sum();
        holds(refunded == refunds, format!("{refunded} micro-credits refunded, {refunds} expected"));
        let unattested = seen.verdicts.iter().filter(|verdict| verdict.1 == VerdictKind::Unattested).count();
        holds(unattested == 0, format!("{unattested} settlements without an attestation"));
    });
    holds(
        adjusted == MISREPORTED as usize,
        format!("{adjusted} receipts differ, {MISREPORTED} were understated"),
    );

    let mut wallets = Vec::new();
    for (at, employee) in stage.company.employees.iter().enumerate() {
        let wallet = stage.client.finalised().await?.wallet(&employee.signer.account()).await?;
        for (class, credits) in BASKET_LINES {
            let row =
                wallet.iter().find(|row| row.class == class).context("a class of the basket is missing")?;
            let Amounts { granted, available, reserved, spent: charged, expired, revoked } = row.amounts;
            let expected = spent.get(&(at, class)).copied().unwrap_or(0);
            holds(
                charged == expected,
                format!(
                    "{} spent {charged} micro-credits of class {}, {expected} expected",
                    employee.name, class.0
                ),
            );
            holds(
                granted == credits * 1_000_000
                    && granted == available + reserved + charged + expired + revoked,
                format!("the wallet of {} in class {} does not add up", employee.name, class.0),
            );
        }
        wallets.push(wallet);
    }
    Ok(Checks { wallets, refunds, adjusted, failures })
}

/// What the providers say they served, from the leaves under their signed roots.
async fn attested(stage: &Stage, observer: &Observer) -> Result<BTreeMap<Digest, Usage>> {
    let gateway = stage.company.gateway.account();
    let ranges: Vec<(Sequence, usize)> = observer.with(|seen| {
        seen.verdicts
            .iter()
            .filter_map(|(item, ..)| {
                let provider = stage.company.providers.iter().position(|p| p.account() == item.provider)?;
                Some((item.first_seq, provider))
            })
            .collect()
    });
    let mut usages = BTreeMap::new();
    for (first_seq, provider) in ranges {
        let batch = stage.client.finalised().await?.batch(&gateway, first_seq).await?;
        let last_seq = batch.context("the chain has forgotten a batch of this run")?.last_seq;
        let url = format!(
            "{}/v1/attestations/{}/{first_seq}/{last_seq}/leaves",
            stage.attestors[provider].url,
            hex::encode(&gateway),
        );
        let bytes = reqwest::get(url).await?.error_for_status()?.bytes().await?;
        let leaves = UsageLeaf::read_all(&bytes).context("an attestor's leaves are torn")?;
        usages.extend(leaves.into_iter().map(|leaf| (leaf.digest, leaf.usage)));
    }
    Ok(usages)
}
