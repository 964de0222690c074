//! The `[[upstream]]` tables.

use std::path::Path;

use http::{uri::Scheme, HeaderValue, Uri};
use rustls::pki_types::{pem::PemObject, CertificateDer};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::AccountId;
use toml::{Table, Value};
use zeroize::Zeroizing;

use super::{
    read::{narrow, HOUR_MS},
    values::Section,
    BreakerConfig, Faults, Priorities, UpstreamConfig,
};

pub(super) fn read_upstreams(tables: Vec<Table>, folder: &Path, faults: &mut Faults) -> Vec<UpstreamConfig> {
    let mut upstreams = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        let section = Section::new(format!("[[upstream]] {}", index + 1), table, faults);
        upstreams.extend(read_upstream(section, folder));
    }
    upstreams
}

fn read_upstream(mut section: Section, folder: &Path) -> Option<UpstreamConfig> {
    let provider = provider(&mut section);
    let address = address(&mut section, "url");
    let token = token(&mut section, folder);
    let models = section.strings("models");
    let concurrency_max = section.number("concurrency_max", 64, 1..=100_000) as usize;
    let concurrency_learned = section.flag("concurrency_learned", true);
    let queue_max = section.number("queue_max", 1_024, 0..=1_000_000) as usize;
    let seconds = std::time::Duration::from_secs;
    let queue_wait_max = section.millis("queue_ms_max", seconds(60), 1..=HOUR_MS);
    let answer_wait_max = section.millis("answer_ms_max", seconds(300), 1..=HOUR_MS);
    let silence_max = section.millis("silence_ms_max", seconds(60), 1..=HOUR_MS);
    let ageing = section.millis("ageing_ms", seconds(5), 0..=HOUR_MS);
    let priorities = priorities(&mut section);
    let health_every = section.millis("health_ms", seconds(5), 0..=HOUR_MS);
    let breaker = breaker(&mut section);
    let ca = authorities(&mut section, "ca_file", folder);
    let signs = section.flag("signs", true);
    section.finish();
    let (scheme, authority) = address?;
    Some(UpstreamConfig {
        provider: provider?,
        scheme,
        authority,
        token: token?,
        models,
        ca: ca?,
        concurrency_max,
        concurrency_learned,
        queue_max,
        queue_wait_max,
        ageing,
        answer_wait_max,
        silence_max,
        priorities,
        breaker,
        health_every,
        signs,
    })
}

fn provider(section: &mut Section) -> Option<AccountId> {
    let text = section.string("provider")?;
    match AccountId::from_ss58check(&text) {
        Ok(provider) => Some(provider),
        Err(_) => {
            section.fault("provider", "must be the provider's account as an SS58 address");
            None
        }
    }
}

/// Scheme, host and port of a service that speaks HTTP.
pub(super) fn address(section: &mut Section, key: &str) -> Option<(Scheme, http::uri::Authority)> {
    let text = section.string(key)?;
    let parts = text.parse::<Uri>().ok().map(Uri::into_parts);
    let plain = parts.filter(|parts| {
        let path = parts.path_and_query.as_ref().map_or("", |path| path.as_str());
        matches!(path, "" | "/") && !parts.authority.as_ref().is_some_and(|host| host.as_str().contains('@'))
    });
    let address = plain.and_then(|parts| Some((parts.scheme?, parts.authority?)));
    let known = address.filter(|(scheme, _)| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    if known.is_none() {
        section.fault(key, "must be http:// or https://, a host and maybe a port, and nothing else");
    }
    known
}

/// The secret, from a file or from a variable of the environment.
fn token(section: &mut Section, folder: &Path) -> Option<HeaderValue> {
    let (key, text) = match (section.optional("token_file"), section.optional("token_env")) {
        (Some(file), None) => ("token_file", secret_in_file(section, &folder.join(file))?),
        (None, Some(name)) => ("token_env", secret_in_environment(section, "token_env", &name)?),
        (Some(_), Some(_)) => {
            section.fault("token_env", "stands beside `token_file`; write one of the two");
            return None;
        }
        (None, None) => {
            section.fault("token_file", "is missing, and so is `token_env`: the attestor wants a secret");
            return None;
        }
    };
    if text.trim().is_empty() {
        section.fault(key, "is empty: an empty secret is none");
        return None;
    }
    let bearer = Zeroizing::new(format!("Bearer {}", text.trim()));
    match HeaderValue::from_str(&bearer) {
        Ok(mut value) => {
            value.set_sensitive(true);
            Some(value)
        }
        Err(_) => {
            section.fault(key, "holds more than one line of text");
            None
        }
    }
}

fn secret_in_file(section: &mut Section, path: &Path) -> Option<Zeroizing<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(error) => {
            section.fault("token_file", format_args!("cannot read {}: {error}", path.display()));
            None
        }
    }
}

pub(super) fn secret_in_environment(
    section: &mut Section,
    key: &str,
    name: &str,
) -> Option<Zeroizing<String>> {
    // The error would show what is there.
    let found = std::env::var(name).ok().map(Zeroizing::new);
    if found.is_none() {
        section.fault(key, format_args!("the environment has no variable `{name}` that is text"));
    }
    found
}

fn priorities(section: &mut Section) -> Priorities {
    match section.value("priorities") {
        None => Priorities::Probe,
        Some(Value::Boolean(true)) => Priorities::On,
        Some(Value::Boolean(false)) => Priorities::Off,
        Some(Value::String(text)) if text == "probe" => Priorities::Probe,
        Some(_) => {
            section.fault("priorities", "must be \"probe\", true or false");
            Priorities::Probe
        }
    }
}

fn breaker(section: &mut Section) -> BreakerConfig {
    let default = BreakerConfig::default();
    let failures_max = section.number("breaker_failures", default.failures_max.into(), 1..=1_000_000);
    let pause = section.millis("breaker_ms", default.pause, 1..=HOUR_MS);
    let pause_max = section.millis("breaker_ms_max", default.pause_max.max(pause), 1..=HOUR_MS);
    if pause_max < pause {
        section.fault("breaker_ms_max", "is below `breaker_ms`");
    }
    BreakerConfig { failures_max: narrow(failures_max), pause, pause_max }
}

/// Certificate authorities of a service's own; the outer `None` after a fault.
pub(super) fn authorities(
    section: &mut Section,
    key: &str,
    folder: &Path,
) -> Option<Option<Vec<CertificateDer<'static>>>> {
    let Some(file) = section.optional(key) else { return Some(None) };
    let path = folder.join(file);
    let read = CertificateDer::pem_file_iter(&path).and_then(|found| found.collect::<Result<Vec<_>, _>>());
    match read {
        Ok(found) if !found.is_empty() => Some(Some(found)),
        Ok(_) => {
            section.fault(key, format_args!("{} holds no certificate in PEM", path.display()));
            None
        }
        Err(error) => {
            section.fault(key, format_args!("cannot read {}: {error}", path.display()));
            None
        }
    }
}
