//! Files that hold a proof or a validator set.

use std::{fs::File, io::Write, path::Path};

use anyhow::{Context, Result};
use serde_json::{json, Value};
use stipend_sdk::proof::{Document, PortableReceipt, PortableWallet, ProofError, ValidatorSet};

use crate::failure::Failure;

/// Reads the proof of a receipt.
pub(crate) fn receipt(file: &Path) -> Result<PortableReceipt> {
    read(file, Document::receipt, "stipend receipts proof GATEWAY SEQUENCE > FILE")
}

/// Reads the proof of a wallet.
pub(crate) fn wallet(file: &Path) -> Result<PortableWallet> {
    read(file, Document::wallet, "stipend wallet export OWNER --out FILE")
}

/// Reads a validator set.
pub(crate) fn validators(file: &Path) -> Result<ValidatorSet> {
    read(file, Document::validators, "stipend validators export FILE")
}

fn read<T>(file: &Path, part: fn(Document) -> Result<T, ProofError>, made_by: &str) -> Result<T> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::bad_input(format!("cannot read {}: {error}", file.display())))?;
    Document::read(&text).and_then(part).map_err(|error| {
        let message = format!("{}: {error}; `{made_by}` makes one", file.display());
        Failure::bad_input(message).into()
    })
}

/// The text of a document.
pub(crate) fn text(document: &Document) -> Result<String> {
    Ok(serde_json::to_string_pretty(document)?)
}

/// Writes a document into a file that is not there yet: one that is trusted is never replaced in passing.
pub(crate) fn write_new(file: &Path, document: &Document) -> Result<()> {
    let mut new = File::create_new(file).map_err(|error| {
        let what = "name a file that does not exist yet, in a folder that does";
        Failure::bad_input(format!("cannot make {}: {error}; {what}", file.display()))
    })?;
    let text = text(document)?;
    new.write_all(text.as_bytes())
        .and_then(|()| new.write_all(b"\n"))
        .and_then(|()| new.sync_all())
        .with_context(|| format!("cannot write {}; remove what was written of it", file.display()))
}

/// Who vouches for something that was proven offline, for people.
pub(crate) fn proven_by(set: &ValidatorSet) -> String {
    format!(
        "by the signatures of validator set {} (fingerprint {:?}); no node was asked",
        set.set_id,
        set.fingerprint()
    )
}

/// The same for programs.
pub(crate) fn proven_by_json(set: &ValidatorSet) -> Value {
    json!({ "set_id": set.set_id, "fingerprint": set.fingerprint() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sp_core::H256;
    use stipend_sdk::proof::Authority;

    fn set() -> ValidatorSet {
        let authorities = vec![Authority { key: H256([1; 32]), weight: 1 }];
        ValidatorSet { genesis: H256([2; 32]), set_id: 7, authorities }
    }

    #[test]
    fn a_document_is_written_and_read_back_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("set.json");
        write_new(&file, &Document::Validators(set())).unwrap();
        assert_eq!(validators(&file).unwrap(), set());
        let error = write_new(&file, &Document::Validators(set())).unwrap_err();
        assert_eq!(crate::failure::exit_code(&error), crate::failure::BAD_INPUT);
        assert!(error.to_string().contains("does not exist yet"));
    }

    #[test]
    fn a_file_that_holds_something_else_is_refused_with_how_to_get_the_right_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("set.json");
        write_new(&file, &Document::Validators(set())).unwrap();
        let error = receipt(&file).unwrap_err().to_string();
        assert!(error.contains("validator set") && error.contains("receipts proof"), "{error}");
        let error = wallet(&file).unwrap_err().to_string();
        assert!(error.contains("validator set") && error.contains("wallet export"), "{error}");
        std::fs::write(&file, "{}").unwrap();
        let error = validators(&file).unwrap_err();
        assert_eq!(crate::failure::exit_code(&error), crate::failure::BAD_INPUT);
        assert!(error.to_string().contains("validators export"));
        assert!(validators(&folder.path().join("none.json")).is_err());
    }
}
