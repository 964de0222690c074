//! Secrets from files, in a type that cannot be printed.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use zeroize::Zeroizing;

/// A webhook's secret or an API key.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps a secret.
    pub fn new(text: &str) -> Self {
        Secret(Zeroizing::new(text.to_owned()))
    }

    /// Reads a file that only its owner can read. The error says what to do and holds nothing of the file.
    pub fn from_file(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        if text.trim().is_empty() {
            return Err(format!("{} is empty; an empty secret protects nothing", path.display()));
        }
        // The file was read a moment ago; who cannot ask for its mode cannot show that it is private.
        let mode = fs::metadata(path).map_or(0o777, |metadata| metadata.permissions().mode());
        if mode & 0o077 != 0 {
            let path = path.display();
            return Err(format!("{path} can be read by others; run `chmod 600 {path}`"));
        }
        Ok(Secret::new(text.trim()))
    }

    /// The secret itself: for what computes with it, never for a message.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}
