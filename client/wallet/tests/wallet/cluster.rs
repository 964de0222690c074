//! A PostgreSQL server for the time of a test or a measurement, with a folder of its own.

use std::{
    fs,
    io::Write,
    os::unix::fs::{chown, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Names the variable that says where the cluster of a test process is.
#[allow(dead_code)]
pub const CLUSTER: &str = "STIPEND_TEST_POSTGRES";

/// The owner of the cluster, and its password over the network.
pub const USER: &str = "stipend";
pub const PASSWORD: &str = "only-for-tests";

/// How long the server may take to start, and to end.
const START_WAIT: Duration = Duration::from_secs(60);
const END_WAIT: Duration = Duration::from_secs(20);

/// A running server. It ends with this.
pub struct Cluster {
    server: Child,
    folder: tempfile::TempDir,
    /// Its port on 127.0.0.1, where it wants encryption and a password.
    pub port: u16,
}

/// Where PostgreSQL's programs are.
pub fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    let complete = |folder: &&PathBuf| {
        ["initdb", "postgres", "pg_isready", "psql"].iter().all(|name| folder.join(name).is_file())
    };
    folders.iter().find(complete).cloned()
}

/// Says, past any capturing of output, that a database was not tried.
#[allow(dead_code)]
pub fn say_missing() {
    let text =
        "\nPostgreSQL was NOT tested: its programs (initdb, postgres, pg_isready, psql) are neither in PATH \
                nor below /usr/lib/postgresql. Install PostgreSQL to test it.\n\n";
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Another user to run as: the server refuses to run as root.
fn other_user() -> Option<(u32, u32)> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        let mut fields = users.lines().find(|line| line.split(':').next() == Some(name))?.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    is_root.then(|| find("postgres").or_else(|| find("nobody"))).flatten()
}

fn command(program: &Path, user: Option<(u32, u32)>) -> Command {
    let Some((user, group)) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command
        .arg(format!("--reuid={user}"))
        .arg(format!("--regid={group}"))
        .args(["--clear-groups", "--pdeathsig=INT"]);
    command.arg(program);
    command
}

impl Cluster {
    /// Makes and starts one with further settings; `None` where PostgreSQL is not installed. The thread that
    /// starts it has to outlive it.
    pub fn start(settings: &[&str]) -> Option<Self> {
        let programs = programs()?;
        // Not below a home folder: another user has to get there.
        let folder = tempfile::Builder::new().prefix("stipend-pg-").tempdir_in("/tmp").expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("its owner");
        let (data, user) = (folder.path().join("data"), other_user());
        fs::create_dir(&data).expect("a new folder");
        if let Some((user, group)) = user {
            chown(&data, Some(user), Some(group)).expect("root may");
        }
        let mut init = command(&programs.join("initdb"), user);
        init.args(["--username", USER, "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "-D"]);
        let made = init.arg(&data).current_dir(folder.path()).output().expect("initdb starts");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        write_secrets(&data, user);
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|held| held.local_addr());
        let port = port.expect("a free port").port();
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let mut server = command(&programs.join("postgres"), user);
        server.arg("-D").arg(&data).arg("-k").arg(&data).args(["-p", &port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "ssl=on"].iter().chain(settings) {
            server.args(["-c", setting]);
        }
        let server = server
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .expect("postgres starts");
        let cluster = Cluster { server, folder, port };
        cluster.wait_until_ready(&programs);
        let password = format!("ALTER ROLE {USER} PASSWORD '{PASSWORD}'");
        run_sql(&cluster.address(), &password);
        Some(cluster)
    }

    fn wait_until_ready(&self, programs: &Path) {
        let began = Instant::now();
        loop {
            let mut ask = Command::new(programs.join("pg_isready"));
            ask.arg("-q").arg("-h").arg(self.folder.path().join("data")).args(["-p", &self.port.to_string()]);
            if ask.status().is_ok_and(|status| status.success()) {
                return;
            }
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(began.elapsed() < START_WAIT, "PostgreSQL did not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its first database, by its socket.
    pub fn address(&self) -> String {
        let data = self.folder.path().join("data");
        format!(
            "postgresql://{USER}@{}:{}/postgres",
            data.display().to_string().replace('/', "%2F"),
            self.port
        )
    }
}

/// Over the network only encrypted, with a password; by the socket anybody of this machine.
fn write_secrets(data: &Path, user: Option<(u32, u32)>) {
    let rules = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
    let files = [
        ("pg_hba.conf", rules.as_bytes()),
        ("server.crt", include_bytes!("../../../gateway/tests/data/tls/server.pem")),
        ("server.key", include_bytes!("../../../gateway/tests/data/tls/server.key")),
    ];
    for (name, content) in files {
        let path = data.join(name);
        fs::write(&path, content).expect("room on the disk");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its owner");
        if let Some((user, group)) = user {
            chown(&path, Some(user), Some(group)).expect("root may");
        }
    }
}

/// Makes a database; returns its address.
pub fn create_database(cluster: &str, name: &str) -> String {
    run_sql(cluster, &format!("CREATE DATABASE {name}"));
    let (server, _) = cluster.rsplit_once('/').expect("an address with a database");
    format!("{server}/{name}")
}

/// Carries a statement out.
pub fn run_sql(address: &str, sql: &str) -> String {
    let psql = programs().expect("the cluster runs").join("psql");
    let done = Command::new(psql).args(["-X", "-q", "-A", "-t", "-d", address, "-c", sql]).output();
    let done = done.expect("psql starts");
    assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Its way to end at once with everything in order.
        let _ = Command::new("kill").args(["-INT", &self.server.id().to_string()]).status();
        let began = Instant::now();
        while matches!(self.server.try_wait(), Ok(None)) {
            if began.elapsed() > END_WAIT {
                let _ = self.server.kill();
                let _ = self.server.wait();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
