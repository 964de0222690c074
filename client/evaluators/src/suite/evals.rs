//! Logs of evals in the form of OpenAI's `evals`: one JSON object a line.
//!
//! An object with `type` `match` says of a `sample_id` whether the answer was right (`data.correct`); the object with
//! `final_report` ends a run that is complete. Everything else in the log is passed over.

use serde::Deserialize;

use super::{BadRun, Run};

/// Bytes of a file.
pub const BYTES_MAX: usize = 256 << 20;

/// Bytes of a line: prompts and answers of a sample stand in one.
const LINE_BYTES_MAX: usize = 4 << 20;

/// Bytes of a sample's name.
const NAME_BYTES_MAX: usize = 4_096;

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    sample_id: Option<String>,
    #[serde(default)]
    data: Option<serde_json::Value>,
    #[serde(default)]
    final_report: Option<serde_json::Value>,
}

/// Reads a log.
pub fn read(bytes: &[u8]) -> Result<Run, BadRun> {
    if bytes.len() > BYTES_MAX {
        return Err(BadRun(format!("it has {} bytes, and at most {BYTES_MAX} are read", bytes.len())));
    }
    let (mut run, mut is_complete) = (Run::default(), false);
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        if line.len() > LINE_BYTES_MAX {
            return Err(BadRun(format!("line {number} has more than {LINE_BYTES_MAX} bytes")));
        }
        let line: Line = serde_json::from_slice(line)
            .map_err(|error| BadRun(format!("line {number} is no object of an evals log: {error}")))?;
        is_complete |= line.final_report.is_some();
        if line.r#type.as_deref() != Some("match") {
            continue;
        }
        let sample = line.sample_id.filter(|name| (1..=NAME_BYTES_MAX).contains(&name.len()));
        let correct = line.data.as_ref().and_then(|data| data.get("correct")?.as_bool());
        let (Some(sample), Some(correct)) = (sample, correct) else {
            return Err(BadRun(format!(
                "line {number} is a `match` without `sample_id` or without true or false in `data.correct`"
            )));
        };
        run.note(&sample, correct)?;
    }
    if run.tests() == 0 {
        return Err(BadRun("there is no `match` in it".into()));
    }
    if !is_complete {
        return Err(BadRun("it has no `final_report`: the run was cut short".into()));
    }
    Ok(run)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = r#"{"spec": {"completion_fns": ["m"], "eval_name": "arithmetic.dev.v0", "run_id": "r1"}}
{"run_id": "r1", "event_id": 0, "sample_id": "arithmetic.dev.0", "type": "sampling", "data": {"prompt": "1+1", "sampled": ["2"]}}
{"run_id": "r1", "event_id": 1, "sample_id": "arithmetic.dev.0", "type": "match", "data": {"correct": true, "expected": "2", "picked": "2"}}
{"run_id": "r1", "event_id": 2, "sample_id": "arithmetic.dev.1", "type": "match", "data": {"correct": false, "expected": "5", "picked": "4"}}

{"final_report": {"accuracy": 0.5}}
"#;

    #[test]
    fn every_match_counts_and_the_final_figure_is_not_believed() {
        let run = read(GOOD.replace("0.5", "1.0").as_bytes()).unwrap();
        assert_eq!((run.tests(), run.passed()), (2, 1));
    }

    #[test]
    fn what_is_no_complete_log_is_refused_with_the_line() {
        let long = format!("{{\"x\": \"{}\"}}", "a".repeat(LINE_BYTES_MAX));
        for (text, why) in [
            (GOOD.split("{\"final").next().unwrap().to_owned(), "cut short"),
            ("{\"final_report\": {}}".into(), "no `match`"),
            ("{\"a\": 1}\n[1]".into(), "line 2"),
            (GOOD.replace("\"correct\": true", "\"correct\": 1"), "line 3"),
            (GOOD.replace("\"sample_id\": \"arithmetic.dev.1\", ", ""), "line 4"),
            (long, "line 1 has more than"),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{why}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_bring_the_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_change_of_a_good_log_brings_the_reader_down(at in 0usize..GOOD.len(), byte: u8) {
            let mut bytes = GOOD.as_bytes().to_vec();
            bytes[at] = byte;
            if let Ok(run) = read(&bytes) {
                prop_assert!(run.passed() <= run.tests());
            }
        }
    }
}
