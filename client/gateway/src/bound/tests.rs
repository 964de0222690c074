#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use stipend_primitives::{ClassId, ModelId, Name};

fn entry(c_input: u64, c_cached: u64, c_output: u64) -> PriceEntry {
    PriceEntry {
        model: ModelId(0),
        name: Name::default(),
        class: ClassId::INNOVATION,
        premium: false,
        c_input,
        c_cached,
        c_output,
        c_model: 3,
        weight: 5,
        reference_input: 0,
        reference_output: 0,
    }
}

fn bound_of(endpoint: Endpoint, body: &str) -> Result<Bound, ApiError> {
    Bound::of(&RequestView::read(endpoint, body.as_bytes()).unwrap(), &Limits::default())
}

fn bound(body: &str) -> Result<Bound, ApiError> {
    bound_of(Endpoint::Completions, body)
}

proptest! {
    #[test]
    fn no_usage_within_the_bound_costs_more(
        c in (0..1_000u64, 0..1_000u64, 0..1_000u64), n in 1..8u32, max in 1..1_000u32,
        used in (0.0..1.0f64, 0.0..1.0f64, 0.0..1.0f64),
    ) {
        let bound = bound(&format!(r#"{{"model":"m","n":{n},"max_tokens":{max}}}"#)).unwrap();
        let entry = entry(c.0, c.1, c.2);
        let input = (f64::from(bound.input_max) * used.0) as u32;
        let cached = (f64::from(bound.input_max - input) * used.1) as u32;
        let output = (f64::from(n * max) * used.2) as u32;
        let usage = Usage { input, cached_input: cached, output };
        prop_assert!(bound.covers(&usage, max));
        prop_assert!(entry.cost(&usage) <= bound.cost(&entry, max));
    }

    #[test]
    fn the_largest_affordable_length_is_found(c_output in 0..500u64, n in 1..8u32, budget in 0..100_000u128) {
        let bound = bound(&format!(r#"{{"model":"m","n":{n}}}"#)).unwrap();
        let entry = entry(1, 1, c_output);
        let tokens = bound.tokens_within(&entry, 4_096, budget);
        prop_assert!(tokens == 0 || bound.cost(&entry, tokens) <= budget);
        prop_assert!(tokens == 4_096 || bound.cost(&entry, tokens + 1) > budget);
    }
}

#[test]
fn requests_beyond_the_limits_are_refused_by_name() {
    for (body, code) in [
        (r#"{"model":"m","n":100}"#, "too_many_choices"),
        (r#"{"model":"m","n":0}"#, "too_many_choices"),
        (r#"{"model":"m","prompt":["a","b","c"],"n":6}"#, "too_many_choices"),
        (r#"{"model":"m","max_tokens":4000000000}"#, "max_tokens_out_of_range"),
        (r#"{"model":"m","max_tokens":0}"#, "max_tokens_out_of_range"),
        (r#"{"model":"m","max_tokens":5,"min_tokens":6}"#, "min_tokens_out_of_range"),
        (r#"{"model":"m","min_tokens":4000000000}"#, "min_tokens_out_of_range"),
        (r#"{"model":"m","prompt":{"multimodal_data":["x"]}}"#, "media_not_served"),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]}"#,
            "media_not_served",
        ),
    ] {
        let error = bound(body).unwrap_err();
        assert_eq!((error.status, error.error.code.as_deref()), (400, Some(code)), "{body}");
    }
}
#[test]
fn what_each_endpoint_cannot_meter_is_refused_by_name() {
    for (endpoint, body, code) in [
        (Endpoint::Responses, r#"{"model":"m","previous_response_id":"x"}"#, "unbounded_request"),
        (Endpoint::Responses, r#"{"model":"m","tools":[{"type":"web_search"}]}"#, "unbounded_request"),
        (Endpoint::Responses, r#"{"model":"m","max_output_tokens":0}"#, "max_tokens_out_of_range"),
        (Endpoint::Responses, r#"{"model":"m","input":[{"type":"input_image"}]}"#, "media_not_served"),
        (Endpoint::Messages, r#"{"model":"m","mcp_servers":[]}"#, "unbounded_request"),
        (Endpoint::Images, r#"{"model":"m","n":17}"#, "too_many_choices"),
        (Endpoint::Images, r#"{"model":"m","n":2,"stream":true}"#, "too_many_choices"),
        (Endpoint::Images, r#"{"model":"m","size":"8193x8192"}"#, "image_too_large"),
        (Endpoint::Images, r#"{"model":"m","size":"4000000000x4000000000"}"#, "image_too_large"),
    ] {
        let error = bound_of(endpoint, body).unwrap_err();
        assert_eq!((error.status, error.error.code.as_deref()), (400, Some(code)), "{body}");
    }
}

#[test]
fn what_no_field_bounds_is_not_left_to_the_gateway() {
    let limits = Limits::default();
    let many = format!(r#"{{"model":"m","input":[{}"x"]}}"#, r#""x","#.repeat(99));
    let embeddings = bound_of(Endpoint::Embeddings, &many).unwrap();
    assert!(!embeddings.tokens_are_open());
    assert_eq!(embeddings.output_max(embeddings.tokens_wanted(&limits)), 0);
    let images = bound_of(Endpoint::Images, r#"{"model":"m","n":3,"size":"256x256"}"#).unwrap();
    assert!(!images.tokens_are_open());
    assert_eq!(images.output_max(images.tokens_wanted(&limits)), 3 * (64 * 4 + 512));
    let largest = bound_of(Endpoint::Images, r#"{"model":"m","n":16,"size":"8192x8192"}"#).unwrap();
    assert!(largest.output_max(largest.tokens_wanted(&limits)) <= u64::from(u32::MAX));
}

#[test]
fn tools_that_a_template_writes_out_are_within_the_bound() {
    let plain = bound_of(Endpoint::Chat, r#"{"model":"m"}"#).unwrap();
    let tools = r#"[{"type":"function"}]"#;
    let with = bound_of(Endpoint::Chat, &format!(r#"{{"model":"m","tools":{tools}}}"#)).unwrap();
    assert!(with.input_max() >= plain.input_max() + 3 * tools.len() as u32);
}
