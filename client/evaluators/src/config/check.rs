//! From the file to a [`Config`], collecting every fault on the way.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use http::Uri;
use sp_core::{crypto::Ss58Codec, H256};
use stipend_primitives::AccountId;
use stipend_sdk::Signer;

use super::{file, rules::bad_name, ChainConfig, Config, Faults, JudgeConfig, SuiteRule};
use crate::{forge::Forge, secret::Secret};

impl Config {
    /// Reads and checks `evaluator.toml`. Paths in it are relative to the file's folder.
    pub fn load(path: &Path) -> Result<Config, Faults> {
        let text = fs::read_to_string(path)
            .map_err(|error| Faults(vec![format!("cannot read {}: {error}", path.display())]))?;
        Config::parse(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// Checks a text; paths in it are relative to `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Config, Faults> {
        // The parser's own message shows the line, and a secret never stands in the file.
        let file: file::File = toml::from_str(text).map_err(|error| Faults(vec![error.to_string()]))?;
        let mut check = Check { folder, faults: Vec::new() };
        match check.config(file) {
            Some(config) if check.faults.is_empty() => Ok(config),
            _ => Err(Faults(check.faults)),
        }
    }
}

/// Collects faults; every method returns `None` only after naming one.
struct Check<'a> {
    folder: &'a Path,
    faults: Vec<String>,
}

