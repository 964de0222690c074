//! Batch work: `[jobs]`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use http::uri::{Authority, Scheme};
use rustls::pki_types::{pem::PemObject, CertificateDer};
use toml::{Table, Value};

use super::{
    read::{narrow, HOUR_MS},
    upstreams::{address, authorities},
    values::Section,
    Faults,
};

/// How batch work is handed to a Kubernetes cluster whose queues Kueue keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobsConfig {
    /// `http` or `https` of the Kubernetes API server.
    pub scheme: Scheme,
    /// Host and port of the Kubernetes API server.
    pub authority: Authority,
    /// The only certificate authorities that are trusted for it; `None`: the system's.
    pub ca: Option<Vec<CertificateDer<'static>>>,
    /// File with the bearer token for it. Read anew with every call: such tokens are replaced hourly.
    pub token_file: PathBuf,
    /// Namespace of the Jobs.
    pub namespace: String,
    /// Kueue's LocalQueue in that namespace.
    pub queue: String,
    /// Kueue's WorkloadPriorityClass of jobs whose class has none of its own.
    pub priority_class: Option<String>,
    /// WorkloadPriorityClass by the name of the class that pays.
    pub priority_classes: BTreeMap<String, String>,
    /// Image of the runner.
    pub image: String,
    /// Program and arguments of the runner.
    pub command: Vec<String>,
    /// Kubernetes quantities by resource: what Kueue counts against its quota.
    pub resources: BTreeMap<String, String>,
    /// Where jobs reach this gateway, without a path.
    pub gateway_url: String,
    /// PEM of the certificate authorities that jobs trust for the gateway; `None`: those of the image.
    pub gateway_ca: Option<String>,
    /// How long a job may run once it was admitted.
    pub run_max: Duration,
    /// How long after its submission a job must have reported.
    pub deadline_max: Duration,
    /// Time between two looks at the cluster.
    pub poll: Duration,
    /// Jobs that are not over, of all wallets.
    pub pending_max: usize,
    /// Jobs that are not over, of one wallet.
    pub pending_per_wallet_max: usize,
    /// How long a job that is over can be looked at.
    pub keep: Duration,
    /// How many of them.
    pub keep_max: usize,
    /// Bytes of their answers, all together.
    pub keep_bytes_max: u64,
}

/// Reads the table; the outer `None` after a fault, the inner one where there is no table.
pub(super) fn read_jobs(table: Table, folder: &Path, faults: &mut Faults) -> Option<Option<JobsConfig>> {
    if table.is_empty() {
        return Some(None);
    }
    let mut section = Section::new("[jobs]", table, faults);
    let server = api_server(&mut section);
    let ca = authorities(&mut section, "ca_file", folder);
    let token_file = token_file(&mut section, folder);
    let namespace = named(&mut section, "namespace");
    let queue = named(&mut section, "queue");
    let priority_class = match section.has("priority_class") {
        true => named(&mut section, "priority_class").map(Some),
        false => Some(None),
    };
    let priority_classes = texts(&mut section, "priority_classes", BTreeMap::new());
    if priority_classes.values().any(|class| !is_label(class)) {
        section.fault("priority_classes", format_args!("must name WorkloadPriorityClasses: {LABEL}"));
    }
    let image = section.string("image");
    let command = match section.has("command") {
        true => section.strings("command"),
        false => ["stipend-gateway", "run-job", "--dir", "/work"].map(str::to_owned).to_vec(),
    };
    let usual = [("cpu", "100m"), ("memory", "64Mi")].map(|(name, amount)| (name.into(), amount.into()));
    let resources = texts(&mut section, "resources", usual.into());
    let gateway_url = gateway_url(&mut section);
    let gateway_ca = gateway_ca(&mut section, folder);
    let seconds = Duration::from_secs;
    let run_max = section.millis("run_ms_max", seconds(900), 10_000..=24 * HOUR_MS);
    let deadline_max = section.millis("deadline_ms_max", seconds(12 * 3_600), 10_000..=72 * HOUR_MS);
    let poll = section.millis("poll_ms", seconds(5), 500..=60_000);
    let mut count = |key, default, range| narrow(section.number(key, default, range)) as usize;
    let pending_max = count("pending_max", 1_000, 1..=100_000);
    let pending_per_wallet_max = count("pending_per_wallet_max", 100, 1..=100_000);
    let keep_max = count("keep_max", 10_000, 1..=1_000_000);
    let keep = section.millis("keep_ms", seconds(24 * 3_600), 1_000..=30 * 24 * HOUR_MS);
    let keep_bytes_max = section.number("keep_bytes_max", 1 << 30, 1 << 20..=1 << 40);
    section.finish();
    let (scheme, authority) = server?;
    Some(Some(JobsConfig {
        scheme,
        authority,
        ca: ca?,
        token_file: token_file?,
        namespace: namespace?,
        queue: queue?,
        priority_class: priority_class?,
        priority_classes,
        image: image?,
        command,
        resources,
        gateway_url: gateway_url?,
        gateway_ca: gateway_ca?,
        run_max,
        deadline_max,
        poll,
        pending_max,
        pending_per_wallet_max,
        keep,
        keep_max,
        keep_bytes_max,
    }))
}

