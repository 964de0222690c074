//! The `[otlp]` table.

use std::{path::Path, time::Duration};

use http::{header, uri::Scheme, HeaderMap, HeaderName, HeaderValue, Uri};
use rustls::pki_types::CertificateDer;
use toml::{Table, Value};

use super::{
    read::HOUR_MS,
    upstreams::{authorities, secret_in_environment},
    values::Section,
    Faults,
};

/// Headers that belong to the exporter.
const OWN: [HeaderName; 5] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::HOST,
    header::TRANSFER_ENCODING,
];

/// Where traces and metrics go: a collector that speaks OTLP over HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct Otlp {
    /// The collector's URL without a slash at its end; `/v1/traces` and `/v1/metrics` come behind it.
    pub endpoint: String,
    /// Sent with every export. The values are secrets.
    pub headers: HeaderMap,
    /// The only certificate authorities that are trusted for it; `None`: the system's.
    pub ca: Option<Vec<CertificateDer<'static>>>,
    /// Share of the traces that begin at this gateway, from 0 to 1. Of those of callers their own word counts.
    pub sample_ratio: f64,
    /// Time between two exports.
    pub interval: Duration,
}

pub(super) fn read_otlp(table: Table, folder: &Path, faults: &mut Faults) -> Option<Otlp> {
    if table.is_empty() {
        return None;
    }
    let mut section = Section::new("[otlp]", table, faults);
    let endpoint = endpoint(&mut section);
    let headers = headers(&mut section);
    let ca = authorities(&mut section, "ca_file", folder);
    let sample_ratio = section.share("sample_ratio", 1.0);
    let interval = section.millis("interval_ms", Duration::from_secs(10), 100..=HOUR_MS);
    section.finish();
    Some(Otlp { endpoint: endpoint?, headers, ca: ca?, sample_ratio, interval })
}

fn endpoint(section: &mut Section) -> Option<String> {
    let text = section.string("endpoint")?;
    let url = text.parse::<Uri>().ok().and_then(|uri| {
        let (scheme, authority) = (uri.scheme()?, uri.authority()?);
        let is_known = *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS;
        let is_plain = uri.query().is_none() && !authority.as_str().contains('@');
        let path = uri.path().trim_end_matches('/');
        (is_known && is_plain).then(|| format!("{scheme}://{authority}{path}"))
    });
    if url.is_none() {
        section.fault(
            "endpoint",
            "must be http:// or https://, a host, maybe a port and a path, and nothing else",
        );
    }
    url
}

/// Headers whose values are in variables of the environment.
fn headers(section: &mut Section) -> HeaderMap {
    let named = section.table("headers_env");
    named.into_iter().filter_map(|(name, variable)| one_header(section, &name, variable)).collect()
}

fn one_header(section: &mut Section, name: &str, variable: Value) -> Option<(HeaderName, HeaderValue)> {
    let key = format!("headers_env.{name}");
    let mut fault = |what: &str| {
        section.fault(&key, what);
        None
    };
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return fault("is no name of a header") };
    if OWN.contains(&name) {
        return fault("is not yours to set: it belongs to the exporter");
    }
    let Value::String(variable) = variable else {
        return fault("must be the name of a variable of the environment, in quotes");
    };
    let secret = secret_in_environment(section, &key, &variable)?;
    match HeaderValue::from_str(secret.trim()) {
        Ok(value) if value.is_empty() => {
            section.fault(&key, "is empty: an empty secret is none");
            None
        }
        Ok(mut value) => {
            value.set_sensitive(true);
            Some((name, value))
        }
        Err(_) => {
            section.fault(&key, "holds more than one line of text");
            None
        }
    }
}
