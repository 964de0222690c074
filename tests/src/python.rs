//! Runs what other people wrote, as it comes from PyPI.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{ensure, Context, Result};

use crate::services::repository;

/// A virtual environment with packages from PyPI; kept between runs.
pub struct Python(PathBuf);

impl Python {
    /// The clients that other people wrote.
    pub fn clients() -> Result<Option<Self>> {
        Self::environment("python", "requirements.txt")
    }

    /// What the example in `examples/python` asks for.
    pub fn example() -> Result<Option<Self>> {
        Self::environment("python-example", "../../examples/python/requirements.txt")
    }

    /// A real inference engine, llama.cpp, with a small model: half a gigabyte.
    pub fn llama() -> Result<Option<Self>> {
        Self::environment("python-llama", "llama-requirements.txt")
    }

    /// A real inference engine, vLLM on the CPU: too large to be installed on the way. Its interpreter is
    /// named by `STIPEND_VLLM_PYTHON`; without that, it is looked for where `docs/metering.md` puts it.
    pub fn vllm() -> Option<Self> {
        let named = std::env::var_os("STIPEND_VLLM_PYTHON").map(PathBuf::from);
        let usual =
            || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/stipend/vllm/venv/bin/python"));
        let python = named.or_else(usual).unwrap_or_default();
        if python.is_file() {
            return Some(Python(python));
        }
        println!(
            "NOT RUN: no vLLM at {}; `docs/metering.md` says how to install one, STIPEND_VLLM_PYTHON names another",
            python.display()
        );
        None
    }

    /// Makes an environment in a folder under `target`. `None` where that cannot be: without Python, or
    /// without a package index.
    fn environment(folder: &str, requirements: &str) -> Result<Option<Self>> {
        let requirements = repository().join("tests/python").join(requirements);
        let venv = repository().join("target").join(folder);
        let python = venv.join("bin/python");
        let stamp = venv.join("requirements.txt");
        let wanted = std::fs::read(&requirements)?;
        if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(Some(Python(python)));
        }
        let steps: [(PathBuf, Vec<std::ffi::OsString>); 2] = [
            ("python3".into(), vec!["-m".into(), "venv".into(), "--clear".into(), venv.clone().into()]),
            (
                python.clone(),
                ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]
                    .map(Into::into)
                    .into_iter()
                    .chain([requirements.into()])
                    .collect(),
            ),
        ];
        for (program, arguments) in steps {
            match Command::new(&program).args(&arguments).output() {
                Ok(output) if output.status.success() => {}
                Ok(output) => return Ok(unavailable(&String::from_utf8_lossy(&output.stderr))),
                Err(error) => return Ok(unavailable(&error.to_string())),
            }
        }
        std::fs::write(stamp, wanted)?;
        Ok(Some(Python(python)))
    }

    /// The interpreter.
    pub fn program(&self) -> &Path {
        &self.0
    }

    /// Runs a script of `tests/python`; returns the last line that it prints.
    pub fn run(&self, script: &str, variables: &[(&'static str, String)]) -> Result<String> {
        let Output { status, stdout, stderr } = Command::new(&self.0)
            .arg(repository().join("tests/python").join(script))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .output()
            .with_context(|| format!("{script} could not be started"))?;
        ensure!(status.success(), "{script} failed: {}", String::from_utf8_lossy(&stderr));
        let text = String::from_utf8(stdout)?;
        Ok(text.lines().last().context("the script printed nothing")?.to_string())
    }
}

fn unavailable(why: &str) -> Option<Python> {
    println!("NOT RUN: no Python environment with packages from PyPI could be made: {}", why.trim());
    None
}
