//! Changing single fields of a request body.

use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    request::{span_of, RequestView, StreamOptionsAt},
    Endpoint,
};

/// Collects changes to a body; every byte outside the named fields stays as the caller wrote it.
///
/// A field that is not there is put first, right behind the opening brace.
pub struct Rewrite<'v, 'a> {
    view: &'v RequestView<'a>,
    changes: Vec<(Range<usize>, Vec<u8>)>,
    added: Vec<u8>,
}

impl<'v, 'a> Rewrite<'v, 'a> {
    /// No change yet.
    pub fn new(view: &'v RequestView<'a>) -> Self {
        Rewrite { view, changes: Vec::new(), added: Vec::new() }
    }

    /// Asks for another model.
    pub fn model(mut self, name: &str) -> Self {
        let span = self.view.fields.model.clone();
        self.changes.push((span, json_string(name)));
        self
    }

    /// Sets vLLM's `priority` (lower is sooner), whatever the caller wrote; takes it back where the endpoint
    /// has none.
    pub fn priority(mut self, priority: i64) -> Self {
        if !self.view.endpoint.takes_priority() {
            return self.no_priority();
        }
        let span = self.view.fields.priority.clone();
        self.set("priority", span, priority.to_string().into_bytes());
        self
    }

    /// Takes back what the caller wrote as vLLM's `priority`: 0 is what an absent one means. A body
    /// without one stays as it is.
    pub fn no_priority(mut self) -> Self {
        if let Some(span) = self.view.fields.priority.clone() {
            self.changes.push((span, b"0".to_vec()));
        }
        self
    }

    /// Bounds what is generated, whatever the caller wrote: overwrites every name of the bound that is
    /// there, llama.cpp's own too, and adds the endpoint's where it has none that counts. A `min_tokens`
    /// above the bound comes down to it. Where nothing is generated that a field bounds, the body stays.
    pub fn max_tokens(mut self, max_tokens: u32) -> Self {
        let Some(name) = self.view.endpoint.bound_field() else { return self };
        let fields = &self.view.fields;
        let has_bound = match self.view.endpoint {
            Endpoint::Responses => fields.max_output_tokens.is_some(),
            Endpoint::Messages => fields.max_tokens.is_some(),
            _ => fields.max_tokens.is_some() || fields.max_completion_tokens.is_some(),
        };
        let value = max_tokens.to_string().into_bytes();
        let names =
            [&fields.n_predict, &fields.max_completion_tokens, &fields.max_tokens, &fields.max_output_tokens];
        self.changes.extend(names.into_iter().flatten().map(|span| (span.clone(), value.clone())));
        if self.view.min_tokens.is_some_and(|least| least > max_tokens) {
            self.changes.extend(fields.min_tokens.clone().map(|span| (span, value.clone())));
        }
        if !has_bound {
            self.set(name, None, value);
        }
        self
    }

    /// Asks for the usage chunk at the end of a stream. A body that is no stream, or asks for it
    /// already, or of an endpoint that says it anyway, stays as it is.
    pub fn ask_for_usage(mut self) -> Self {
        let says_it = self.view.include_usage || !self.view.endpoint.must_ask_for_usage();
        if !self.view.stream || says_it {
            return self;
        }
        match self.view.fields.stream_options.clone() {
            StreamOptionsAt::Absent => {
                self.set("stream_options", None, br#"{"include_usage":true}"#.to_vec())
            }
            StreamOptionsAt::Null(span) => self.changes.push((span, br#"{"include_usage":true}"#.to_vec())),
            StreamOptionsAt::Object { span, include_usage, continuous } => {
                match include_usage {
                    Some(value) => self.changes.push((value, b"true".to_vec())),
                    None => self.changes.push(self.first_in_object(&span)),
                }
                // Without `include_usage` this one has no effect; it must not get one now.
                if let Some(value) = continuous {
                    self.changes.push((value, b"false".to_vec()));
                }
            }
        }
        self
    }

    /// The change that puts `include_usage` behind the brace that opens the object at `span`.
    fn first_in_object(&self, span: &Range<usize>) -> (Range<usize>, Vec<u8>) {
        let inside = &self.view.body[span.start + 1..span.end];
        let is_empty = inside.trim_ascii_start().starts_with(b"}");
        let text: &[u8] = if is_empty { br#""include_usage":true"# } else { br#""include_usage":true,"# };
        (span.start + 1..span.start + 1, text.to_vec())
    }

    fn set(&mut self, name: &str, span: Option<Range<usize>>, value: Vec<u8>) {
        match span {
            Some(span) => self.changes.push((span, value)),
            None => {
                self.added.extend(json_string(name));
                self.added.push(b':');
                self.added.extend(value);
                self.added.push(b',');
            }
        }
    }

    /// The changed body.
    pub fn finish(mut self) -> Vec<u8> {
        let body = self.view.body;
        if !self.added.is_empty() {
            // The view read an object with at least a model in it: there is a brace, and something
            // after it for the comma to part from.
            let brace = body.iter().position(|byte| *byte == b'{').map_or(0, |at| at + 1);
            self.changes.push((brace..brace, std::mem::take(&mut self.added)));
        }
        self.changes.sort_by_key(|(span, _)| span.start);
        let mut out = Vec::with_capacity(body.len() + 64);
        let mut done = 0;
        for (span, text) in &self.changes {
            out.extend_from_slice(&body[done..span.start]);
            out.extend_from_slice(text);
            done = span.end;
        }
        out.extend_from_slice(&body[done..]);
        out
    }
}

/// Puts `name` where a JSON answer, chunk or event says which model it is from; every other byte stays.
/// `None` if it says nothing of a model or is no JSON object, such as `[DONE]`.
pub fn with_answer_model(answer: &[u8], name: &str) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow, default)]
        model: Option<&'a RawValue>,
        /// What an event of responses says it of.
        #[serde(borrow, default)]
        response: Option<&'a RawValue>,
        /// What an event of messages says it of.
        #[serde(borrow, default)]
        message: Option<&'a RawValue>,
    }
    let read: Answer = serde_json::from_slice(answer).ok()?;
    let inside = |raw: Option<&'_ RawValue>| {
        let raw = raw?;
        let inner: Answer = serde_json::from_str(raw.get()).ok()?;
        let (start, within) = (span_of(answer, raw).start, span_of(raw.get().as_bytes(), inner.model?));
        Some(start + within.start..start + within.end)
    };
    let top = read.model.map(|model| span_of(answer, model));
    let span = top.or_else(|| inside(read.response)).or_else(|| inside(read.message))?;
    let mut out = Vec::with_capacity(answer.len() + name.len());
    out.extend_from_slice(&answer[..span.start]);
    out.extend_from_slice(&json_string(name));
    out.extend_from_slice(&answer[span.end..]);
    Some(out)
}

fn json_string(text: &str) -> Vec<u8> {
    serde_json::Value::from(text).to_string().into_bytes()
}
