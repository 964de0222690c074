//! `ab declare` and `ab judge`.

use anyhow::{anyhow, ensure, Context as _};
use serde_json::json;
use stipend_evaluators::{
    clock::now_ms,
    config::Config,
    experiment::{self, Declaration},
    report::Report,
};

use super::{
    args::{Ab, Common},
    awarding::{award, before, Judged},
    read, store,
    works::sha256,
    Answer,
};

pub(super) fn run(config: &Config, verb: Ab) -> anyhow::Result<Answer> {
    match verb {
        Ab::Declare { name, control, variants, sample, better } => {
            declare(config, &name, &Declaration { control, variants, sample, better })
        }
        Ab::Judge { common, file } => judge(config, &common, &file),
    }
}

fn declare(config: &Config, name: &str, declaration: &Declaration) -> anyhow::Result<Answer> {
    let is_name = (1..=128).contains(&name.len()) && !name.contains(char::is_control);
    ensure!(is_name, "an experiment's name has 1 to 128 bytes and no control characters");
    let faults = declaration.faults(&config.experiment.rule());
    ensure!(faults.is_empty(), "the experiment cannot be declared: {}", faults.join("; "));
    let counts = store(config)?.declare(name, declaration, now_ms())?;
    ensure!(
        counts == *declaration,
        "`{name}` was declared before, otherwise; what was declared first counts: give this one another name"
    );
    Ok(Answer::new(
        json!({ "declared": name, "declaration": counts }),
        format!("`{name}` is declared: hand its figures in when each variant has {}", counts.sample),
    ))
}

fn judge(config: &Config, common: &Common, file: &std::path::Path) -> anyhow::Result<Answer> {
    if let Some(before) = before(config, "ab", common)? {
        return Ok(before);
    }
    let undeclared = || {
        anyhow!(
            "`{}` was not declared: run `stipend-evaluator ab declare` before the experiment begins",
            common.name
        )
    };
    let (declaration, declared_at) = store(config)?.declared(&common.name)?.ok_or_else(undeclared)?;
    let bytes = read(file)?;
    let rows =
        experiment::read(&bytes).map_err(|why| anyhow!(why)).with_context(|| file.display().to_string())?;
    let rule = config.experiment.rule();
    let judgement = declaration.judge(&rows, &rule)?;
    let mut report = Report::new(&format!("ab {}: an experiment", common.name));
    report.fact("declared at (Unix time, ms)", declared_at);
    report.fact("figures, SHA-256", sha256(&bytes));
    declaration.describe(&mut report, &rows, &judgement, &rule);
    let (kind, purpose) = (&config.experiment.kind, &config.experiment.purpose);
    award(config, common, Judged { area: "ab", kind, purpose, weight: judgement.weight, report })
}
