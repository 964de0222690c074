//! Profiles: what would else stand on every command line, one set per network, in a file.
//!
//! A profile's settings are the defaults of the options of the same names. So a flag beats the environment, and the
//! environment beats the profile, by the rules of the argument parser and of nothing else.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{Arg, Command};
use serde::Deserialize;
use toml::Spanned;

use crate::failure::Failure;

#[cfg(test)]
mod tests;

/// Names the file, where it is not in its usual place.
pub(crate) const FILE_VARIABLE: &str = "STIPEND_CONFIG";

/// Names the profile.
pub(crate) const NAME_VARIABLE: &str = "STIPEND_PROFILE";

/// What a profile can set: the setting, whether it is a path, and the variable that beats it.
pub(crate) const SETTINGS: [(&str, bool, &str); 7] = [
    ("url", false, "STIPEND_RPC_URL"),
    ("chain", false, "STIPEND_CHAIN"),
    ("key", true, "STIPEND_KEY_FILE"),
    ("directory", true, "STIPEND_DIRECTORY"),
    ("passphrase_file", true, "STIPEND_DIRECTORY_PASSPHRASE_FILE"),
    ("wallet_service", false, "STIPEND_WALLET_SERVICE"),
    ("gateway", false, "STIPEND_GATEWAY_URL"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    default: Option<Spanned<String>>,
    #[serde(default)]
    profile: BTreeMap<String, Fields>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    url: Option<Spanned<String>>,
    chain: Option<Spanned<String>>,
    key: Option<Spanned<String>>,
    directory: Option<Spanned<String>>,
    passphrase_file: Option<Spanned<String>>,
    wallet_service: Option<Spanned<String>>,
    gateway: Option<Spanned<String>>,
}

/// One line of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// What it sets.
    pub(crate) name: &'static str,
    /// To what; of a path, from the root on.
    pub(crate) value: String,
    /// The line of the file that it stands on.
    pub(crate) line: usize,
}

/// The file of profiles.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    /// Where it is; `None` if there is none.
    pub(crate) file: Option<PathBuf>,
    /// The profile that is used if none is named.
    pub(crate) default: Option<String>,
    /// All of them.
    pub(crate) all: BTreeMap<String, Vec<Setting>>,
}

impl Profiles {
    /// Reads the file, if there is one.
    pub(crate) fn load() -> Result<Self, Failure> {
        let (file, is_named) = match std::env::var_os(FILE_VARIABLE) {
            Some(file) if file.is_empty() => {
                return Err(Failure::bad_input(format!("{FILE_VARIABLE} is empty; name a file, or unset it")))
            }
            Some(file) => (PathBuf::from(file), true),
            None => match usual_place() {
                Some(file) => (file, false),
                None => return Ok(Profiles::default()),
            },
        };
        match std::fs::read_to_string(&file) {
            Ok(text) => Self::read(&file, &text),
            Err(error) if !is_named && error.kind() == std::io::ErrorKind::NotFound => Ok(Profiles::default()),
            Err(error) => Err(Failure::bad_input(format!(
                "cannot read the configuration file {}: {error}; mend that, or name another with {FILE_VARIABLE}",
                file.display()
            ))),
        }
    }

    fn read(file: &Path, text: &str) -> Result<Self, Failure> {
        let at = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
        let wrong = |line: usize, what: &str| {
            Failure::bad_input(format!(
                "{}, line {line}: {what}; `stipend profile --help` says what a profile may hold: addresses and paths, \
                 never a secret",
                file.display()
            ))
        };
        let content: Content = toml::from_str(text).map_err(|error| {
            // The error's own words only: the line itself may hold what nobody should print.
            let line = error.span().map_or(1, |span| at(span.start));
            wrong(line, error.message())
        })?;
        let mut all = BTreeMap::new();
        for (name, fields) in content.profile {
            let mut settings = Vec::new();
            for ((setting, is_path, _), value) in SETTINGS.into_iter().zip(fields.in_order()) {
                let Some(value) = value else { continue };
                let (line, value) = (at(value.span().start), value.into_inner());
                if value.trim().is_empty() {
                    return Err(wrong(line, &format!("`{setting}` is empty")));
                }
                if is_path && looks_like_a_key(&value) {
                    let what = format!("`{setting}` holds a key; write the path of the file that holds it, and make a new key");
                    return Err(wrong(line, &what));
                }
                let value = if is_path { rooted(file, &value) } else { value };
                settings.push(Setting { name: setting, value, line });
            }
            all.insert(name, settings);
        }
        if let Some(default) = &content.default {
            if !all.contains_key(default.get_ref()) {
                let what =
                    format!("`default` names the profile \"{}\", which is not there", default.get_ref());
                return Err(wrong(at(default.span().start), &what));
            }
        }
        Ok(Profiles { file: Some(file.to_owned()), default: content.default.map(Spanned::into_inner), all })
    }

