//! Answers of the endpoints that are no chat, each in its own shape, all with the same counts.

use http::{HeaderValue, Response, StatusCode};
use serde_json::{json, Value};
use stipend_openai::Endpoint;

use super::fake_upstream::{plain, Body};

/// What every answer says it used: computed and cached input, and output where there is any.
pub(super) const COUNTS: (u64, u64, u64) = (6, 4, 5);

/// `ok`, `no usage`, `zero`, `status N`, `error event`, `die`.
pub(super) fn act(endpoint: Endpoint, prompt: &str, body: &Value) -> Response<Body> {
    if let Some(status) = prompt.strip_prefix("status ") {
        let status = StatusCode::from_u16(status.parse().unwrap()).unwrap();
        return plain(status, r#"{"error":{"message":"the engine says no"}}"#);
    }
    let counts = if prompt == "zero" { (0, 0, 0) } else { COUNTS };
    let usage = (prompt != "no usage").then(|| usage(endpoint, counts));
    if body["stream"] != true {
        return plain(StatusCode::OK, &whole(endpoint, body, usage).to_string());
    }
    let mut answer = plain(StatusCode::OK, &stream(endpoint, prompt, usage));
    answer.headers_mut().insert("content-type", HeaderValue::from_static("text/event-stream"));
    answer
}

fn usage(endpoint: Endpoint, (input, cached, output): (u64, u64, u64)) -> Value {
    match endpoint {
        Endpoint::Embeddings => {
            json!({"prompt_tokens": input + cached, "prompt_tokens_details": {"cached_tokens": cached}})
        }
        Endpoint::Messages => json!({
            "input_tokens": input - input / 2, "cache_creation_input_tokens": input / 2,
            "cache_read_input_tokens": cached, "output_tokens": output,
        }),
        _ => json!({
            "input_tokens": input + cached, "input_tokens_details": {"cached_tokens": cached},
            "output_tokens": output, "output_tokens_details": {"reasoning_tokens": 2},
        }),
    }
}

fn whole(endpoint: Endpoint, body: &Value, usage: Option<Value>) -> Value {
    let mut answer = match endpoint {
        Endpoint::Embeddings => json!({"object": "list", "data": [{"index": 0, "embedding": [0.5]}]}),
        Endpoint::Images => {
            json!({"data": vec![json!({"b64_json": "AA=="}); body["n"].as_u64().unwrap_or(1) as usize]})
        }
        Endpoint::Messages => json!({"type": "message", "content": [{"type": "text", "text": "hi"}]}),
        _ => json!({"object": "response", "status": "completed", "output": []}),
    };
    if let Some(usage) = usage {
        answer["usage"] = usage;
    }
    answer
}

fn stream(endpoint: Endpoint, prompt: &str, usage: Option<Value>) -> String {
    let fails =
        json!({"type": "error", "message": "m", "error": {"type": "api_error", "message": "out of memory"}});
    let mut events = match endpoint {
        Endpoint::Messages => vec![
            json!({"type": "message_start", "message": {"usage": usage.clone().map(|mut usage| {
                usage["output_tokens"] = json!(1);
                usage
            })}}),
            json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "hi"}}),
        ],
        Endpoint::Images => vec![json!({"type": "image_generation.partial_image", "b64_json": "AA=="})],
        _ => vec![
            json!({"type": "response.created", "response": {"usage": null, "error": null}}),
            json!({"type": "response.output_text.delta", "delta": "hi"}),
        ],
    };
    match (prompt, endpoint) {
        ("error event", _) => events.push(fails),
        ("die", _) => {}
        (_, Endpoint::Messages) => {
            let output = usage.map(|usage| json!({"output_tokens": usage["output_tokens"]}));
            events.push(json!({"type": "message_delta", "delta": {}, "usage": output}));
            events.push(json!({"type": "message_stop"}));
        }
        (_, Endpoint::Images) => {
            let mut done = json!({"type": "image_generation.completed", "b64_json": "AA=="});
            if let Some(usage) = usage {
                done["usage"] = usage;
            }
            events.push(done);
        }
        _ => events.push(json!({"type": "response.completed", "response": {"usage": usage}})),
    }
    let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.iter().map(event).collect()
}
