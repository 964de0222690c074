//! A prefix cache, as far as it shows in the counts.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use parking_lot::Mutex;

use crate::tokens::Token;

/// Tokens of one block, as vLLM has it.
const BLOCK_TOKENS: usize = 16;

/// Blocks kept; when they are full the cache begins anew, as if it had been evicted.
const BLOCKS_MAX: usize = 65_536;

/// Remembers which prompts' beginnings were seen.
#[derive(Default)]
pub(crate) struct PrefixCache {
    blocks: Mutex<HashSet<u64>>,
}

impl PrefixCache {
    /// How many of a prompt's tokens are cached; puts the rest of its whole blocks into the cache.
    /// The last token is always computed, for the first answer token comes from it.
    pub(crate) fn look_up(&self, prompt: &[Token]) -> u64 {
        let mut blocks = self.blocks.lock();
        if blocks.len() > BLOCKS_MAX {
            blocks.clear();
        }
        let mut chain = DefaultHasher::new();
        let mut cached_blocks = 0;
        let mut is_hit = true;
        for block in prompt[..prompt.len().saturating_sub(1)].chunks_exact(BLOCK_TOKENS) {
            block.hash(&mut chain);
            is_hit &= !blocks.insert(chain.finish());
            cached_blocks += usize::from(is_hit);
        }
        (cached_blocks * BLOCK_TOKENS) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_beginning_is_cached_in_whole_blocks() {
        let cache = PrefixCache::default();
        let prompt: Vec<Token> = (0..50).collect();
        assert_eq!(cache.look_up(&prompt), 0);
        assert_eq!(cache.look_up(&prompt), 48);
        assert_eq!(cache.look_up(&prompt[..32]), 16);
        let mut other = prompt.clone();
        other[20] = 7;
        assert_eq!(cache.look_up(&other), 16);
        assert_eq!(cache.look_up(&[]), 0);
    }
}
