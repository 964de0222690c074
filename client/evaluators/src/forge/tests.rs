#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

const RECORDED: [(Kind, &str, &str); 9] = [
    (Kind::Github, "push", "github_push.json"),
    (Kind::Github, "push", "github_push_revert.json"),
    (Kind::Github, "push", "github_push_forced.json"),
    (Kind::Github, "pull_request", "github_merged.json"),
    (Kind::Github, "pull_request", "github_revert_merged.json"),
    (Kind::Gitea, "push", "gitea_push.json"),
    (Kind::Gitea, "pull_request", "gitea_merged.json"),
    (Kind::Gitlab, "Push Hook", "gitlab_push.json"),
    (Kind::Gitlab, "Merge Request Hook", "gitlab_merged.json"),
];

fn payload(file: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/payloads").join(file)).unwrap()
}

fn forge(kind: Kind) -> Forge {
    let repositories = vec!["acme/app".into(), "acme/tools/app".into()];
    Forge { name: "f".into(), kind, secret: Secret::new("s"), repositories, branch: None, purpose: None }
}

fn headers(kind: Kind, event: &str) -> HeaderMap {
    let name = if kind == Kind::Gitlab { "x-gitlab-event" } else { "x-github-event" };
    HeaderMap::from_iter([(HeaderName::from_static(name), event.parse().unwrap())])
}

fn read(kind: Kind, event: &str, body: &[u8]) -> Result<Event, BadPayload> {
    forge(kind).read(&headers(kind, event), body)
}

#[test]
fn every_recorded_webhook_is_understood() {
    for (kind, event, file) in RECORDED {
        let read = read(kind, event, &payload(file)).unwrap();
        match read {
            Event::Merged(merged) => {
                let number = if file.contains("revert") { 13 } else { 12 };
                assert_eq!((merged.number, merged.title.as_str()), (number, "Parse folded values"), "{file}");
                assert!(
                    !merged.mentions.receipts.is_empty() || !merged.mentions.reverts.is_empty(),
                    "{file}"
                );
            }
            Event::Pushed(pushed) => {
                assert_eq!(pushed.is_forced, file.contains("forced"), "{file}");
                let (newest, _) = pushed.commits.last().unwrap();
                assert_eq!(*newest, pushed.after, "{file}");
            }
            Event::Other(why) => panic!("{file}: {why}"),
        }
    }
}

#[test]
fn a_fast_forward_on_gitlab_is_known_by_its_last_commit() {
    let text = String::from_utf8(payload("gitlab_merged.json")).unwrap();
    let body = text.replace(&format!("\"{}\"", "1".repeat(40)), "null");
    let Event::Merged(merged) = read(Kind::Gitlab, "Merge Request Hook", body.as_bytes()).unwrap() else {
        panic!("it was merged")
    };
    assert_eq!(merged.commit, "a".repeat(40));
}

#[test]
fn only_the_branch_that_is_configured_counts() {
    let body = payload("github_merged.json");
    for (branch, counts) in [(None, true), (Some("main"), true), (Some("next"), false)] {
        let forge = Forge { branch: branch.map(str::to_owned), ..forge(Kind::Github) };
        let event = forge.read(&headers(Kind::Github, "pull_request"), &body).unwrap();
        assert_eq!(matches!(event, Event::Merged(_)), counts, "{branch:?}");
    }
}

#[test]
fn a_merge_without_a_whole_commit_is_malformed() {
    let text = String::from_utf8(payload("github_merged.json")).unwrap();
    for commit in ["null", "\"1111\"", "7"] {
        let body = text.replace(&format!("\"{}\"", "1".repeat(40)), commit);
        let error = read(Kind::Github, "pull_request", body.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("pull_request"), "{error}");
    }
}

#[test]
fn a_deliverys_name_is_short_and_visible() {
    let forge = forge(Kind::Github);
    let named = |value: &[u8]| {
        let value = HeaderValue::from_bytes(value).unwrap();
        forge.delivery(&HeaderMap::from_iter([(HeaderName::from_static("x-github-delivery"), value)]))
    };
    assert_eq!(named(b"72d3162e-cc78").as_deref(), Some("72d3162e-cc78"));
    for bad in [&b""[..], b"a b", &[b'x'; 129], b"\xff"] {
        assert_eq!(named(bad), None);
    }
    assert_eq!(forge.delivery(&HeaderMap::new()), None);
}

proptest! {
    #[test]
    fn no_change_of_a_webhook_brings_the_reader_down(which in 0..RECORDED.len(), at: prop::sample::Index, byte: u8) {
        let (kind, event, file) = RECORDED[which];
        let mut body = payload(file);
        let at = at.index(body.len());
        body[at] = byte;
        let _ = read(kind, event, &body);
        // Without its last brace it is no body any more; the newline after that says nothing.
        body.truncate(at.min(body.len() - 2));
        prop_assert!(read(kind, event, &body).is_err());
    }
}
