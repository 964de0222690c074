//! The verbs that judge files.

mod args;
mod awarding;
mod experiments;
mod works;

use anyhow::Context as _;
use serde_json::{json, Value};
use stipend_evaluators::{config::Config, receipts::believe, store::Store};

pub(crate) use args::{Arguments, Verb};

/// What a verb answers, for programs and for people.
pub(crate) struct Answer {
    json: Value,
    human: String,
}

impl Answer {
    fn new(json: Value, human: impl Into<String>) -> Self {
        Answer { json, human: human.into() }
    }

    /// Prints it in the form that was asked for.
    pub(crate) fn print(&self, as_json: bool) {
        if as_json {
            println!("{:#}", self.json);
        } else {
            println!("{}", self.human);
        }
    }
}

/// Runs a verb other than `serve`.
pub(crate) async fn run(config: Config, verb: Verb) -> anyhow::Result<Answer> {
    match verb {
        Verb::Junit(verb) => works::junit(&config, &verb),
        Verb::Evals(verb) => works::evals(&config, &verb),
        Verb::Ab(verb) => experiments::run(&config, verb),
        Verb::Judge(verb) => works::judge(&config, &verb).await,
        Verb::Receipts { files } => hand_in(&config, &files),
        Verb::Withdraw { subject, why } => withdraw(&config, &subject, &why),
        Verb::Retry => retry(&config),
        Verb::Status => status(&config),
        Verb::Serve => anyhow::bail!("`serve` is a service of its own"),
    }
}

fn store(config: &Config) -> anyhow::Result<Store> {
    Ok(Store::open(&config.data_dir, config.genesis)?)
}

fn read(file: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn hand_in(config: &Config, files: &[std::path::PathBuf]) -> anyhow::Result<Answer> {
    // All are checked before one is kept.
    let mut signed = Vec::new();
    for file in files {
        let receipt = believe(config, &read(file)?).with_context(|| format!("{}", file.display()))?;
        signed.push(receipt);
    }
    let mut store = store(config)?;
    let (mut lines, mut told) = (Vec::new(), Vec::new());
    for receipt in &signed {
        let id = hex::encode(receipt.receipt().id);
        let state = format!("{:?}", store.hand_in(receipt)?).to_lowercase();
        lines.push(format!("{id} {state}"));
        told.push(json!({ "receipt": id, "state": state }));
    }
    Ok(Answer::new(json!(told), lines.join("\n")))
}

fn withdraw(config: &Config, subject: &str, why: &str) -> anyhow::Result<Answer> {
    let is_withdrawn = store(config)?.withdraw(subject, why)?;
    anyhow::ensure!(
        is_withdrawn,
        "nothing stands under `{subject}`: it earned nothing, or was taken back before"
    );
    Ok(Answer::new(json!({ "withdrawn": subject }), format!("what {subject} earned is taken back")))
}

fn retry(config: &Config) -> anyhow::Result<Answer> {
    let count = store(config)?.retry()?;
    Ok(Answer::new(json!({ "told_again": count }), format!("{count} told again")))
}

fn status(config: &Config) -> anyhow::Result<Answer> {
    let figures = store(config)?.figures()?;
    let pairs = [
        ("standing", figures.standing),
        ("withdrawn", figures.withdrawn),
        ("waiting", figures.waiting),
        ("refused", figures.refused),
        ("held", figures.held),
        ("receipts", figures.receipts),
    ];
    let json = pairs.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
    let human: Vec<String> = pairs.iter().map(|(name, count)| format!("{name:<10} {count}")).collect();
    Ok(Answer::new(Value::Object(json), human.join("\n")))
}
