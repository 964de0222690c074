//! Which engine it is, and how its counters differ from what its answers say. Facts and their sources:
//! `docs/metering.md`.

use serde::Deserialize;
use stipend_primitives::cost::Usage;

use super::exposition::has_family;

/// An engine whose ways are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum EngineKind {
    /// vLLM.
    #[serde(rename = "vllm")]
    Vllm,
    /// Hugging Face's Text Generation Inference, by its Messages API.
    #[serde(rename = "tgi")]
    Tgi,
    /// NVIDIA Triton, by its OpenAI front end.
    #[serde(rename = "triton")]
    Triton,
    /// llama.cpp's server.
    #[serde(rename = "llama.cpp")]
    LlamaCpp,
    /// Anything else that speaks OpenAI's protocol. No counters are known of it.
    #[serde(rename = "openai")]
    OpenAi,
}

/// What an engine counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// Tokens of prompts.
    Prompt,
    /// Tokens generated.
    Generation,
    /// Requests answered in full.
    Requests,
}

impl Quantity {
    pub(crate) const ALL: [Quantity; 3] = [Quantity::Prompt, Quantity::Generation, Quantity::Requests];

    /// The label in the attestor's metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Quantity::Prompt => "prompt",
            Quantity::Generation => "generation",
            Quantity::Requests => "requests",
        }
    }
}

/// What an engine shows of itself.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    /// The text of `/metrics`, if there is one.
    pub(crate) metrics: Option<String>,
    /// The header `server`.
    pub(crate) server: Option<String>,
    /// The text of `/v1/models`, if there is one.
    pub(crate) models: Option<String>,
    /// The text of `/info`, if there is one.
    pub(crate) info: Option<String>,
}

