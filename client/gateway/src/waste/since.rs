//! Since when wallets are known: a restart must not make newcomers of everybody.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
};

use stipend_primitives::{AccountId, Moment};

/// Wallets that are written down; each takes a line of 80 bytes. Those beyond count as known for long.
const WALLETS_MAX: usize = 65_536;

pub(super) struct Since {
    file: File,
    known: HashMap<[u8; 32], Moment>,
}

impl Since {
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        // A line that a crash cut off is somebody who is new once more.
        let known = text.lines().filter_map(line).take(WALLETS_MAX).collect();
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        Ok(Since { file, known })
    }

    /// When a wallet was first seen; now, if it was not.
    pub(super) fn of(&mut self, owner: &AccountId, now_ms: Moment) -> Moment {
        let owner: &[u8; 32] = owner.as_ref();
        if let Some(since_ms) = self.known.get(owner) {
            return *since_ms;
        }
        if self.known.len() >= WALLETS_MAX {
            return 0;
        }
        self.known.insert(*owner, now_ms);
        if let Err(error) = self.file.write_all(format!("{} {now_ms}\n", hex::encode(owner)).as_bytes()) {
            tracing::warn!(%error, "cannot write down since when a wallet is known; after a restart it is new again");
        }
        now_ms
    }
}

fn line(line: &str) -> Option<([u8; 32], Moment)> {
    let (owner, since_ms) = line.split_once(' ')?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(owner, &mut bytes).ok()?;
    Some((bytes, since_ms.parse().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn who_was_seen_before_a_restart_is_no_newcomer_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wallets");
        let (ada, bob) = (AccountId::new([1; 32]), AccountId::new([2; 32]));
        let mut since = Since::open(&path).unwrap();
        assert_eq!((since.of(&ada, 5), since.of(&ada, 9), since.of(&bob, 7)), (5, 5, 7));
        // A crash in the middle of a line.
        std::fs::write(&path, format!("{}abcdef", std::fs::read_to_string(&path).unwrap())).unwrap();
        let mut since = Since::open(&path).unwrap();
        assert_eq!((since.of(&ada, 20), since.of(&bob, 20)), (5, 7));
        assert_eq!(since.of(&AccountId::new([3; 32]), 30), 30);
        assert_eq!(Since::open(&path).unwrap().of(&AccountId::new([3; 32]), 40), 30);
    }
}
