//! Programs that somebody runs for a reason.

use stipend_detectors::{Endpoint, Finish};

use crate::{
    event::Event,
    scene::{Script, DAY, HOUR, MINUTE},
};

/// At every push the same short smoke tests, from whichever runner is free.
pub(super) fn ci(script: &mut Script) {
    let tests: Vec<_> =
        (0..script.random.between(6, 12)).map(|_| (script.name(), script.random.between(8, 70))).collect();
    let mut at = 8 * HOUR;
    for _ in 0..script.random.between(8, 16) {
        let network = script.random.between(0, 7);
        for (name, words) in &tests {
            let finish = if script.random.chance(4) { Finish::Failed } else { Finish::Stop };
            let output = script.random.between(10, 60);
            let prompt = format!("u{name}x{words}");
            let (input, agent) = (words * 7 / 5, u64::from(name % 5 == 0));
            script.add(Event {
                at_ms: at,
                input,
                output,
                max: 64,
                finish,
                network,
                agent,
                prompt,
                ..Event::default()
            });
            at += script.random.between(400, 4_000);
        }
        at += script.random.pause(35 * MINUTE);
    }
}

/// A set of questions, model after model; some name a purpose.
pub(super) fn nightly_eval(script: &mut Script) {
    let questions: Vec<_> =
        (0..script.random.between(25, 50)).map(|_| (script.name(), script.random.between(30, 300))).collect();
    let purpose = script.random.between(0, 1);
    for night in 0..2 {
        let mut at = night * DAY + 2 * HOUR + script.random.between(0, 10 * MINUTE);
        for model in 0..script.random.between(2, 6) {
            for (name, words) in &questions {
                let output = script.random.between(20, 600);
                let (input, prompt) = (words * 7 / 5, format!("s1x60,u{name}x{words}"));
                script.add(Event { at_ms: at, model, input, output, purpose, prompt, ..Event::default() });
                at += script.random.between(3_000, 9_000);
            }
        }
    }
}

/// A vote over 5 to 20 samples of each prompt.
pub(super) fn samples(script: &mut Script) {
    let mut at = 14 * HOUR;
    let count = script.random.between(5, 20);
    for _ in 0..script.random.between(10, 24) {
        let (name, words) = (script.name(), script.random.between(60, 400));
        for _ in 0..count {
            let output = script.random.between(100, 900);
            script.add(Event {
                at_ms: at,
                input: words * 7 / 5,
                output,
                prompt: format!("u{name}x{words}"),
                ..Event::default()
            });
            at += script.random.between(100, 1_500);
        }
        at += script.random.pause(4 * MINUTE);
    }
}

/// A client that tries again when a request fails or takes too long.
pub(super) fn retries(script: &mut Script) {
    let mut at = 11 * HOUR;
    let fails = script.random.between(20, 55);
    for _ in 0..script.random.between(60, 110) {
        let (name, words) = (script.name(), script.random.between(40, 900));
        for _ in 0..6 {
            let (finish, fetched) = match script.random.chance(fails) {
                true if script.random.chance(70) => (Finish::Failed, 0),
                true => (Finish::Unknown, 0),
                false => (Finish::Stop, 1_000),
            };
            let output = script.random.between(50, 700);
            let prompt = format!("u{name}x{words}");
            script.add(Event {
                at_ms: at,
                input: words * 7 / 5,
                output,
                finish,
                fetched,
                prompt,
                ..Event::default()
            });
            at += script.random.between(1_000, 40_000);
            if fetched > 0 {
                break;
            }
        }
        at += script.random.pause(2 * MINUTE);
    }
}

/// Questions of the public at all hours, with the same instructions and different pages found for them; some come again.
pub(super) fn service(script: &mut Script) {
    let (rules, mean) = (script.random.between(150, 900), script.random.between(6 * MINUTE, 20 * MINUTE));
    let mut at = 0;
    while at < 36 * HOUR {
        let hour = at / HOUR % 24;
        let question = (script.random.share().powi(2) * 220.0) as u64;
        let (page, length) = (1_000 + question / 3, 200 + question * 37 % 500);
        let words = 6 + question * 13 % 22;
        let output = script.random.between(60, 500);
        let input = (rules + length + words) * 7 / 5;
        let prompt = format!("s900x{rules},u{page}x{length}&{}x{words}", 5_000 + question);
        script.add(Event { at_ms: at, input, output, prompt, ..Event::default() });
        at += 1 + script.random.pause(if (8..20).contains(&hour) { mean / 2 } else { mean * 2 });
    }
}