impl EngineKind {
    /// The name in configuration and log.
    pub fn name(self) -> &'static str {
        match self {
            EngineKind::Vllm => "vllm",
            EngineKind::Tgi => "tgi",
            EngineKind::Triton => "triton",
            EngineKind::LlamaCpp => "llama.cpp",
            EngineKind::OpenAi => "openai",
        }
    }

    /// The engine that leaves such traces. Triton first: it shows vLLM's counters beside its own.
    pub(crate) fn of(traces: &Traces) -> EngineKind {
        let metrics = traces.metrics.as_deref().unwrap_or_default();
        let says = |text: &Option<String>, words: &str| {
            text.as_ref().is_some_and(|text| text.to_ascii_lowercase().contains(words))
        };
        if has_family(metrics, "nv_inference_") || says(&traces.models, "triton inference server") {
            EngineKind::Triton
        } else if has_family(metrics, "llamacpp:") || says(&traces.server, "llama.cpp") {
            EngineKind::LlamaCpp
        } else if has_family(metrics, "tgi_") || says(&traces.info, "text-generation-router") {
            EngineKind::Tgi
        } else if has_family(metrics, "vllm:") || says(&traces.models, "\"owned_by\":\"vllm\"") {
            EngineKind::Vllm
        } else {
            EngineKind::OpenAi
        }
    }

    /// The names of the counters.
    pub(crate) fn counters(self) -> &'static [(Quantity, &'static str)] {
        match self {
            EngineKind::Vllm => &[
                (Quantity::Prompt, "vllm:prompt_tokens_total"),
                (Quantity::Generation, "vllm:generation_tokens_total"),
                (Quantity::Requests, "vllm:request_success_total"),
            ],
            // Histograms over requests; their sums are what was counted.
            EngineKind::Tgi => &[
                (Quantity::Prompt, "tgi_request_input_length_sum"),
                (Quantity::Generation, "tgi_request_generated_tokens_sum"),
                (Quantity::Requests, "tgi_request_success"),
            ],
            // Triton itself counts requests; with its vLLM backend, that one's counters stand beside.
            EngineKind::Triton => &[
                (Quantity::Prompt, "vllm:prompt_tokens_total"),
                (Quantity::Generation, "vllm:generation_tokens_total"),
                (Quantity::Requests, "nv_inference_request_success"),
            ],
            EngineKind::LlamaCpp => &[
                (Quantity::Prompt, "llamacpp:prompt_tokens_total"),
                (Quantity::Generation, "llamacpp:tokens_predicted_total"),
            ],
            EngineKind::OpenAi => &[],
        }
    }

    /// The gauge of requests that wait in the engine.
    pub(crate) fn waiting(self) -> Option<&'static str> {
        match self {
            EngineKind::Vllm | EngineKind::Triton => Some("vllm:num_requests_waiting"),
            EngineKind::Tgi => Some("tgi_queue_size"),
            EngineKind::LlamaCpp => Some("llamacpp:requests_deferred"),
            EngineKind::OpenAi => None,
        }
    }

    /// By how much a counter rises for an answer with this usage, whose request asked for `choices` per prompt
    /// and `prompts` prompts.
    pub(crate) fn counts(self, quantity: Quantity, usage: &Usage, choices: u64, prompts: u64) -> u64 {
        let (input, cached) = (u64::from(usage.input), u64::from(usage.cached_input));
        match (quantity, self) {
            (Quantity::Generation, _) => usage.output.into(),
            // Every choice is a request of its own inside vLLM.
            (Quantity::Prompt, EngineKind::Vllm) => (input + cached).saturating_mul(choices),
            (Quantity::Requests, EngineKind::Vllm) => choices.saturating_mul(prompts),
            // What came from the cache was not processed.
            (Quantity::Prompt, EngineKind::LlamaCpp) => input,
            (Quantity::Prompt, _) => input + cached,
            (Quantity::Requests, EngineKind::Tgi) => prompts,
            (Quantity::Requests, _) => 1,
        }
    }

    /// Whether the usage that it answers with covers all that was generated, where a request asks for several
    /// choices or prompts. llama.cpp gives the usage of one of them; TGI's streams give one for each, which
    /// neither OpenAI's clients nor the gateway add up.
    pub(crate) fn counts_every_generation(self, stream: bool) -> bool {
        match self {
            EngineKind::LlamaCpp => false,
            EngineKind::Tgi => !stream,
            EngineKind::Vllm | EngineKind::Triton | EngineKind::OpenAi => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_told_apart_by_what_they_show() {
        let metrics = |text: &str| Traces { metrics: Some(text.into()), ..Default::default() };
        let vllm = "# TYPE vllm:prompt_tokens_total counter\nvllm:prompt_tokens_total{a=\"b\"} 0.0\n";
        assert_eq!(EngineKind::of(&metrics(vllm)), EngineKind::Vllm);
        let triton = format!("nv_inference_count{{model=\"m\",version=\"1\"}} 0\n{vllm}");
        assert_eq!(EngineKind::of(&metrics(&triton)), EngineKind::Triton);
        assert_eq!(EngineKind::of(&metrics("tgi_queue_size 0\n")), EngineKind::Tgi);
        assert_eq!(EngineKind::of(&metrics("llamacpp:n_decode_total 0\n")), EngineKind::LlamaCpp);
        assert_eq!(EngineKind::of(&metrics("other_total 1\n")), EngineKind::OpenAi);
        // Mentioning is not being: another engine's text in a comment or a label.
        let mention =
            "# HELP other_total As vllm:prompt_tokens_total.\nother_total{like=\"tgi_queue_size\"} 1\n";
        assert_eq!(EngineKind::of(&metrics(mention)), EngineKind::OpenAi);
    }

    #[test]
    fn engines_without_counters_are_told_apart_too() {
        let server = Traces { server: Some("llama.cpp".into()), ..Default::default() };
        assert_eq!(EngineKind::of(&server), EngineKind::LlamaCpp);
        let info =
            Traces { info: Some(r#"{"router":"text-generation-router"}"#.into()), ..Default::default() };
        assert_eq!(EngineKind::of(&info), EngineKind::Tgi);
        let owned = |owner: &str| Traces {
            models: Some(format!(r#"{{"object":"list","data":[{{"id":"m","owned_by":"{owner}"}}]}}"#)),
            ..Default::default()
        };
        assert_eq!(EngineKind::of(&owned("vllm")), EngineKind::Vllm);
        assert_eq!(EngineKind::of(&owned("Triton Inference Server")), EngineKind::Triton);
        assert_eq!(EngineKind::of(&owned("somebody")), EngineKind::OpenAi);
        assert_eq!(EngineKind::of(&Traces::default()), EngineKind::OpenAi);
    }

    #[test]
    fn every_engine_counts_in_its_own_way() {
        let usage = Usage { input: 10, cached_input: 4, output: 6 };
        let counts = |kind: EngineKind| Quantity::ALL.map(|quantity| kind.counts(quantity, &usage, 3, 2));
        assert_eq!(counts(EngineKind::Vllm), [42, 6, 6]);
        assert_eq!(counts(EngineKind::Tgi), [14, 6, 2]);
        assert_eq!(counts(EngineKind::Triton), [14, 6, 1]);
        assert_eq!(counts(EngineKind::LlamaCpp), [10, 6, 1]);
    }
}
