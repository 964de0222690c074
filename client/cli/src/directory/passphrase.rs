//! Where the directory's passphrase comes from: a file, the environment, or whoever sits at the terminal.
//! Never the command line, which other users of the machine can read.

use std::{io::IsTerminal, os::unix::fs::MetadataExt, path::Path};

use zeroize::Zeroizing;

use crate::failure::Failure;

/// The variable that may hold the passphrase.
pub(crate) const VARIABLE: &str = "STIPEND_DIRECTORY_PASSPHRASE";

/// Characters of a new passphrase.
const LEN_MIN: usize = 12;

/// The passphrase of a file that is there.
pub(crate) fn known(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    match given(file)? {
        Some(passphrase) => Ok(passphrase),
        None => ask("Passphrase of the directory: "),
    }
}

/// The passphrase of a new file: asked for twice, and long enough.
pub(crate) fn new(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    long_enough(given(file)?.map_or_else(ask_twice, Ok)?)
}

/// Another passphrase for a file that is there: from a file, or asked for twice.
pub(crate) fn another(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    long_enough(file.map_or_else(ask_twice, from_file)?)
}

fn ask_twice() -> Result<Zeroizing<String>, Failure> {
    let first = ask("New passphrase of the directory: ")?;
    if *first != *ask("The same again: ")? {
        return Err(Failure::bad_input("the two passphrases differ; nothing was changed"));
    }
    Ok(first)
}

fn long_enough(passphrase: Zeroizing<String>) -> Result<Zeroizing<String>, Failure> {
    if passphrase.chars().count() < LEN_MIN {
        return Err(Failure::bad_input(format!(
            "the passphrase is too short to protect names: take at least {LEN_MIN} characters, such as four words; nothing was changed"
        )));
    }
    Ok(passphrase)
}

fn given(file: Option<&Path>) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(file) = file {
        return from_file(file).map(Some);
    }
    match std::env::var(VARIABLE) {
        Ok(passphrase) if passphrase.is_empty() => Err(Failure::bad_input(format!("{VARIABLE} is empty"))),
        Ok(passphrase) => Ok(Some(Zeroizing::new(passphrase))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(_) => Err(Failure::bad_input(format!("{VARIABLE} is not text in UTF-8"))),
    }
}

/// Whether a file holds a passphrase that can be read; never what it is.
pub(crate) fn readable(file: &Path) -> Result<(), Failure> {
    from_file(file).map(drop)
}

fn from_file(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let wrong =
        |cause: String| Failure::bad_input(format!("the passphrase file {}: {cause}", file.display()));
    let mode = std::fs::metadata(file).map_err(|error| wrong(error.to_string()))?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(wrong(format!("it is open to others (mode {mode:04o}); run `chmod 600` on it")));
    }
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?);
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Zeroizing::new(line.to_owned())),
        _ => Err(wrong("its first line, the passphrase, is empty".into())),
    }
}

fn ask(question: &str) -> Result<Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::bad_input(format!(
            "the directory is encrypted, and nobody can be asked for its passphrase here; name a file with --passphrase-file, or set {VARIABLE}"
        )));
    }
    let answer = rpassword::prompt_password(question).map(Zeroizing::new);
    let answer =
        answer.map_err(|error| Failure::bad_input(format!("cannot ask for the passphrase: {error}")))?;
    if answer.is_empty() {
        return Err(Failure::bad_input("the passphrase is empty"));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passphrase");
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, file)
    }

    #[test]
    fn a_file_gives_its_first_line() {
        let (_folder, file) = file("correct horse battery\nsecond\n", 0o600);
        assert_eq!(*known(Some(&file)).unwrap(), "correct horse battery");
        assert_eq!(*new(Some(&file)).unwrap(), "correct horse battery");
        assert_eq!(*another(Some(&file)).unwrap(), "correct horse battery");
    }

    #[test]
    fn a_file_that_others_can_read_or_that_is_empty_is_refused() {
        let (_folder, open) = file("correct horse battery\n", 0o644);
        assert!(known(Some(&open)).unwrap_err().to_string().contains("chmod 600"));
        let (_folder, empty) = file("\n", 0o600);
        assert!(known(Some(&empty)).unwrap_err().to_string().contains("is empty"));
    }

    #[test]
    fn a_new_passphrase_is_long_enough() {
        let (_folder, short) = file("sesame\n", 0o600);
        assert_eq!(*known(Some(&short)).unwrap(), "sesame");
        assert!(new(Some(&short)).unwrap_err().to_string().contains("at least 12"));
    }
}
