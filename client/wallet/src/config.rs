//! The configuration: one TOML file, checked as a whole before anything is opened.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use crate::db::{Place, Server};

/// Where the password of a PostgreSQL database may stand, instead of in a file.
const PASSWORD_VARIABLE: &str = "STIPEND_WALLET_DATABASE_PASSWORD";

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
    database_password_file: Option<PathBuf>,
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
        let password = std::env::var(PASSWORD_VARIABLE).ok();
        Self::check(file, path.parent().unwrap_or(Path::new(".")), password)
    }

    /// Reads a text; paths in it are relative to `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Faults> {
        Self::check(read(text)?, folder, None)
    }

    fn check(file: File, folder: &Path, password: Option<String>) -> Result<Self, Faults> {
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
        let database = password_of(&file, folder, password)
            .and_then(|password| place(&file.database, password, folder))
            .map_err(|fault| faults.push(fault))
            .ok();
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

/// What is wrong with a line is said without the line: there may be a password in it.
fn read(text: &str) -> Result<File, Faults> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map(|before| format!("line {}: ", before.matches('\n').count() + 1));
        Faults(vec![format!("{}{}", line.unwrap_or_default(), error.message())])
    })
}

/// The password that stands beside the database's address.
fn password_of(file: &File, folder: &Path, password: Option<String>) -> Result<Option<String>, String> {
    let Some(path) = file.database_password_file.as_ref().map(|path| folder.join(path)) else {
        return Ok(password.filter(|_| !file.database.starts_with("sqlite:")));
    };
    if password.is_some() {
        return Err(format!(
            "the password is given twice: in {PASSWORD_VARIABLE} and `database_password_file`"
        ));
    }
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("`database_password_file`: cannot read {}: {error}", path.display()))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(format!("`database_password_file`: {} is empty", path.display())),
        text => Ok(Some(text.to_owned())),
    }
}

/// Says nothing of an address that it cannot use: there may be a password in it.
fn place(text: &str, password: Option<String>, folder: &Path) -> Result<Place, String> {
    let server = text.starts_with("postgresql://") || text.starts_with("postgres://");
    match text.split_once(':') {
        Some(("sqlite", file)) if !file.is_empty() && password.is_none() => {
            Ok(Place::Sqlite(folder.join(PathBuf::from(file))))
        }
        Some(("sqlite", _)) => Err("`database`: `sqlite:` takes a file, and no password".into()),
        _ if server => Server::parse(text, password.as_deref(), folder)
            .map(Place::Postgres)
            .map_err(|fault| format!("`database`: {fault}")),
        _ => Err("`database` is neither `sqlite:FILE` nor `postgresql://USER@HOST/DATABASE`".into()),
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
    fn a_password_comes_from_one_place_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), "hunter2\n").unwrap();
        let server = "postgresql://wallet@db.example/wallet";
        let text = GOOD.replace("sqlite:wallet.db", server);
        let with_file = format!("{text}database_password_file = \"password\"\n");
        let from_file = Config::parse(&with_file, folder.path()).unwrap();
        let from_variable =
            Config::check(read(&text).unwrap(), folder.path(), Some("hunter2".into())).unwrap();
        let inside = GOOD.replace("sqlite:wallet.db", "postgresql://wallet:hunter2@db.example/wallet");
        let from_address = Config::parse(&inside, folder.path()).unwrap();
        for config in [&from_file, &from_variable, &from_address] {
            assert_eq!(config.database, from_file.database);
            assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
        }
        let twice = Config::check(read(&with_file).unwrap(), folder.path(), Some("hunter2".into()));
        for faults in [
            twice.unwrap_err(),
            Config::parse(&inside.replace("postgresql:", "postgre:"), folder.path()).unwrap_err(),
            Config::parse(&inside.replace("@db", "@db:x"), folder.path()).unwrap_err(),
            Config::parse(&inside.replace("wallet\"", "wallet"), folder.path()).unwrap_err(),
            Config::parse(&inside.replace("database =", "database = 1"), folder.path()).unwrap_err(),
            Config::parse(&with_file.replace("\"password\"", "\"none\""), folder.path()).unwrap_err(),
        ] {
            assert!(!format!("{faults} {faults:?}").contains("hunter2"), "{faults}");
        }
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
