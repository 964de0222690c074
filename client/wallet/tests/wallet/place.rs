//! Databases for tests: SQLite in a folder, and PostgreSQL where its programs are.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use stipend_wallet::db::Place;
use tempfile::TempDir;

/// A PostgreSQL of this test's own, on a socket in a folder of its own.
pub struct Postgres {
    server: Child,
    folder: TempDir,
}

impl Postgres {
    /// Starts one; `None`, said aloud, where PostgreSQL is not installed.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            println!("PostgreSQL is not installed: the tables were NOT tested on it (Debian: postgresql)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        // PostgreSQL refuses to run as root.
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let run = |program: PathBuf| {
            if is_root {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(program);
                command
            } else {
                Command::new(program)
            }
        };
        if is_root {
            let given = Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap();
            assert!(given.success());
        }
        let made = run(programs.join("initdb"))
            .args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--username=stipend", "-D"])
            .arg(&data)
            .current_dir("/")
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        let server = run(programs.join("postgres"))
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-k"])
            .arg(folder.path())
            .arg("-D")
            .arg(&data)
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let postgres = Postgres { server, folder };
        let started = Instant::now();
        while postgres.place().open().is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "PostgreSQL did not come up");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(postgres)
    }

    pub fn place(&self) -> Place {
        Place::Postgres(format!("host={} user=stipend dbname=postgres", self.folder.path().display()))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The server itself, not who started it: its number stands in its own file.
        let file = self.folder.path().join("data/postmaster.pid");
        if let Some(pid) =
            std::fs::read_to_string(file).ok().and_then(|text| text.lines().next().map(str::to_owned))
        {
            let _ = Command::new("kill").args(["-INT", &pid]).status();
        }
        let _ = self.server.wait();
    }
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    folders.filter(|folder| folder.join("initdb").is_file()).max()
}

pub fn sqlite(folder: &Path) -> Place {
    Place::Sqlite(folder.join("wallet.db"))
}