fn api_server(section: &mut Section) -> Option<(Scheme, Authority)> {
    let (scheme, authority) = address(section, "api_server")?;
    let is_near = matches!(authority.host(), "127.0.0.1" | "[::1]" | "localhost");
    if scheme == Scheme::HTTP && !is_near {
        section.fault("api_server", "must be https://: the token would cross the network for all to read");
        return None;
    }
    Some((scheme, authority))
}

/// A token that can be read now; what it is then is looked up with every call.
fn token_file(section: &mut Section, folder: &Path) -> Option<PathBuf> {
    let path = folder.join(section.string("token_file")?);
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().is_empty() => {
            section.fault("token_file", "is empty: an empty secret is none");
            None
        }
        Ok(_) => Some(path),
        Err(error) => {
            section.fault("token_file", format_args!("cannot read {}: {error}", path.display()));
            None
        }
    }
}

fn gateway_url(section: &mut Section) -> Option<String> {
    let (scheme, authority) = address(section, "gateway_url")?;
    Some(format!("{scheme}://{authority}"))
}

fn gateway_ca(section: &mut Section, folder: &Path) -> Option<Option<String>> {
    let Some(file) = section.optional("gateway_ca_file") else { return Some(None) };
    let path = folder.join(file);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            section.fault("gateway_ca_file", format_args!("cannot read {}: {error}", path.display()));
            return None;
        }
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    if found.is_ok_and(|found| !found.is_empty()) {
        return Some(Some(text));
    }
    section.fault("gateway_ca_file", format_args!("{} holds no certificate in PEM", path.display()));
    None
}

/// What a name in a label of Kubernetes looks like.
const LABEL: &str = "1 to 63 lower-case letters, digits and `-`, the first and the last no `-`";

fn is_label(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(is_plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn named(section: &mut Section, key: &str) -> Option<String> {
    let name = section.string(key)?;
    if is_label(&name) {
        return Some(name);
    }
    section.fault(key, format_args!("is no name in Kubernetes: {LABEL}"));
    None
}

/// A table of texts; `usual` where there is none.
fn texts(section: &mut Section, key: &str, usual: BTreeMap<String, String>) -> BTreeMap<String, String> {
    if !section.has(key) {
        return usual;
    }
    let mut found = BTreeMap::new();
    for (name, value) in section.table(key) {
        match value {
            Value::String(text) if !text.is_empty() => drop(found.insert(name, text)),
            _ => section.fault(key, format_args!("`{name}` must be a text that is not empty")),
        }
    }
    found
}
