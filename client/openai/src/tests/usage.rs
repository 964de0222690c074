use stipend_primitives::cost::Usage;

use crate::{Counts, Endpoint, RequestView, UsageError, UsageReader};

fn reader(endpoint: Endpoint) -> UsageReader {
    UsageReader::of(&RequestView::read(endpoint, br#"{"model":"m","size":"64x64"}"#).unwrap())
}

fn usage(endpoint: Endpoint, body: &str) -> Result<Usage, UsageError> {
    reader(endpoint).of_answer(body.as_bytes())
}

#[test]
fn cached_tokens_are_taken_out_of_the_input() {
    let body = r#"{"id":"x","choices":[{"text":"usage"}],"usage":{"prompt_tokens":10,"completion_tokens":5,
        "total_tokens":15,"prompt_tokens_details":{"cached_tokens":4},
        "completion_tokens_details":{"reasoning_tokens":2}}}"#;
    assert_eq!(usage(Endpoint::Chat, body), Ok(Usage { input: 6, cached_input: 4, output: 5 }));
    let counts = reader(Endpoint::Chat).counts_of_answer(body.as_bytes()).unwrap();
    assert_eq!(counts, Counts { prompt: 10, cached: 4, completion: 5, reasoning: 2 });
}

#[test]
fn each_endpoint_has_its_own_shape() {
    for (endpoint, body, expected) in [
        (
            Endpoint::Responses,
            r#"{"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":5,
                "output_tokens_details":{"reasoning_tokens":3},"total_tokens":15}}"#,
            Counts { prompt: 10, cached: 4, completion: 5, reasoning: 3 },
        ),
        (
            Endpoint::Messages,
            r#"{"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":4,
                "output_tokens":5}}"#,
            Counts { prompt: 17, cached: 4, completion: 5, reasoning: 0 },
        ),
        (
            Endpoint::Messages,
            r#"{"usage":{"input_tokens":10,"cache_creation_input_tokens":null,"output_tokens":5}}"#,
            Counts { prompt: 10, cached: 0, completion: 5, reasoning: 0 },
        ),
        (
            Endpoint::Embeddings,
            r#"{"object":"list","data":[],"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
            Counts { prompt: 8, ..Default::default() },
        ),
        (
            Endpoint::Images,
            r#"{"data":[{"b64_json":"x"}],"usage":{"input_tokens":9,"output_tokens":272,"total_tokens":281}}"#,
            Counts { prompt: 9, completion: 272, ..Default::default() },
        ),
        (
            Endpoint::Images,
            r#"{"data":[{"b64_json":"x"},{"url":"y"}]}"#,
            Counts { completion: 2 * 4, ..Default::default() },
        ),
    ] {
        assert_eq!(reader(endpoint).counts_of_answer(body.as_bytes()), Ok(expected), "{body}");
    }
}

#[test]
fn null_or_absent_details_mean_nothing_was_cached() {
    for usage_said in [
        r#"{"prompt_tokens":3,"completion_tokens":1}"#,
        r#"{"prompt_tokens":3,"completion_tokens":1,"prompt_tokens_details":null}"#,
        r#"{"prompt_tokens":3,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":null}}"#,
        r#"{"prompt_tokens":3,"completion_tokens":1,"prompt_tokens_details":{"audio_tokens":0}}"#,
    ] {
        let body = format!(r#"{{"usage":{usage_said}}}"#);
        assert_eq!(usage(Endpoint::Chat, &body), Ok(Usage { input: 3, cached_input: 0, output: 1 }));
    }
}

#[test]
fn a_zero_that_is_said_is_a_zero_and_what_is_not_said_is_absent() {
    for (endpoint, zero) in [
        (Endpoint::Chat, r#"{"usage":{"prompt_tokens":0,"completion_tokens":0}}"#),
        (Endpoint::Embeddings, r#"{"usage":{"prompt_tokens":0}}"#),
        (Endpoint::Responses, r#"{"usage":{"input_tokens":0,"output_tokens":0}}"#),
        (Endpoint::Messages, r#"{"usage":{"input_tokens":0,"output_tokens":0}}"#),
        (Endpoint::Images, r#"{"usage":{"input_tokens":0,"output_tokens":0},"data":[{},{}]}"#),
    ] {
        assert_eq!(usage(endpoint, zero), Ok(Usage::default()), "{endpoint:?}");
    }
    for (endpoint, absent) in [
        (Endpoint::Chat, r#"{"choices":[]}"#),
        (Endpoint::Chat, r#"{"usage":null}"#),
        (Endpoint::Chat, r#"{"usage":{}}"#),
        (Endpoint::Chat, r#"{"usage":{"prompt_tokens":3}}"#),
        (Endpoint::Chat, r#"{"usage":{"input_tokens":3,"output_tokens":1}}"#),
        (Endpoint::Responses, r#"{"usage":{"prompt_tokens":3,"completion_tokens":1}}"#),
        (Endpoint::Messages, r#"{"usage":{"output_tokens":1}}"#),
        (Endpoint::Embeddings, r#"{"data":[]}"#),
    ] {
        assert_eq!(usage(endpoint, absent), Err(UsageError::Absent), "{endpoint:?} {absent}");
    }
}

#[test]
fn counts_that_cannot_be_metered_are_errors() {
    let chat = |body| usage(Endpoint::Chat, body);
    for endpoint in Endpoint::ALL {
        assert!(matches!(usage(endpoint, "<html>"), Err(UsageError::Unreadable(_))));
    }
    assert!(matches!(usage(Endpoint::Images, r#"{"created":1}"#), Err(UsageError::Unreadable(_))));
    assert!(matches!(chat(r#"{"usage":{"prompt_tokens":-1}}"#), Err(UsageError::Unreadable(_))));
    let cached =
        r#"{"usage":{"prompt_tokens":1,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":2}}}"#;
    assert_eq!(chat(cached), Err(UsageError::CachedAbovePrompt { cached: 2, prompt: 1 }));
    let large = r#"{"usage":{"prompt_tokens":4294967296,"completion_tokens":1}}"#;
    assert_eq!(chat(large), Err(UsageError::TooLarge(1 << 32)));
}
