//! Prompts by recipe: the scenes write down how a prompt is made, and it is made when they are read.
//!
//! A recipe is a list of messages with commas between them: `s1x600,h2x4x50,u3x20~2.9`.
//!
//! | part | means |
//! |---|---|
//! | `s1x600` | a message of the system, text 1, 600 words; `u` a user's, `a` the model's, `t` a tool's |
//! | `h2x4x50` | history 2: four messages of user and model by turns, about 50 words each |
//! | `&5x20` | text 5 with 20 words, in the same message |
//! | `~2.9` | two words of the text so far replaced, which and by what after seed 9 |
//! | `+3.9` | three words more after seed 9 |
//! | `#41` | the number 41 behind it |

use anyhow::{bail, Context, Result};
use stipend_detectors::Role;

use crate::random::Random;

/// Different words that texts are made of. Frequent ones are much more frequent, as in languages.
const WORDS: f64 = 4_000.0;

const SYLLABLES: [&str; 16] =
    ["ra", "to", "mi", "sen", "lo", "ka", "ver", "di", "nu", "pel", "or", "as", "tin", "gu", "ba", "esh"];

/// Makes the messages of a recipe. Texts of one number are the same within a scene and different between scenes.
pub fn messages(recipe: &str, scene: u64) -> Result<Vec<(Role, String)>> {
    let mut messages = Vec::new();
    for part in recipe.split(',') {
        let kind = part.chars().next().context("a recipe has an empty part")?;
        let rest = &part[1..];
        if kind == 'h' {
            let numbers = numbers(rest)?;
            let [seed, turns, words] = numbers[..] else { bail!("`{part}` is no history") };
            history(&mut messages, scene, seed, turns, words);
            continue;
        }
        let role = match kind {
            's' => Role::System,
            'u' => Role::User,
            'a' => Role::Assistant,
            't' => Role::Tool,
            _ => bail!("`{part}` begins with no kind of message"),
        };
        messages.push((role, message(rest, scene)?));
    }
    Ok(messages)
}

fn history(messages: &mut Vec<(Role, String)>, scene: u64, seed: u64, turns: u64, words: u64) {
    for turn in 0..turns {
        let name = seed * 1_000 + turn + 1_000_000;
        let role = if turn % 2 == 0 { Role::User } else { Role::Assistant };
        messages.push((role, text(scene, name, words / 2 + name * 7_919 % (words + 1)).join(" ")));
    }
}

fn message(recipe: &str, scene: u64) -> Result<String> {
    let mut words: Vec<String> = Vec::new();
    let mut rest = recipe;
    let mut kind = '&';
    loop {
        let end = rest.find(['&', '~', '+', '#']).unwrap_or(rest.len());
        let numbers = numbers(&rest[..end])?;
        match (kind, &numbers[..]) {
            ('&', [name, count]) => words.extend(text(scene, *name, *count)),
            ('~', [count, seed]) => replace(&mut words, *count, &mut Random::new(scene, *seed)),
            ('+', [count, seed]) => {
                let mut random = Random::new(scene, *seed);
                words.extend((0..*count).map(|_| word(&mut random)));
            }
            ('#', [number]) => words.push(number.to_string()),
            _ => bail!("`{recipe}` is no recipe of a message"),
        }
        let Some(next) = rest[end..].chars().next() else { return Ok(words.join(" ")) };
        kind = next;
        rest = &rest[end + 1..];
    }
}

fn replace(words: &mut [String], count: u64, random: &mut Random) {
    for _ in 0..count {
        let at = random.between(0, words.len().max(1) as u64 - 1) as usize;
        if let Some(place) = words.get_mut(at) {
            *place = word(random);
        }
    }
}

fn text(scene: u64, name: u64, words: u64) -> Vec<String> {
    let mut random = Random::new(scene ^ 0x7e87, name);
    (0..words).map(|_| word(&mut random)).collect()
}

fn word(random: &mut Random) -> String {
    let rank = (random.share().powi(3) * WORDS) as usize;
    let mut word = String::new();
    let mut rest = rank + 16;
    while rest > 0 {
        word.push_str(SYLLABLES[rest % 16]);
        rest /= 16;
    }
    word
}

fn numbers(text: &str) -> Result<Vec<u64>> {
    text.split(['x', '.'])
        .map(|number| number.parse().with_context(|| format!("`{number}` in a recipe is no number")))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_recipe_makes_what_its_table_says() {
        let made = messages("s1x6,h2x4x5,u3x20&5x4~2.9+3.7#41", 1).unwrap();
        assert_eq!(made.len(), 6);
        assert_eq!(made[0].1.split(' ').count(), 6);
        assert_eq!((made[1].0, made[2].0), (Role::User, Role::Assistant));
        assert_eq!(made[5].1.split(' ').count(), 20 + 4 + 3 + 1);
        assert!(made[5].1.ends_with(" 41"));
        let plain = messages("u3x20", 1).unwrap();
        let changed = messages("u3x20~2.9", 1).unwrap();
        let differing = plain[0].1.split(' ').zip(changed[0].1.split(' ')).filter(|(a, b)| a != b).count();
        assert!((1..=2).contains(&differing));
        assert_ne!(plain, messages("u3x20", 2).unwrap());
    }

    #[test]
    fn what_is_no_recipe_is_refused() {
        for recipe in ["", "z1x2", "u1", "u1x", "h1x2", "u1x2~3", "u1x2,"] {
            assert!(messages(recipe, 1).is_err(), "{recipe}");
        }
    }
}
