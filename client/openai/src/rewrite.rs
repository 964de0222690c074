//! Changing single fields of a request body.

use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::request::{span_of, RequestView, StreamOptionsAt};

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

    /// Sets vLLM's `priority` (lower is sooner), whatever the caller wrote.
    pub fn priority(mut self, priority: i64) -> Self {
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

    /// Bounds what is generated, whatever the caller wrote: overwrites both names of the bound, and
    /// llama.cpp's own, where they are, and adds `max_tokens` where there is none.
    pub fn max_tokens(mut self, max_tokens: u32) -> Self {
        let value = max_tokens.to_string().into_bytes();
        if let Some(span) = self.view.fields.n_predict.clone() {
            self.changes.push((span, value.clone()));
        }
        if let Some(span) = self.view.fields.max_completion_tokens.clone() {
            self.changes.push((span, value.clone()));
        }
        let span = self.view.fields.max_tokens.clone();
        if span.is_some() || self.view.fields.max_completion_tokens.is_none() {
            self.set("max_tokens", span, value);
        }
        self
    }

    /// Asks for the usage chunk at the end of a stream. A body that is no stream, or asks for it
    /// already, stays as it is.
    pub fn ask_for_usage(mut self) -> Self {
        if !self.view.stream || self.view.include_usage {
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

/// Puts `name` where a JSON answer or chunk says which model it is from; every other byte stays.
/// `None` if it says nothing of a model or is no JSON object, such as `[DONE]`.
pub fn with_answer_model(answer: &[u8], name: &str) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        model: &'a RawValue,
    }
    let read: Answer = serde_json::from_slice(answer).ok()?;
    let span = span_of(answer, read.model);
    let mut out = Vec::with_capacity(answer.len() + name.len());
    out.extend_from_slice(&answer[..span.start]);
    out.extend_from_slice(&json_string(name));
    out.extend_from_slice(&answer[span.end..]);
    Some(out)
}

fn json_string(text: &str) -> Vec<u8> {
    serde_json::Value::from(text).to_string().into_bytes()
}
