//! An account as people name it.

use std::str::FromStr;

use stipend_sdk::primitives::AccountId;

use crate::parse;

/// The shortest address is longer than this, and no name is so long without a blank.
const ADDRESS_LEN_MIN: usize = 40;

/// An account by itself, or a person of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// An account.
    Account(AccountId),
    /// A name or an employee number that the directory knows.
    Person(String),
}

impl FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match parse::account(text) {
            Ok(account) => Ok(Who::Account(account)),
            // A mistyped address is never looked up as a name.
            Err(reason) if is_written_as_account(text) => Err(reason),
            Err(_) if text.trim().is_empty() => Err("a name cannot be empty".into()),
            Err(_) => Ok(Who::Person(text.trim().to_owned())),
        }
    }
}

/// Whether a text is meant to be an account and can be no name.
pub(crate) fn is_written_as_account(text: &str) -> bool {
    let long_word = text.len() >= ADDRESS_LEN_MIN && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.starts_with("//") || text.starts_with("0x") || long_word
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn addresses_are_accounts_and_everything_else_is_a_person() {
        let alice = parse::account("//Alice").unwrap();
        assert_eq!("//Alice".parse::<Who>(), Ok(Who::Account(alice.clone())));
        assert_eq!(parse::address(&alice).parse::<Who>(), Ok(Who::Account(alice)));
        for name in ["ada", "Ada Lovelace", "4711", "Łukasz"] {
            assert_eq!(name.parse::<Who>(), Ok(Who::Person(name.into())));
        }
    }

    #[test]
    fn a_mistyped_address_is_no_name() {
        let mut mistyped = parse::address(&parse::account("//Alice").unwrap());
        let last = mistyped.pop().unwrap();
        mistyped.push(if last == 'x' { 'y' } else { 'x' });
        for text in [mistyped.as_str(), "0x12", "//", ""] {
            assert!(text.parse::<Who>().is_err(), "{text}");
        }
    }
}
