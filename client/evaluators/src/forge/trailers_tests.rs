#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

const A: &str = "00000000000000000000000000000a0a";
const B: &str = "00000000000000000000000000000b0b";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn receipts(message: &str) -> Vec<String> {
    Mentions::of_commit(message).receipts.iter().map(ReceiptId::to_string).collect()
}

#[test]
fn receipts_stand_in_the_last_paragraph() {
    assert_eq!(receipts(&format!("Title\n\nBody.\n\nStipend-Receipt: {A}\n")), [A]);
    assert_eq!(receipts(&format!("Title\n\nStipend-Receipt: {A}\nCo-authored-by: X <x@y>\n\n\n")), [A]);
    assert_eq!(receipts(&format!("Title\r\n\r\nStipend-Receipt: {A}\r\n")), [A]);
    assert!(receipts(&format!("Title\n\nStipend-Receipt: {A}\n\nMore words.")).is_empty());
    assert!(receipts(&format!("Stipend-Receipt: {A}")).is_empty(), "a title is no trailer");
    assert!(receipts(&format!("\n\nStipend-Receipt: {A}")).is_empty());
}

#[test]
fn names_are_read_in_any_case_and_values_folded() {
    assert_eq!(receipts(&format!("T\n\nSTIPEND-receipt : {A},\n {B}\n")), [A, B]);
    assert_eq!(receipts(&format!("T\n\nStipend-Receipt: {A}\n\t{B}\nX-Y: z")), [A, B]);
    assert_eq!(receipts(&format!("T\n\nStipend-Receipt: {A}\nStipend-Receipt: {A}")), [A], "each once");
}

#[test]
fn a_paragraph_with_other_lines_is_one_only_with_gits_own() {
    assert!(receipts(&format!("T\n\nWe write\nStipend-Receipt: {A}")).is_empty());
    assert_eq!(receipts(&format!("T\n\nnote\nStipend-Receipt: {A}\nSigned-off-by: X <x@y>")), [A]);
    assert_eq!(receipts(&format!("T\n\nStipend-Receipt: {A}\n(cherry picked from commit {COMMIT})")), [A]);
    let many = "words\n".repeat(30);
    assert!(receipts(&format!("T\n\n{many}Stipend-Receipt: {A}\nSigned-off-by: X <x@y>")).is_empty());
}

#[test]
fn a_quoted_receipt_in_the_text_is_none() {
    assert!(receipts(&format!("T\n\nAdd `Stipend-Receipt: {A}` to your commits.")).is_empty());
    assert!(receipts(&format!("T\n\n> Stipend-Receipt: {A}")).is_empty());
}

#[test]
fn a_squash_of_several_commits_keeps_the_receipts_of_each() {
    let message = format!(
        "Change (#7)\n\n* first\n\nStipend-Receipt: {A}\n\n* second\n\nwhy\n\nStipend-Receipt: {B}\n\n* third\n"
    );
    assert_eq!(receipts(&message), [A, B]);
}

#[test]
fn what_names_no_receipt_is_told_and_cut() {
    let mentions = Mentions::of_commit(&format!("T\n\nStipend-Receipt: {A} 123 {}", "z".repeat(500)));
    assert_eq!(mentions.receipts.len(), 1);
    assert_eq!(mentions.malformed, ["123".to_owned(), "z".repeat(64)]);
}

#[test]
fn a_revert_names_its_commit_in_full() {
    let upper = COMMIT.to_uppercase();
    for message in [
        format!("Revert \"x\"\n\nThis reverts commit {COMMIT}.\n"),
        format!("Revert \"x\"\n\nThis reverts commit {COMMIT}, reversing\nchanges made to {A}.\n"),
        format!("Undo\n\nStipend-Reverts: {upper}"),
        format!("Many (#4)\n\n* Revert \"x\"\n\nThis reverts commit {COMMIT}.\n\n* other\n"),
    ] {
        assert_eq!(Mentions::of_commit(&message).reverts, [COMMIT], "{message}");
    }
    for message in ["T\n\nThis reverts commit 0123456.", "T\n\nWe talk: This reverts commit", "Revert \"x\""]
    {
        assert!(Mentions::of_commit(message).reverts.is_empty(), "{message}");
    }
}

#[test]
fn a_description_reverts_only_requests_of_its_own_repository() {
    let reverts = |text: &str| Mentions::of_description(text, "acme/app").reverts;
    assert_eq!(reverts("Reverts acme/app#12"), ["#12"]);
    assert_eq!(reverts("Reverts ACME/App#12\nand more"), ["#12"]);
    assert_eq!(reverts("Reverts #12"), ["#12"]);
    assert!(reverts("Reverts evil/fork#12").is_empty());
    assert!(reverts("Reverts acme/app#x").is_empty() && reverts("It Reverts #12").is_empty());
}

#[test]
fn a_description_may_be_nothing_but_trailers() {
    let mentions = Mentions::of_description(&format!("Stipend-Receipt: {A}"), "acme/app");
    assert_eq!(mentions.receipts.len(), 1);
}

proptest! {
    #[test]
    fn no_message_brings_the_reader_down(message in "(?s).{0,300}") {
        let _ = Mentions::of_commit(&message);
        let _ = Mentions::of_description(&message, "a/b");
    }

    #[test]
    fn a_trailer_is_found_below_any_text(title in "[a-zA-Z][a-zA-Z ]{0,39}", body in "([a-z ]{1,40}\n){0,5}") {
        let message = format!("{title}\n\n{body}\n\nStipend-Receipt: {A}\n");
        prop_assert_eq!(receipts(&message), vec![A.to_owned()]);
    }
}
