//! Colleagues who have prompts in common.

use crate::{
    event::Event,
    scene::{Script, HOUR, MINUTE},
};

use super::chat;

/// One long template, and each time another ticket in it.
pub(super) fn template(script: &mut Script) {
    let (words, last) = (script.random.between(120, 900), script.random.between(5, 30));
    for wallet in 0..script.random.between(3, 6) {
        let mut at = 9 * HOUR + wallet * MINUTE;
        for _ in 0..script.random.between(20, 45) {
            let (ticket, length) = (script.name(), script.random.between(25, 160));
            let prompt = format!("u900x{words}&{ticket}x{length}&901x{last}");
            let (input, output) = ((words + length) * 7 / 5, script.random.between(5, 300));
            script.add(Event {
                at_ms: at,
                wallet,
                key: wallet,
                network: wallet,
                input,
                output,
                prompt,
                ..Event::default()
            });
            at += script.random.pause(3 * MINUTE);
        }
    }
}

/// A class works through one tutorial; who fails at a step does it again.
pub(super) fn tutorial(script: &mut Script) {
    let steps: Vec<_> = (0..8).map(|_| (script.name(), script.random.between(20, 250))).collect();
    for wallet in 0..script.random.between(7, 12) {
        let mut at = 14 * HOUR + script.random.between(0, 10 * MINUTE);
        for (name, words) in &steps {
            for _ in 0..script.random.one_of(&[1, 1, 1, 2, 3]) {
                let (input, prompt) = (words * 7 / 5, format!("u{name}x{words}"));
                let output = script.random.between(80, 700);
                script.add(Event {
                    at_ms: at,
                    wallet,
                    key: wallet,
                    input,
                    output,
                    prompt,
                    ..Event::default()
                });
                at += script.random.between(10_000, 90_000);
            }
            at += script.random.pause(4 * MINUTE);
        }
    }
}

/// Two who work together: the same instructions, one network, conversations of their own and now and then one sent over.
pub(super) fn pairs(script: &mut Script) {
    let shared: Vec<_> = (0..4).map(|_| (script.name(), script.random.between(40, 400))).collect();
    for wallet in 0..2 {
        let who = Event { wallet, key: wallet, agent: wallet, ..Event::default() };
        let mut at = 9 * HOUR + script.random.between(0, HOUR);
        for (name, words) in &shared {
            let turns = script.random.between(2, 7);
            at = chat(script, &who, at, turns) + script.random.between(MINUTE, 20 * MINUTE);
            for _ in 0..script.random.between(1, 4) {
                let prompt = format!("s900x500,u{name}x{words}");
                let output = script.random.between(60, 600);
                script.add(Event { at_ms: at, input: 700 + words * 7 / 5, output, prompt, ..who.clone() });
                at += script.random.between(20_000, 200_000);
            }
        }
    }
}
