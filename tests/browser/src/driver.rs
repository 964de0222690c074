//! The processes: chromedriver, and the Chromium that it starts.

use std::{
    fs::File,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{kill_process_group, Pid, Signal};

/// What chromedriver prints before the port that it took.
const MARK: &str = "started successfully on port ";

/// How long chromedriver may take to get ready: these machines can be busy.
const START: Duration = Duration::from_secs(60);

/// Whether a program is on the path.
pub(crate) fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// What Chromium is started with.
pub(crate) fn arguments(folder: &Path) -> Vec<String> {
    let fixed = [
        "--headless",
        // Its sandbox cannot be had as root in a container. The pages are our own.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
    ];
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    fixed.into_iter().map(str::to_owned).chain([profile]).collect()
}

/// A running chromedriver. Dropping it ends it, and Chromium with it.
pub(crate) struct Driver {
    child: Child,
    folder: tempfile::TempDir,
    url: String,
}

impl Driver {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("stipend-browser-").tempdir();
        let folder = folder.unwrap_or_else(|error| panic!("no folder for the browser: {error}"));
        let child = spawn(folder.path()).unwrap_or_else(|error| {
            panic!("chromedriver does not start: {error}; install chromium and chromium-driver")
        });
        let mut driver = Driver { child, folder, url: String::new() };
        let started = Instant::now();
        loop {
            if let Some(port) = port(&driver.log()) {
                driver.url = format!("http://127.0.0.1:{port}");
                return driver;
            }
            if let Ok(Some(status)) = driver.child.try_wait() {
                panic!("chromedriver ended with {status} before it was ready; {}", driver.said());
            }
            assert!(
                started.elapsed() < START,
                "chromedriver took no port within {START:?}; {}",
                driver.said()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A folder that goes with it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("chromedriver.log")).unwrap_or_default()
    }

    /// What it printed, for a sentence.
    pub(crate) fn said(&self) -> String {
        format!("chromedriver said:\n{}", self.log())
    }
}

fn spawn(folder: &Path) -> std::io::Result<Child> {
    std::fs::create_dir(folder.join("downloads"))?;
    let log = File::create(folder.join("chromedriver.log"))?;
    Command::new("chromedriver")
        .arg("--port=0")
        // Both leave files where temporary files go.
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // A group of its own, to which Chromium and all its processes belong.
        .process_group(0)
        .spawn()
}

/// The port of a line that is whole.
fn port(log: &str) -> Option<u16> {
    let line = log.split_inclusive('\n').find(|line| line.contains(MARK) && line.ends_with('\n'))?;
    line.split(MARK).nth(1)?.trim().trim_end_matches('.').parse().ok()
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
        // What was killed may write for a moment.
        for _ in 0..40 {
            if std::fs::remove_dir_all(self.folder.path()).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_a_whole_line() {
        let said = "Starting ChromeDriver 1 on port 0\nChromeDriver was started successfully on port 35377.";
        assert_eq!(port(said), None);
        assert_eq!(port(&format!("{said}\n")), Some(35_377));
    }

    #[test]
    fn a_program_that_does_not_exist_is_not_installed() {
        assert!(is_installed("sh") && !is_installed("no-such-program-of-anybody"));
    }
}
