//! Which processor core does what.

use std::{fs, process::Command};

use anyhow::{ensure, Context, Result};

/// The cores of the machine that this program may use, by what runs on them. With two, the side that is measured has one
/// and all else shares the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cores {
    /// The side that is measured. The others wait on it meanwhile.
    pub side: usize,
    /// What generates the load.
    pub load: usize,
    /// The stand-in upstream.
    pub mock: usize,
    /// The node.
    pub chain: usize,
}

impl Cores {
    pub fn of_machine() -> Result<Self> {
        let status = fs::read_to_string("/proc/self/status")?;
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let cores = parse(list.context("Linux does not say which cores this program may use")?)?;
        let core = |at: usize| cores[at.min(cores.len() - 1)];
        Ok(Cores { side: core(0), load: core(1), mock: core(2), chain: core(3) })
    }

    /// What is shared, said to who reads the figures.
    pub fn describe(&self) -> String {
        let Cores { side, load, mock, chain } = self;
        format!("core {side}: the side that is measured; {load}: the load; {mock}: the stand-in upstream; {chain}: the chain")
    }
}

/// Moves this program to a core. What it starts from now on inherits that.
pub(super) fn move_to(core: usize) -> Result<()> {
    let output = Command::new("taskset")
        .args(["--cpu-list", "--pid", &core.to_string(), &std::process::id().to_string()])
        .output()
        .context("taskset could not be run: install util-linux")?;
    ensure!(output.status.success(), "taskset: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// A list such as `0-2,5`.
fn parse(list: &str) -> Result<Vec<usize>> {
    let mut cores = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        cores.extend(first.parse::<usize>()?..=last.parse::<usize>()?);
    }
    ensure!(!cores.is_empty(), "this program may use no core");
    Ok(cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cores_have_ranges_and_single_ones() {
        assert_eq!(parse("\t0-2,5").ok(), Some(vec![0, 1, 2, 5]));
        assert_eq!(parse("3").ok(), Some(vec![3]));
        assert!(parse("").is_err());
    }
}
