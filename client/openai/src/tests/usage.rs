use stipend_primitives::cost::Usage;

use crate::usage::{usage_of_answer, Counts, UsageError};

#[test]
fn cached_tokens_are_taken_out_of_the_input() {
    let body = br#"{"id":"x","choices":[{"text":"usage"}],"usage":{"prompt_tokens":10,"completion_tokens":5,
        "total_tokens":15,"prompt_tokens_details":{"cached_tokens":4},
        "completion_tokens_details":{"reasoning_tokens":2}}}"#;
    assert_eq!(usage_of_answer(body).unwrap(), Usage { input: 6, cached_input: 4, output: 5 });
    assert_eq!(Counts::of_answer(body).unwrap().reasoning, 2);
}

#[test]
fn null_or_absent_details_mean_nothing_was_cached() {
    for usage in [
        r#"{"prompt_tokens":3,"completion_tokens":1}"#,
        r#"{"prompt_tokens":3,"completion_tokens":1,"prompt_tokens_details":null}"#,
        r#"{"prompt_tokens":3,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":null}}"#,
        r#"{"prompt_tokens":3,"completion_tokens":1,"prompt_tokens_details":{"audio_tokens":0}}"#,
    ] {
        let body = format!(r#"{{"usage":{usage}}}"#);
        assert_eq!(usage_of_answer(body.as_bytes()).unwrap(), Usage { input: 3, cached_input: 0, output: 1 });
    }
}

#[test]
fn embeddings_have_no_output() {
    let body = br#"{"object":"list","data":[],"usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    assert_eq!(usage_of_answer(body).unwrap(), Usage { input: 8, cached_input: 0, output: 0 });
}

#[test]
fn counts_that_cannot_be_metered_are_errors() {
    assert_eq!(usage_of_answer(br#"{"choices":[]}"#), Err(UsageError::Absent));
    assert_eq!(usage_of_answer(br#"{"usage":null}"#), Err(UsageError::Absent));
    assert!(matches!(usage_of_answer(b"<html>"), Err(UsageError::Unreadable(_))));
    assert!(matches!(usage_of_answer(br#"{"usage":{"prompt_tokens":-1}}"#), Err(UsageError::Unreadable(_))));
    assert_eq!(
        usage_of_answer(br#"{"usage":{"prompt_tokens":1,"prompt_tokens_details":{"cached_tokens":2}}}"#),
        Err(UsageError::CachedAbovePrompt { cached: 2, prompt: 1 })
    );
    assert_eq!(
        usage_of_answer(br#"{"usage":{"prompt_tokens":4294967296}}"#),
        Err(UsageError::TooLarge(1 << 32))
    );
}
