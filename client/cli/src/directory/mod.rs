//! The directory: which person an account is.
//!
//! Nothing on the chain names a person. HR keeps the names, employee numbers and departments in a file of
//! its own, encrypted ([`file`]); without that file and its passphrase nobody learns from the chain whose
//! a wallet is.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use stipend_sdk::primitives::AccountId;
use zeroize::Zeroizing;

use crate::{failure::Failure, files, parse, who};

mod file;
pub(crate) mod passphrase;
pub(crate) mod table;

/// Bytes of one field: a name with all its parts, and room.
const FIELD_LEN_MAX: usize = 200;

/// A person and the account that holds their entitlements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Person {
    /// As HR writes it.
    pub(crate) name: String,
    /// Employee number; empty if there is none.
    #[serde(default)]
    pub(crate) number: String,
    /// Department; empty if there is none.
    #[serde(default)]
    pub(crate) department: String,
    /// Whose wallet.
    pub(crate) account: AccountId,
}

/// Everybody, in order of name and number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct People(Vec<Person>);

impl People {
    /// Everybody.
    pub(crate) fn all(&self) -> &[Person] {
        &self.0
    }

    /// Adds a person, or says why that would make somebody's name mean two people.
    pub(crate) fn add(&mut self, person: Person) -> Result<(), String> {
        check(&person)?;
        for known in &self.0 {
            if known.account == person.account {
                let address = parse::address(&known.account);
                return Err(format!("{address} is {} already; an account is one person's", known.name));
            }
            if !person.number.is_empty() && same(&known.number, &person.number) {
                return Err(format!("{} has the number {} already", known.name, known.number));
            }
            if same(&known.name, &person.name) && (known.number.is_empty() || person.number.is_empty()) {
                return Err(format!(
                    "there is a {} already; give both an employee number to tell them apart",
                    known.name
                ));
            }
            if same(&known.name, &person.number) || same(&known.number, &person.name) {
                return Err(format!("the name or number of {} would mean two people", known.name));
            }
        }
        self.0.push(person);
        self.0.sort_by_cached_key(|person| (person.name.to_lowercase(), person.number.clone()));
        Ok(())
    }

    /// The person of a name, an employee number or an account. Upper and lower case are the same.
    pub(crate) fn find(&self, text: &str) -> Result<&Person, String> {
        if let Ok(account) = parse::account(text) {
            return self
                .of(&account)
                .ok_or_else(|| format!("the directory knows nobody with the account {text}"));
        }
        let found: Vec<&Person> =
            self.0.iter().filter(|person| same(&person.name, text) || same(&person.number, text)).collect();
        match found.as_slice() {
            [person] => Ok(person),
            [] => Err(format!(
                "the directory knows no \"{text}\"; write the whole name or the employee number as `stipend directory list` shows it"
            )),
            several => {
                let numbers: Vec<&str> = several.iter().map(|person| person.number.as_str()).collect();
                Err(format!(
                    "there are {} people named \"{text}\"; write the employee number instead: {}",
                    several.len(),
                    numbers.join(" or ")
                ))
            }
        }
    }

    /// The person with an account.
    pub(crate) fn of(&self, account: &AccountId) -> Option<&Person> {
        self.0.iter().find(|person| person.account == *account)
    }

    /// Takes a person out.
    pub(crate) fn remove(&mut self, account: &AccountId) {
        self.0.retain(|person| person.account != *account);
    }
}

fn same(one: &str, other: &str) -> bool {
    !one.is_empty() && one.to_lowercase() == other.to_lowercase()
}

fn check(person: &Person) -> Result<(), String> {
    if person.name.trim().is_empty() {
        return Err("the name is empty".into());
    }
    for field in [&person.name, &person.number, &person.department] {
        if field.len() > FIELD_LEN_MAX {
            return Err(format!("\"{field}\" is longer than {FIELD_LEN_MAX} bytes"));
        }
        if field.chars().any(char::is_control) {
            return Err("a control character is in a field; write plain text".into());
        }
    }
    if [&person.name, &person.number].into_iter().any(|text| who::is_written_as_account(text)) {
        return Err(format!("\"{}\" would be read as an account; write a name", person.name));
    }
    Ok(())
}

/// An open directory: everybody, the file that they are in and what encrypts it.
pub(crate) struct Directory {
    path: PathBuf,
    passphrase: Zeroizing<String>,
    pub(crate) people: People,
}

