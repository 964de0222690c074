//! The directory's file, version 1.
//!
//! ```json
//! {
//!   "format": "stipend-directory",
//!   "version": 1,
//!   "kdf": { "name": "pbkdf2-hmac-sha512", "rounds": 1000000, "salt": "32 bytes in hex" },
//!   "cipher": { "name": "aes-256-gcm", "nonce": "12 bytes in hex" },
//!   "ciphertext": "hex; its last 16 bytes are the tag"
//! }
//! ```
//!
//! The key is `pbkdf2(passphrase, salt)`, 32 bytes. Everything but the ciphertext is authenticated with
//! it: the associated data is the compact JSON of the same object without the field `ciphertext`, fields in
//! the order shown. Salt and nonce are drawn anew whenever the file is written, so no key encrypts twice. The
//! plain text is a JSON array of people, each with `name`, `number`, `department` and `account`.

use std::fmt;

use aes_gcm::{
    aead::{consts::U12, AeadInPlace, KeyInit},
    Aes256Gcm, Key, Nonce, Tag,
};
use hmac::Hmac;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sha2::Sha512;
use zeroize::Zeroizing;

const FORMAT: &str = "stipend-directory";
const VERSION: u32 = 1;
const KDF: &str = "pbkdf2-hmac-sha512";
const CIPHER: &str = "aes-256-gcm";

/// Bytes of the authentication tag.
const TAG_LEN: usize = 16;

/// The cost of one guess of the passphrase: about half a second.
const ROUNDS: u32 = 1_000_000;

/// The cost that a file may ask of whoever opens it.
const ROUNDS_MAX: u32 = 20_000_000;

/// Why a content is not opened, or nothing is sealed.
#[derive(Debug)]
pub(super) enum FileError {
    /// It is no directory's.
    Foreign,
    /// Its format is of another version.
    Version(u32),
    /// It names other algorithms or costs.
    Parameters,
    /// Passphrase and content do not fit together.
    Sealed,
    /// The algorithm failed.
    Failed(String),
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::Foreign => formatter.write_str("it is not a directory's file; check the path"),
            FileError::Version(version) => write!(
                formatter,
                "its format is version {version}, and this program knows version {VERSION}; use a newer `stipend`"
            ),
            FileError::Parameters => formatter.write_str(
                "it asks for a key derivation or a cipher that this program does not know; go back to a copy of it if it was changed",
            ),
            FileError::Sealed => formatter.write_str(
                "the passphrase is wrong, or the file was changed; try the passphrase again, and if it is right go back to a copy of the file",
            ),
            FileError::Failed(cause) => write!(formatter, "it cannot be encrypted or decrypted: {cause}"),
        }
    }
}

impl std::error::Error for FileError {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kdf {
    name: String,
    rounds: u32,
    salt: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// All but the ciphertext.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    kdf: Kdf,
    cipher: Cipher,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(flatten)]
    head: Head,
    ciphertext: String,
}

/// What can be read of a file of any version.
#[derive(Deserialize)]
struct Label {
    format: String,
    version: u32,
}

impl Head {
    fn fresh(rounds: u32) -> Self {
        let kdf = Kdf { name: KDF.into(), rounds, salt: hex::encode(random::<32>()) };
        let cipher = Cipher { name: CIPHER.into(), nonce: hex::encode(random::<12>()) };
        Head { format: FORMAT.into(), version: VERSION, kdf, cipher }
    }

    fn cipher(&self, passphrase: &str) -> Result<(Aes256Gcm, Nonce<U12>), FileError> {
        let Kdf { name, rounds, salt } = &self.kdf;
        if name != KDF || self.cipher.name != CIPHER || !(1..=ROUNDS_MAX).contains(rounds) {
            return Err(FileError::Parameters);
        }
        let bytes = |text: &str| hex::decode(text).map_err(|_| FileError::Parameters);
        let nonce: [u8; 12] = bytes(&self.cipher.nonce)?.try_into().map_err(|_| FileError::Parameters)?;
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::pbkdf2::<Hmac<Sha512>>(passphrase.as_bytes(), &bytes(salt)?, *rounds, key.as_mut_slice())
            .map_err(|error| FileError::Failed(error.to_string()))?;
        Ok((Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key.as_slice())), Nonce::from(nonce)))
    }

    fn associated(&self) -> Result<Vec<u8>, FileError> {
        serde_json::to_vec(self).map_err(|_| FileError::Parameters)
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rngs::OsRng.fill_bytes(&mut bytes);
    bytes
}

/// Encrypts a text into the content of a file.
pub(super) fn seal(plain: &[u8], passphrase: &str) -> Result<Vec<u8>, FileError> {
    seal_with(plain, passphrase, ROUNDS)
}

