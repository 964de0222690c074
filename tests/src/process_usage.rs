//! What processes use of the machine, as Linux counts it.

use std::{collections::HashMap, fs, time::Duration};

use anyhow::{Context, Result};

/// What a process and all its children use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time so far, user and system together.
    pub cpu: Duration,
    /// Memory in use, in bytes; what processes share counts for each.
    pub rss_bytes: u64,
}

/// What `root` and all that descend from it use.
pub fn of_tree(root: u32) -> Usage {
    let mut children: HashMap<u32, Vec<(u32, Stat)>> = HashMap::new();
    let mut open = Vec::new();
    for pid in pids() {
        // A process may end while it is looked at.
        let Ok(stat) = Stat::read(pid) else { continue };
        match pid == root {
            true => open.push((pid, stat)),
            false => children.entry(stat.parent).or_default().push((pid, stat)),
        }
    }
    let mut usage = Usage::default();
    while let Some((pid, stat)) = open.pop() {
        usage.cpu += stat.cpu + stat.cpu_of_ended_children;
        usage.rss_bytes += rss_bytes(pid);
        open.extend(children.remove(&pid).unwrap_or_default());
    }
    usage
}

/// Processor time of one process alone.
pub(crate) fn cpu_of(pid: u32) -> Result<Duration> {
    Ok(Stat::read(pid)?.cpu)
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// What `/proc/PID/stat` says.
#[derive(Clone, Copy)]
struct Stat {
    parent: u32,
    cpu: Duration,
    cpu_of_ended_children: Duration,
}

impl Stat {
    fn read(pid: u32) -> Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Self::parse(&text).with_context(|| format!("/proc/{pid}/stat has another form than Linux gives it"))
    }

    fn parse(text: &str) -> Option<Self> {
        // The command's name stands in parentheses and may contain blanks.
        let fields: Vec<&str> = text.rsplit(')').next()?.split_whitespace().collect();
        let field = |at: usize| fields.get(at)?.parse::<u64>().ok();
        // Linux counts 100 ticks a second for user space on every architecture it supports.
        let time = |at: usize| Some(Duration::from_millis((field(at)? + field(at + 1)?) * 10));
        Some(Stat { parent: field(1)? as u32, cpu: time(11)?, cpu_of_ended_children: time(13)? })
    }
}

/// 0 for a process that has ended.
fn rss_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or(0u64) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_does_not_shift_the_fields() {
        let stat = Stat::parse("7 (a) b) S 3 7 7 0 -1 0 0 0 0 0 150 50 20 10 20 0 4")
            .expect("it has all fields; qed");
        assert_eq!(stat.parent, 3);
        assert_eq!(
            (stat.cpu, stat.cpu_of_ended_children),
            (Duration::from_secs(2), Duration::from_millis(300))
        );
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(of_tree(std::process::id()).rss_bytes > 0);
    }
}
