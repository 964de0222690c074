//! How many prompts a request has.

use serde::{
    de::{SeqAccess, Visitor},
    Deserialize, Deserializer,
};
use serde_json::value::RawValue;

/// 1, unless `prompt` is a list of strings or of token lists. What is no list of anything is one prompt to
/// us and an error to the engine.
pub(crate) fn count(prompt: &str) -> u64 {
    match prompt.starts_with('[') {
        true => serde_json::from_str::<PromptsCount>(prompt).map_or(1, |count| count.0.max(1)),
        false => 1,
    }
}

/// Prompts in a list: its strings or lists, or 1 for a list of token numbers.
struct PromptsCount(u64);

impl<'de> Deserialize<'de> for PromptsCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Prompts;
        impl<'de> Visitor<'de> for Prompts {
            type Value = PromptsCount;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("a list of prompts or of tokens")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<PromptsCount, A::Error> {
                let mut count = 0;
                while let Some(item) = items.next_element::<&'de RawValue>()? {
                    let is_token = item.get().starts_with(|first: char| first.is_ascii_digit());
                    count += u64::from(!is_token);
                }
                Ok(PromptsCount(count))
            }
        }
        deserializer.deserialize_seq(Prompts)
    }
}
