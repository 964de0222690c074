//! Tokens burned for the sake of burning them.

use crate::{
    event::Event,
    honest::{chat, day_of_chat},
    scene::{Script, DAY, HOUR, MINUTE},
};

use super::edit;

/// A loop around one prompt, or a few by turns.
pub(super) fn same_prompt(script: &mut Script) {
    let prompts: Vec<_> = match script.level {
        0 => vec![(script.name(), script.random.between(6, 300))],
        1 => (0..script.random.between(1, 3))
            .map(|_| (script.name(), script.random.between(45, 300)))
            .collect(),
        2 => vec![(script.name(), script.random.between(80, 400))],
        _ => (0..20).map(|_| (script.name(), script.random.between(80, 400))).collect(),
    };
    let every = script.random.between(3_000, 70_000);
    let mut at = script.random.between(0, 20 * HOUR);
    let rounds = script.random.between(80, 130);
    for round in 0..rounds * prompts.len().min(2) as u64 {
        let (name, words) = prompts[round as usize % prompts.len()];
        let edit = if script.level == 1 && round % 3 > 0 { String::new() } else { edit(script, words) };
        let (input, output) = (words * 7 / 5, script.random.between(250, 1_000));
        script.add(Event {
            at_ms: at,
            input,
            output,
            prompt: format!("u{name}x{words}{edit}"),
            ..Event::default()
        });
        at += script.random.about(every, 10 + 40 * script.level.min(2));
    }
    if script.level > 0 {
        day_of_chat(script, &Event { model: 1, ..Event::default() }, 0, 2);
    }
}

/// Colleagues run one script, each a few times.
pub(super) fn script_goes_round(script: &mut Script) {
    let (name, words) = (script.name(), script.random.between(90, 400));
    let wallets = script.random.between(5, 8);
    let spread = script.random.between(2, 30) * MINUTE;
    for wallet in 0..wallets {
        let who = Event { wallet, key: wallet, network: wallet % 3, ..Event::default() };
        let mut at = 10 * HOUR + script.random.between(0, spread);
        for _ in 0..script.random.between(9, 18) {
            let edit = edit(script, words);
            let (input, output) = (words * 7 / 5, script.random.between(500, 1_200));
            script.add(Event {
                at_ms: at,
                input,
                output,
                prompt: format!("u{name}x{words}{edit}"),
                ..who.clone()
            });
            at += script.random.pause(2 * MINUTE).min(5 * MINUTE);
        }
        if script.level > 0 {
            chat(script, &who, 15 * HOUR, 4);
        }
    }
}

/// Every question to all models there are.
pub(super) fn many_models(script: &mut Script) {
    let mut at = script.random.between(8, 12) * HOUR;
    let models = script.random.between(if script.level < 2 { 6 } else { 5 }, 9);
    let step = match script.level {
        0 => 800,
        1 => 5_000,
        2 => 9_000,
        _ => 4 * MINUTE,
    };
    for _ in 0..script.random.between(8, 15) {
        let (name, words) = (script.name(), script.random.between(50, 250));
        for model in 0..models {
            let edit = if script.level == 2 { edit(script, words) } else { String::new() };
            let (input, output) = (words * 7 / 5, script.random.between(100, 900));
            let prompt = format!("u{name}x{words}{edit}");
            script.add(Event { at_ms: at, model, input, output, prompt, ..Event::default() });
            at += script.random.about(step, 50);
        }
        at += script.random.pause(10 * MINUTE);
        if script.level > 0 {
            let turns = script.random.between(1, 3);
            at = chat(script, &Event::default(), at, turns);
        }
    }
}

/// Weeks of quiet use, then everything that is left.
pub(super) fn use_it_or_lose_it(script: &mut Script) {
    let ends_ms = 28 * DAY - script.random.between(0, 20 * HOUR);
    let (usual, size) = (script.random.between(2, 4), script.random.between(5_000, 9_000));
    let first = script.random.between(0, 12);
    let last = ends_ms / DAY;
    // Who knows the rule begins early enough to stay below six times as much.
    let (late, times) = match script.level {
        0 => (last - 1, script.random.between(14, 20)),
        1 => (last - script.random.between(0, 1), script.random.between(10, 16)),
        2 => (last - 1, 9),
        _ => (last - 5, 4),
    };
    for day in first..=last {
        if day % 7 >= 5 && day < late {
            continue;
        }
        let is_late = day >= late;
        let count = if is_late { usual * times } else { script.random.about(usual, 35).max(1) };
        let hours = if day == last { ends_ms % DAY } else { DAY };
        let pause = hours.max(HOUR) / (count + 1) / 2;
        let mut at = day * DAY + if day == last { 0 } else { 9 * HOUR };
        for _ in 0..count {
            at += script.random.about(pause, 60);
            let name = script.name();
            let input =
                if is_late { script.random.about(size * 2, 30) } else { script.random.about(size, 30) };
            if at >= ends_ms {
                break;
            }
            script.add(Event {
                at_ms: at,
                input,
                output: 900,
                prompt: format!("u{name}x100"),
                ends_ms,
                ..Event::default()
            });
        }
    }
}
