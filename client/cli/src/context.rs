//! What every verb shares: the node, the key, the form of the answer.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use stipend_sdk::{
    primitives::{AccountId, ClassId},
    Client, CouncilAct, Finalised, RpcError, RuntimeCall, Signer, Snapshot,
};
use tokio::sync::OnceCell;

use crate::{
    directory::{passphrase, Directory, Person},
    failure::Failure,
    output::Answer,
    parse, verbs,
    who::Who,
};

/// Options of every verb.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The node's RPC address.
    #[arg(
        long,
        global = true,
        env = "STIPEND_RPC_URL",
        hide_env_values = true,
        default_value = "ws://127.0.0.1:9944"
    )]
    pub(crate) url: String,
    /// File of the key that signs: 64 hex digits, readable by its owner only.
    #[arg(long, global = true, env = "STIPEND_KEY_FILE", hide_env_values = true, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Sign with a development key that everybody has, such as //Alice, instead of the key file.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) dev_key: Option<String>,
    /// Do not wait for finality: read the newest block, and be content with one that holds the call. For
    /// the day when nothing becomes final any more; what is answered can still be undone.
    #[arg(long, global = true)]
    pub(crate) not_final: bool,
    /// The directory, which lets people be named where an account is asked for.
    #[arg(long, global = true, env = "STIPEND_DIRECTORY", hide_env_values = true, value_name = "FILE")]
    pub(crate) directory: Option<PathBuf>,
    /// File with the directory's passphrase in its first line. Without it, STIPEND_DIRECTORY_PASSPHRASE is
    /// looked at, and then you are asked.
    #[arg(
        long,
        global = true,
        env = "STIPEND_DIRECTORY_PASSPHRASE_FILE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Answer in JSON: amounts are strings of micro-credits, times Unix milliseconds.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The node, the key and the form of the answer, each looked up when it is first needed.
pub(crate) struct Context {
    pub(crate) options: Options,
    client: OnceCell<Client>,
    directory: OnceLock<Result<Directory, Failure>>,
}

impl Context {
    pub(crate) fn new(options: Options) -> Self {
        Context { options, client: OnceCell::new(), directory: OnceLock::new() }
    }

    /// The client, connected on first use.
    pub(crate) async fn client(&self) -> Result<&Client> {
        let client = self.client.get_or_try_init(|| async {
            let client = Client::connect(&self.options.url).await?;
            Ok::<_, RpcError>(if self.options.not_final { client.without_finality() } else { client })
        });
        Ok(client.await?)
    }

    /// The ledger as of the newest finalised block, or of the newest one with --not-final.
    pub(crate) async fn ledger(&self) -> Result<Snapshot> {
        Ok(self.client().await?.latest().await?)
    }

    /// The key that signs.
    pub(crate) fn signer(&self) -> Result<Signer> {
        match (&self.options.key, &self.options.dev_key) {
            (_, Some(name)) => Ok(Signer::from_uri(name)?),
            (Some(file), None) => Ok(Signer::from_file(file)?),
            (None, None) => Err(Failure::usage(
                "this needs a key to sign with, and none was named; give --key FILE (or STIPEND_KEY_FILE), or --dev-key //Alice on a development chain; `stipend keys new` makes a key",
            )
            .into()),
        }
    }

    /// The directory, opened on first use.
    pub(crate) fn directory(&self) -> Result<&Directory, Failure> {
        let open = || {
            let path = self.directory_path()?;
            Directory::open(path, passphrase::known(self.options.passphrase_file.as_deref())?)
        };
        self.directory.get_or_init(open).as_ref().map_err(Clone::clone)
    }

    /// Where the directory is.
    pub(crate) fn directory_path(&self) -> Result<&Path, Failure> {
        self.options.directory.as_deref().ok_or_else(|| {
            Failure::usage(
                "there is no directory; name its file with --directory FILE (or STIPEND_DIRECTORY)",
            )
        })
    }

    /// Why the directory could not be opened, if that was tried.
    pub(crate) fn directory_failure(&self) -> Option<Failure> {
        self.directory.get().and_then(|directory| directory.as_ref().err().cloned())
    }