fn seal_with(plain: &[u8], passphrase: &str, rounds: u32) -> Result<Vec<u8>, FileError> {
    let head = Head::fresh(rounds);
    let (cipher, nonce) = head.cipher(passphrase)?;
    let mut text = plain.to_vec();
    let tag = cipher
        .encrypt_in_place_detached(&nonce, &head.associated()?, &mut text)
        .map_err(|error| FileError::Failed(error.to_string()))?;
    text.extend_from_slice(&tag);
    let sealed = Sealed { head, ciphertext: hex::encode(text) };
    let mut content = serde_json::to_vec_pretty(&sealed).map_err(|_| FileError::Parameters)?;
    content.push(b'\n');
    Ok(content)
}

/// Decrypts the content of a file.
pub(super) fn open(content: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let label: Label = serde_json::from_slice(content).map_err(|_| FileError::Foreign)?;
    if label.format != FORMAT {
        return Err(FileError::Foreign);
    }
    if label.version != VERSION {
        return Err(FileError::Version(label.version));
    }
    let sealed: Sealed = serde_json::from_slice(content).map_err(|_| FileError::Foreign)?;
    let (cipher, nonce) = sealed.head.cipher(passphrase)?;
    let mut text = Zeroizing::new(hex::decode(&sealed.ciphertext).map_err(|_| FileError::Sealed)?);
    let (_, tag) = text.split_last_chunk::<TAG_LEN>().ok_or(FileError::Sealed)?;
    let tag = Tag::from(*tag);
    let end = text.len() - TAG_LEN;
    text.truncate(end);
    cipher
        .decrypt_in_place_detached(&nonce, &sealed.head.associated()?, &mut text, &tag)
        .map_err(|_| FileError::Sealed)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    /// Cheap to derive: what is tested here does not depend on the cost.
    const CHEAP: u32 = 2;

    fn changed(content: &[u8], change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
        let mut json: serde_json::Value = serde_json::from_slice(content).unwrap();
        change(&mut json);
        serde_json::to_vec(&json).unwrap()
    }

    #[test]
    fn the_real_cost_is_paid() {
        let content = seal(b"x", "p").unwrap();
        let json: serde_json::Value = serde_json::from_slice(&content).unwrap();
        assert_eq!(json["kdf"]["rounds"], 1_000_000);
        assert_eq!(open(&content, "p").unwrap().as_slice(), b"x");
    }

    #[test]
    fn a_wrong_passphrase_and_any_change_are_refused() {
        let content = seal_with(b"people", "p", CHEAP).unwrap();
        assert!(matches!(open(&content, "q"), Err(FileError::Sealed)));
        let flip = |text: &str| {
            if text.starts_with('0') {
                text.replacen('0', "1", 1)
            } else {
                format!("0{}", &text[1..])
            }
        };
        for place in ["/ciphertext", "/kdf/salt", "/cipher/nonce"] {
            let other = changed(&content, |json| {
                let text = json.pointer(place).unwrap().as_str().unwrap();
                let text = flip(text).into();
                *json.pointer_mut(place).unwrap() = text;
            });
            assert!(matches!(open(&other, "p"), Err(FileError::Sealed)), "{place}");
        }
        let cheaper = changed(&content, |json| json["kdf"]["rounds"] = 1.into());
        assert!(matches!(open(&cheaper, "p"), Err(FileError::Sealed)));
    }

    #[test]
    fn what_is_not_understood_is_told_apart() {
        let content = seal_with(b"people", "p", CHEAP).unwrap();
        let newer = changed(&content, |json| json["version"] = 2.into());
        assert!(matches!(open(&newer, "p"), Err(FileError::Version(2))));
        let dear = changed(&content, |json| json["kdf"]["rounds"] = 20_000_001.into());
        assert!(matches!(open(&dear, "p"), Err(FileError::Parameters)));
        let short = changed(&content, |json| json["ciphertext"] = "00".into());
        assert!(matches!(open(&short, "p"), Err(FileError::Sealed)));
        for foreign in [&b""[..], b"{}", b"owner,program\n", b"{\"format\":\"x\",\"version\":1}"] {
            assert!(matches!(open(foreign, "p"), Err(FileError::Foreign)));
        }
    }

    #[test]
    fn no_two_files_share_salt_or_nonce() {
        let head = |content: Vec<u8>| serde_json::from_slice::<Head>(&content).unwrap();
        let [one, two] = [0; 2].map(|_| head(seal_with(b"x", "p", CHEAP).unwrap()));
        assert!(one.kdf.salt != two.kdf.salt && one.cipher.nonce != two.cipher.nonce);
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened(plain in proptest::collection::vec(any::<u8>(), 0..200), passphrase in ".{1,20}") {
            let content = seal_with(&plain, &passphrase, CHEAP).unwrap();
            let opened = open(&content, &passphrase).unwrap();
            prop_assert_eq!(opened.as_slice(), plain.as_slice());
        }

        #[test]
        fn no_file_makes_opening_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = open(&bytes, "p");
        }
    }
}
