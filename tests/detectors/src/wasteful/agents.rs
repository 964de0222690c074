//! Programs that nobody looks at.

use stipend_detectors::Finish;

use crate::{
    event::Event,
    honest::day_of_chat,
    scene::{Script, DAY, HOUR, MINUTE},
};

/// An agent that works for a while and then goes round in a circle.
pub(super) fn stuck_agent(script: &mut Script) {
    let circle: Vec<_> = (0..script.random.between(1, 3)).map(|_| script.name()).collect();
    let (task, words) = (script.name(), script.random.between(30, 200));
    let honest = script.random.between(0, 12);
    let mut at = script.random.between(8, 20) * HOUR;
    for turn in 0..honest + script.random.between(36, 60) {
        let noise = match script.level {
            0 => false,
            1 => turn % 9 == 4,
            2 => turn % 7 == 4,
            // Another argument each time, such as the time of day.
            _ => true,
        };
        let tools = if turn < honest || noise { script.name() } else { circle[turn as usize % circle.len()] };
        let prompt = format!("s1x500,u{task}x{words},h{task}x{}x50,t{}x60", 2 * turn, script.name());
        let input = 1_000 + 200 * turn;
        let output = script.random.between(20, 200);
        script.add(Event {
            at_ms: at,
            input,
            output,
            finish: Finish::Tools,
            tools,
            prompt,
            ..Event::default()
        });
        at += script.random.about(if script.level == 2 { MINUTE } else { 8_000 }, 60);
    }
    if script.level > 0 {
        day_of_chat(script, &Event { model: 2, ..Event::default() }, 0, 2);
    }
}

/// A script that asks something every few minutes for days.
pub(super) fn idle_script(script: &mut Script) {
    let every = script.random.between(6 * MINUTE, 18 * MINUTE);
    let (shake, sizes) = [(1, 4), (20, 12), (60, 30), (95, 60)][script.level as usize];
    let size = script.random.between(300, 4_000);
    let mut at = script.random.between(0, 12 * HOUR);
    for _ in 0..(script.random.between(30, 40) * HOUR / every).max(60) {
        let (name, words) = (script.name(), script.random.between(60, 120));
        let (input, output) = (script.random.about(size, sizes), script.random.between(50, 400));
        script.add(Event {
            at_ms: at,
            input,
            output,
            prompt: format!("u{name}x{words}"),
            ..Event::default()
        });
        at += script.random.about(every, shake);
        // Who knows the rule lets it sleep at night.
        if script.level == 3 && at / HOUR % 24 >= 20 {
            at = (at / DAY + 1) * DAY + 8 * HOUR;
        }
    }
    if script.level > 0 {
        day_of_chat(script, &Event { model: 1, ..Event::default() }, 1, 3);
    }
}

/// A program that asks and hangs up.
pub(super) fn nobody_reads(script: &mut Script) {
    let leaves = [100, 80, 66, 100][script.level as usize];
    let mut at = script.random.between(0, 18 * HOUR);
    let every = script.random.between(4_000, 5 * MINUTE);
    for _ in 0..script.random.between(90, 130) {
        let (name, words) = (script.name(), script.random.between(60, 900));
        let fetched = match script.random.chance(leaves) {
            true if script.level == 3 => script.random.between(101, 160),
            true => script.random.between(0, 40 * script.level),
            false => 1_000,
        };
        let (input, output) = (700 + words * 7 / 5, script.random.between(200, 1_000));
        script.add(Event {
            at_ms: at,
            input,
            output,
            fetched,
            prompt: format!("u{name}x{words}"),
            ..Event::default()
        });
        at += script.random.about(every, 70);
    }
}
