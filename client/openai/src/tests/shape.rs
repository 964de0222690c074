use bytes::Bytes;
use serde_json::{json, Value};

use crate::{reshaped_error, ApiError, Endpoint};

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

#[test]
fn errors_of_messages_have_anthropics_form() {
    let error = ApiError::insufficient_credits("Not enough.");
    let body = json!({"type": "error", "error": {"type": "billing_error", "message": "Not enough."}});
    assert_eq!(parsed(&error.to_body(Some(Endpoint::Messages))), body);
    assert_eq!(error.to_body(Some(Endpoint::Chat)), error.to_json());
    assert_eq!(error.to_body(None), error.to_json());
    let event = String::from_utf8(error.to_event_of(Endpoint::Messages)).unwrap();
    let data = event.strip_prefix("event: error\ndata: ").unwrap().strip_suffix("\n\n").unwrap();
    assert_eq!(parsed(data.as_bytes()), body);
}

#[test]
fn events_of_responses_name_their_type() {
    let event = String::from_utf8(ApiError::internal().to_event_of(Endpoint::Responses)).unwrap();
    let data = event.strip_prefix("event: error\ndata: ").unwrap();
    let data = parsed(data.as_bytes());
    assert_eq!((&data["type"], &data["code"]), (&json!("error"), &json!("internal_error")));
    assert_eq!(ApiError::internal().to_event_of(Endpoint::Chat), ApiError::internal().to_event());
}

#[test]
fn an_engines_refusal_is_reshaped_only_where_its_form_is_another() {
    let openai = Bytes::from_static(br#"{"error":{"message":"too long","type":"x","code":400}}"#);
    let anthropic =
        Bytes::from_static(br#"{"type":"error","error":{"type":"invalid_request_error","message":"m"}}"#);
    assert_eq!(reshaped_error(Endpoint::Chat, 400, openai.clone()), openai);
    assert_eq!(reshaped_error(Endpoint::Messages, 400, anthropic.clone()), anthropic);
    let reshaped = parsed(&reshaped_error(Endpoint::Messages, 400, openai));
    assert_eq!(
        reshaped,
        json!({"type": "error", "error": {"type": "invalid_request_error", "message": "too long"}})
    );
    let html = reshaped_error(Endpoint::Messages, 413, Bytes::from_static(b"<html>"));
    assert_eq!(parsed(&html)["error"]["type"], "request_too_large");
}
