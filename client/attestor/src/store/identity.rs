//! Whose data folder it is.

use std::{fs, io, io::Write, path::Path};

use sp_core::H256;
use stipend_primitives::AccountId;

use super::OpenError;

/// Writes provider and chain into a new data folder; compares them in one that is not new.
pub(super) fn check(data_dir: &Path, provider: &AccountId, genesis: &H256) -> Result<(), OpenError> {
    let wanted = format!("provider {provider} on chain {genesis:?}");
    let folder = |source: io::Error| OpenError::Folder { path: data_dir.display().to_string(), source };
    fs::create_dir_all(data_dir).map_err(folder)?;
    let path = data_dir.join("identity");
    match fs::read_to_string(&path) {
        Ok(found) if found.trim() == wanted => Ok(()),
        Ok(found) => Err(OpenError::Foreign { found: found.trim().to_string(), wanted }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write_durably(data_dir, &path, &wanted).map_err(folder)
        }
        Err(error) => Err(folder(error)),
    }
}

/// Under another name first: a crash leaves the whole file or none.
fn write_durably(data_dir: &Path, path: &Path, text: &str) -> io::Result<()> {
    let unfinished = data_dir.join("identity.new");
    let mut file = fs::File::create(&unfinished)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    fs::File::open(data_dir)?.sync_all()
}
