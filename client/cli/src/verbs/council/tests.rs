#![allow(clippy::unwrap_used)]

use super::*;
use codec::Encode;

fn motion() -> Motion {
    let alice = parse::account("//Alice").unwrap();
    Motion {
        hash: H256::repeat_byte(7),
        index: 3,
        approvals: 2,
        yes: vec![alice],
        no: vec![],
        ends_at: 99,
        call: upgrade::authorize(b"code").encode(),
    }
}

#[test]
fn a_proposal_is_shown_with_what_it_does_and_what_it_needs() {
    let answer = list(&[motion()]).unwrap();
    assert_eq!(answer.json[0]["act"], "Governance.authorize_upgrade");
    assert_eq!(answer.json[0]["approvals"], 2);
    assert!(answer.human.contains("Governance.authorize_upgrade") && answer.human.contains("99"));
    assert_eq!(list(&[]).unwrap().human, "the council votes on nothing");
}

#[test]
fn what_is_still_needed_is_said_as_commands() {
    let mut motion = motion();
    let text = still_needed(&motion);
    assert!(text.contains("1 of 2 approvals") && text.contains("council vote 0x0707"), "{text}");
    motion.yes.push(parse::account("//Bob").unwrap());
    assert!(still_needed(&motion).contains("council close 0x0707"));
}

#[test]
fn a_file_that_is_no_runtime_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "hello").unwrap();
    assert!(read_runtime(&file).unwrap_err().to_string().contains("holds no runtime"));
    assert!(read_runtime(&folder.path().join("none")).is_err());
    std::fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    assert_eq!(read_runtime(&file).unwrap().len(), 8);
}
