//! Real token counts, and words that are exactly one token each.

use std::sync::LazyLock;

use rand::{rngs::StdRng, Rng};
use tiktoken_rs::cl100k_base_singleton;

/// Number of a token in cl100k.
pub(crate) type Token = u32;

/// Tokens below this are ordinary ones; special tokens follow.
const ORDINARY_TOKENS: Token = 100_256;

/// Tokens of a text in cl100k.
pub fn tokens_count(text: &str) -> u64 {
    encode(text).len() as u64
}

pub(crate) fn encode(text: &str) -> Vec<Token> {
    cl100k_base_singleton().encode_ordinary(text)
}

/// Tokens that are a space and lower-case letters. The encoding splits a text before every space, so
/// a text made of such tokens has exactly as many tokens as words.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let encoding = cl100k_base_singleton();
    let word = |token| {
        let text = String::from_utf8(encoding.decode_bytes(&[token]).ok()?).ok()?;
        let letters = text.strip_prefix(' ')?;
        let is_word =
            (2..=9).contains(&letters.len()) && letters.bytes().all(|byte| byte.is_ascii_lowercase());
        is_word.then_some(text)
    };
    (0..ORDINARY_TOKENS).filter_map(word).collect()
});

/// Builds the tables, which takes a fraction of a second, before the first request needs them.
pub(crate) fn warm_up() {
    LazyLock::force(&WORDS);
}

/// Invents a word of one token.
pub(crate) fn word(random: &mut StdRng) -> &'static str {
    &WORDS[random.gen_range(0..WORDS.len())]
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn invented_text_has_as_many_tokens_as_words() {
        assert!(WORDS.len() > 10_000);
        let mut random = StdRng::seed_from_u64(1);
        let text: String = (0..5_000).map(|_| word(&mut random)).collect();
        assert_eq!(tokens_count(&text), 5_000);
    }

    #[test]
    fn counts_are_those_of_the_published_encoding() {
        assert_eq!(encode("tiktoken is great!"), [83, 1609, 5963, 374, 2294, 0]);
    }
}
