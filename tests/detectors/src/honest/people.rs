//! People at their desks.

use stipend_detectors::{Endpoint, Finish};

use crate::{
    event::Event,
    scene::{Script, DAY, HOUR, MINUTE},
};

/// One conversation from `start` on: a history that grows, now and then an answer asked for again, stopped or cut off. Returns its end.
pub fn chat(script: &mut Script, who: &Event, start: u64, turns: u64) -> u64 {
    let conversation = script.name();
    let words = script.random.between(25, 140);
    let system = script.random.chance(40).then(|| (script.name(), script.random.between(30, 500)));
    let mut at = start;
    for turn in 0..turns {
        let question = script.name();
        let length = script.random.between(4, 90);
        let mut prompt = String::new();
        if let Some((name, words)) = system {
            prompt.push_str(&format!("s{name}x{words},"));
        }
        if turn > 0 {
            prompt.push_str(&format!("h{conversation}x{}x{words},", 2 * turn));
        }
        prompt.push_str(&format!("u{question}x{length}"));
        let known = system.map_or(0, |(_, words)| words) + 2 * turn * words + length;
        let asked = 1 + u64::from(script.random.chance(8)) * script.random.between(1, 3);
        for _ in 0..asked {
            script.add(answered(script, who, at, known, prompt.clone()));
            at += script.random.between(5_000, 20_000);
        }
        at += script.random.pause(80_000);
    }
    at
}

fn answered(script: &Script, who: &Event, at: u64, words: u64, prompt: String) -> Event {
    let mut random = script.random.clone();
    let finish = if random.chance(6) { Finish::Length } else { Finish::Stop };
    let max = random.one_of(&[512, 1_024, 2_048, 4_096]);
    let output = if finish == Finish::Length { max } else { random.between(30, max.min(900)) };
    let fetched = if random.chance(8) { random.between(150, 900) } else { 1_000 };
    Event { at_ms: at, input: words * 7 / 5 + 8, output, max, finish, fetched, prompt, ..who.clone() }
}

/// A day of conversations between nine and six.
pub fn day_of_chat(script: &mut Script, who: &Event, day: u64, sessions: u64) {
    let mut at = day * DAY + 9 * HOUR + script.random.between(0, 90 * MINUTE);
    for _ in 0..sessions {
        let turns = script.random.between(2, 9);
        at = chat(script, who, at, turns) + script.random.between(10 * MINUTE, 90 * MINUTE);
    }
}

pub(super) fn chatting(script: &mut Script) {
    let who = Event { model: script.random.between(0, 3), ..Event::default() };
    for day in 0..script.random.between(5, 8) {
        let sessions = script.random.between(3, 5);
        day_of_chat(script, &who, day, sessions);
    }
}

/// An editor asks at every pause of the fingers, and leaves most answers.
pub(super) fn typing_ahead(script: &mut Script) {
    let mut at = 10 * HOUR;
    let (max, leaves) = (script.random.one_of(&[64, 128, 256]), script.random.between(35, 75));
    for _ in 0..script.random.between(6, 10) {
        let file = script.name();
        let mut words = script.random.between(120, 700);
        for _ in 0..script.random.between(15, 40) {
            let fetched = if script.random.chance(leaves) { 0 } else { 1_000 };
            let output = script.random.between(5, max);
            script.add(Event {
                at_ms: at,
                input: words * 7 / 5,
                output,
                max,
                fetched,
                prompt: format!("u{file}x{words}"),
                ..Event::default()
            });
            words += script.random.between(1, 12);
            at += script.random.between(900, 30_000);
        }
        at += script.random.between(5 * MINUTE, 40 * MINUTE);
    }
}

/// Some prompts to two to four models, and now and then to all six, out of curiosity.
pub(super) fn side_by_side(script: &mut Script) {
    let mut at = 9 * HOUR;
    for turn in 0..script.random.between(12, 30) {
        let (name, words) = (script.name(), script.random.between(15, 200));
        let models = if turn % 11 == 5 { 6 } else { script.random.between(1, 4) };
        for model in 0..models {
            let event = Event { model, ..Event::default() };
            let event = answered(script, &event, at, words, format!("u{name}x{words}"));
            script.add(event);
            at += script.random.between(500, 6_000);
        }
        at += script.random.pause(6 * MINUTE);
    }
}

