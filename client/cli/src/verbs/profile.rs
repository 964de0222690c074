//! `stipend profile`: what the configuration file says, and whether it can be used.

use std::path::Path;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{json, Map, Value};
use stipend_sdk::Signer;

use crate::{
    context::Context,
    directory::passphrase,
    failure::Failure,
    output::{yes, Answer, Rows},
    parse,
    profile::{usual_place_text, Profiles, Setting, SETTINGS},
};

/// Profiles. The file is ~/.config/stipend/config.toml, or below XDG_CONFIG_HOME, or what STIPEND_CONFIG names:
/// a line `default = "NAME"`, and for each profile a table `[profile.NAME]` with any of url, chain, key, directory,
/// passphrase_file, wallet_service and gateway. No secret stands in it, only addresses and paths.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show the profiles of the configuration file.
    List,
    /// Show what a profile sets, and what of it the environment overrides.
    Show {
        /// The profile; the one in force if it is not given.
        name: Option<String>,
    },
    /// Say what is wrong with the profiles: files that are not there or open to others, addresses that are none.
    Check {
        /// The profile; all of them if it is not given.
        name: Option<String>,
    },
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Answer> {
        let profiles = Profiles::load()?;
        match self {
            Verb::List => list(&profiles, &context.profile),
            Verb::Show { name } => match name.or_else(|| context.profile.clone()) {
                Some(name) => show(&profiles, &name, |variable| std::env::var(variable).ok()),
                None => Err(Failure::usage(format!(
                    "no profile is in force; name one, or let `default` name one in {}",
                    place(&profiles)
                ))
                .into()),
            },
            Verb::Check { name } => check(&profiles, name.as_deref()),
        }
    }
}

fn place(profiles: &Profiles) -> String {
    profiles.file.as_deref().map_or_else(usual_place_text, |file| file.display().to_string())
}

fn list(profiles: &Profiles, in_force: &Option<String>) -> Result<Answer> {
    let mut rows = Rows::new(&["profile", "in force", "url", "key"], "there is no profile");
    let mut all = Vec::new();
    for (name, settings) in &profiles.all {
        let is_in_force = in_force.as_ref() == Some(name);
        rows.push([name.clone(), yes(is_in_force), value(settings, "url"), value(settings, "key")]);
        let mut json = settings_json(settings);
        json.insert("name".into(), name.as_str().into());
        json.insert("in_force".into(), is_in_force.into());
        all.push(Value::Object(json));
    }
    let human = format!("{}\nThe file: {}", rows.finish(), place(profiles));
    Answer::new(json!({ "file": profiles.file, "profiles": all }), human)
}

fn value(settings: &[Setting], name: &str) -> String {
    let found = settings.iter().find(|setting| setting.name == name);
    found.map_or_else(|| "-".into(), |setting| setting.value.clone())
}

fn settings_json(settings: &[Setting]) -> Map<String, Value> {
    settings.iter().map(|setting| (setting.name.to_owned(), setting.value.as_str().into())).collect()
}

fn show(profiles: &Profiles, name: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Answer> {
    let settings = profiles.get(name)?;
    let mut rows = Rows::new(&["setting", "value", "from"], "");
    let mut effective = Vec::new();
    for (setting, _, beaten_by) in SETTINGS {
        let of_profile = settings.iter().find(|known| known.name == setting);
        let found = match (variable(beaten_by), of_profile) {
            (Some(value), _) => Some((value, beaten_by.to_owned())),
            (None, Some(known)) => {
                Some((known.value.clone(), format!("profile {name}, line {}", known.line)))
            }
            (None, None) => None,
        };
        let (value, from) = found.unwrap_or_else(|| ("-".into(), "not set".into()));
        effective.push(json!({ "setting": setting, "value": value, "from": from }));
        rows.push([setting.into(), value, from]);
    }
    Answer::new(json!({ "name": name, "file": profiles.file, "settings": effective }), rows.finish())
}

fn check(profiles: &Profiles, name: Option<&str>) -> Result<Answer> {
    let mut findings = Vec::new();
    let mut count = 0;
    let wanted = match name {
        Some(name) => vec![(name, profiles.get(name)?)],
        None => profiles.all.iter().map(|(name, settings)| (name.as_str(), settings.as_slice())).collect(),
    };
    for (name, settings) in &wanted {
        count += 1;
        for setting in *settings {
            if let Err(why) = usable(setting) {
                let (line, what) = (setting.line, setting.name);
                findings.push(format!("line {line}, {what} of profile {name}: {why}"));
            }
        }
    }
    if !findings.is_empty() {
        return Err(Failure::bad_input(format!(
            "{} cannot be used as it is:\n  {}",
            place(profiles),
            findings.join("\n  ")
        ))
        .into());
    }
    let human = match count {
        0 => format!(
            "There is no profile. {} may hold some; `stipend profile --help` says how.",
            place(profiles)
        ),
        1 => format!("Nothing is wrong with the profile in {}.", place(profiles)),
        count => format!("Nothing is wrong with the {count} profiles in {}.", place(profiles)),
    };
    Answer::new(json!({ "file": profiles.file, "profiles": count, "findings": [] }), human)
}

/// Whether a setting can be used; if not, why not and what to do.
fn usable(setting: &Setting) -> Result<(), String> {
    let (value, path) = (setting.value.as_str(), Path::new(&setting.value));
    match setting.name {
        "url" => scheme(value, &["ws://", "wss://"]),
        "wallet_service" | "gateway" => scheme(value, &["http://", "https://"]),
        "chain" => parse::hash(value).map(drop),
        "key" => Signer::from_file(path).map(drop).map_err(|error| error.to_string()),
        "passphrase_file" => passphrase::readable(path).map_err(|failure| failure.to_string()),
        _ => std::fs::File::open(path).map(drop).map_err(|error| {
            format!("cannot read {value}: {error}; `stipend directory add` or `import` makes a directory")
        }),
    }
}

fn scheme(value: &str, schemes: &[&str]) -> Result<(), String> {
    if schemes.iter().any(|scheme| value.strip_prefix(scheme).is_some_and(|host| !host.is_empty())) {
        return Ok(());
    }
    Err(format!("\"{value}\" is no address; it begins with {}", schemes.join(" or ")))
}

#[cfg(test)]
mod tests;
