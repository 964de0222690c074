//! Reading Prometheus' text format as far as counters need it.

/// The sum of a counter over all its labels, rounded down; `None` if it is not there or is no number.
pub(crate) fn sum(text: &str, name: &str) -> Option<u64> {
    let mut total = None;
    for line in text.lines() {
        let Some(rest) = line.strip_prefix(name) else { continue };
        // A label's value can hold any character, so the labels end at the last brace.
        let value = match rest.chars().next() {
            Some('{') => rest.rsplit_once('}')?.1,
            Some(' ') => rest,
            _ => continue,
        };
        let value: f64 = value.split_whitespace().next()?.parse().ok()?;
        if !value.is_finite() || value < 0.0 {
            return None;
        }
        *total.get_or_insert(0) += value as u64;
    }
    total
}

/// Whether a family of metrics whose name begins so is there.
pub(crate) fn has_family(text: &str, prefix: &str) -> bool {
    let name = |line: &str| line.strip_prefix("# TYPE ").unwrap_or(line).starts_with(prefix);
    text.lines().any(name)
}

/// The text as it is meant: builds 7010 to 7100 of llama.cpp put it into quotes, as a JSON string
/// [ggml-org/llama.cpp, issue 17384].
pub(crate) fn unquoted(text: String) -> String {
    match text.starts_with('"') {
        true => serde_json::from_str(&text).unwrap_or(text),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_summed_over_labels() {
        let text =
            "# HELP vllm:prompt_tokens_total Prompt tokens.\n# TYPE vllm:prompt_tokens_total counter\n\
            vllm:prompt_tokens_total{engine=\"0\",model_name=\"a } b\"} 12.0\n\
            vllm:prompt_tokens_total{engine=\"1\",model_name=\"c\"} 3.0 1700000000\n\
            vllm:prompt_tokens_total_other 9\nvllm:generation_tokens_total 7\nbroken NaN\n";
        assert_eq!(sum(text, "vllm:prompt_tokens_total"), Some(15));
        assert_eq!(sum(text, "vllm:generation_tokens_total"), Some(7));
        assert_eq!(sum(text, "broken"), None);
        assert_eq!(sum(text, "absent"), None);
    }

    #[test]
    fn an_exposition_in_quotes_is_read() {
        let quoted = "\"# TYPE llamacpp:prompt_tokens_total counter\\nllamacpp:prompt_tokens_total 7\\n\"";
        let text = unquoted(quoted.into());
        assert!(has_family(&text, "llamacpp:"));
        assert_eq!(sum(&text, "llamacpp:prompt_tokens_total"), Some(7));
        assert_eq!(unquoted("a 1\n".into()), "a 1\n");
    }
}