    /// The name of the profile in force: that of the command line, of the environment, or of the file.
    pub(crate) fn chosen(&self, arguments: &[OsString]) -> Option<String> {
        let variable = || std::env::var(NAME_VARIABLE).ok().filter(|name| !name.is_empty());
        named(arguments).or_else(variable).or_else(|| self.default.clone())
    }

    /// The settings of a profile.
    pub(crate) fn get(&self, name: &str) -> Result<&[Setting], Failure> {
        self.all.get(name).map(Vec::as_slice).ok_or_else(|| {
            let known: Vec<&str> = self.all.keys().map(String::as_str).collect();
            let why = match &self.file {
                None => format!("there is no configuration file; make one at {}", usual_place_text()),
                Some(file) if known.is_empty() => format!("{} has none", file.display()),
                Some(file) => format!("{} has {}", file.display(), known.join(", ")),
            };
            Failure::usage(format!("there is no profile \"{name}\": {why}"))
        })
    }
}

impl Fields {
    /// The values in the order of [`SETTINGS`].
    fn in_order(self) -> [Option<Spanned<String>>; 7] {
        let Fields { url, chain, key, directory, passphrase_file, wallet_service, gateway } = self;
        [url, chain, key, directory, passphrase_file, wallet_service, gateway]
    }
}

/// Makes the settings of a profile the defaults of the options that they are named after.
pub(crate) fn apply(command: Command, settings: &[Setting]) -> Command {
    settings.iter().fold(command, |command, setting| {
        // Lives as long as the command, which is as long as the program.
        let value: &'static str = Box::leak(setting.value.clone().into_boxed_str());
        let default = move |option: Arg| option.required(false).default_value(value);
        match setting.name {
            "wallet_service" => command
                .mut_subcommand("statement", |verb| verb.mut_arg("wallet_service", default))
                .mut_subcommand("wallet", |verbs| {
                    verbs.mut_subcommand("sign-in", |verb| verb.mut_arg("wallet_service", default))
                }),
            "gateway" => command.mut_subcommand("receipts", |verbs| {
                verbs.mut_subcommand("fetch", |verb| verb.mut_arg("gateway", default))
            }),
            of_every_verb => command.mut_arg(of_every_verb, default),
        }
    })
}

/// The profile that the command line names. Looked for before the command line is read, since it changes how that is read.
fn named(arguments: &[OsString]) -> Option<String> {
    let mut arguments = arguments.iter().filter_map(|argument| argument.to_str());
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--profile") {
            _ if argument == "--" => return None,
            Some("") => return arguments.next().map(str::to_owned),
            Some(rest) if rest.starts_with('=') => return Some(rest[1..].to_owned()),
            _ => {}
        }
    }
    None
}

fn usual_place() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    Some(folder?.join("stipend").join("config.toml"))
}

/// The usual place for people.
pub(crate) fn usual_place_text() -> String {
    usual_place().map_or_else(|| "~/.config/stipend/config.toml".into(), |file| file.display().to_string())
}

/// A path of the file, from the root on: `~` is the home folder, and what is relative is beside the file.
fn rooted(file: &Path, value: &str) -> String {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    let path = match value.strip_prefix("~/") {
        Some(rest) => home().map(|home| home.join(rest)),
        None => file.parent().map(|folder| folder.join(value)),
    };
    path.map_or_else(|| value.to_owned(), |path| path.display().to_string())
}

/// Whether somebody wrote the key where its file's name belongs.
fn looks_like_a_key(value: &str) -> bool {
    let digits = value.trim().trim_start_matches("0x");
    digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}