/// Read, edit, test, look at the difference; the tests are always the same call, the edits never.
pub(super) fn coding_agent(script: &mut Script) {
    let mut at = 9 * HOUR;
    for _ in 0..script.random.between(2, 4) {
        let (task, words) = (script.name(), script.random.between(40, 250));
        let (test, diff) = (script.name(), script.random.chance(50).then(|| script.name()));
        for turn in 0..script.random.between(25, 60) {
            let tools = match turn % 4 {
                0 | 2 => script.name(),
                1 => test,
                _ => diff.unwrap_or_else(|| script.name()),
            };
            let prompt = format!("s1x800,u{task}x{words},h{task}x{}x60,t{}x90", 2 * turn, script.name());
            let input = 1_400 + turn * 260;
            let output = script.random.between(30, 400);
            script.add(Event {
                at_ms: at,
                input,
                output,
                finish: Finish::Tools,
                tools,
                prompt,
                ..Event::default()
            });
            at += script.random.between(4_000, 40_000);
        }
        at += script.random.between(20 * MINUTE, 2 * HOUR);
    }
}

fn embed(script: &mut Script, count: u64, tokens: u64, purpose: u64) {
    let mut at = 20 * HOUR;
    for _ in 0..count {
        let (name, input) = (script.name(), script.random.about(tokens, 30));
        let prompt = format!("u{name}x{}", 60 + name % 90);
        script.add(Event {
            at_ms: at,
            endpoint: Endpoint::Embeddings,
            input,
            output: 0,
            purpose,
            prompt,
            ..Event::default()
        });
        at += script.random.between(300, 3_000);
    }
}

/// A company's documents turned into vectors, announced by a purpose.
pub(super) fn index_build(script: &mut Script) {
    let (count, tokens) = (script.random.between(350, 600), script.random.between(1_500, 6_000));
    embed(script, count, tokens, 7);
}

/// Somebody's own notes, without a word.
pub(super) fn small_index(script: &mut Script) {
    let (count, tokens) = (script.random.between(60, 240), script.random.between(150, 900));
    embed(script, count, tokens, 0);
}

/// A sign of life every few minutes for two days: regular, the same, and tiny.
pub(super) fn heartbeat(script: &mut Script) {
    let every = script.random.between(7 * MINUTE, 15 * MINUTE);
    for beat in 0..2 * DAY / every {
        let at_ms = beat * every + script.random.between(0, 900);
        script.add(Event { at_ms, input: 11, output: 1, max: 1, prompt: "u1x6".into(), ..Event::default() });
    }
}

/// What came in during the last while, summed up. Now much came, now little; those who sum up the same amount name a purpose.
pub(super) fn hourly_digest(script: &mut Script) {
    let is_even = script.random.chance(40);
    let every = script.random.one_of(&[15 * MINUTE, 30 * MINUTE, HOUR]);
    for run in 0..96 {
        let (name, words) = (script.name(), script.random.between(40, 900));
        let input = if is_even { script.random.about(2_000, 10) } else { 200 + words * 7 / 5 };
        let at_ms = run * every + script.random.between(0, 4_000);
        let purpose = if is_even { 3 } else { 0 };
        let prompt = format!("s1x140,u{name}x{words}");
        script.add(Event { at_ms, input, output: 220, purpose, prompt, ..Event::default() });
    }
}

/// Articles summed up one after the other, all night; a few run to their bound.
pub(super) fn overnight_batch(script: &mut Script) {
    let mut at = 19 * HOUR;
    for _ in 0..script.random.between(120, 200) {
        let (name, words) = (script.name(), script.random.between(150, 1_200));
        let finish = if script.random.chance(9) { Finish::Length } else { Finish::Stop };
        let output = if finish == Finish::Length { 600 } else { script.random.between(90, 599) };
        let prompt = format!("s1x90,u{name}x{words}");
        script.add(Event {
            at_ms: at,
            input: words * 7 / 5,
            output,
            max: 600,
            finish,
            prompt,
            ..Event::default()
        });
        at += script.random.about(4 * MINUTE, 60);
    }
}
