//! Child processes that never outlive the one that started them.

use std::{
    ffi::OsStr,
    fs::File,
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{bail, Context, Result};

use crate::process_usage;

/// A running program of this workspace, with its output in a file.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// Whether what it started itself ends with it.
    is_family: bool,
}

/// Where the workspace's programs were built: beside the one that runs. A full path stands for itself.
pub fn program(name: &str) -> Result<PathBuf> {
    if Path::new(name).is_absolute() {
        return Ok(name.into());
    }
    let here = std::env::current_exe().context("the path of this program is not known")?;
    here.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .with_context(|| format!("{name} is not built: run `make build` first"))
}

impl Process {
    /// Starts `program` with its output going to `log_dir/<name>.log`.
    pub fn start<A: AsRef<OsStr>>(
        name: &str,
        program_name: &str,
        arguments: impl IntoIterator<Item = A>,
        log_dir: &Path,
    ) -> Result<Self> {
        Self::start_in(None, name, program_name, arguments, log_dir)
    }

    /// Starts it inside a network namespace, if one is named.
    pub fn start_in<A: AsRef<OsStr>>(
        namespace: Option<&str>,
        name: &str,
        program_name: &str,
        arguments: impl IntoIterator<Item = A>,
        log_dir: &Path,
    ) -> Result<Self> {
        // `ip` becomes the program, so signals reach the program itself.
        let mut command = match namespace {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(program(program_name)?);
                command
            }
            None => Command::new(program(program_name)?),
        };
        command.args(arguments);
        Self::spawn(name, program_name, command, log_dir)
    }

    /// Starts a program that starts others: when it is ended, all of them are.
    pub fn start_family<A: AsRef<OsStr>>(
        name: &str,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        log_dir: &Path,
    ) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).process_group(0);
        let mut process = Self::spawn(name, &program.display().to_string(), command, log_dir)?;
        process.is_family = true;
        Ok(process)
    }

    /// Starts a command; `what` is what the log calls it.
    pub fn spawn(name: &str, what: &str, mut command: Command, log_dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(log_dir)?;
        let log = log_dir.join(format!("{name}.log"));
        let mut file = File::options().create(true).append(true).open(&log)?;
        writeln!(file, "--- {what} starts")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{what} could not be started"))?;
        Ok(Process { name: name.into(), child, log, is_family: false })
    }

    /// Waits until a line of the newest run's output contains `mark`; returns what stands behind it.
    pub async fn wait_for(&mut self, mark: &str, timeout: Duration) -> Result<String> {
        let started = Instant::now();
        loop {
            let text = std::fs::read_to_string(&self.log).unwrap_or_default();
            let newest = text.rsplit("--- ").next().unwrap_or_default();
            // A line counts once it is whole.
            if let Some(line) =
                newest.split_inclusive('\n').find(|line| line.ends_with('\n') && line.contains(mark))
            {
                let rest = line.split(mark).nth(1).unwrap_or_default();
                return Ok(rest.trim().to_string());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status} before it was ready; see {}", self.name, self.log.display());
            }
            if started.elapsed() > timeout {
                bail!("{} did not say {mark:?} in {timeout:?}; see {}", self.name, self.log.display());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it as a power cut would: `SIGKILL`.
    pub fn kill(&mut self) {
        // An error means that it has ended already.
        match rustix::process::Pid::from_raw(self.child.id() as i32).filter(|_| self.is_family) {
            Some(pid) => drop(rustix::process::kill_process_group(pid, rustix::process::Signal::KILL)),
            None => drop(self.child.kill()),
        }
        let _ = self.child.wait();
    }

    /// Asks it to end (`SIGTERM`) and waits up to `timeout`; whether it ended by itself.
    pub fn stop(&mut self, timeout: Duration) -> bool {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let started = Instant::now();
        while started.elapsed() < timeout {
            if !self.is_running() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.kill();
        false
    }

    /// Where its output is.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Memory of its own that is in use, in KiB (`VmRSS`).
    pub fn memory_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("it has ended")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }

    /// Processor time used so far by it, user and system together.
    pub fn cpu_time(&self) -> Result<Duration> {
        process_usage::cpu_of(self.id())
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port of the loopback interface that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
