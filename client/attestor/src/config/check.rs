//! From the file to a [`Config`], collecting every fault on the way.

use std::{
    collections::HashSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use http::{uri::Authority, Uri};
use sp_core::{crypto::Ss58Codec, H256};
use stipend_primitives::{AccountId, ModelId, NAME_LEN_MAX};
use zeroize::Zeroizing;

use super::{file, Config, EngineConfig, EvidenceConfig, Faults, GatewayConfig, ModelConfig};
use crate::secret::{AttestationKey, EngineToken, TokenHash};

impl Config {
    /// Reads and checks `attestor.toml`. Paths in it are relative to the file's folder.
    pub fn load(path: &Path) -> Result<Config, Faults> {
        let text = fs::read_to_string(path)
            .map_err(|error| Faults(vec![format!("cannot read {}: {error}", path.display())]))?;
        let file: file::File =
            toml::from_str(&text).map_err(|error| Faults(vec![format!("{}: {error}", path.display())]))?;
        let mut check = Check { folder: path.parent().unwrap_or(Path::new("")), faults: Vec::new() };
        let config = check.config(file);
        match config {
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
        self.faults.extend(file.limits.faults());
        let listen =
            self.parsed("listen", file.listen, "an address such as 127.0.0.1:9100", |text| text.parse().ok());
        let provider = self.account("provider", file.provider);
        let key = self.key(file.key_file);
        let data_dir = self.given("data_dir", file.data_dir).map(|dir| self.folder.join(dir));
        let genesis = self.parsed("genesis_hash", file.genesis_hash, "0x and 64 hex digits", |text| {
            Some(H256(account_hex(text)?))
        });
        let engine = self.engine(file.engine);
        let evidence = file.evidence.and_then(|evidence| {
            self.parsed("evidence.url", evidence.url, EVIDENCE_URL, EvidenceConfig::new)
        });
        let gateways = self.gateways(file.gateway);
        let models = self.models(file.model);
        Some(Config {
            listen: listen?,
            provider: provider?,
            key: key?,
            data_dir: data_dir?,
            genesis: genesis?,
            engine: engine?,
            evidence,
            gpu: file.gpu,
            gateways,
            models,
            limits: file.limits,
            misreport: 0,
        })
    }

    fn fault<T>(&mut self, fault: String) -> Option<T> {
        self.faults.push(fault);
        None
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
        parse(&text).or_else(|| self.fault(format!("{name} is `{text}`; it must be {wanted}")))
    }

    fn account(&mut self, name: &str, text: Option<String>) -> Option<AccountId> {
        self.parsed(name, text, "an account: an SS58 address, or 64 hex digits", |text| {
            AccountId::from_ss58check(text).ok().or_else(|| account_hex(text).map(AccountId::new))
        })
    }

    /// Reads a secret's file; an empty one is no secret.
    fn secret(&mut self, name: &str, path: Option<PathBuf>) -> Option<Zeroizing<String>> {
        let path = self.folder.join(self.given(name, path)?);
        match fs::read_to_string(&path).map(Zeroizing::new) {
            Err(error) => self.fault(format!("{name}: cannot read {}: {error}", path.display())),
            Ok(text) if text.trim().is_empty() => {
                self.fault(format!("{name}: {} is empty; an empty secret protects nothing", path.display()))
            }
            Ok(text) => Some(Zeroizing::new(text.trim().to_string())),
        }
    }

    fn key(&mut self, path: Option<PathBuf>) -> Option<AttestationKey> {
        let text = self.secret("key_file", path.clone())?;
        let path = self.folder.join(path?);
        // The file was read a moment ago; who cannot ask for its mode cannot show that it is private.
        let mode = fs::metadata(&path).map_or(0o777, |metadata| metadata.permissions().mode());
        if mode & 0o077 != 0 {
            let path = path.display();
            self.faults.push(format!("key_file: {path} can be read by others; run `chmod 600 {path}`"));
        }
        AttestationKey::from_hex(&text)
            .or_else(|| self.fault("key_file: a key is 64 hex digits, the 32-byte ed25519 seed".into()))
    }

    fn engine(&mut self, engine: Option<file::Engine>) -> Option<EngineConfig> {
        let engine = self.given("[engine]", engine)?;
        let authority = self.parsed("engine.url", engine.url, ENGINE_URL, engine_authority);
        let token = match engine.token_file {
            None => None,
            Some(path) => {
                let token = EngineToken::new(&self.secret("engine.token_file", Some(path))?);
                if token.header().is_none() {
                    self.faults
                        .push("engine.token_file: the token has bytes that no header can carry".into());
                }
                Some(token)
            }
        };
        let try_priorities = engine.try_priorities;
        Some(EngineConfig { kind: engine.kind, authority: authority?, token, try_priorities })
    }

    fn gateways(&mut self, gateways: Vec<file::Gateway>) -> Vec<GatewayConfig> {
        if gateways.is_empty() {
            self.faults.push("there is no [[gateway]]: nobody could ask".into());
        }
        let mut seen = HashSet::new();
        let mut checked = Vec::new();
        for (index, gateway) in gateways.into_iter().enumerate() {
            let account = self.account(&format!("gateway {index}: account"), gateway.account);
            let token = self.secret(&format!("gateway {index}: token_file"), gateway.token_file);
            let (Some(account), Some(token)) = (account, token) else { continue };
            if !seen.insert(account.clone()) {
                self.faults.push(format!("gateway {index}: the account {account} stands there twice"));
            }
            checked.push(GatewayConfig { account, token: TokenHash::of(&token), signs: gateway.signs });
        }
        checked
    }

    fn models(&mut self, models: Vec<file::Model>) -> Vec<ModelConfig> {
        if models.is_empty() {
            self.faults.push("there is no [[model]]: nothing could be served".into());
        }
        let (mut names, mut ids) = (HashSet::new(), HashSet::new());
        let mut checked = Vec::new();
        for (index, model) in models.into_iter().enumerate() {
            let wanted = format!("a model's name of 1 to {NAME_LEN_MAX} bytes");
            let name = self.parsed(&format!("model {index}: name"), model.name, &wanted, |text| {
                (1..=NAME_LEN_MAX as usize).contains(&text.len()).then(|| text.to_string())
            });
            let id = self.given(&format!("model {index}: id"), model.id);
            let (Some(name), Some(id)) = (name, id) else { continue };
            if id == u16::MAX {
                self.faults.push(format!("model {index}: the id {id} stands for unknown models"));
            }
            if !names.insert(name.clone()) || !ids.insert(id) {
                self.faults
                    .push(format!("model {index}: the name `{name}` or the id {id} stands there twice"));
            }
            let engine_name = model.engine_name.unwrap_or_else(|| name.clone());
            checked.push(ModelConfig { name, id: ModelId(id), engine_name });
        }
        checked
    }
}

const ENGINE_URL: &str =
    "http://HOST:PORT without a path (`/v1` is added); for TLS, put a local proxy in between";

const EVIDENCE_URL: &str = "http://HOST:PORT/PATH with `{nonce}` once in the path or the query";

fn engine_authority(url: &str) -> Option<Authority> {
    let uri: Uri = url.parse().ok()?;
    let is_plain =
        uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/") && uri.query().is_none();
    // User and password in an address would end up in logs.
    uri.authority().filter(|authority| is_plain && !authority.as_str().contains('@')).cloned()
}

/// 32 bytes from 64 hex digits, with or without `0x`.
pub(crate) fn account_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes).ok()?;
    Some(bytes)
}
