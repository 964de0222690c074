//! Models of waste, one or two for each rule, at four levels of evasion.
//!
//! | level | |
//! |---|---|
//! | 0 | nobody hides anything |
//! | 1 | noise as it comes about by itself, and honest work in between |
//! | 2 | noise on purpose: words changed, pauses shaken, half of it clean |
//! | 3 | by somebody who has read the rule and stays beneath its bounds: measured and shown, not promised |

mod agents;
mod floods;
mod takers;

use stipend_detectors::Rule;

use crate::scene::Script;

/// A model's name, what there is to find, and what writes it.
pub type Model = (&'static str, Rule, fn(&mut Script));

/// All models of waste.
pub const MODELS: &[Model] = &[
    ("same-prompt", Rule::Repeat, floods::same_prompt),
    ("script-goes-round", Rule::Copied, floods::script_goes_round),
    ("many-models", Rule::FanOut, floods::many_models),
    ("stuck-agent", Rule::Loop, agents::stuck_agent),
    ("idle-script", Rule::Clockwork, agents::idle_script),
    ("nobody-reads", Rule::Unread, agents::nobody_reads),
    ("use-it-or-lose-it", Rule::Burst, floods::use_it_or_lose_it),
    ("key-goes-round", Rule::SharedKey, takers::key_goes_round),
    ("sweep", Rule::Extraction, takers::sweep),
    ("vectors-of-everything", Rule::Extraction, takers::vectors_of_everything),
];

/// An edit of a prompt that gets larger with the level, and is another one each time.
fn edit(script: &mut Script, words: u64) -> String {
    let seed = script.random.between(1, 1 << 30);
    match script.level {
        0 => String::new(),
        1 => format!("#{}", seed % 100_000),
        2 if words < 90 => format!("~1.{seed}#{}", seed % 977),
        2 => match seed % 3 {
            0 => format!("+1.{seed}#{}", seed % 977),
            1 => format!("~2.{seed}"),
            _ => format!("~1.{seed}+1.{}", seed + 1),
        },
        _ => format!("~{}.{seed}", words / 5),
    }
}
