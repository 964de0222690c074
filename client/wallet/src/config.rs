//! The configuration: one TOML file, checked as a whole before anything is opened.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use crate::db::Place;

/// Everything that the service is told by its operator.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where browsers, or the proxy before it, connect; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The origin that browsers see, such as `https://wallet.example`; `None`: `http://` and `listen`.
    pub origin: Option<String>,
    /// WebSocket address of a node that keeps old state.
    pub chain: String,
    /// Where the tables are.
    pub database: Place,
    /// How long a session lasts.
    pub session: Duration,
    /// Connections for reading.
    pub readers_max: usize,
    /// Pages that update themselves at a time.
    pub streams_max: usize,
    /// Blocks behind the chain beyond which the service is not ready.
    pub behind_max: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: String,
    origin: Option<String>,
    chain: String,
    database: String,
    #[serde(default = "session_minutes")]
    session_minutes: u64,
    #[serde(default = "readers_max")]
    readers_max: usize,
    #[serde(default = "streams_max")]
    streams_max: usize,
    #[serde(default = "behind_max")]
    behind_max: u64,
}

fn session_minutes() -> u64 {
    30
}

fn readers_max() -> usize {
    8
}

fn streams_max() -> usize {
    256
}

fn behind_max() -> u64 {
    30
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        writeln!(formatter, "the configuration has {count} fault{}:", if count == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|fault| writeln!(formatter, "  - {fault}"))
    }
}

impl std::error::Error for Faults {}

impl Config {
    /// Reads and checks a file. `origin` and `chain` stand in for the file's where they are given.
    pub fn load(path: &Path, origin: Option<String>, chain: Option<String>) -> Result<Self, Faults> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Faults(vec![format!("cannot read {}: {error}", path.display())]))?;
        let mut file = read(&text)?;
        file.origin = origin.or(file.origin);
        file.chain = chain.unwrap_or(file.chain);
        Self::check(file, path.parent().unwrap_or(Path::new(".")))
    }

    /// Reads a text; paths in it are relative to `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Faults> {
        Self::check(read(text)?, folder)
    }

    fn check(file: File, folder: &Path) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let listen = file.listen.parse::<SocketAddr>();
        if listen.is_err() {
            faults
                .push(format!("`listen`: `{}` is no address and port, such as 127.0.0.1:8090", file.listen));
        }
        if !(file.chain.starts_with("ws://") || file.chain.starts_with("wss://")) {
            faults.push(format!(
                "`chain`: `{}` is no WebSocket address, such as ws://127.0.0.1:9944",
                file.chain
            ));
        }
        if let Some(origin) = &file.origin {
            faults.extend(origin_fault(origin));
        } else if listen.as_ref().is_ok_and(|listen| !listen.ip().is_loopback()) {
            faults.push(
                "`origin` is missing: with a `listen` beyond this machine, browsers see another address"
                    .into(),
            );
        }
        let database = place(&file.database, folder);
        if database.is_none() {
            faults.push(format!("`database`: `{}` is not `sqlite:FILE`", file.database));
        }
        for (name, value, range) in [
            ("session_minutes", file.session_minutes, 1..=720),
            ("readers_max", file.readers_max as u64, 1..=256),
            ("streams_max", file.streams_max as u64, 0..=100_000),
            ("behind_max", file.behind_max, 1..=1_000_000),
        ] {
            if !range.contains(&value) {
                faults.push(format!("`{name}`: {value} is not from {} to {}", range.start(), range.end()));
            }
        }
        match (listen, database, faults.is_empty()) {
            (Ok(listen), Some(database), true) => Ok(Config {
                listen,
                origin: file.origin,
                chain: file.chain,
                database,
                session: Duration::from_secs(file.session_minutes * 60),
                readers_max: file.readers_max,
                streams_max: file.streams_max,
                behind_max: file.behind_max,
            }),
            _ => Err(Faults(faults)),
        }
    }
}

fn read(text: &str) -> Result<File, Faults> {
    toml::from_str(text).map_err(|error| Faults(vec![error.to_string()]))
}

fn place(text: &str, folder: &Path) -> Option<Place> {
    match text.split_once(':')? {
        ("sqlite", file) if !file.is_empty() => Some(Place::Sqlite(folder.join(PathBuf::from(file)))),
        _ => None,
    }
}

fn origin_fault(origin: &str) -> Option<String> {
    let parsed = origin.parse::<http::Uri>().ok()?;
    let host = parsed.host().unwrap_or_default();
    let local = host == "localhost" || host == "127.0.0.1" || host == "[::1]";
    let written = origin.strip_prefix("https://").or(origin.strip_prefix("http://"));
    if written.is_none_or(|rest| rest.is_empty() || rest.contains(['/', '@', '?', '#'])) {
        return Some(format!(
            "`origin`: `{origin}` is no scheme, host and port, such as https://wallet.example"
        ));
    }
    if origin.starts_with("http://") && !local {
        return Some(format!(
            "`origin`: `{origin}` is not https: browsers would send sessions in the clear; put a proxy with TLS before the service"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const GOOD: &str =
        "listen = \"127.0.0.1:8090\"\nchain = \"ws://127.0.0.1:9944\"\ndatabase = \"sqlite:wallet.db\"\n";

    #[test]
    fn a_short_file_is_enough() {
        let config = Config::parse(GOOD, Path::new("/data")).unwrap();
        assert_eq!(config.database, Place::Sqlite("/data/wallet.db".into()));
        assert_eq!(config.session, Duration::from_secs(1_800));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let text = "listen = \"8090\"\nchain = \"http://node\"\ndatabase = \"mysql:x\"\norigin = \"http://wallet.example\"\nsession_minutes = 0\n";
        let faults = Config::parse(text, Path::new("/")).unwrap_err();
        for word in ["`listen`", "`chain`", "`database`", "`origin`", "`session_minutes`"] {
            assert!(faults.0.iter().any(|fault| fault.contains(word)), "{word}: {faults}");
        }
        assert_eq!(faults.0.len(), 5);
    }

    #[test]
    fn a_setting_that_does_not_exist_is_a_fault() {
        let faults = Config::parse(&format!("{GOOD}listn = 1\n"), Path::new("/")).unwrap_err();
        assert!(faults.to_string().contains("listn"), "{faults}");
    }

    #[test]
    fn beyond_this_machine_the_origin_is_named_and_encrypted() {
        let open = GOOD.replace("127.0.0.1:8090", "0.0.0.0:8090");
        assert!(Config::parse(&open, Path::new("/")).is_err());
        for (origin, good) in [
            ("https://wallet.example", true),
            ("http://127.0.0.1:8090", true),
            ("http://localhost:8090", true),
            ("http://wallet.example", false),
            ("https://wallet.example/", false),
            ("wallet.example", false),
        ] {
            let text = format!("{open}origin = \"{origin}\"\n");
            assert_eq!(Config::parse(&text, Path::new("/")).is_ok(), good, "{origin}");
        }
    }
}
