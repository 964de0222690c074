use crate::{Endpoint, RequestError, RequestView};

fn view_of(endpoint: Endpoint, body: &str) -> RequestView<'_> {
    RequestView::read(endpoint, body.as_bytes()).unwrap()
}

fn view(body: &str) -> RequestView<'_> {
    view_of(Endpoint::Chat, body)
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
        assert_eq!((view.max_tokens, view.n), (None, 1));
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
        assert!(
            matches!(RequestView::read(Endpoint::Chat, body.as_bytes()), Err(RequestError::Json(_))),
            "{body}"
        );
    }
}

#[test]
fn two_different_limits_are_refused_and_two_equal_ones_are_one() {
    let body = br#"{"model":"m","max_tokens":1,"max_completion_tokens":2}"#;
    assert!(matches!(RequestView::read(Endpoint::Chat, body), Err(RequestError::TwoLimits { .. })));
    assert_eq!(view(r#"{"model":"m","max_tokens":2,"max_completion_tokens":2}"#).max_tokens, Some(2));
}

#[test]
fn what_is_no_request_is_refused() {
    for body in ["", "[]", "{", "{}", r#"{"model":3}"#, r#"{"model":"m"} x"#, r#"{"model":"m","n":-1}"#] {
        assert!(RequestView::read(Endpoint::Chat, body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn every_prompt_of_a_list_is_generated_for() {
    for (prompt, count) in
        [(r#""one""#, 1), (r#"["one","two","three"]"#, 3), ("[1, 2, 3]", 1), ("[[1,2],[3]]", 2), ("[]", 1)]
    {
        let body = format!(r#"{{"model":"m","prompt":{prompt},"n":2}}"#);
        assert_eq!(view_of(Endpoint::Completions, &body).generations_count(), 2 * count, "{prompt}");
        let body = body.replace("prompt", "input");
        let embeddings = view_of(Endpoint::Embeddings, &body);
        assert_eq!((embeddings.generations_count(), embeddings.prompts_count()), (1, count), "{prompt}");
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

#[test]
fn parts_that_are_no_text_are_counted_wherever_they_hide() {
    let image = r#"{"type":"image","source":{}}"#;
    for (endpoint, field, value, count) in [
        (Endpoint::Messages, "messages", format!(r#"[{{"role":"user","content":[{image}]}}]"#), 1),
        (
            Endpoint::Messages,
            "messages",
            format!(r#"[{{"content":[{{"type":"tool_result","content":[{image},{image}]}}]}}]"#),
            2,
        ),
        (Endpoint::Messages, "messages", r#"[{"content":[{"type":"thinking","thinking":"x"}]}]"#.into(), 0),
        // Chats have no types of messages: it hides nothing.
        (Endpoint::Chat, "messages", format!(r#"[{{"type":"text","content":[{image}]}}]"#), 1),
        (Endpoint::Responses, "input", r#""text""#.into(), 0),
        (Endpoint::Responses, "input", r#"[{"role":"user","content":"text"}]"#.into(), 0),
        (Endpoint::Responses, "input", r#"[{"role":"user","content":[{"type":"input_image"}]}]"#.into(), 1),
        (Endpoint::Responses, "input", r#"[{"type":"input_image"}]"#.into(), 1),
        (
            Endpoint::Responses,
            "input",
            r#"[{"type":"function_call_output","output":[{"type":"input_file"}]}]"#.into(),
            1,
        ),
        (Endpoint::Completions, "prompt", r#"{"prompt_string":"x","multimodal_data":["y"]}"#.into(), 1),
        (Endpoint::Completions, "prompt", r#"["x",{"multimodal_data":["y"]}]"#.into(), 1),
        (Endpoint::Embeddings, "input", r#"["a","b"]"#.into(), 0),
        (Endpoint::Embeddings, "messages", format!(r#"[{{"content":[{image}]}}]"#), 1),
    ] {
        let body = format!(r#"{{"model":"m","{field}":{value}}}"#);
        assert_eq!(view_of(endpoint, &body).media_parts_count().unwrap(), count, "{body}");
    }
}

#[test]
fn what_draws_on_more_than_the_body_is_named() {
    for (endpoint, more, field) in [
        (Endpoint::Responses, r#""previous_response_id":"resp_1""#, Some("previous_response_id")),
        (Endpoint::Responses, r#""previous_response_id":null,"conversation":null"#, None),
        (Endpoint::Responses, r#""conversation":"conv_1""#, Some("conversation")),
        (Endpoint::Responses, r#""prompt":{"id":"p"}"#, Some("prompt")),
        (Endpoint::Responses, r#""background":true"#, Some("background")),
        (Endpoint::Responses, r#""background":false,"store":true"#, None),
        (Endpoint::Responses, r#""input":[{"type":"item_reference","id":"x"}]"#, Some("input")),
        (Endpoint::Responses, r#""tools":[{"type":"function","name":"f"}]"#, None),
        (Endpoint::Responses, r#""tools":[{"type":"function"},{"type":"web_search"}]"#, Some("tools")),
        (Endpoint::Messages, r#""tools":[{"name":"f"},{"type":"bash_20250124","name":"bash"}]"#, None),
        (Endpoint::Messages, r#""tools":[{"type":"web_search_20250305"}]"#, Some("tools")),
        (Endpoint::Messages, r#""mcp_servers":[{"url":"http://x"}]"#, Some("mcp_servers")),
        (Endpoint::Chat, r#""tools":[{"type":"function","function":{}}]"#, None),
        (Endpoint::Chat, r#""previous_response_id":"x""#, None),
    ] {
        let body = format!(r#"{{"model":"m",{more}}}"#);
        assert_eq!(view_of(endpoint, &body).outside, field, "{body}");
    }
}

#[test]
fn each_endpoint_has_its_own_bound() {
    let body = r#"{"model":"m","max_tokens":5,"max_output_tokens":6}"#;
    for (endpoint, bound) in [
        (Endpoint::Chat, Some(5)),
        (Endpoint::Completions, Some(5)),
        (Endpoint::Messages, Some(5)),
        (Endpoint::Responses, Some(6)),
        (Endpoint::Embeddings, None),
        (Endpoint::Images, None),
    ] {
        assert_eq!(view_of(endpoint, body).max_tokens, bound, "{endpoint:?}");
        assert_eq!(Endpoint::of_path(endpoint.path()), Some(endpoint));
        assert_eq!(Endpoint::ALL[endpoint as usize], endpoint);
    }
    assert_eq!(view(r#"{"model":"m","n":2,"n_cmpl":7}"#).generations_count(), 7);
}

#[test]
fn images_count_their_patches() {
    for (size, tokens) in [
        (r#""1024x1024""#, 1_024),
        (r#""256x256""#, 64),
        (r#""33x1""#, 2),
        (r#""0x0""#, 1),
        (r#""auto""#, 1_024),
        ("null", 1_024),
        ("7", 1_024),
    ] {
        let body = format!(r#"{{"model":"m","prompt":"a cat","size":{size}}}"#);
        let image = view_of(Endpoint::Images, &body).image;
        assert_eq!(image.tokens(), tokens, "{size}");
        assert!(image.tokens_max() > 4 * tokens);
    }
    // What OpenAI's models report at their highest quality is within the bound.
    for (size, reported) in [("1024x1024", 4_160 + 300), ("1024x1536", 6_240 + 300), ("auto", 6_240 + 300)] {
        let body = format!(r#"{{"model":"m","size":"{size}"}}"#);
        assert!(view_of(Endpoint::Images, &body).image.tokens_max() >= reported, "{size}");
    }
}
