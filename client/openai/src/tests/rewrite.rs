use proptest::prelude::*;
use serde_json::{json, Value};

use crate::{rewrite::with_answer_model, Endpoint, RequestView, Rewrite};

fn asked(body: &str) -> String {
    let view = RequestView::read(Endpoint::Chat, body.as_bytes()).unwrap();
    String::from_utf8(Rewrite::new(&view).ask_for_usage().finish()).unwrap()
}

#[test]
fn usage_is_asked_for_whatever_stands_there() {
    for (before, after) in [
        (
            r#"{"model":"m","stream":true}"#,
            r#"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#,
        ),
        (
            r#"{"stream_options":null,"model":"m","stream":true}"#,
            r#"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#,
        ),
        (
            r#"{"stream_options": { },"model":"m","stream":true}"#,
            r#"{"stream_options": {"include_usage":true },"model":"m","stream":true}"#,
        ),
        (
            r#"{"stream_options":{"include_usage": false, "x":1},"model":"m","stream":true}"#,
            r#"{"stream_options":{"include_usage": true, "x":1},"model":"m","stream":true}"#,
        ),
        (
            r#"{"stream_options":{"x":1},"model":"m","stream":true}"#,
            r#"{"stream_options":{"include_usage":true,"x":1},"model":"m","stream":true}"#,
        ),
    ] {
        assert_eq!(asked(before), after);
    }
}

#[test]
fn a_body_that_needs_no_change_stays_as_it_is() {
    for body in [
        r#"{"model":"m"}"#,
        r#" { "model" : "m", "stream":true, "stream_options" : {"include_usage":true} } "#,
    ] {
        assert_eq!(asked(body), body);
    }
}

