//! Scenes: the requests of one or a few wallets over hours or weeks, with what there is to find in them.

use anyhow::{ensure, Context, Result};
use stipend_detectors::Rule;

use crate::{event::Event, random::Random};

/// Milliseconds of a minute, an hour, a day.
pub const MINUTE: u64 = 60_000;
/// See [`MINUTE`].
pub const HOUR: u64 = 60 * MINUTE;
/// See [`MINUTE`].
pub const DAY: u64 = 24 * HOUR;

/// One scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Its number, which names its wallets, keys and texts.
    pub number: u64,
    /// The model of behaviour that made it.
    pub kind: String,
    /// How hard it tries not to be found: 0 not at all, 1 by noise, 2 by more noise, 3 by knowing the rule. Honest scenes have 0.
    pub level: u64,
    /// What there is to find. Empty: honest.
    pub labels: Vec<Rule>,
    /// Days for which its wallets had credits when it begins.
    pub age_days: u64,
    /// Its requests by time.
    pub events: Vec<Event>,
}

impl Scene {
    /// The scene as lines.
    pub fn lines(&self, out: &mut String) {
        let labels: Vec<_> = self.labels.iter().map(|rule| rule.name()).collect();
        let labels = if labels.is_empty() { "-".to_owned() } else { labels.join(",") };
        out.push_str(&format!(
            "scene {} {} {} {} {}\n",
            self.number, self.kind, self.level, labels, self.age_days
        ));
        let mut before = Event::default();
        for event in &self.events {
            out.push_str(&event.line(&before));
            out.push('\n');
            before = event.clone();
        }
    }

    /// Reads scenes from lines.
    pub fn read(text: &str) -> Result<Vec<Scene>> {
        let mut scenes: Vec<Scene> = Vec::new();
        let mut before = Event::default();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            let context = || format!("line {}", at + 1);
            if let Some(head) = line.strip_prefix("scene ") {
                scenes.push(Scene::head(head).with_context(context)?);
                before = Event::default();
                continue;
            }
            before = Event::read(line, &before).with_context(context)?;
            scenes.last_mut().with_context(context)?.events.push(before.clone());
        }
        Ok(scenes)
    }

    fn head(line: &str) -> Result<Scene> {
        let fields: Vec<_> = line.split(' ').collect();
        ensure!(fields.len() == 5, "a scene has a number, a kind, a level, labels and an age");
        let labels = fields[3].split(',').filter(|label| *label != "-");
        let labels =
            labels.map(|label| Rule::named(label).with_context(|| format!("no rule is named `{label}`")));
        Ok(Scene {
            number: fields[0].parse()?,
            kind: fields[1].to_owned(),
            level: fields[2].parse()?,
            labels: labels.collect::<Result<_>>()?,
            age_days: fields[4].parse()?,
            events: Vec::new(),
        })
    }
}

/// A scene that is being written.
pub struct Script {
    /// Its random numbers.
    pub random: Random,
    /// How hard it tries not to be found.
    pub level: u64,
    events: Vec<Event>,
    names: u64,
}

impl Script {
    /// An empty script.
    pub fn new(seed: u64, number: u64, level: u64) -> Self {
        Script { random: Random::new(seed, number), level, events: Vec::new(), names: 0 }
    }

    /// Adds a request.
    pub fn add(&mut self, event: Event) {
        self.events.push(event);
    }

    /// A number that no text, tool call or conversation of the scene has yet.
    pub fn name(&mut self) -> u64 {
        self.names += 1;
        self.names
    }

    /// Its requests by time.
    pub fn finish(mut self) -> Vec<Event> {
        self.events.sort_by_key(|event| event.at_ms);
        self.events
    }
}
