//! Follows what every validator calls final, and notices when two of them disagree.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use anyhow::{ensure, Result};
use futures::StreamExt;
use sp_core::H256;
use stipend_primitives::BlockNumber;
use stipend_sdk::Client;
use tokio::task::JoinHandle;

/// What the validators called final so far.
#[derive(Default)]
struct Seen {
    /// The block of each height and who named it first.
    blocks: HashMap<BlockNumber, (H256, String)>,
    /// Heights of which two different blocks were called final.
    conflicts: Vec<String>,
    /// The greatest height, and when it came.
    newest: Option<(BlockNumber, Instant)>,
    /// The longest time without a greater one.
    longest_pause: Duration,
    /// The most blocks that were made while none became final.
    longest_lag: BlockNumber,
}

/// Follows the finality of all validators in the background.
#[derive(Default)]
pub struct Finality {
    seen: Arc<Mutex<Seen>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Finality {
    /// Follows one more validator, from the first block on and through its restarts.
    pub fn follow(&mut self, name: &str, client: Client) {
        let (seen, name) = (self.seen.clone(), name.to_owned());
        self.tasks.push(tokio::spawn(async move {
            let mut next = 1;
            loop {
                let mut blocks = client.finalised_blocks_after(next - 1);
                // An ended stream begins again: the node may be away for longer than a client waits.
                while let Some(Ok(block)) = blocks.next().await {
                    let best = client.best_head().await.map_or(0, |best| best.number);
                    lock(&seen).note(&name, block.number, block.hash, best);
                    next = block.number + 1;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }));
    }

    /// The greatest height that any validator called final.
    pub fn height(&self) -> BlockNumber {
        lock(&self.seen).newest.map_or(0, |(height, _)| height)
    }

    /// The longest time that passed between two new final heights, the one under way included.
    pub fn longest_pause(&self) -> Duration {
        let seen = lock(&self.seen);
        seen.newest.map_or(Duration::ZERO, |(_, at)| seen.longest_pause.max(at.elapsed()))
    }

    /// The most blocks that were made while none became final.
    pub fn longest_lag(&self) -> BlockNumber {
        lock(&self.seen).longest_lag
    }

    /// Fails if two different blocks of one height were called final.
    pub fn ensure_no_conflict(&self) -> Result<()> {
        let seen = lock(&self.seen);
        ensure!(seen.conflicts.is_empty(), "conflicting final blocks: {}", seen.conflicts.join("; "));
        Ok(())
    }
}

impl Drop for Finality {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Seen {
    fn note(&mut self, name: &str, number: BlockNumber, hash: H256, best: BlockNumber) {
        let (known, first) = self.blocks.entry(number).or_insert_with(|| (hash, name.to_owned()));
        if *known != hash {
            self.conflicts.push(format!("{first} finalised {known:?} at {number}, {name} {hash:?}"));
        }
        match self.newest {
            Some((newest, _)) if newest >= number => {}
            newest => {
                let pause = newest.map_or(Duration::ZERO, |(_, at)| at.elapsed());
                self.longest_pause = self.longest_pause.max(pause);
                let before = newest.map_or(number, |(before, _)| before);
                self.longest_lag = self.longest_lag.max(best.saturating_sub(before));
                self.newest = Some((number, Instant::now()));
            }
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_blocks_of_one_final_height_are_a_conflict() {
        let mut seen = Seen::default();
        seen.note("a", 7, H256([1; 32]), 9);
        seen.note("b", 7, H256([1; 32]), 9);
        assert!(seen.conflicts.is_empty());
        seen.note("c", 7, H256([2; 32]), 9);
        assert_eq!(seen.conflicts.len(), 1);
        assert!(seen.conflicts[0].contains("at 7"), "{}", seen.conflicts[0]);
    }

    #[test]
    fn a_validator_that_catches_up_does_not_end_a_pause() {
        let mut seen = Seen::default();
        seen.note("a", 9, H256([9; 32]), 10);
        let before = seen.newest;
        seen.note("b", 8, H256([8; 32]), 10);
        assert_eq!(seen.newest, before);
    }

    #[test]
    fn lag_counts_the_blocks_made_since_the_last_final_one() {
        let mut seen = Seen::default();
        seen.note("a", 10, H256([1; 32]), 12);
        seen.note("a", 15, H256([2; 32]), 17);
        assert_eq!(seen.longest_lag, 7);
    }
}