impl Check<'_> {
    fn config(&mut self, file: file::File) -> Option<Config> {
        let evals = file.evals.unwrap_or(SuiteRule { kind: "better-evals".into(), ..SuiteRule::default() });
        self.faults.extend(file.limits.faults());
        self.faults.extend(file.merge.faults());
        self.faults.extend(file.junit.faults("junit"));
        self.faults.extend(evals.faults("evals"));
        self.faults.extend(file.experiment.faults());
        let listen =
            self.parsed("listen", file.listen, "an address such as 127.0.0.1:9300", |text| text.parse().ok());
        let data_dir = self.given("data_dir", file.data_dir).map(|dir| self.folder.join(dir));
        let genesis = self.parsed("genesis_hash", file.genesis_hash, "0x and 64 hex digits", |text| {
            Some(H256(hex_32(text)?))
        });
        let chain = self.chain(file.chain, file.key_file);
        let gateways = self.gateways(file.gateways);
        let forges = self.forges(file.forge);
        let judge = match file.judge {
            None => None,
            Some(judge) => Some(self.judge(judge)?),
        };
        Some(Config {
            listen: listen?,
            data_dir: data_dir?,
            genesis: genesis?,
            chain,
            gateways,
            forges,
            merge: file.merge,
            junit: file.junit,
            evals,
            experiment: file.experiment,
            judge,
            limits: file.limits,
        })
    }

    fn given<T>(&mut self, name: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.faults.push(format!("{name} is missing"));
        }
        value
    }

    fn parsed<T>(
        &mut self,
        name: &str,
        text: Option<String>,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.given(name, text)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.faults.push(format!("{name} is `{text}`; it must be {wanted}"));
        }
        parsed
    }

    fn secret(&mut self, name: &str, path: Option<PathBuf>) -> Option<Secret> {
        let path = self.folder.join(self.given(name, path)?);
        Secret::from_file(&path).map_err(|fault| self.faults.push(format!("{name}: {fault}"))).ok()
    }

    /// Both or neither; what is wrong with one of them is named in any case.
    fn chain(&mut self, url: Option<String>, key_file: Option<PathBuf>) -> Option<ChainConfig> {
        if url.is_none() && key_file.is_none() {
            return None;
        }
        let url = self.given("chain", url).filter(|url| {
            let is_address = url.starts_with("ws://") || url.starts_with("wss://");
            if !is_address {
                // The address is not repeated: it may hold a password.
                self.faults.push("chain is no WebSocket address, such as ws://127.0.0.1:9944".into());
            }
            is_address
        });
        let key_file = self.given("key_file", key_file).map(|path| self.folder.join(path));
        let key = key_file.map(|path| Signer::from_file(path).map_err(|fault| format!("key_file: {fault}")));
        let evaluator = key.and_then(|key| key.map_err(|fault| self.faults.push(fault)).ok());
        Some(ChainConfig { url: url?, evaluator: evaluator? })
    }

    fn gateways(&mut self, gateways: Vec<String>) -> Vec<AccountId> {
        if gateways.is_empty() {
            self.faults
                .push("gateways is empty: no receipt would be believed, and nothing could be earned".into());
        }
        let wanted = "an account: an SS58 address, or 64 hex digits";
        let account =
            |text: &str| AccountId::from_ss58check(text).ok().or_else(|| hex_32(text).map(AccountId::new));
        let mut known = Vec::new();
        for (index, text) in gateways.into_iter().enumerate() {
            known.extend(self.parsed(&format!("gateway {index}"), Some(text), wanted, account));
        }
        known
    }

    fn forges(&mut self, forges: Vec<file::Forge>) -> Vec<Forge> {
        let mut names = HashSet::new();
        let mut checked = Vec::new();
        for (index, forge) in forges.into_iter().enumerate() {
            let name = self.parsed(&format!("forge {index}: name"), forge.name, FORGE_NAME, |text| {
                let is_name = (1..=32).contains(&text.len())
                    && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                is_name.then(|| text.to_owned())
            });
            let kind = self.given(&format!("forge {index}: kind"), forge.kind);
            let secret = self.secret(&format!("forge {index}: secret_file"), forge.secret_file);
            if forge.repositories.is_empty() {
                self.faults.push(format!("forge {index}: repositories is empty: nothing would count"));
            }
            for repository in forge.repositories.iter().filter(|repository| !is_repository(repository)) {
                self.faults.push(format!("forge {index}: `{repository}` is no repository, such as acme/app"));
            }
            let purpose = forge.purpose.as_ref();
            self.faults.extend(purpose.and_then(|text| bad_name(&format!("forge {index}: purpose"), text)));
            let (Some(name), Some(kind), Some(secret)) = (name, kind, secret) else { continue };
            if !names.insert(name.clone()) {
                self.faults.push(format!("forge {index}: the name `{name}` stands there twice"));
            }
            let (repositories, branch, purpose) = (forge.repositories, forge.branch, forge.purpose);
            checked.push(Forge { name, kind, secret, repositories, branch, purpose });
        }
        checked
    }

    fn judge(&mut self, judge: file::Judge) -> Option<JudgeConfig> {
        self.faults.extend(judge.rule.faults());
        let url = self.given("judge.url", judge.url).and_then(|text| {
            let address = judge_address(&text);
            if address.is_none() {
                // The address is not repeated: it may hold a password.
                self.faults.push(format!("judge.url is not {JUDGE_URL}"));
            }
            address
        });
        let key = self.secret("judge.key_file", judge.key_file);
        let model = self.given("judge.model", judge.model);
        let ca_pem = match judge.ca_file.map(|path| self.folder.join(path)) {
            None => None,
            Some(path) => match fs::read(&path) {
                Ok(pem) => Some(pem),
                Err(error) => {
                    self.faults.push(format!("judge.ca_file: cannot read {}: {error}", path.display()));
                    None
                }
            },
        };
        Some(JudgeConfig { url: url?, key: key?, ca_pem, model: model?, rule: judge.rule })
    }
}

const FORGE_NAME: &str = "1 to 32 small letters, digits and dashes";

const JUDGE_URL: &str =
    "a gateway's address that ends with /v1, such as https://gateway.example/v1, without user and password";

fn judge_address(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let is_address = matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none();
    let has_user = uri.authority()?.as_str().contains('@');
    (is_address && !has_user && uri.path().ends_with("/v1")).then(|| text.to_owned())
}

/// `owner/name`, or with groups between as GitLab has them.
fn is_repository(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    text.len() <= 256 && text.contains('/') && text.split('/').all(is_part)
}

/// 32 bytes from 64 hex digits, with or without `0x`.
fn hex_32(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes).ok()?;
    Some(bytes)
}
