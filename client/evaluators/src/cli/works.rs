//! `junit`, `evals` and `judge`.

use std::path::PathBuf;

use anyhow::{anyhow, Context as _};
use stipend_evaluators::{
    config::{Config, SuiteRule},
    judge::{self, Case, GatewayAsk, Judgement},
    report::Report,
    suite::{self, BadRun, Comparison, Run},
};

use super::{
    args::{Judge, Suite},
    awarding::{award, before, Judged},
    read, Answer,
};

type Reader = fn(&[u8]) -> Result<Run, BadRun>;

pub(super) fn junit(config: &Config, verb: &Suite) -> anyhow::Result<Answer> {
    compare(config, verb, &config.junit, "tests", suite::junit::read)
}

pub(super) fn evals(config: &Config, verb: &Suite) -> anyhow::Result<Answer> {
    compare(config, verb, &config.evals, "evals", suite::evals::read)
}

fn compare(
    config: &Config,
    verb: &Suite,
    rule: &SuiteRule,
    area: &'static str,
    reader: Reader,
) -> anyhow::Result<Answer> {
    if let Some(before) = before(config, area, &verb.common)? {
        return Ok(before);
    }
    let mut report = Report::new(&format!("{area} {}: a newer run beside an older one", verb.common.name));
    let older = run(&verb.baseline, reader, "older run", &mut report)?;
    let newer = run(&verb.files, reader, "newer run", &mut report)?;
    let comparison = Comparison::of(&older, &newer);
    let weighing = rule.rule();
    comparison.describe(&mut report, &weighing);
    let weight = comparison.weigh(&weighing);
    award(config, &verb.common, Judged { area, kind: &rule.kind, purpose: &rule.purpose, weight, report })
}

/// One run out of its files, whose hashes go into the report.
fn run(files: &[PathBuf], reader: Reader, name: &str, report: &mut Report) -> anyhow::Result<Run> {
    let mut run = Run::default();
    for file in files {
        let bytes = read(file)?;
        let part = reader(&bytes).with_context(|| file.display().to_string())?;
        run.join(part).with_context(|| file.display().to_string())?;
        report.fact(&format!("file of the {name}, SHA-256"), sha256(&bytes));
    }
    Ok(run)
}

pub(super) async fn judge(config: &Config, verb: &Judge) -> anyhow::Result<Answer> {
    let missing = || anyhow!("the configuration has no [judge]: say which gateway, key and model judge");
    let judge = config.judge.as_ref().ok_or_else(missing)?;
    if let Some(before) = before(config, "judge", &verb.common)? {
        return Ok(before);
    }
    let mut report = Report::new(&format!("judge {}: work beside a reference", verb.common.name));
    let mut text = |file: &PathBuf, name: &str| -> anyhow::Result<String> {
        let bytes = read(file)?;
        report.fact(&format!("{name}, SHA-256"), sha256(&bytes));
        String::from_utf8(bytes).map_err(|_| anyhow!("{} is no UTF-8 text", file.display()))
    };
    let case = Case {
        task: text(&verb.task, "task")?,
        work: text(&verb.work, "work")?,
        reference: text(&verb.reference, "reference")?,
    };
    let judgement = if verb.common.dry_run {
        // Asking costs, so a dry run says only what is seen without.
        let faults = judge::faults(&case, judge.rule.words_min);
        let why = if faults.is_empty() {
            "a dry run does not ask the model, and nothing speaks against asking it".into()
        } else {
            faults.join("; ")
        };
        Judgement { weight: Err(why), verdicts: Vec::new(), costs: Vec::new() }
    } else {
        judge::judge(&case, &GatewayAsk::new(judge)?, &judge.rule).await?
    };
    judgement.describe(&mut report, &judge.model, &judge.rule);
    let (kind, purpose, weight) = (&judge.rule.kind, &judge.rule.purpose, judgement.weight);
    award(config, &verb.common, Judged { area: "judge", kind, purpose, weight, report })
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(bytes))
}
