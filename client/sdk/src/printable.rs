//! Names that other people chose, made fit to be shown.

/// Text of a name. Nothing in it moves a terminal's cursor.
pub fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}
