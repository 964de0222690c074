//! Words of a text, and their keyed hashes.

use std::hash::Hasher;

/// The words of a text: runs of letters and digits.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Keyed hash of a word. Words with a digit in them are all the same word: a counter or a time at the end of a prompt does not make it another one.
#[derive(Clone)]
pub(super) struct WordHash([u64; 2]);

impl WordHash {
    pub(super) fn new(bytes: &[u8; 16]) -> Self {
        let part = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes; qed"));
        WordHash([part(0), part(8)])
    }

    pub(super) fn of(&self, word: &str) -> u64 {
        // SipHash-2-4. It is deprecated for being no map's default any more; it is the keyed function of the standard library.
        #[allow(deprecated)]
        let mut hasher = std::hash::SipHasher::new_with_keys(self.0[0], self.0[1]);
        if word.bytes().any(|byte| byte.is_ascii_digit()) {
            hasher.write(b"#");
        } else if word.is_ascii() {
            let mut lower = [0; 32];
            for piece in word.as_bytes().chunks(lower.len()) {
                let lower = &mut lower[..piece.len()];
                lower.copy_from_slice(piece);
                lower.make_ascii_lowercase();
                hasher.write(lower);
            }
        } else {
            hasher.write(word.to_lowercase().as_bytes());
        }
        hasher.finish()
    }
}
