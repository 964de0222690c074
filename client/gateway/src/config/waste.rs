//! Showing waste: `[waste]`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use blake2::{digest::consts::U32, Blake2b, Digest};
use stipend_detectors::{Measure, Memory, Policy, Secret};
use toml::Table;

use super::{read::HOUR_MS, values::Section, Faults};

/// Bytes that a secret needs to be one.
const SECRET_BYTES_MIN: usize = 32;

/// What the gateway looks for, and what follows.
#[derive(Clone, PartialEq, Eq)]
pub struct WasteConfig {
    /// What findings do to the requests that come after them.
    pub measure: Measure,
    /// For how long after a finding.
    pub lasting: Duration,
    /// Where requests are slowed down: the time between two of a wallet.
    pub distance: Duration,
    /// Learning phase and silence after a finding.
    pub policy: Policy,
    /// How much is remembered.
    pub memory: Memory,
    /// File with the secret that digests are keyed with.
    pub secret_file: PathBuf,
    /// What was in it.
    pub(crate) secret: SecretBytes,
    /// Hash of the token that reads all findings and appeals; `None`: nobody does.
    pub auditor: Option<[u8; 32]>,
}

/// Bytes of the company's secret; not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretBytes([u8; 32]);

#[cfg(test)]
impl WasteConfig {
    /// Everything counts from the first day, and the auditor's token is `token`.
    pub(crate) fn for_test(measure: Measure, token: &str) -> Self {
        WasteConfig {
            measure,
            lasting: Duration::from_secs(3_600),
            distance: Duration::from_secs(60),
            policy: Policy { learning_ms: 0, ..Policy::default() },
            memory: Memory::default(),
            secret_file: PathBuf::new(),
            secret: SecretBytes([3; 32]),
            auditor: Some(token_hash(token.as_bytes())),
        }
    }
}

impl SecretBytes {
    pub(crate) fn secret(&self) -> Secret {
        Secret::new(self.0)
    }
}

/// What a token is compared by: as long for a wrong one as for the right one.
pub(crate) fn token_hash(token: &[u8]) -> [u8; 32] {
    Blake2b::<U32>::digest(token).into()
}

/// Reads the table; the outer `None` after a fault, the inner one where there is no table.
pub(super) fn read_waste(table: Table, folder: &Path, faults: &mut Faults) -> Option<Option<WasteConfig>> {
    if table.is_empty() {
        return Some(None);
    }
    let mut section = Section::new("[waste]", table, faults);
    let measure = measure(&mut section);
    let secret_file = section.string("secret_file").map(|file| folder.join(file));
    let secret = secret_file.as_deref().and_then(|path| secret(&mut section, path));
    let auditor = match section.has("auditor_token_file") {
        true => auditor(&mut section, folder).map(Some),
        false => Some(None),
    };
    let (usual, most) = (Policy::default(), Memory::default());
    let day_ms = 24 * HOUR_MS;
    let learning_days = section.number("learning_days", usual.learning_ms / day_ms, 0..=366);
    let lasting = section.millis("lasting_ms", Duration::from_secs(3_600), 1_000..=day_ms);
    let distance = section.millis("distance_ms", Duration::from_secs(2), 1..=60_000);
    let mut size = |key, default: usize| section.number(key, default as u64, 1..=1_000_000) as usize;
    let memory = Memory {
        wallets_max: size("wallets_max", most.wallets_max),
        keys_max: size("keys_max", most.keys_max),
        prompts_max: size("prompts_max", most.prompts_max),
    };
    section.finish();
    Some(Some(WasteConfig {
        measure: measure?,
        lasting,
        distance,
        policy: Policy { learning_ms: learning_days * day_ms, ..usual },
        memory,
        secret_file: secret_file?,
        secret: secret?,
        auditor: auditor?,
    }))
}

fn measure(section: &mut Section) -> Option<Measure> {
    let Some(name) = section.optional("policy") else { return Some(Measure::Advise) };
    match name.as_str() {
        "advise" => Some(Measure::Advise),
        "slow" => Some(Measure::Slow),
        "ask-purpose" => Some(Measure::AskPurpose),
        _ => {
            section.fault("policy", "must be \"advise\", \"slow\" or \"ask-purpose\"");
            None
        }
    }
}

/// All of the file goes in, so it can be of any form: digits, text, random bytes.
fn secret(section: &mut Section, path: &Path) -> Option<SecretBytes> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => zeroize::Zeroizing::new(bytes),
        Err(error) => {
            section.fault("secret_file", format_args!("{} cannot be read: {error}", path.display()));
            return None;
        }
    };
    if bytes.trim_ascii().len() < SECRET_BYTES_MIN {
        let path = path.display();
        section.fault("secret_file", format_args!("{path} must hold {SECRET_BYTES_MIN} bytes or more"));
        return None;
    }
    Some(SecretBytes(token_hash(bytes.trim_ascii())))
}

fn auditor(section: &mut Section, folder: &Path) -> Option<[u8; 32]> {
    let path = folder.join(section.string("auditor_token_file")?);
    let token = match std::fs::read_to_string(&path) {
        Ok(token) => zeroize::Zeroizing::new(token),
        Err(error) => {
            section.fault("auditor_token_file", format_args!("{} cannot be read: {error}", path.display()));
            return None;
        }
    };
    if token.trim().len() < SECRET_BYTES_MIN {
        let path = path.display();
        section.fault(
            "auditor_token_file",
            format_args!("{path} must hold {SECRET_BYTES_MIN} characters or more"),
        );
        return None;
    }
    Some(token_hash(token.trim().as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::config::{
        read::parse,
        tests::{folder, good},
    };

    #[test]
    fn waste_is_looked_for_only_with_a_secret_that_is_one() {
        let folder = folder();
        let read = |more: &str| parse(&format!("{}\n[waste]\n{more}", good()), folder.path());
        assert!(parse(&good(), folder.path()).ok().unwrap().waste.is_none());
        let waste = read("secret_file = \"key\"").ok().unwrap().waste.unwrap();
        assert_eq!(waste.measure, stipend_detectors::Measure::Advise);
        assert_eq!(waste.policy, stipend_detectors::Policy::default());
        let waste =
            read("secret_file = \"key\"\npolicy = \"slow\"\nlearning_days = 0\nauditor_token_file = \"key\"");
        let waste = waste.ok().unwrap().waste.unwrap();
        assert_eq!((waste.measure, waste.policy.learning_ms), (stipend_detectors::Measure::Slow, 0));
        assert!(waste.auditor.is_some());
        for (text, fault) in [
            ("policy = \"advise\"", "`secret_file` in [waste]: is missing"),
            ("secret_file = \"token\"", "must hold 32 bytes"),
            ("secret_file = \"empty\"", "must hold 32 bytes"),
            ("secret_file = \"nowhere\"", "cannot be read"),
            ("secret_file = \"key\"\nauditor_token_file = \"token\"", "must hold 32 characters"),
            ("secret_file = \"key\"\npolicy = \"punish\"", "must be \"advise\""),
            ("secret_file = \"key\"\npolice = \"slow\"", "is not known"),
        ] {
            let faults = read(text).err().expect(text).0;
            assert!(faults.iter().any(|found| found.contains(fault)), "{text}: {faults:?}");
        }
    }
}
