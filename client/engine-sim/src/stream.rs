//! An answer as server-sent events.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;

use crate::{
    generation::{Generated, Generation},
    tools,
    typed::Typed,
    wire::{Answer, Call, Choice, Head, Kind, Said, StreamOptions},
};

/// What comes next in a stream.
enum Phase {
    /// What responses and messages begin with.
    Opening,
    /// Chat begins every choice with its role.
    Role(usize),
    Tokens,
    Usage,
    Done,
    /// What responses and messages end with.
    Closing,
    Over,
}

struct Writer {
    generation: Generation,
    head: Head,
    include_usage: bool,
    continuous_usage: bool,
    phase: Phase,
    /// Writes the events of responses and messages.
    typed: Option<Typed>,
}

/// Streams a generation. When the caller goes away, hyper drops the body, and with it the generation.
pub(crate) fn body(generation: Generation, head: Head, options: &StreamOptions) -> Body {
    let include_usage = options.include_usage.unwrap_or(false);
    let phase = match generation.job.kind {
        Kind::Chat => Phase::Role(0),
        Kind::Text => Phase::Tokens,
        Kind::Responses | Kind::Messages => Phase::Opening,
    };
    let typed = matches!(phase, Phase::Opening)
        .then(|| Typed::new(generation.job.kind, head.clone(), generation.job.tool.clone()));
    let continuous_usage = include_usage && options.continuous_usage_stats.unwrap_or(false);
    let writer = Writer { generation, head, include_usage, continuous_usage, phase, typed };
    Body::from_stream(stream::unfold(writer, |mut writer| async move {
        let event = writer.next().await?;
        Some((Ok::<_, Infallible>(event), writer))
    }))
}

impl Writer {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.phase {
                Phase::Opening => {
                    self.phase = Phase::Tokens;
                    let usage = self.generation.usage();
                    return self.typed.as_mut().map(|typed| typed.opening(usage).into());
                }
                Phase::Closing => {
                    self.phase = Phase::Over;
                    let (usage, is_cut) = (self.generation.usage(), self.generation.job.is_cut);
                    return self.typed.as_mut().map(|typed| typed.closing(usage, is_cut).into());
                }
                Phase::Role(choice) => {
                    let is_last = choice as u64 + 1 >= self.generation.choices_count();
                    self.phase = if is_last { Phase::Tokens } else { Phase::Role(choice + 1) };
                    let role = Some("assistant");
                    let said = match &self.generation.job.tool {
                        Some(name) => {
                            let tool_calls = [Call::named(&self.head, choice, name, tools::BEGIN)];
                            Said::CallDelta { role, tool_calls }
                        }
                        None => Said::Delta { role, content: "" },
                    };
                    return Some(self.chunk(choice, said, None));
                }
                Phase::Tokens => match self.generation.next().await {
                    Some(token) => return Some(self.token(&token)),
                    None if self.typed.is_some() => self.phase = Phase::Closing,
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

    fn token(&mut self, token: &Generated) -> Bytes {
        if let Some(typed) = &mut self.typed {
            return typed.word(token.word).into();
        }
        let end = if token.is_last { tools::END } else { "" };
        let more = [token.word, end].concat();
        let said = match (self.generation.job.kind, &self.generation.job.tool) {
            (Kind::Text, _) => Said::Text(token.word),
            (_, Some(_)) => Said::CallDelta { role: None, tool_calls: [Call::more(&more)] },
            (_, None) => Said::Delta { role: None, content: token.word },
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