impl Directory {
    /// A directory without anybody, in a file that is made when it is first saved.
    pub(crate) fn new(path: &Path, passphrase: Zeroizing<String>) -> Self {
        Directory { path: path.to_owned(), passphrase, people: People::default() }
    }

    /// Reads and decrypts a file.
    pub(crate) fn open(path: &Path, passphrase: Zeroizing<String>) -> Result<Self, Failure> {
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::bad_input(format!("the directory {}: {error}", path.display()))
        };
        let sealed = std::fs::read(path).map_err(|error| {
            Failure::bad_input(format!(
                "cannot read the directory {}: {error}; check the path, or make it with `stipend directory add`",
                path.display()
            ))
        })?;
        let plain = file::open(&sealed, &passphrase).map_err(|error| wrong(&error))?;
        let people = serde_json::from_slice(&plain).map_err(|error| wrong(&error))?;
        Ok(Directory { path: path.to_owned(), passphrase, people })
    }

    /// The same under another passphrase, once it is saved.
    pub(crate) fn under(self, passphrase: Zeroizing<String>) -> Self {
        Directory { passphrase, ..self }
    }

    /// Encrypts and writes the file anew: whatever happens in between, the old or the new one is there.
    pub(crate) fn save(&self) -> Result<()> {
        let plain = Zeroizing::new(serde_json::to_vec(&self.people)?);
        let sealed = file::seal(&plain, &self.passphrase)?;
        files::replace(&self.path, &sealed).map_err(|error| {
            Failure::bad_input(format!("cannot write the directory {}: {error}", self.path.display())).into()
        })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn person(name: &str, number: &str, account: &str) -> Person {
        Person {
            name: name.into(),
            number: number.into(),
            department: "Research".into(),
            account: parse::account(account).unwrap(),
        }
    }

    fn people() -> People {
        let mut people = People::default();
        people.add(person("Grace Hopper", "8", "//Bob")).unwrap();
        people.add(person("Ada Lovelace", "7", "//Alice")).unwrap();
        people
    }

    #[test]
    fn a_person_is_found_by_name_number_and_account() {
        let people = people();
        let alice = parse::account("//Alice").unwrap();
        for text in ["Ada Lovelace", "ada lovelace", "7", "//Alice", &parse::address(&alice)] {
            assert_eq!(people.find(text).unwrap().account, alice, "{text}");
        }
        assert!(people.find("Ada").unwrap_err().contains("directory list"));
        assert!(people.find("//Eve").unwrap_err().contains("knows nobody"));
        assert_eq!(people.all()[0].name, "Ada Lovelace");
    }

    #[test]
    fn nobody_can_be_taken_for_somebody_else() {
        for (name, number, account, reason) in [
            ("Ada Lovelace", "", "//Eve", "give both an employee number"),
            ("Ada King", "7", "//Eve", "has the number 7 already"),
            ("Ada King", "9", "//Alice", "is Ada Lovelace already"),
            ("8", "9", "//Eve", "would mean two people"),
            ("Eve", "grace hopper", "//Eve", "would mean two people"),
            (" ", "9", "//Eve", "the name is empty"),
            ("//Alice", "9", "//Eve", "read as an account"),
            ("E\u{1b}[2Jve", "9", "//Eve", "control character"),
        ] {
            let error = people().add(person(name, number, account)).unwrap_err();
            assert!(error.contains(reason), "{name} {number}: {error}");
        }
    }

    #[test]
    fn people_of_one_name_are_told_apart_by_their_numbers() {
        let mut people = people();
        people.add(person("Ada Lovelace", "9", "//Eve")).unwrap();
        let error = people.find("Ada Lovelace").unwrap_err();
        assert!(error.contains("7 or 9"), "{error}");
        assert_eq!(people.find("9").unwrap().account, parse::account("//Eve").unwrap());
    }

    #[test]
    fn what_is_saved_is_read_back_by_its_passphrase_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people");
        let secret = |text: &str| Zeroizing::new(text.to_owned());
        let mut directory = Directory::new(&path, secret("open sesame"));
        directory.people = people();
        directory.save().unwrap();
        assert_eq!(Directory::open(&path, secret("open sesame")).unwrap().people, people());
        let error = Directory::open(&path, secret("open says me")).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("passphrase is wrong"), "{error}");
        directory.under(secret("swordfish, twice")).save().unwrap();
        assert!(Directory::open(&path, secret("open sesame")).is_err());
        assert_eq!(Directory::open(&path, secret("swordfish, twice")).unwrap().people, people());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("Ada") && !text.contains(&parse::address(&people().all()[0].account)));
    }
}
