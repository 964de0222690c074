//! Where a test's tables are: in a file of SQLite's, or, where a cluster is named, in a database of its own.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use stipend_wallet::db::{Place, Server};

use super::cluster::{self, CLUSTER};

/// A database that nobody else uses, as `wallet.toml` names it.
pub fn address(folder: &Path) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    match std::env::var(CLUSTER) {
        Ok(cluster) => {
            let name = format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            cluster::create_database(&cluster, &name)
        }
        Err(_) => format!("sqlite:{}", folder.join("wallet.db").display()),
    }
}

/// The database of an address.
pub fn place(address: &str) -> Place {
    match address.strip_prefix("sqlite:") {
        Some(file) => Place::Sqlite(file.into()),
        None => Place::Postgres(Server::parse(address, None, Path::new("/")).unwrap()),
    }
}

/// A database that nobody else uses.
pub fn tables(folder: &Path) -> Place {
    place(&address(folder))
}

/// One of SQLite's, whatever the other tests use.
pub fn sqlite(folder: &Path) -> Place {
    Place::Sqlite(folder.join("sqlite.db"))
}
