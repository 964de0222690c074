//! Keys and their files. No secret leaves this file but into a file of mode 0600.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use anyhow::Result;
use libp2p::{identity, PeerId};
use rand::RngCore;
use sp_core::{ed25519, sr25519, Pair};
use stipend_sdk::primitives::PublicKey;
use zeroize::Zeroizing;

use super::record::cannot;
use crate::failure::Failure;

/// The kinds of session key, each with its mark in the keystore's file names.
pub(crate) const SESSION_KEYS: [(Kind, &[u8; 4]); 3] =
    [(Kind::Aura, b"aura"), (Kind::Grandpa, b"gran"), (Kind::Settlement, b"stlm")];

/// What a session key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Makes blocks; sr25519.
    Aura,
    /// Votes on finality; ed25519.
    Grandpa,
    /// Votes on settlements; ed25519.
    Settlement,
}

impl Kind {
    /// The name that the chain specification uses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Aura => "aura",
            Kind::Grandpa => "grandpa",
            Kind::Settlement => "settlement",
        }
    }

    /// What such a key is called.
    pub(crate) fn key_name(self) -> &'static str {
        match self {
            Kind::Aura => "aura key",
            Kind::Grandpa => "grandpa key",
            Kind::Settlement => "settlement key",
        }
    }

    /// The public key of a secret as keystores write it: `0x` and 64 hex digits, or a phrase.
    pub(crate) fn public(self, secret: &str) -> Option<PublicKey> {
        match self {
            Kind::Aura => Some(sr25519::Pair::from_string(secret, None).ok()?.public().0),
            Kind::Grandpa | Kind::Settlement => {
                Some(ed25519::Pair::from_string(secret, None).ok()?.public().0)
            }
        }
    }
}

/// The public session keys of a validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionKeys {
    pub(crate) aura: PublicKey,
    pub(crate) grandpa: PublicKey,
    pub(crate) settlement: PublicKey,
}

impl SessionKeys {
    /// One of them.
    pub(crate) fn of(&self, kind: Kind) -> PublicKey {
        match kind {
            Kind::Aura => self.aura,
            Kind::Grandpa => self.grandpa,
            Kind::Settlement => self.settlement,
        }
    }
}

/// A folder that only its owner can enter.
pub(crate) fn private_folder(folder: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| cannot("make the folder", folder, &error))
}

/// A new file that only its owner can read.
pub(crate) fn private_file(file: &Path, content: &str) -> Result<()> {
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).and_then(|mut open| {
            open.write_all(content.as_bytes())?;
            open.sync_all()
        });
    written.map_err(|error| cannot("write", file, &error))
}

/// Makes a validator's session keys, in files as the node's keystore has them.
pub(crate) fn make_session_keys(keystore: &Path) -> Result<SessionKeys> {
    Ok(SessionKeys {
        aura: make_session_key(keystore, Kind::Aura)?,
        grandpa: make_session_key(keystore, Kind::Grandpa)?,
        settlement: make_session_key(keystore, Kind::Settlement)?,
    })
}

fn make_session_key(keystore: &Path, kind: Kind) -> Result<PublicKey> {
    let secret = Zeroizing::new(format!("0x{}", *new_seed()));
    let public =
        kind.public(&secret).ok_or_else(|| anyhow::anyhow!("a fresh {} key is not a key", kind.name()))?;
    let content = Zeroizing::new(format!("\"{}\"", *secret));
    private_file(&keystore.join(keystore_name(kind, &public)), &content)?;
    Ok(public)
}

/// What a keystore calls the file of a key.
pub(crate) fn keystore_name(kind: Kind, public: &PublicKey) -> String {
    let mark = SESSION_KEYS.iter().find(|(other, _)| *other == kind).map_or([0; 4], |(_, mark)| **mark);
    hex::encode(mark) + &hex::encode(public)
}

