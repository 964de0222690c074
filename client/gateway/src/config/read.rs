//! From the file to a [`Config`].

use std::{collections::HashSet, net::SocketAddr, path::Path};

use sp_core::crypto::Ss58Codec;
use stipend_primitives::{batch::PROVIDERS_MAX, batch::RECEIPTS_MAX, Credits};
use stipend_sdk::Signer;
use toml::Table;

use super::{
    jobs::read_jobs, upstreams::read_upstreams, values::Section, waste::read_waste, BatchLimits, Config,
    Faults, Limits, Receipts, Reservations,
};

pub(super) const HOUR_MS: u64 = 3_600_000;
const MICRO: u64 = 1_000_000;

/// Largest amount of credits that a setting takes: beyond it the gateway counts no further.
const CREDITS_MAX: u64 = 1_000_000_000_000;

pub(super) fn load(path: &Path) -> Result<Config, Faults> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Faults(vec![format!("cannot read {}: {error}", path.display())]))?;
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    parse(&text, &folder)
}

/// Paths in the text are relative to `folder`.
pub(super) fn parse(text: &str, folder: &Path) -> Result<Config, Faults> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| Faults(vec![error.to_string()]))?;
    let mut faults = Faults::default();
    let config = read(table, folder, &mut faults);
    match config {
        Some(config) if faults.0.is_empty() => Ok(config),
        _ => Err(faults),
    }
}

fn read(table: Table, folder: &Path, faults: &mut Faults) -> Option<Config> {
    let mut root = Section::new("", table, faults);
    let listen = listen(&mut root);
    let chain = chain(&mut root);
    let signer = signer(&mut root, folder);
    let data_dir = root.string("data_dir").map(|dir| folder.join(dir));
    let (reservations, batch) = (root.table("reservations"), root.table("batch"));
    let (receipts, limits) = (root.table("receipts"), root.table("limits"));
    let upstreams = root.tables("upstream");
    let (jobs, waste) = (root.table("jobs"), root.table("waste"));
    let operate = super::operate::take(&mut root);
    if upstreams.is_empty() {
        root.fault("upstream", "names no provider; write at least one `[[upstream]]`");
    }
    root.finish();
    let reservations = read_reservations(Section::new("[reservations]", reservations, faults));
    let batch = read_batch(Section::new("[batch]", batch, faults));
    let receipts = read_receipts(Section::new("[receipts]", receipts, faults));
    let limits = read_limits(Section::new("[limits]", limits, faults));
    let upstreams = read_upstreams(upstreams, folder, faults);
    let jobs = read_jobs(jobs, folder, faults);
    let waste = read_waste(waste, folder, faults);
    let operate = operate.read(folder, faults);
    let config = Config {
        listen: listen?,
        chain: chain?,
        signer: signer?,
        data_dir: data_dir?,
        reservations,
        batch,
        receipts,
        limits,
        upstreams,
        jobs: jobs?,
        waste: waste?,
        operate,
    };
    check_together(&config, faults);
    Some(config)
}

fn listen(root: &mut Section) -> Option<SocketAddr> {
    let text = root.string("listen")?;
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            root.fault("listen", format_args!("`{text}` is no address and port, such as 127.0.0.1:8080"));
            None
        }
    }
}

fn chain(root: &mut Section) -> Option<String> {
    let url = root.string("chain")?;
    if url.starts_with("ws://") || url.starts_with("wss://") {
        return Some(url);
    }
    root.fault("chain", "must be a node's address, such as ws://127.0.0.1:9944");
    None
}

fn signer(root: &mut Section, folder: &Path) -> Option<Signer> {
    let path = folder.join(root.string("key_file")?);
    match Signer::from_file(path) {
        Ok(signer) => Some(signer),
        Err(error) => {
            root.fault("key_file", error);
            None
        }
    }
}

fn read_reservations(mut section: Section) -> Reservations {
    let target = section.number("target_credits", 1_000, 1..=CREDITS_MAX);
    let low_water = section.number("low_water_credits", target / 4, 0..=CREDITS_MAX);
    if low_water > target {
        section.fault("low_water_credits", "is above `target_credits`");
    }
    let default = std::time::Duration::from_millis(24 * HOUR_MS);
    let reservations = Reservations {
        target: Credits::from(target * MICRO),
        low_water: Credits::from(low_water * MICRO),
        lifetime: section.millis("lifetime_ms", default, 60_000..=6 * 24 * HOUR_MS),
        wait_max: section.millis("wait_ms_max", std::time::Duration::from_secs(10), 0..=60_000),
    };
    section.finish();
    reservations
}

