//! What operators see of the gateway, and how callers reach it: `[log]`, `[otlp]`, `[tls]`.

use std::path::{Path, PathBuf};

use toml::Table;
use tracing_subscriber::EnvFilter;

use super::{
    otlp::{read_otlp, Otlp},
    values::Section,
    Faults,
};

/// What operators see of the gateway, and how callers reach it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operate {
    /// What is logged.
    pub log: Log,
    /// Where traces and metrics go; without it nowhere, and nothing is measured for it.
    pub otlp: Option<Otlp>,
    /// TLS at the listener; without it callers speak plain HTTP.
    pub tls: Option<TlsFiles>,
}

/// What is logged, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// As in `RUST_LOG`, which goes first where it is set.
    pub filter: String,
    /// One JSON object per line instead of text.
    pub json: bool,
}

impl Default for Log {
    fn default() -> Self {
        Log { filter: "info".into(), json: false }
    }
}

/// The listener's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the certificate, and then those of its issuers.
    pub cert_file: PathBuf,
    /// PEM: the certificate's private key.
    pub key_file: PathBuf,
}

/// The tables, before they are read.
pub(super) struct Tables {
    log: Table,
    otlp: Table,
    tls: Table,
}

/// Takes the tables out of the file.
pub(super) fn take(root: &mut Section) -> Tables {
    Tables { log: root.table("log"), otlp: root.table("otlp"), tls: root.table("tls") }
}

impl Tables {
    pub(super) fn read(self, folder: &Path, faults: &mut Faults) -> Operate {
        Operate {
            log: read_log(Section::new("[log]", self.log, faults)),
            otlp: read_otlp(self.otlp, folder, faults),
            tls: read_tls(self.tls, folder, faults),
        }
    }
}

fn read_log(mut section: Section) -> Log {
    let mut log = Log::default();
    if let Some(filter) = section.optional("filter") {
        if let Err(error) = EnvFilter::try_new(&filter) {
            section.fault("filter", format_args!("is no log filter: {error}"));
        }
        log.filter = filter;
    }
    log.json = section.flag("json", log.json);
    section.finish();
    log
}

fn read_tls(table: Table, folder: &Path, faults: &mut Faults) -> Option<TlsFiles> {
    if table.is_empty() {
        return None;
    }
    let mut section = Section::new("[tls]", table, faults);
    let (cert_file, key_file) = (section.string("cert_file"), section.string("key_file"));
    section.finish();
    Some(TlsFiles { cert_file: folder.join(cert_file?), key_file: folder.join(key_file?) })
}
