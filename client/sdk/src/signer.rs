//! Keys that sign, and the files they live in.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use ed25519_dalek::{Signer as _, SigningKey};
use rand::RngCore;
use sp_core::{crypto::Ss58Codec, ed25519, Pair};
use stipend_forward::{ForwardKey, Parties};
use stipend_primitives::{AccountId, PublicKey, Signature};
use zeroize::Zeroizing;

/// Why a key could not be read or written. None of the messages contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the key file {}: {cause}; check the path and who owns the file", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Others than its owner can use the file.
    #[error("the key file {} is open to others (mode {mode:04o}), so its key may be known; run `chmod 600 {0}` if you are sure that nobody read it, or make a new key", .path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file does not hold a key.
    #[error("the key file {} does not hold a key: it must be 64 hex digits (a 32-byte ed25519 seed) and a newline; make one with `stipend keys new`", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write the key file {}: {cause}; a key file is never overwritten: choose another path", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Not a development key.
    #[error("that is not a development key: it must be a name after two slashes, such as //Alice")]
    BadUri,
}

/// An ed25519 key that signs for one account. It cannot be printed, and is wiped when dropped.
#[derive(Clone)]
pub struct Signer(SigningKey);

impl Signer {
    /// A new key from the system's random source.
    pub fn generate() -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rand::rngs::OsRng.fill_bytes(seed.as_mut());
        Self::from_seed(&seed)
    }

    /// The key of a seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Signer(SigningKey::from_bytes(seed))
    }

    /// The key that a development chain knows by a name such as `//Alice`. Everybody has it.
    pub fn from_uri(uri: &str) -> Result<Self, KeyError> {
        if !uri.starts_with("//") {
            return Err(KeyError::BadUri);
        }
        let (_, seed) = ed25519::Pair::from_string_with_seed(uri, None).map_err(|_| KeyError::BadUri)?;
        Ok(Self::from_seed(&Zeroizing::new(seed.ok_or(KeyError::BadUri)?)))
    }

    /// Reads a key file: 64 hex digits and a newline, readable by its owner only.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let unreadable = |cause| KeyError::Unreadable { path: path.to_owned(), cause };
        let mode = fs::metadata(path).map_err(unreadable)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyError::OpenToOthers { path: path.to_owned(), mode });
        }
        let text = Zeroizing::new(fs::read(path).map_err(unreadable)?);
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim_ascii(), seed.as_mut())
            .map_err(|_| KeyError::Malformed { path: path.to_owned() })?;
        Ok(Self::from_seed(&seed))
    }

    /// Writes the key to a new file that only its owner can read. Never overwrites a file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), KeyError> {
        let path = path.as_ref();
        let mut text = Zeroizing::new(hex::encode(self.0.as_bytes()));
        text.push('\n');
        let written =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            });
        written.map_err(|cause| KeyError::Unwritable { path: path.to_owned(), cause })
    }

    /// The account that the key signs for: its public key.
    pub fn account(&self) -> AccountId {
        AccountId::new(self.public())
    }

    /// The account's address, as people exchange it.
    pub fn address(&self) -> String {
        self.account().to_ss58check()
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        self.0.verifying_key().to_bytes()
    }

    /// Signs the 32 bytes that a `signing_payload` function made.
    pub fn sign(&self, payload: &[u8; 32]) -> Signature {
        self.sign_bytes(payload)
    }

    /// The secret of this key's owner and the other's, as [`ForwardKey::agree`] makes it.
    pub fn forward_key(&self, theirs: &PublicKey, parties: &Parties) -> Option<ForwardKey> {
        ForwardKey::agree(&self.0, theirs, parties)
    }

    /// Signs an extrinsic's payload.
    pub(crate) fn sign_bytes(&self, payload: &[u8]) -> Signature {
        self.0.sign(payload).to_bytes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sp_keyring::Ed25519Keyring;
    use std::os::unix::fs::PermissionsExt;
    use stipend_primitives::signing;

    #[test]
    fn a_development_key_is_the_keyrings() {
        let alice = Signer::from_uri("//Alice").unwrap();
        assert_eq!(alice.account(), Ed25519Keyring::Alice.to_account_id());
        assert!(matches!(Signer::from_uri("Alice"), Err(KeyError::BadUri)));
    }

    #[test]
    fn a_signature_is_what_the_chain_verifies() {
        let signer = Signer::generate();
        let signature = signer.sign(&[7; 32]);
        assert!(signing::verify(&[7; 32], &signature, &signer.public()));
        assert!(!signing::verify(&[8; 32], &signature, &signer.public()));
    }

    #[test]
    fn a_saved_key_is_read_back_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let signer = Signer::generate();
        signer.save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(&path).unwrap().len(), 65);
        assert_eq!(Signer::from_file(&path).unwrap().account(), signer.account());
        assert!(matches!(Signer::generate().save(&path), Err(KeyError::Unwritable { .. })));
        assert_eq!(Signer::from_file(&path).unwrap().account(), signer.account());
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Signer::generate().save(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(Signer::from_file(&path), Err(KeyError::OpenToOthers { .. })), "{mode:o}");
        }
    }

    #[test]
    fn a_file_without_a_key_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        for content in ["", "abc", &"z".repeat(64), &"a".repeat(63), &"a".repeat(66)] {
            let path = folder.path().join("key");
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = Signer::from_file(&path).err().unwrap();
            assert!(matches!(error, KeyError::Malformed { .. }));
            assert!(content.is_empty() || !error.to_string().contains(&format!(" {content}")));
        }
    }
}