#[test]
fn usage_on_every_chunk_does_not_begin_because_we_ask_for_the_last() {
    let after = asked(r#"{"model":"m","stream":true,"stream_options":{"continuous_usage_stats":true}}"#);
    let after: Value = serde_json::from_str(&after).unwrap();
    assert_eq!(after["stream_options"], json!({"include_usage": true, "continuous_usage_stats": false}));
}

#[test]
fn a_callers_priority_and_limits_are_overwritten() {
    let body = br#"{"model":"m","priority":-999,"max_completion_tokens":90000}"#;
    let view = RequestView::read(Endpoint::Chat, body).unwrap();
    let after = Rewrite::new(&view).priority(3).max_tokens(10).finish();
    assert_eq!(after, br#"{"model":"m","priority":3,"max_completion_tokens":10}"#);

    let body = br#"{"model":"m"}"#;
    let view = RequestView::read(Endpoint::Chat, body).unwrap();
    let after = Rewrite::new(&view).priority(-1).max_tokens(10).finish();
    assert_eq!(after, br#"{"priority":-1,"max_tokens":10,"model":"m"}"#);
}

#[test]
fn no_name_of_the_bound_escapes_and_a_priority_is_taken_back() {
    let body = br#"{"model":"m","n_predict":-1,"priority":-9,"max_completion_tokens":500}"#;
    let view = RequestView::read(Endpoint::Chat, body).unwrap();
    let after = Rewrite::new(&view).no_priority().max_tokens(10).finish();
    assert_eq!(after, br#"{"model":"m","n_predict":10,"priority":0,"max_completion_tokens":10}"#);
    let view = RequestView::read(Endpoint::Chat, br#"{"model":"m"}"#).unwrap();
    assert_eq!(Rewrite::new(&view).no_priority().finish(), br#"{"model":"m"}"#);
}

#[test]
fn an_answer_is_put_under_the_name_that_was_asked_for() {
    let answer = br#"{"id":"x", "model": "/models/a.gguf", "choices":[{"model":1}]}"#;
    let renamed = with_answer_model(answer, "tiny").unwrap();
    assert_eq!(renamed, br#"{"id":"x", "model": "tiny", "choices":[{"model":1}]}"#);
    assert_eq!(with_answer_model(b"[DONE]", "tiny"), None);
    assert_eq!(with_answer_model(br#"{"error":{}}"#, "tiny"), None);
}

#[test]
fn the_bound_goes_under_the_endpoints_name_and_no_other_name_escapes() {
    let bounded = |endpoint, body: &str| {
        let view = RequestView::read(endpoint, body.as_bytes()).unwrap();
        String::from_utf8(Rewrite::new(&view).max_tokens(10).ask_for_usage().priority(3).finish()).unwrap()
    };
    for (endpoint, before, after) in [
        (
            Endpoint::Responses,
            r#"{"model":"m","stream":true,"max_tokens":9000}"#,
            r#"{"max_output_tokens":10,"priority":3,"model":"m","stream":true,"max_tokens":10}"#,
        ),
        (
            Endpoint::Responses,
            r#"{"model":"m","max_output_tokens":null,"priority":-1}"#,
            r#"{"model":"m","max_output_tokens":10,"priority":3}"#,
        ),
        (
            Endpoint::Messages,
            r#"{"model":"m","stream":true,"max_tokens":7,"n_predict":-1,"priority":-5}"#,
            r#"{"model":"m","stream":true,"max_tokens":10,"n_predict":10,"priority":0}"#,
        ),
        (
            Endpoint::Messages,
            r#"{"model":"m","max_completion_tokens":7}"#,
            r#"{"max_tokens":10,"model":"m","max_completion_tokens":10}"#,
        ),
        (
            Endpoint::Completions,
            r#"{"model":"m","min_tokens":4000}"#,
            r#"{"max_tokens":10,"priority":3,"model":"m","min_tokens":10}"#,
        ),
        (
            Endpoint::Completions,
            r#"{"model":"m","min_tokens":4,"max_tokens":5}"#,
            r#"{"priority":3,"model":"m","min_tokens":4,"max_tokens":10}"#,
        ),
        (Endpoint::Embeddings, r#"{"model":"m","input":"x"}"#, r#"{"priority":3,"model":"m","input":"x"}"#),
        (Endpoint::Images, r#"{"model":"m","n":2,"stream":true}"#, r#"{"model":"m","n":2,"stream":true}"#),
    ] {
        assert_eq!(bounded(endpoint, before), after);
    }
}

#[test]
fn the_model_inside_an_event_is_put_under_the_name_that_was_asked_for() {
    let start = br#"{"type":"message_start","message":{"id":"x","model":"e","content":[]}}"#;
    assert_eq!(
        with_answer_model(start, "tiny").unwrap(),
        br#"{"type":"message_start","message":{"id":"x","model":"tiny","content":[]}}"#
    );
    let created = br#"{"type":"response.created","response":{"model": "e"},"sequence_number":0}"#;
    assert_eq!(
        with_answer_model(created, "tiny").unwrap(),
        br#"{"type":"response.created","response":{"model": "tiny"},"sequence_number":0}"#
    );
    assert_eq!(with_answer_model(br#"{"type":"error","message":"no model"}"#, "tiny"), None);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"\\\\é]{0,6}", inner, 0..4)
                .prop_map(|map| Value::from(map.into_iter().collect::<serde_json::Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn other_fields_are_never_disturbed(
        others in prop::collection::btree_map("[f-m]{1,5}", any_json(), 0..5),
        options in prop::option::of(prop::option::of(any::<Option<bool>>())),
        model in any::<String>(),
        new_model in any::<String>(),
        pretty in any::<bool>(),
    ) {
        let mut body: serde_json::Map<String, Value> = others.into_iter().filter(|(name, _)| name != "input").collect();
        body.insert("model".into(), Value::from(model));
        body.insert("stream".into(), Value::from(true));
        if let Some(options) = options {
            let options = options.map_or(Value::Null, |include| json!({"include_usage": include, "z": [1]}));
            body.insert("stream_options".into(), options);
        }
        let text = if pretty { serde_json::to_vec_pretty(&body) } else { serde_json::to_vec(&body) }.unwrap();

        let view = RequestView::read(Endpoint::Chat, &text).unwrap();
        let after = Rewrite::new(&view).ask_for_usage().model(&new_model).finish();

        let reread = RequestView::read(Endpoint::Chat, &after).unwrap();
        prop_assert!(reread.include_usage);
        prop_assert_eq!(reread.model.as_ref(), new_model.as_str());
        let mut after: serde_json::Map<String, Value> = serde_json::from_slice(&after).unwrap();
        after.remove("stream_options");
        body.remove("stream_options");
        body.insert("model".into(), Value::from(new_model));
        prop_assert_eq!(after, body);
    }
}
