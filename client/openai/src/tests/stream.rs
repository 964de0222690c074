use stipend_primitives::cost::Usage;

use crate::{Chunk, Endpoint, RequestView, StreamReader, UsageError, UsageReader};

fn stream(endpoint: Endpoint) -> StreamReader {
    UsageReader::of(&RequestView::read(endpoint, br#"{"model":"m","size":"64x64"}"#).unwrap()).stream()
}

/// What the events are, and the reader after them.
fn taken(endpoint: Endpoint, events: &[&str]) -> (Vec<Chunk>, StreamReader) {
    let mut stream = stream(endpoint);
    let chunks = events.iter().map(|data| stream.take_data(data.as_bytes()).unwrap()).collect();
    (chunks, stream)
}

fn usage(input: u32, cached_input: u32, output: u32) -> Result<Usage, UsageError> {
    Ok(Usage { input, cached_input, output })
}

#[test]
fn the_usage_only_chunk_is_recognised() {
    for data in [
        r#"{"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#,
        r#"{"id":"c","usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":null}}"#,
    ] {
        let (chunks, stream) = taken(Endpoint::Chat, &[data]);
        assert_eq!(chunks, [Chunk::UsageOnly]);
        assert_eq!((stream.usage(), stream.is_complete()), (usage(3, 0, 2), true));
    }
}

#[test]
fn usage_beside_choices_is_read_and_the_newest_counts() {
    let with = |count: u32| {
        format!(
            r#"{{"choices":[{{"delta":{{}}}}],"usage":{{"prompt_tokens":3,"completion_tokens":{count}}}}}"#
        )
    };
    let (chunks, stream) = taken(Endpoint::Chat, &[&with(1), &with(2)]);
    assert_eq!(chunks, [Chunk::Other; 2]);
    assert_eq!((stream.usage(), stream.is_complete()), (usage(3, 0, 2), false));
}

#[test]
fn words_of_the_answer_are_no_usage() {
    for data in [
        r#"{"choices":[{"delta":{"content":"a \"usage\" and an \"error\""}}]}"#,
        r#"{"choices":[{"delta":{"content":"x"}}],"usage":null}"#,
    ] {
        let (chunks, stream) = taken(Endpoint::Chat, &[data]);
        assert_eq!((chunks, stream.usage()), (vec![Chunk::Other], Err(UsageError::Absent)));
    }
    let delta =
        r#"{"type":"response.output_text.delta","delta":"\"response.completed\" \"usage\"","usage":"x"}"#;
    assert_eq!(taken(Endpoint::Responses, &[delta]).0, [Chunk::Other]);
}

#[test]
fn the_end_and_a_failure_are_recognised() {
    assert_eq!(taken(Endpoint::Chat, &["[DONE]"]).0, [Chunk::End]);
    for (endpoint, data) in [
        (Endpoint::Chat, r#"{"error":{"message":"out of memory"}}"#),
        (Endpoint::Responses, r#"{"type":"error","message":"out of memory","code":null}"#),
        (
            Endpoint::Responses,
            r#"{"type":"response.failed","response":{"usage":{"input_tokens":1,"output_tokens":1}}}"#,
        ),
        (Endpoint::Messages, r#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#),
        (Endpoint::Messages, r#"{"error":{"message":"out of memory"}}"#),
    ] {
        let (chunks, stream) = taken(endpoint, &[data]);
        assert_eq!((chunks, stream.has_failed()), (vec![Chunk::Error], true), "{data}");
    }
    assert!(stream(Endpoint::Chat).take_data(br#"{"usage":"#).is_err());
}

#[test]
fn a_response_says_its_usage_when_it_is_complete() {
    for kind in ["response.completed", "response.incomplete"] {
        let end = format!(
            r#"{{"type":"{kind}","response":{{"status":"x","usage":{{"input_tokens":9,"output_tokens":4,
                "input_tokens_details":{{"cached_tokens":2}}}}}}}}"#
        );
        let created = r#"{"type":"response.created","response":{"usage":null,"error":null}}"#;
        let (chunks, stream) = taken(Endpoint::Responses, &[created, &end]);
        assert_eq!(chunks, [Chunk::Other, Chunk::End]);
        assert_eq!(stream.usage(), usage(7, 2, 4));
    }
    let (_, stream) = taken(Endpoint::Responses, &[r#"{"type":"response.completed","response":{}}"#]);
    assert_eq!(stream.usage(), Err(UsageError::Absent));
}

#[test]
fn a_message_says_its_usage_in_two_parts() {
    let start = r#"{"type":"message_start","message":{"usage":{"input_tokens":7,"cache_read_input_tokens":2,
        "output_tokens":1}}}"#;
    let delta = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#;
    let (chunks, stream) = taken(Endpoint::Messages, &[start, r#"{"type":"ping"}"#, delta]);
    assert_eq!((chunks, stream.is_complete()), (vec![Chunk::Other; 3], false));
    let (chunks, stream) = taken(Endpoint::Messages, &[start, delta, r#"{"type":"message_stop"}"#]);
    assert_eq!(chunks[2], Chunk::End);
    assert_eq!((stream.usage(), stream.is_complete()), (usage(7, 2, 9), true));
    // Some engines know the input only at the end.
    let later = r#"{"type":"message_delta","usage":{"input_tokens":8,"output_tokens":9}}"#;
    let (_, stream) = taken(Endpoint::Messages, &[r#"{"type":"message_start","message":{}}"#, later]);
    assert_eq!(stream.usage(), usage(8, 0, 9));
}

#[test]
fn a_streamed_image_counts_what_is_said_or_its_patches() {
    let partial = r#"{"type":"image_generation.partial_image","b64_json":"x"}"#;
    let (chunks, stream) =
        taken(Endpoint::Images, &[partial, r#"{"type":"image_generation.completed","b64_json":"x"}"#]);
    assert_eq!((chunks, stream.usage()), (vec![Chunk::Other, Chunk::End], usage(0, 0, 4)));
    let said = r#"{"type":"image_generation.completed","usage":{"input_tokens":5,"output_tokens":272}}"#;
    assert_eq!(taken(Endpoint::Images, &[said]).1.usage(), usage(5, 0, 272));
    assert_eq!(taken(Endpoint::Images, &[partial]).1.usage(), Err(UsageError::Absent));
}
