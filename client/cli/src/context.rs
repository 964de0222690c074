//! What every verb shares: the node, the key, the form of the answer.

use std::{path::Path, sync::OnceLock};

use anyhow::Result;
use indicatif::ProgressBar;
use serde_json::{json, Value};
use sp_core::H256;
use stipend_sdk::{
    council::call_name,
    primitives::{AccountId, ClassId},
    Client, CouncilAct, Finalised, RuntimeCall, Signer, Snapshot,
};
use tokio::sync::OnceCell;

use crate::{
    directory::{passphrase, Directory, Person},
    failure::Failure,
    output::{Answer, Planned},
    parse,
    progress::Progress,
    verbs,
    who::Who,
};

pub(crate) use self::options::Options;

mod options;

/// The node, the key and the form of the answer, each looked up when it is first needed.
pub(crate) struct Context {
    pub(crate) options: Options,
    /// The name of the profile in force.
    pub(crate) profile: Option<String>,
    client: OnceCell<Client>,
    directory: OnceLock<Result<Directory, Failure>>,
}

impl Context {
    pub(crate) fn new(options: Options, profile: Option<String>) -> Self {
        Context { options, profile, client: OnceCell::new(), directory: OnceLock::new() }
    }

    /// The client, connected on first use.
    pub(crate) async fn client(&self) -> Result<&Client> {
        let client = self.client.get_or_try_init(|| async {
            let client = Client::connect(&self.options.url).await?;
            self.ensure_chain(client.genesis())?;
            Ok::<_, anyhow::Error>(if self.options.not_final { client.without_finality() } else { client })
        });
        client.await
    }

    /// Refuses a chain that is not the one that is meant.
    fn ensure_chain(&self, found: H256) -> Result<(), Failure> {
        match self.options.chain {
            Some(meant) if meant != found => Err(Failure::bad_input(format!(
                "the node at {} is of another chain than is meant; nothing was sent: its genesis is {found:?}, and {meant:?} was asked for (--chain, STIPEND_CHAIN or the profile); mend the address or the hash",
                self.options.url
            ))),
            _ => Ok(()),
        }
    }

    /// In a dry run, ends the verb here with what it would do next. To be called before anything is signed,
    /// sent or written.
    pub(crate) fn would(&self, what: Value, human: impl FnOnce() -> String) -> Result<()> {
        if !self.options.dry_run {
            return Ok(());
        }
        Err(Planned(Answer::planned(what, &human())).into())
    }

    /// The same for a call.
    pub(crate) fn would_send(&self, call: &RuntimeCall, by_council: bool) -> Result<()> {
        if !self.options.dry_run {
            return Ok(());
        }
        let (act, arguments, by) = (call_name(call), format!("{call:?}"), self.signer()?.address());
        let how = if by_council { "signed, or proposed to the council, by" } else { "signed by" };
        let what = json!({ "act": act, "arguments": arguments, "signer": by, "council": by_council });
        self.would(what, || format!("{act} would be {how} {by}:\n  {arguments}"))
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
        let call = call.into();
        self.would_send(&call, false)?;
        let signer = self.signer()?;
        let client = self.client().await?;
        let spinner = self.spinner("waiting for the block");
        let done = client.submit_finalised(call, &signer).await;
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
        let call = call.into();
        self.would_send(&call, true)?;
        let signer = self.signer()?;
        let client = self.client().await?;
        let spinner = self.spinner("waiting for the block");
        let act = client.council_act(call, &signer).await;
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
        Progress::spinner(self.options.json, message)
    }

    /// How far `count` things are.
    pub(crate) fn bar(&self, count: u64, message: &'static str) -> Progress {
        Progress::bar(self.options.json, count, message)
    }
}

#[cfg(test)]
impl Context {
    /// One without a node or a key.
    #[allow(clippy::unwrap_used)]
    pub(crate) fn of_tests() -> Self {
        let arguments: crate::args::Arguments =
            clap::Parser::try_parse_from(["stipend", "profile", "list"]).unwrap();
        Context::new(arguments.options, None)
    }
}
