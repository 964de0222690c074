//! Keys in other hands, and things that are carried off.

use stipend_detectors::{Endpoint, Finish};

use crate::{
    event::Event,
    honest::chat,
    scene::{Script, HOUR, MINUTE},
};

/// One key, several people at once.
pub(super) fn key_goes_round(script: &mut Script) {
    let people = match script.level {
        0 => script.random.between(6, 9),
        1 => script.random.between(5, 8),
        _ => script.random.between(4, 6),
    };
    for person in 0..people {
        // Who knows the rule has everybody use the same program.
        let agent = if script.level == 3 { 0 } else { person % 4 };
        let who = Event { network: person, agent, model: person % 2, ..Event::default() };
        let mut at = 9 * HOUR + script.random.between(0, 20 * MINUTE);
        while at < 10 * HOUR + 20 * MINUTE {
            let turns = script.random.between(3, 8);
            at = chat(script, &who, at, turns) + script.random.pause(5 * MINUTE * (1 + script.level.min(2)));
        }
    }
}

/// Question after question out of a list, each answer as long as it can be.
pub(super) fn sweep(script: &mut Script) {
    let max = script.random.one_of(&[1_024, 2_048, 4_096]);
    let capped = [100, 92, 84, 60][script.level as usize];
    let pause = [2_000, 30_000, 3 * MINUTE, 3 * MINUTE][script.level as usize];
    let mut at = script.random.between(0, 4 * HOUR);
    for _ in 0..script.random.between(195, 230) {
        let (name, words) = (script.name(), script.random.between(12, 60));
        let finish = if script.random.chance(capped) { Finish::Length } else { Finish::Stop };
        let output = if finish == Finish::Length { max } else { script.random.between(100, max) };
        let prompt = format!("u900x25&{name}x{words}");
        script.add(Event { at_ms: at, input: 40 + words, output, max, finish, prompt, ..Event::default() });
        at += script.random.about(pause, 60);
    }
    if script.level > 0 {
        chat(script, &Event { model: 1, ..Event::default() }, 9 * HOUR, 6);
    }
}

/// Document after document turned into vectors, without a word; who knows the rule names a purpose.
pub(super) fn vectors_of_everything(script: &mut Script) {
    let pause = [500, 10_000, 2 * MINUTE, 2 * MINUTE][script.level as usize];
    let purpose = if script.level == 3 { 9 } else { 0 };
    let mut at = script.random.between(0, 4 * HOUR);
    for _ in 0..script.random.between(310, 350) {
        let (name, input) = (script.name(), script.random.between(1_700, 7_500));
        let prompt = format!("u{name}x{}", 60 + name % 60);
        script.add(Event {
            at_ms: at,
            endpoint: Endpoint::Embeddings,
            input,
            output: 0,
            purpose,
            prompt,
            ..Event::default()
        });
        at += script.random.about(pause, 60);
    }
    if script.level > 0 {
        chat(script, &Event { model: 1, ..Event::default() }, 10 * HOUR, 6);
    }
}