fn read_batch(mut section: Section) -> BatchLimits {
    let limits = BatchLimits {
        interval: section.millis("interval_ms", std::time::Duration::from_secs(1), 10..=60_000),
        receipts_max: narrow(section.number(
            "receipts_max",
            u64::from(RECEIPTS_MAX),
            1..=u64::from(RECEIPTS_MAX),
        )),
    };
    section.finish();
    limits
}

fn read_receipts(mut section: Section) -> Receipts {
    let default = Receipts::default();
    let keep_max = section.number("keep_max", default.keep_max as u64, 1..=10_000_000) as usize;
    let receipts =
        Receipts { keep: section.millis("keep_ms", default.keep, 1..=366 * 24 * HOUR_MS), keep_max };
    section.finish();
    receipts
}

fn read_limits(mut section: Section) -> Limits {
    let default = Limits::default();
    let mut size = |key, default, range| section.number(key, default as u64, range) as usize;
    let body_bytes_max = size("body_bytes_max", default.body_bytes_max, 1..=256 << 20);
    let answer_bytes_max = size("answer_bytes_max", default.answer_bytes_max, 1_024..=1 << 30);
    let connections_max = size("connections_max", default.connections_max, 1..=1_000_000);
    let in_flight_max = size("requests_in_flight_max", default.requests_in_flight_max, 1..=1_000_000);
    let mut count = |key, default, range| narrow(section.number(key, u64::from(default), range));
    let generations_max = count("generations_max", default.generations_max, 1..=1_024);
    let output_tokens_default = count("output_tokens_default", default.output_tokens_default, 1..=1 << 24);
    let output_tokens_max = count("output_tokens_max", default.output_tokens_max, 1..=1 << 24);
    let template_tokens_max = count("template_tokens_max", default.template_tokens_max, 0..=1 << 20);
    let media_part_tokens_max = count("media_part_tokens_max", default.media_part_tokens_max, 0..=1 << 20);
    let mut time = |key, default| section.millis(key, default, 1..=24 * HOUR_MS);
    let body_wait_max = time("body_ms_max", default.body_wait_max);
    let client_stall_max = time("client_stall_ms_max", default.client_stall_max);
    let chain_silence_max = time("chain_silence_ms_max", default.chain_silence_max);
    let drain_max = time("drain_ms_max", default.drain_max);
    let serve_unpaid = section.flag("serve_unpaid", default.serve_unpaid);
    let backlog = default.backlog_receipts_max;
    let backlog_receipts_max = section.number("backlog_receipts_max", backlog, 1..=100_000_000);
    if output_tokens_default > output_tokens_max {
        section.fault("output_tokens_default", "is above `output_tokens_max`");
    }
    section.finish();
    Limits {
        body_bytes_max,
        body_wait_max,
        answer_bytes_max,
        connections_max,
        requests_in_flight_max: in_flight_max,
        backlog_receipts_max,
        generations_max,
        output_tokens_default,
        output_tokens_max,
        template_tokens_max,
        media_part_tokens_max,
        client_stall_max,
        chain_silence_max,
        drain_max,
        serve_unpaid,
    }
}

pub(super) fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// What each value allows but all together do not.
fn check_together(config: &Config, faults: &mut Faults) {
    let mut providers = HashSet::new();
    for upstream in &config.upstreams {
        if !providers.insert(&upstream.provider) {
            faults.add(format!(
                "the provider {} stands in two [[upstream]]: a provider attests with one attestor, so put a \
                 load balancer behind it instead",
                upstream.provider.to_ss58check()
            ));
        }
    }
    if providers.len() > PROVIDERS_MAX as usize {
        faults.add(format!("there are {} providers; a batch has room for {PROVIDERS_MAX}", providers.len()));
    }
    if config.reservations.lifetime < config.expiry_margin() * 2 {
        faults.add(format!(
            "`lifetime_ms` in [reservations] is too short: a reservation takes no new request in its last \
             {} ms (longest `answer_ms_max`, `client_stall_ms_max` and a minute), so it must last at least twice that",
            config.expiry_margin().as_millis()
        ));
    }
    if config.jobs.is_some() {
        check_jobs(config, faults);
    }
}

/// Receipts that can be looked up: among them a job's is found again after a crash.
const KEPT_FOR_JOBS: usize = 1_000;

/// What batch work asks of the rest.
fn check_jobs(config: &Config, faults: &mut Faults) {
    if config.upstreams.iter().any(|upstream| !upstream.signs) {
        faults.add(
            "an [[upstream]] has `signs = false`, and there is a [jobs]: what a job shows to a provider would be good \
             for any request. Let every provider insist on signatures",
        );
    }
    if config.receipts.keep_max < KEPT_FOR_JOBS {
        faults.add(format!(
            "`keep_max` in [receipts] is below {KEPT_FOR_JOBS}, and there is a [jobs]: after a crash a job's receipt \
             is found among those that can be looked up"
        ));
    }
}
