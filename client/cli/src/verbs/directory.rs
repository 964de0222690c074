//! `stipend directory`: which person an account is.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Subcommand;
use serde_json::{json, Value};
use stipend_sdk::primitives::AccountId;

use crate::{
    context::Context,
    directory::{passphrase, table, Directory, Person},
    failure::Failure,
    files,
    output::{Answer, Rows},
    parse,
};

/// The directory. Its file is encrypted and stays with you: nothing in it is ever sent anywhere.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Add a person. The first one makes the file.
    Add {
        /// The name, in quotes if it has blanks.
        name: String,
        /// The account that holds the person's entitlements.
        #[arg(value_parser = parse::account)]
        account: AccountId,
        /// Employee number.
        #[arg(long, default_value = "")]
        number: String,
        /// Department.
        #[arg(long, default_value = "")]
        department: String,
    },
    /// Show everybody.
    List {
        /// Only this department.
        #[arg(long)]
        department: Option<String>,
    },
    /// Show one person.
    Show {
        /// The name, the employee number or the account.
        who: String,
    },
    /// Take a person out; the account keeps what it has.
    Remove {
        /// The name, the employee number or the account.
        who: String,
    },
    /// Add everybody in a CSV file with the columns name, number, department, account; all or nobody.
    Import {
        /// The file; `-` reads standard input.
        file: PathBuf,
    },
    /// Write everybody into a CSV file that is not encrypted and that only you can read.
    Export {
        /// The file; it must not exist.
        file: PathBuf,
    },
    /// Encrypt the directory under another passphrase. Copies of the file keep the old one.
    Rekey {
        /// File with the new passphrase in its first line; you are asked if it is not given.
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Add { name, account, number, department } => {
                let person = Person { name, number, department, account };
                let mut directory = open_or_new(context)?;
                directory.people.add(person.clone()).map_err(Failure::bad_input)?;
                would_write(
                    context,
                    json!(person),
                    &format!("{} would be added to", person.name),
                    directory.path(),
                )?;
                directory.save()?;
                let human = format!("{} is in {}", person.name, directory.path().display());
                Answer::new(&person, human)
            }
            Verb::List { department } => {
                let people = context.directory()?.people.all().iter();
                let wanted = department.map(|department| department.to_lowercase());
                let is_wanted = |person: &&Person| {
                    wanted.as_ref().is_none_or(|wanted| person.department.to_lowercase() == *wanted)
                };
                list(people.filter(is_wanted))
            }
            Verb::Show { who } => {
                let person = context.directory()?.people.find(&who).map_err(Failure::not_found)?;
                list(std::iter::once(person)).and_then(|shown| Answer::new(person, shown.human))
            }
            Verb::Remove { who } => {
                let mut directory = open_or_new(context)?;
                let person = directory.people.find(&who).map_err(Failure::not_found)?.clone();
                directory.people.remove(&person.account);
                let human = format!("{} would be taken out of", person.name);
                would_write(context, json!(person), &human, directory.path())?;
                directory.save()?;
                let human = format!(
                    "{} is no longer in {}; copies of the file still name them",
                    person.name,
                    directory.path().display()
                );
                Answer::new(&person, human)
            }
            Verb::Import { file } => import(context, &file),
            Verb::Export { file } => export(context, &file),
            Verb::Rekey { new_passphrase_file } => {
                let path = context.directory_path()?;
                let known = passphrase::known(context.options.passphrase_file.as_deref())?;
                let directory = Directory::open(path, known)?;
                would_write(
                    context,
                    json!({ "directory": path }),
                    "there would be another passphrase for",
                    path,
                )?;
                directory.under(passphrase::another(new_passphrase_file.as_deref())?).save()?;
                let human = format!("{} has another passphrase", path.display());
                Answer::new(json!({ "directory": path }), human)
            }
        }
    }
}

/// Ends a dry run where a file would be written.
fn would_write(context: &Context, what: Value, human: &str, file: &Path) -> Result<()> {
    context.would(what, || format!("{human} {}", file.display()))
}

/// The directory to change; one without anybody if there is no file yet.
fn open_or_new(context: &Context) -> Result<Directory, Failure> {
    let (path, file) = (context.directory_path()?, context.options.passphrase_file.as_deref());
    if path.exists() {
        Directory::open(path, passphrase::known(file)?)
    } else {
        Ok(Directory::new(path, passphrase::new(file)?))
    }
}

fn list<'a>(people: impl Iterator<Item = &'a Person>) -> Result<Answer> {
    let people: Vec<&Person> = people.collect();
    let mut rows = Rows::new(&["name", "number", "department", "account"], "there is nobody");
    for Person { name, number, department, account } in &people {
        rows.push([name.clone(), number.clone(), department.clone(), parse::address(account)]);
    }
    Answer::new(&people, rows.finish())
}

fn import(context: &Context, file: &Path) -> Result<Answer> {
    let unreadable = |error| Failure::bad_input(format!("cannot read {}: {error}", file.display()));
    let input: Box<dyn Read> = match file == Path::new("-") {
        true => Box::new(std::io::stdin()),
        false => Box::new(File::open(file).map_err(unreadable)?),
    };
    let mut directory = open_or_new(context)?;
    let (people, added) = table::read(input, &directory.people).map_err(|faults| {
        let list = faults.join("\n  ");
        Failure::bad_input(format!(
            "{} has faults; nobody was added. Mend the file and run the command again.\n  {list}",
            file.display()
        ))
    })?;
    directory.people = people;
    let count = directory.people.all().len();
    let json = json!({ "added": added, "people": count, "directory": directory.path() });
    would_write(context, json.clone(), &format!("{added} people would be added to"), directory.path())?;
    directory.save()?;
    let new = if added == 1 { "1 person is".to_owned() } else { format!("{added} people are") };
    let human = format!("{new} new; {} has {count}", directory.path().display());
    Answer::new(json, human)
}

fn export(context: &Context, file: &Path) -> Result<Answer> {
    let people = &context.directory()?.people;
    let text = table::write(people)?;
    let json = json!({ "people": people.all().len(), "file": file });
    would_write(context, json.clone(), &format!("{} people would be written to", people.all().len()), file)?;
    files::write_new(file, &text).map_err(|error| {
        Failure::bad_input(format!("cannot write {}: {error}; a file is never overwritten", file.display()))
    })?;
    let human = format!(
        "{} people are in {}, readable without a passphrase: remove it when you are done with it",
        people.all().len(),
        file.display()
    );
    Answer::new(json, human)
}