/// One long document, and many questions about it behind or before it.
pub(super) fn one_document(script: &mut Script) {
    let (document, words) = (script.name(), script.random.between(600, 2_500));
    let is_before = script.random.chance(50);
    let mut at = 13 * HOUR;
    for _ in 0..script.random.between(30, 70) {
        let (question, length) = (script.name(), script.random.between(8, 45));
        let prompt = match is_before {
            true => format!("u{question}x{length}&{document}x{words}"),
            false => format!("u{document}x{words}&{question}x{length}"),
        };
        let event = answered(script, &Event::default(), at, words + length, prompt);
        script.add(event);
        at += script.random.pause(100_000);
    }
}

/// Chapters that often run to their bound.
pub(super) fn writer(script: &mut Script) {
    for day in 0..5 {
        let mut at = day * DAY + 8 * HOUR;
        for _ in 0..script.random.between(20, 45) {
            let (name, words) = (script.name(), script.random.between(80, 600));
            let finish = if script.random.chance(45) { Finish::Length } else { Finish::Stop };
            let prompt = format!("u{name}x{words}");
            let output = if finish == Finish::Length { 1_500 } else { script.random.between(300, 1_499) };
            let event = Event {
                at_ms: at,
                input: words * 7 / 5,
                output,
                max: 1_500,
                finish,
                prompt,
                ..Event::default()
            };
            script.add(event);
            at += script.random.pause(9 * MINUTE);
        }
    }
}

/// Office, phone, train, hotel and tunnel; two programs, sometimes three, one after the other.
pub(super) fn traveller(script: &mut Script) {
    for day in 0..7 {
        let mut at = day * DAY + 7 * HOUR;
        for _ in 0..script.random.between(4, 8) {
            let network = script.random.between(0, 6);
            let agent = if script.random.chance(10) { 2 } else { script.random.between(0, 1) };
            let who = Event { network, agent, ..Event::default() };
            let turns = script.random.between(2, 6);
            at = chat(script, &who, at, turns) + script.random.between(MINUTE, 90 * MINUTE);
        }
    }
}

/// Four weeks of work whose last days bring two to four times as much, because the month ends for the work, too.
pub(super) fn month_end(script: &mut Script) {
    let ends_ms = 26 * DAY + 20 * HOUR;
    let usual = script.random.between(3, 6);
    let more = script.random.between(2, 4);
    for day in 0..26 {
        let is_weekend = day % 7 >= 5;
        if is_weekend {
            continue;
        }
        let count = if day >= 23 { usual * more } else { script.random.about(usual, 40) };
        let mut at = day * DAY + 9 * HOUR;
        for _ in 0..count {
            let name = script.name();
            let input = script.random.between(6_000, 28_000);
            let prompt = format!("u{name}x120");
            script.add(Event { at_ms: at, input, output: 700, prompt, ends_ms, ..Event::default() });
            at += script.random.pause(25 * MINUTE);
        }
    }
}

/// Somebody's first days: everything is tried, also what would be waste later.
pub(super) fn newcomer(script: &mut Script) {
    let mut at = 9 * HOUR;
    let (name, words) = (script.name(), script.random.between(30, 120));
    for _ in 0..script.random.between(32, 60) {
        let event = answered(script, &Event::default(), at, words + 300, format!("u{name}x{words}"));
        script.add(event);
        at += script.random.between(20_000, 90_000);
    }
    for _ in 0..8 {
        let (name, words) = (script.name(), script.random.between(30, 120));
        for model in 0..6 {
            let event = Event { model, endpoint: Endpoint::Text, ..Event::default() };
            let event = answered(script, &event, at, words, format!("u{name}x{words}"));
            script.add(event);
            at += 3_000;
        }
        at += script.random.pause(8 * MINUTE);
    }
}
