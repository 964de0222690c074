use crate::{Chunk, Counts};

#[test]
fn the_usage_only_chunk_is_recognised() {
    let counts = Counts { prompt: 3, completion: 2, ..Default::default() };
    for data in [
        r#"{"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#,
        r#"{"id":"c","usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":null}}"#,
    ] {
        assert_eq!(Chunk::of_data(data.as_bytes()).unwrap(), Chunk::UsageOnly(counts));
    }
}

#[test]
fn usage_beside_choices_is_read_but_the_chunk_is_not_usage_only() {
    let data = br#"{"choices":[{"delta":{}}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    let chunk = Chunk::of_data(data).unwrap();
    assert!(matches!(chunk, Chunk::Other(Some(_))));
    assert_eq!(chunk.counts().map(|counts| counts.completion), Some(2));
}

#[test]
fn words_of_the_answer_are_no_usage() {
    for data in [
        r#"{"choices":[{"delta":{"content":"a \"usage\" and an \"error\""}}]}"#,
        r#"{"choices":[{"delta":{"content":"x"}}],"usage":null}"#,
    ] {
        assert_eq!(Chunk::of_data(data.as_bytes()).unwrap(), Chunk::Other(None));
    }
}

#[test]
fn the_end_and_a_failure_are_recognised() {
    assert_eq!(Chunk::of_data(b"[DONE]").unwrap(), Chunk::Done);
    assert_eq!(Chunk::of_data(br#"{"error":{"message":"out of memory"}}"#).unwrap(), Chunk::Error);
    assert!(Chunk::of_data(br#"{"usage":"#).is_err());
}
