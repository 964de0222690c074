//! Where a PostgreSQL database is, and how a connection to it is encrypted.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use postgres::config::{Host, SslMode};
use rustls::{
    pki_types::{pem::PemObject, CertificateDer},
    ClientConfig, RootCertStore,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{postgres::refused, Answer, DbError};

/// How long a server may take to let somebody in.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// A server that is gone without a word is noticed after about this long.
const SILENCE: Duration = Duration::from_secs(30);

/// Where systems keep the authorities that they trust: Debian and Alpine, Fedora and RHEL, openSUSE, BSD and macOS.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A database of a PostgreSQL server. What it shows of itself holds no password.
#[derive(Clone)]
pub struct Server {
    settings: Box<postgres::Config>,
    /// Authorities to trust, instead of the system's.
    roots: Option<PathBuf>,
}

impl Server {
    /// Reads an address such as `postgresql://wallet@db.example/wallet?sslmode=require`, with the password
    /// to use if the address has none. Paths are relative to `folder`.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong and quotes nothing of the address.
    pub fn parse(address: &str, password: Option<&str>, folder: &Path) -> Result<Self, String> {
        let (address, options) = split(address);
        let (mut roots, mut mode, mut kept) = (None, None, Vec::new());
        for (name, value) in options {
            match (name, value) {
                ("sslrootcert", file) => roots = Some(folder.join(file)),
                // Whoever encrypts here also looks whom it talks to.
                ("sslmode", "verify-ca" | "verify-full") => mode = Some(SslMode::Require),
                ("sslmode", "require") => mode = Some(SslMode::Require),
                ("sslmode", "prefer") => mode = Some(SslMode::Prefer),
                ("sslmode", "disable") => mode = Some(SslMode::Disable),
                ("sslmode", _) => {
                    return Err("`sslmode` is none of disable, prefer, require, verify-ca, verify-full".into())
                }
                (name, value) => kept.push(format!("{name}={value}")),
            }
        }
        let plain =
            if kept.is_empty() { address.to_owned() } else { format!("{address}?{}", kept.join("&")) };
        let mut settings: postgres::Config = plain.parse().map_err(|error| match refused(error) {
            DbError::Postgres(text) => text,
            other => other.to_string(),
        })?;
        if settings.get_hosts().is_empty() || settings.get_user().is_none() {
            return Err("it names no host or no user: postgresql://USER@HOST/DATABASE".into());
        }
        match (settings.get_password().is_some(), password) {
            (true, Some(_)) => return Err("the password is given twice: in the address and beside it".into()),
            (false, Some(password)) => drop(settings.password(password)),
            (_, None) => {}
        }
        let here = settings.get_hosts().iter().all(is_here);
        settings.ssl_mode(mode.unwrap_or(if here { SslMode::Disable } else { SslMode::Require }));
        if settings.get_connect_timeout().is_none() {
            settings.connect_timeout(CONNECT_WAIT);
        }
        settings.application_name("stipend-wallet").keepalives_idle(SILENCE).tcp_user_timeout(SILENCE);
        Ok(Server { settings: Box::new(settings), roots })
    }

    /// Opens a connection. It must not be called on a thread that drives asynchronous code.
    pub(super) fn connect(&self) -> Answer<postgres::Client> {
        if self.settings.get_ssl_mode() == SslMode::Disable {
            return self.settings.connect(postgres::NoTls).map_err(refused);
        }
        self.settings.connect(MakeRustlsConnect::new(self.tls()?)).map_err(refused)
    }

    fn tls(&self) -> Answer<ClientConfig> {
        let file = match &self.roots {
            Some(file) => file.clone(),
            None => system_roots().ok_or_else(|| {
                DbError::Tls(
                    "this system has no list of authorities; name a file of them by `sslrootcert`".into(),
                )
            })?,
        };
        let unreadable =
            |error| DbError::Tls(format!("{} cannot be read as certificates: {error}", file.display()));
        let certificates: Vec<CertificateDer> =
            CertificateDer::pem_file_iter(&file).and_then(Iterator::collect).map_err(unreadable)?;
        let mut roots = RootCertStore::empty();
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(DbError::Tls(format!("{} holds no certificate", file.display())));
        }
        let provider = rustls::crypto::ring::default_provider();
        let config = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|error| DbError::Tls(error.to_string()))?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

/// An address without its options, and these.
fn split(address: &str) -> (&str, Vec<(&str, &str)>) {
    // A question mark before the host is a password's.
    let host = address.rfind('@').unwrap_or_default();
    let Some((end, options)) =
        address[host..].split_once('?').map(|(rest, options)| (host + rest.len(), options))
    else {
        return (address, Vec::new());
    };
    let pairs = options.split('&').filter(|pair| !pair.is_empty());
    (&address[..end], pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect())
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

fn system_roots() -> Option<PathBuf> {
    SYSTEM_ROOTS.iter().map(PathBuf::from).find(|file| file.is_file())
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.settings.get_hosts().iter().map(|host| format!("{host:?}")).collect();
        formatter
            .debug_struct("Server")
            .field("hosts", &hosts)
            .field("ports", &self.settings.get_ports())
            .field("user", &self.settings.get_user())
            .field("database", &self.settings.get_dbname())
            .field("encryption", &self.settings.get_ssl_mode())
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        let all = |server: &Server| {
            let settings = &server.settings;
            (
                settings.get_hosts().to_vec(),
                settings.get_ports().to_vec(),
                settings.get_user().map(str::to_owned),
                settings.get_dbname().map(str::to_owned),
                settings.get_password().map(<[u8]>::to_vec),
                settings.get_options().map(str::to_owned),
                settings.get_ssl_mode(),
                server.roots.clone(),
            )
        };
        all(self) == all(other)
    }
}

impl Eq for Server {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parse(address: &str) -> Result<Server, String> {
        Server::parse(address, None, Path::new("/etc/stipend"))
    }

    #[test]
    fn beyond_this_machine_connections_are_encrypted_unless_one_says_otherwise() {
        for (address, mode) in [
            ("postgresql://wallet@db.example/wallet", SslMode::Require),
            ("postgresql://wallet@192.0.2.7/wallet", SslMode::Require),
            ("postgresql://wallet@127.0.0.1/wallet", SslMode::Disable),
            ("postgresql://wallet@localhost:5433/wallet", SslMode::Disable),
            ("postgresql://wallet@%2Frun%2Fpostgresql/wallet", SslMode::Disable),
            ("postgresql://wallet@db.example,localhost/wallet", SslMode::Require),
            ("postgresql://wallet@db.example/wallet?sslmode=prefer", SslMode::Prefer),
            ("postgresql://wallet@db.example/wallet?sslmode=disable", SslMode::Disable),
            ("postgresql://wallet@127.0.0.1/wallet?sslmode=verify-full", SslMode::Require),
        ] {
            assert_eq!(parse(address).unwrap().settings.get_ssl_mode(), mode, "{address}");
        }
    }

    #[test]
    fn options_are_taken_where_they_belong() {
        let server = parse("postgresql://w@db.example/x?sslrootcert=ca.pem&connect_timeout=3").unwrap();
        assert_eq!(server.roots.as_deref(), Some(Path::new("/etc/stipend/ca.pem")));
        assert_eq!(server.settings.get_connect_timeout(), Some(&Duration::from_secs(3)));
    }

    #[test]
    fn what_it_says_of_itself_holds_no_password() {
        let secret = "hunter2";
        let inside = parse(&format!("postgresql://wallet:{secret}@db.example/wallet")).unwrap();
        let beside =
            Server::parse("postgresql://wallet@db.example/wallet", Some(secret), Path::new("/")).unwrap();
        assert_eq!(inside, beside);
        for server in [&inside, &beside] {
            assert_eq!(server.settings.get_password(), Some(secret.as_bytes()));
            let shown = format!("{server:?} {:#?}", crate::db::Place::Postgres(server.clone()));
            assert!(!shown.contains(secret) && shown.contains("db.example"), "{shown}");
        }
        for wrong in [
            format!("postgresql://wallet:{secret}@db.example:port/wallet"),
            format!("postgresql://wallet:{secret}@db.example/wallet?sslmode={secret}"),
            format!("postgresql://wallet:{secret}@db.example/wallet?port={secret}"),
            format!("postgresql://:{secret}@/wallet"),
        ] {
            let fault = parse(&wrong).unwrap_err();
            assert!(!fault.contains(secret) && !fault.is_empty(), "{wrong}: {fault}");
        }
        assert!(Server::parse("postgresql://w:a@h/d", Some("b"), Path::new("/")).is_err());
    }
}
