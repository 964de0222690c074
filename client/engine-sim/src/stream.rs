//! An answer as server-sent events.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;

use crate::{
    generation::{Generated, Generation},
    wire::{Answer, Choice, Head, Kind, Said, StreamOptions},
};

/// What comes next in a stream.
enum Phase {
    /// Chat begins every choice with its role.
    Role(usize),
    Tokens,
    Usage,
    Done,
    Over,
}

struct Writer {
    generation: Generation,
    head: Head,
    include_usage: bool,
    continuous_usage: bool,
    phase: Phase,
}

/// Streams a generation. When the caller goes away, hyper drops the body, and with it the generation.
pub(crate) fn body(generation: Generation, head: Head, options: &StreamOptions) -> Body {
    let include_usage = options.include_usage.unwrap_or(false);
    let phase = match generation.job.kind {
        Kind::Chat => Phase::Role(0),
        Kind::Text => Phase::Tokens,
    };
    let continuous_usage = include_usage && options.continuous_usage_stats.unwrap_or(false);
    let writer = Writer { generation, head, include_usage, continuous_usage, phase };
    Body::from_stream(stream::unfold(writer, |mut writer| async move {
        let event = writer.next().await?;
        Some((Ok::<_, Infallible>(event), writer))
    }))
}

impl Writer {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.phase {
                Phase::Role(choice) => {
                    let is_last = choice as u64 + 1 >= self.generation.choices_count();
                    self.phase = if is_last { Phase::Tokens } else { Phase::Role(choice + 1) };
                    let said = Said::Delta { role: Some("assistant"), content: "" };
                    return Some(self.chunk(choice, said, None));
                }
                Phase::Tokens => match self.generation.next().await {
                    Some(token) => return Some(self.token(&token)),
                    None => self.phase = if self.include_usage { Phase::Usage } else { Phase::Done },
                },
                Phase::Usage => {
                    self.phase = Phase::Done;
                    let usage = Some(self.generation.usage());
                    return Some(event(&Answer { head: &self.head, choices: &[], usage }));
                }
                Phase::Done => {
                    self.phase = Phase::Over;
                    return Some(Bytes::from_static(b"data: [DONE]\n\n"));
                }
                Phase::Over => return None,
            }
        }
    }

    fn token(&self, token: &Generated) -> Bytes {
        let said = match self.generation.job.kind {
            Kind::Chat => Said::Delta { role: None, content: token.word },
            Kind::Text => Said::Text(token.word),
        };
        self.chunk(token.choice, said, token.is_last.then_some(self.generation.job.finish_reason))
    }

    fn chunk(&self, index: usize, said: Said, finish_reason: Option<&'static str>) -> Bytes {
        let choice = Choice { index, said, logprobs: None, finish_reason };
        let usage = self.continuous_usage.then(|| self.generation.usage());
        event(&Answer { head: &self.head, choices: &[choice], usage })
    }
}

fn event(answer: &Answer) -> Bytes {
    let mut event = b"data: ".to_vec();
    serde_json::to_writer(&mut event, answer).expect("answers are plain structs of text and numbers; qed");
    event.extend_from_slice(b"\n\n");
    event.into()
}