/// What the name of a file in a keystore says; `None` for the name of no session key.
pub(crate) fn parse_keystore_name(name: &str) -> Option<(Kind, PublicKey)> {
    let bytes: [u8; 36] = hex::decode(name).ok()?.try_into().ok()?;
    let (kind, _) = SESSION_KEYS.iter().find(|(_, mark)| bytes[..4] == mark[..])?;
    Some((*kind, bytes[4..].try_into().ok()?))
}

/// The public key of the secret in a keystore's file.
pub(crate) fn read_session_key(file: &Path, kind: Kind) -> Option<PublicKey> {
    let content = Zeroizing::new(fs::read_to_string(file).ok()?);
    let secret = Zeroizing::new(serde_json::from_str::<String>(&content).ok()?);
    kind.public(&secret)
}

/// Makes a node's identity.
pub(crate) fn make_node_key(file: &Path) -> Result<PeerId> {
    private_file(file, &new_seed())?;
    read_node_key(file)
}

/// The identity in a file: 64 hex digits, or 32 bytes.
pub(crate) fn read_node_key(file: &Path) -> Result<PeerId> {
    let mut seed = crate::verbs::keys::read_seed(file)?;
    let pair = identity::Keypair::ed25519_from_bytes(seed.as_mut_slice()).map_err(|error| {
        Failure::bad_input(format!("{} does not hold a node key: {error}", file.display()))
    })?;
    Ok(pair.public().to_peer_id())
}

/// The ed25519 key in a peer id, as the chain lists it.
pub(crate) fn node_key(peer: &PeerId) -> Option<PublicKey> {
    // Such a peer id is the key itself, not a hash of it.
    let key = identity::PublicKey::try_decode_protobuf(peer.as_ref().digest()).ok()?;
    Some(key.try_into_ed25519().ok()?.to_bytes())
}

/// The peer id of a key that the chain lists.
pub(crate) fn peer_id(key: &PublicKey) -> Option<PeerId> {
    let key = identity::ed25519::PublicKey::try_from_bytes(key).ok()?;
    Some(identity::PublicKey::from(key).to_peer_id())
}

/// 32 bytes from the system's random source, in hex.
fn new_seed() -> Zeroizing<String> {
    let mut seed = Zeroizing::new([0; 32]);
    rand::rngs::OsRng.fill_bytes(seed.as_mut());
    Zeroizing::new(hex::encode(seed.as_ref()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn session_keys_stand_in_private_files_under_their_own_names() {
        let folder = tempfile::tempdir().unwrap();
        let keystore = folder.path().join("keystore");
        private_folder(&keystore).unwrap();
        let keys = make_session_keys(&keystore).unwrap();
        assert_eq!(fs::metadata(&keystore).unwrap().permissions().mode() & 0o777, 0o700);
        for (kind, _) in SESSION_KEYS {
            let file = keystore.join(keystore_name(kind, &keys.of(kind)));
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(read_session_key(&file, kind), Some(keys.of(kind)));
            let name = file.file_name().unwrap().to_str().unwrap();
            assert_eq!(parse_keystore_name(name), Some((kind, keys.of(kind))));
        }
    }

    #[test]
    fn a_peer_id_and_the_key_that_the_chain_lists_are_one() {
        let folder = tempfile::tempdir().unwrap();
        let peer = make_node_key(&folder.path().join("node.key")).unwrap();
        assert_eq!(peer_id(&node_key(&peer).unwrap()), Some(peer));
        let known: PeerId = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp".parse().unwrap();
        let key = hex::encode(node_key(&known).unwrap());
        assert_eq!(key, "4cb5abf6ad79fbf5abbccafcc269d85cd2651ed4b885b5869f241aedf0a5ba29");
    }

    #[test]
    fn a_file_of_another_kind_is_no_session_key() {
        assert_eq!(parse_keystore_name("README.md"), None);
        assert_eq!(parse_keystore_name(&hex::encode([7; 36])), None);
    }
}