    /// Reads an account or a person's name.
    pub(crate) fn read_account(&self, text: &str) -> Result<AccountId, String> {
        match text.parse::<Who>()? {
            Who::Account(account) => Ok(account),
            Who::Person(name) if self.options.directory.is_some() => {
                let directory = self.directory().map_err(|failure| failure.to_string())?;
                directory.people.find(&name).map(|person| person.account.clone())
            }
            Who::Person(_) => parse::account(text).map_err(|reason| {
                format!("{reason}; or name the directory that knows this person, with --directory FILE (or STIPEND_DIRECTORY)")
            }),
        }
    }

    /// The account of whoever was named.
    pub(crate) fn account(&self, who: &Who) -> Result<AccountId> {
        match who {
            Who::Account(account) => Ok(account.clone()),
            Who::Person(name) => {
                let account = self.read_account(name);
                Ok(account
                    .map_err(|reason| self.directory_failure().unwrap_or_else(|| Failure::usage(reason)))?)
            }
        }
    }

    /// The account that was named, or the key's own.
    pub(crate) fn account_or_own(&self, named: Option<Who>) -> Result<AccountId> {
        match named {
            Some(who) => self.account(&who),
            None if self.options.key.is_none() && self.options.dev_key.is_none() => Err(Failure::usage(
                "whose? name an account, or your key with --key FILE (or STIPEND_KEY_FILE)",
            )
            .into()),
            None => Ok(self.signer()?.account()),
        }
    }

    /// Who an account is, by the directory if it was opened.
    pub(crate) fn person(&self, account: &AccountId) -> Option<&Person> {
        let directory = self.directory.get().and_then(|directory| directory.as_ref().ok());
        directory.and_then(|directory| directory.people.of(account))
    }

    /// A person's name, where [`Self::person`] knows them; else the address.
    pub(crate) fn name_of(&self, account: &AccountId) -> String {
        self.person(account).map_or_else(|| parse::address(account), |person| person.name.clone())
    }

    /// Signs a call, sends it, and waits until it can never be undone.
    pub(crate) async fn carry_out(&self, call: impl Into<RuntimeCall>) -> Result<Finalised> {
        let signer = self.signer()?;
        let client = self.client().await?;
        let spinner = self.spinner("waiting for the block");
        let done = client.submit_finalised(call.into(), &signer).await;
        spinner.finish_and_clear();
        Ok(done?)
    }

    /// Has the council carry a call out and answers with what that means; or, where the signer is not
    /// the council's only member, proposes it and answers with what is still needed.
    pub(crate) async fn council(
        &self,
        call: impl Into<RuntimeCall>,
        what: Value,
        human: String,
    ) -> Result<Answer> {
        self.council_with(call, |done| Answer::done(done, what, human)).await
    }

    /// The same, where the answer depends on what the call said while it was carried out.
    pub(crate) async fn council_with(
        &self,
        call: impl Into<RuntimeCall>,
        done: impl FnOnce(&Finalised) -> Answer,
    ) -> Result<Answer> {
        let signer = self.signer()?;
        let client = self.client().await?;
        let spinner = self.spinner("waiting for the block");
        let act = client.council_act(call.into(), &signer).await;
        spinner.finish_and_clear();
        Ok(match act? {
            CouncilAct::Done(finalised) => done(&finalised),
            CouncilAct::Proposed { motion, at } => verbs::council::proposed(&motion, &at),
        })
    }

    /// A class by number or name.
    pub(crate) async fn class(&self, text: &str) -> Result<ClassId> {
        if let Ok(number) = text.parse() {
            return Ok(ClassId(number));
        }
        let classes = self.ledger().await?.classes().await?;
        let found = classes.iter().find(|(_, class)| parse::text(&class.name).eq_ignore_ascii_case(text));
        found.map(|(id, _)| *id).ok_or_else(|| {
            let names: Vec<_> = classes.iter().map(|(_, class)| parse::text(&class.name)).collect();
            Failure::not_found(format!("there is no class \"{text}\"; there are {}", names.join(", "))).into()
        })
    }

    /// Something that moves while the command waits; nothing where nobody looks.
    pub(crate) fn spinner(&self, message: &'static str) -> ProgressBar {
        if self.options.json {
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::new_spinner().with_message(message);
        spinner.enable_steady_tick(Duration::from_millis(120));
        spinner
    }

    /// A bar over `count` things; nothing where nobody looks.
    pub(crate) fn bar(&self, count: u64, message: &'static str) -> ProgressBar {
        if self.options.json {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} ({eta} left)")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(count).with_style(style).with_message(message)
    }
}
