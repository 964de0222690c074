use crate::{RequestError, RequestView};

fn view(body: &str) -> RequestView<'_> {
    RequestView::read(body.as_bytes()).unwrap()
}

#[test]
fn a_chat_request_is_read() {
    let messages = r#"[{"role":"user","content":"hi"}]"#;
    let body = format!(
        r#"{{"model":"m","messages":{messages},"stream":true,"stream_options":{{"include_usage":true}},
           "max_completion_tokens":7,"n":2,"best_of":3,"temperature":0.5}}"#
    );
    let view = view(&body);
    assert_eq!(view.model, "m");
    assert!(view.stream && view.include_usage);
    assert_eq!(view.max_tokens, Some(7));
    assert_eq!((view.n, view.best_of), (2, Some(3)));
    assert_eq!(view.messages_bytes, messages.len());
    assert_eq!(view.generations_count(), 3);
}

#[test]
fn defaults_and_nulls_mean_the_same() {
    for body in [
        r#"{"model":"m"}"#,
        r#"{"model":"m","stream":null,"stream_options":null,"max_tokens":null,"n":null,"messages":null}"#,
    ] {
        let view = view(body);
        assert!(!view.stream && !view.include_usage);
        assert_eq!((view.max_tokens, view.n, view.messages_bytes), (None, 1, 0));
    }
}

#[test]
fn a_field_that_stands_twice_is_refused() {
    for body in [
        r#"{"model":"cheap","model":"dear"}"#,
        r#"{"model":"m","max_tokens":1,"max_tokens":1000}"#,
        r#"{"model":"m","n":1,"n":8}"#,
        r#"{"model":"m","mod\u0065l":"n"}"#,
        r#"{"model":"m","stream":true,"stream_options":{"include_usage":true,"include_usage":false}}"#,
    ] {
        assert!(matches!(RequestView::read(body.as_bytes()), Err(RequestError::Json(_))), "{body}");
    }
}

#[test]
fn two_different_limits_are_refused_and_two_equal_ones_are_one() {
    let body = br#"{"model":"m","max_tokens":1,"max_completion_tokens":2}"#;
    assert!(matches!(RequestView::read(body), Err(RequestError::TwoLimits { .. })));
    assert_eq!(view(r#"{"model":"m","max_tokens":2,"max_completion_tokens":2}"#).max_tokens, Some(2));
}

#[test]
fn what_is_no_request_is_refused() {
    for body in ["", "[]", "{", "{}", r#"{"model":3}"#, r#"{"model":"m"} x"#, r#"{"model":"m","n":-1}"#] {
        assert!(RequestView::read(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn every_prompt_of_a_list_is_generated_for() {
    for (prompt, count) in
        [(r#""one""#, 1), (r#"["one","two","three"]"#, 3), ("[1, 2, 3]", 1), ("[[1,2],[3]]", 2), ("[]", 1)]
    {
        let body = format!(r#"{{"model":"m","prompt":{prompt},"n":2}}"#);
        assert_eq!(view(&body).generations_count(), 2 * count, "{prompt}");
    }
}

#[test]
fn parts_that_are_no_text_are_counted() {
    for (content, count) in [
        (r#""text""#, 0),
        ("null", 0),
        (r#"[{"type":"text","text":"a"},"b"]"#, 0),
        (r#"[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"http://x"}}]"#, 1),
        (r#"[{"image_url":"http://x"}]"#, 1),
    ] {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{content}}}]}}"#);
        assert_eq!(view(&body).media_parts_count().unwrap(), count, "{content}");
    }
    let twice = r#"{"model":"m","messages":[{"content":[{"type":"text","type":"image_url"}]}]}"#;
    assert!(view(twice).media_parts_count().is_err());
}
