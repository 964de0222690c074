//! JUnit's XML, as test runners write it.
//!
//! There is no one definition; read is what all have in common: `testcase` elements with `classname` and `name`
//! anywhere below `testsuites` or `testsuite`, and in them `failure`, `error` or `skipped`.

use roxmltree::{Document, NodeId, ParsingOptions};

use super::{BadRun, Run};

/// Bytes of a file. The largest that we know of have 20 MB, most of it output of tests.
pub const BYTES_MAX: usize = 64 << 20;

/// Elements, texts and comments of a file: four for each of a million tests.
const NODES_MAX: u32 = 4_000_000;

/// Elements inside each other. Suites are nested a few deep.
const DEPTH_MAX: usize = 64;

/// Bytes of a test's name; longer ones are no names.
const NAME_BYTES_MAX: usize = 4_096;

/// What in a test says that it did not pass, or not each time that it ran. A test that was skipped shows nothing; counted
/// as failed, skipping a failing test is no gain.
const FAULTS: [&str; 7] =
    ["failure", "error", "skipped", "rerunFailure", "rerunError", "flakyFailure", "flakyError"];

/// Reads a file. Document types are refused, and with them entities that blow up.
pub fn read(bytes: &[u8]) -> Result<Run, BadRun> {
    if bytes.len() > BYTES_MAX {
        return Err(BadRun(format!("it has {} bytes, and at most {BYTES_MAX} are read", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| BadRun("it is no UTF-8 text".into()))?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| BadRun(format!("it is no XML that is read here: {error}")))?;
    let root = document.root_element().tag_name().name();
    if !matches!(root, "testsuites" | "testsuite") {
        return Err(BadRun(format!("its first element is <{root}>, not <testsuites> or <testsuite>")));
    }
    let mut run = Run::default();
    // The elements that a node is in, outermost first.
    let mut above: Vec<NodeId> = Vec::new();
    for node in document.root().descendants() {
        let parent = node.parent_element().map(|parent| parent.id());
        while !above.is_empty() && above.last().copied() != parent {
            above.pop();
        }
        if above.len() == DEPTH_MAX {
            return Err(BadRun(format!("its elements are nested deeper than {DEPTH_MAX}")));
        }
        if node.is_element() {
            above.push(node.id());
        }
        if !node.has_tag_name("testcase") {
            continue;
        }
        let name = node.attribute("name").filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| BadRun("a <testcase> has no name".into()))?;
        let name = format!("{}::{name}", node.attribute("classname").unwrap_or_default());
        if name.len() > NAME_BYTES_MAX {
            return Err(BadRun(format!("a test's name has more than {NAME_BYTES_MAX} bytes")));
        }
        run.note(&name, !node.children().any(|child| FAULTS.contains(&child.tag_name().name())))?;
    }
    if run.tests() == 0 {
        return Err(BadRun("there is no <testcase> in it".into()));
    }
    Ok(run)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4">
  <testcase classname="tests.a" name="passes" time="0.001"><system-out>hello</system-out></testcase>
  <testcase classname="tests.a" name="fails"><failure message="assert 1 == 2">trace</failure></testcase>
  <testcase classname="tests.a" name="errs"><error message="boom"/></testcase>
  <testcase classname="tests.b" name="skips"><skipped type="pytest.skip" message="later"/></testcase>
  <testcase classname="tests.b" name="at last"><flakyFailure message="first try"/></testcase>
</testsuite></testsuites>"#;

    #[test]
    fn only_a_test_that_ran_and_did_not_fail_has_passed() {
        let run = read(GOOD.as_bytes()).unwrap();
        assert_eq!((run.tests(), run.passed()), (5, 1));
    }

    #[test]
    fn a_single_suite_and_nested_suites_are_read() {
        let text = "<testsuite><testsuite><testcase name='a'/></testsuite><testcase name='b'/></testsuite>";
        assert_eq!(read(text.as_bytes()).unwrap().passed(), 2);
    }

    #[test]
    fn what_is_no_run_is_refused_with_the_reason() {
        let deep = format!("<testsuite>{}{}</testsuite>", "<a>".repeat(100_000), "</a>".repeat(100_000));
        let bomb = "<!DOCTYPE t [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><testsuite><testcase name='&b;'/></testsuite>";
        let long = format!("<testsuite><testcase name='{}'/></testsuite>", "x".repeat(5_000));
        for (text, why) in [
            ("", "no XML"),
            ("{\"tests\": 1}", "no XML"),
            ("<html/>", "<html>"),
            ("<testsuite/>", "no <testcase>"),
            ("<testsuite><testcase/></testsuite>", "no name"),
            ("<testsuite><testcase name='a'>", "no XML"),
            (&deep, "nested deeper"),
            (bomb, "no XML"),
            (&long, "4096 bytes"),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{why}: {error}");
        }
        assert!(read(&[0xff, 0xfe]).unwrap_err().to_string().contains("UTF-8"));
        assert!(read(&vec![b' '; BYTES_MAX + 1]).unwrap_err().to_string().contains("at most"));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_the_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_change_of_a_good_file_brings_the_reader_down(at in 0usize..GOOD.len(), byte: u8, cut in 0usize..GOOD.len()) {
            let mut bytes = GOOD.as_bytes().to_vec();
            bytes[at] = byte;
            bytes.truncate(cut.max(1));
            if let Ok(run) = read(&bytes) {
                prop_assert!(run.passed() <= run.tests());
            }
        }
    }
}
