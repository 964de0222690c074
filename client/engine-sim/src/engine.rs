//! The engine: what is asked, checked and counted before words are invented.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
};

use crate::{
    generation::Generation,
    metrics::{Metrics, Totals},
    prefix::PrefixCache,
    queue::Queue,
    tokens::{self, Token},
    tools,
    wire::{Content, Items, Kind, Message, Prompt, Request},
    Options,
};

/// Tokens of an answer that names no limit.
const MAX_TOKENS_DEFAULT: u64 = 16;

/// Choices of one request, as vLLM bounds them.
const CHOICES_MAX: u32 = 128;

/// A simulated engine. Clones are handles of the same one.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) options: Options,
    pub(crate) metrics: Metrics,
    pub(crate) queue: Queue,
    prefix: Option<PrefixCache>,
    requests: AtomicU64,
}

/// Why a request is refused: HTTP status and sentence.
pub(crate) type Refusal = (u16, String);

/// A request that can be generated for.
pub(crate) struct Job {
    pub(crate) kind: Kind,
    pub(crate) model: String,
    pub(crate) number: u64,
    pub(crate) prompts: Vec<Vec<Token>>,
    pub(crate) choices_per_prompt: u32,
    pub(crate) tokens_max: u64,
    pub(crate) finish_reason: &'static str,
    /// The tool that is called instead of an answer in words.
    pub(crate) tool: Option<String>,
    /// Whether a limit cuts the answer.
    pub(crate) is_cut: bool,
    pub(crate) priority: i64,
    pub(crate) seed: u64,
}

impl Engine {
    /// An engine that has done nothing yet. Builds the token tables, which takes a moment.
    pub fn new(options: Options) -> Self {
        tokens::warm_up();
        let inner = Inner {
            metrics: Metrics::new(&options.models),
            queue: Queue::new(options.running_max.max(1)),
            prefix: options.prefix_cache.then(PrefixCache::default),
            requests: AtomicU64::new(0),
            options,
        };
        Engine { inner: Arc::new(inner) }
    }

    /// What it has done so far: the truth that meters are compared with.
    pub fn totals(&self) -> Totals {
        self.inner.metrics.totals()
    }

    /// Requests that generate and requests that wait.
    pub fn queue_lengths(&self) -> (usize, usize) {
        self.inner.queue.lengths()
    }

    pub(crate) fn check_model(&self, model: &str) -> Result<(), Refusal> {
        if self.inner.options.models.iter().any(|known| known == model) {
            return Ok(());
        }
        Err((404, format!("The model `{model}` does not exist.")))
    }

    /// Checks a request and counts its prompt's tokens.
    pub(crate) fn job(&self, kind: Kind, request: &Request) -> Result<Job, Refusal> {
        self.check_model(&request.model)?;
        let limit = match kind {
            Kind::Responses => request.max_output_tokens,
            _ => request.max_completion_tokens.or(request.max_tokens),
        };
        let tokens_max = limit.unwrap_or(MAX_TOKENS_DEFAULT);
        let choices_per_prompt = match kind {
            Kind::Chat | Kind::Text => request.n.unwrap_or(1),
            Kind::Responses | Kind::Messages => 1,
        };
        if tokens_max == 0 {
            return Err((400, "max_tokens must be at least 1.".into()));
        }
        if !(1..=CHOICES_MAX).contains(&choices_per_prompt) {
            return Err((400, format!("n must be from 1 to {CHOICES_MAX}.")));
        }
        let prompts = match kind {
            Kind::Chat | Kind::Responses | Kind::Messages => vec![chat_prompt(request)],
            Kind::Text => {
                let prompt = request.prompt.as_ref().ok_or((400, "prompt is missing.".to_string()))?;
                text_prompts(prompt)
            }
        };
        if prompts.is_empty() {
            return Err((400, "prompt is an empty list.".into()));
        }
        let context_max = self.inner.options.context_tokens_max;
        for prompt in &prompts {
            if (prompt.len() as u64).saturating_add(tokens_max) > context_max {
                return Err((
                    400,
                    format!(
                        "This model's context is {context_max} tokens: the prompt has {}, and {tokens_max} more \
                         were asked for.",
                        prompt.len()
                    ),
                ));
            }
        }
        let seed = request.seed.unwrap_or_else(|| {
            let mut hasher = DefaultHasher::new();
            prompts.hash(&mut hasher);
            hasher.finish()
        });
        let tool = tools::called(request.tools.as_ref(), request.tool_choice.as_ref())
            .filter(|_| kind != Kind::Text);
        let finish_reason = match (&tool, limit) {
            (Some(_), _) => "tool_calls",
            (None, Some(_)) => "length",
            (None, None) => "stop",
        };
        Ok(Job {
            kind,
            model: request.model.clone(),
            number: self.inner.requests.fetch_add(1, Ordering::Relaxed),
            prompts,
            choices_per_prompt,
            tokens_max,
            finish_reason,
            tool,
            is_cut: limit.is_some(),
            priority: request.priority.filter(|_| self.inner.options.by_priority).unwrap_or(0),
            seed,
        })
    }

    /// Waits for a place and begins to generate.
    pub(crate) async fn start(&self, job: Job) -> Generation {
        let place = self.inner.queue.enter(job.priority).await;
        let prompt_tokens: u64 = job.prompts.iter().map(|prompt| prompt.len() as u64).sum();
        let cached_tokens = self.inner.prefix.as_ref().map(|cache| {
            let cached = job.prompts.iter().map(|prompt| cache.look_up(prompt)).sum();
            let labels = ["0", job.model.as_str()];
            self.inner.metrics.prefix_queries.with_label_values(&labels).inc_by(prompt_tokens);
            self.inner.metrics.prefix_hits.with_label_values(&labels).inc_by(cached);
            cached
        });
        Generation::new(self.inner.clone(), job, place, prompt_tokens, cached_tokens)
    }
}

/// The tokens of all that a conversation brings: instructions, messages and tools.
fn chat_prompt(request: &Request) -> Vec<Token> {
    let mut prompt = Vec::new();
    prompt.extend(request.instructions.iter().flat_map(|text| tokens::encode(text)));
    prompt.extend(request.system.iter().flat_map(content_tokens));
    match &request.input {
        None => {}
        Some(Items::Text(text)) => prompt.extend(tokens::encode(text)),
        Some(Items::Messages(items)) => prompt.extend(messages_tokens(items)),
    }
    prompt.extend(messages_tokens(&request.messages));
    prompt.extend(request.tools.iter().flat_map(|tools| tokens::encode(&tools.to_string())));
    prompt
}

fn messages_tokens(messages: &[Message]) -> impl Iterator<Item = Token> + '_ {
    messages.iter().filter_map(|message| message.content.as_ref()).flat_map(content_tokens)
}

fn content_tokens(content: &Content) -> Vec<Token> {
    match content {
        Content::Text(text) => tokens::encode(text),
        Content::Parts(parts) => {
            parts.iter().filter_map(|part| part.text.as_deref()).flat_map(tokens::encode).collect()
        }
    }
}

pub(crate) fn text_prompts(prompt: &Prompt) -> Vec<Vec<Token>> {
    match prompt {
        Prompt::Text(text) => vec![tokens::encode(text)],
        Prompt::Texts(texts) => texts.iter().map(|text| tokens::encode(text)).collect(),
        Prompt::Tokens(tokens) => vec![tokens.clone()],
        Prompt::TokenLists(lists) => lists.clone(),
    }
}
