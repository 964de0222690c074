//! From a judgement to outcomes in the journal.

use std::path::Path;

use anyhow::{bail, ensure, Context as _};
use serde_json::json;
use stipend_evaluators::{
    clock::now_ms,
    config::Config,
    outcome::ReceiptId,
    receipts::believe,
    report::Report,
    store::{Award, Awarded, Store},
};

use super::{args::Common, read, store, Answer};

/// Bytes of a name that is given on the command line.
const NAME_BYTES_MAX: usize = 128;

/// What was judged, without its receipts.
pub(super) struct Judged<'a> {
    /// `tests`, `evals`, `ab` or `judge`.
    pub(super) area: &'static str,
    pub(super) kind: &'a str,
    pub(super) purpose: &'a Option<String>,
    pub(super) weight: Result<u32, String>,
    pub(super) report: Report,
}

/// What a name stands for in the journal.
pub(super) fn subject(area: &str, common: &Common) -> anyhow::Result<String> {
    let name = &common.name;
    let is_name = (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.contains(char::is_control);
    ensure!(is_name, "--name has 1 to {NAME_BYTES_MAX} bytes and no control characters");
    Ok(format!("{area}:{name}"))
}

/// What was judged under a name before, as an answer; judging again would change nothing.
pub(super) fn before(config: &Config, area: &str, common: &Common) -> anyhow::Result<Option<Answer>> {
    let subject = subject(area, common)?;
    let store = store(config)?;
    Ok(store.awarded(&subject)?.map(|awarded| answer(&store, &awarded)))
}

/// Records what was judged, or says what it would earn.
pub(super) fn award(config: &Config, common: &Common, judged: Judged) -> anyhow::Result<Answer> {
    let subject = subject(judged.area, common)?;
    if common.dry_run {
        let human = match &judged.weight {
            Ok(weight) => format!("{subject} would earn a weight of {weight}"),
            Err(why) => format!("{subject} would earn nothing: {why}"),
        };
        let json = json!({
            "subject": subject,
            "dry_run": true,
            "weight": judged.weight.as_ref().ok(),
            "nothing": judged.weight.as_ref().err(),
            "report": judged.report.text(),
        });
        return Ok(Answer::new(json, format!("{human}\n\n{}", judged.report.text())));
    }
    let mut store = store(config)?;
    let receipts = receipts(config, &mut store, common)?;
    let award = Award {
        subject,
        kind: judged.kind.to_owned(),
        weight: judged.weight,
        purpose: judged.purpose.clone(),
        receipts,
        report: judged.report,
    };
    let awarded = store.award(&award, now_ms())?;
    Ok(answer(&store, &awarded))
}

/// The receipts of the command line; those in files are handed in. One that is not known is an error here, because it can
/// be handed in first.
fn receipts(config: &Config, store: &mut Store, common: &Common) -> anyhow::Result<Vec<ReceiptId>> {
    ensure!(
        (1..=config.limits.receipts_max).contains(&common.receipts.len()),
        "name 1 to {} receipts with --receipt: they say whose compute it was",
        config.limits.receipts_max
    );
    let (mut ids, mut signed) = (Vec::new(), Vec::new());
    for text in &common.receipts {
        match text.parse::<ReceiptId>() {
            Ok(id) => ids.push(id),
            Err(_) => {
                let receipt = believe(config, &read(Path::new(text))?).with_context(|| text.clone())?;
                ids.push(ReceiptId(receipt.receipt().id));
                signed.push(receipt);
            }
        }
    }
    for receipt in &signed {
        store.hand_in(receipt)?;
    }
    let unknown = store.unknown(&ids)?;
    if let Some(id) = unknown.first() {
        bail!("the receipt {id} is not known here: hand it in with `stipend-evaluator receipts FILE`, then judge again");
    }
    Ok(ids)
}

fn answer(store: &Store, awarded: &Awarded) -> Answer {
    let outcomes: Vec<_> = awarded
        .outcomes
        .iter()
        .map(|outcome| {
            json!({
                "kind": outcome.kind,
                "wallet": outcome.wallet.to_string(),
                "weight": outcome.weight,
                "purpose": outcome.purpose,
                "evidence": outcome.evidence.to_string(),
                "report": store.reports().path(&outcome.evidence),
            })
        })
        .collect();
    let mut lines = vec![match (&awarded.nothing, awarded.is_new) {
        (Some(why), true) => format!("{} earned nothing: {why}", awarded.subject),
        (Some(why), false) => format!("{} was judged before and earned nothing: {why}", awarded.subject),
        (None, true) => format!("{} earned:", awarded.subject),
        (None, false) => format!("{} was judged before and earned:", awarded.subject),
    }];
    for outcome in &awarded.outcomes {
        lines.push(format!("  {} of `{}` for {}", outcome.weight, outcome.kind, outcome.wallet));
    }
    lines.push(format!("report: {}", store.reports().path(&awarded.report).display()));
    let json = json!({
        "subject": awarded.subject,
        "new": awarded.is_new,
        "outcomes": outcomes,
        "nothing": awarded.nothing,
        "report": store.reports().path(&awarded.report),
    });
    Answer::new(json, lines.join("\n"))
}
