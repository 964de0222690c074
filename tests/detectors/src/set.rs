//! The two sets of scenes: one that bounds were chosen on, and one that is only measured.

use anyhow::{Context, Result};
use stipend_detectors::{KeyId, Observation, RequestId, Secret, Sketcher, WalletId};

use crate::{
    event::Event,
    honest, prose,
    random::Random,
    scene::{Scene, Script, DAY},
    wasteful,
};

/// Unix milliseconds of the sets' first midnight, a Monday.
pub const BEGINS_MS: u64 = 1_767_571_200_000;

/// Scenes of each honest model.
const HONEST_EACH: u64 = 12;

/// Scenes of each model of waste at each level.
const WASTEFUL_EACH: u64 = 7;

/// A set: its name, its seed, and its scenes as they are committed.
#[derive(Clone, Copy)]
pub struct Set {
    /// The name.
    pub name: &'static str,
    /// What its random numbers begin with.
    pub seed: u64,
    /// The scenes, as lines.
    pub text: &'static str,
}

/// The set that bounds were chosen on.
pub const TUNING: Set = Set { name: "tuning", seed: 11, text: include_str!("../fixtures/tuning.txt") };

/// The set that nothing was chosen on.
pub const HELD_OUT: Set =
    Set { name: "held-out", seed: 4_242, text: include_str!("../fixtures/held-out.txt") };

/// Both.
pub const SETS: [Set; 2] = [TUNING, HELD_OUT];

/// An observation and the scene that it is from.
pub struct Labelled {
    /// Place of the scene in the set.
    pub scene: usize,
    /// The observation.
    pub seen: Observation,
}

impl Set {
    /// The scenes that are committed.
    pub fn scenes(&self) -> Result<Vec<Scene>> {
        Scene::read(self.text).with_context(|| format!("the {} set cannot be read", self.name))
    }

    /// All observations of some scenes by time, as one gateway would see them.
    pub fn observations(&self, scenes: &[Scene]) -> Result<Vec<Labelled>> {
        let sketcher = Sketcher::new(Secret::new([self.seed as u8; 32]));
        let mut all = Vec::new();
        for (at, scene) in scenes.iter().enumerate() {
            // Every scene begins at some day of a month, so that they are not all there at once.
            let begins_ms = BEGINS_MS + Random::new(self.seed, scene.number).between(0, 29) * DAY;
            for event in &scene.events {
                let request = (all.len() as u128).to_le_bytes();
                let seen = observation(&sketcher, scene, event, begins_ms, request)?;
                all.push(Labelled { scene: at, seen });
            }
        }
        all.sort_by_key(|labelled| labelled.seen.at_ms);
        Ok(all)
    }
}

/// Makes the scenes of a seed.
pub fn generate(seed: u64) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for (kind, write, age_days) in honest::MODELS {
        for _ in 0..HONEST_EACH {
            let number = scenes.len() as u64;
            let mut script = Script::new(seed, number, 0);
            write(&mut script);
            let events = script.finish();
            let kind = (*kind).to_owned();
            scenes.push(Scene { number, kind, level: 0, labels: Vec::new(), age_days: *age_days, events });
        }
    }
    for (kind, rule, write) in wasteful::MODELS {
        for level in 0..=3 {
            for _ in 0..WASTEFUL_EACH {
                let number = scenes.len() as u64;
                let mut script = Script::new(seed, number, level);
                write(&mut script);
                let (kind, labels, events) = ((*kind).to_owned(), vec![*rule], script.finish());
                scenes.push(Scene { number, kind, level, labels, age_days: 200, events });
            }
        }
    }
    scenes
}

fn observation(
    sketcher: &Sketcher,
    scene: &Scene,
    event: &Event,
    begins_ms: u64,
    request: RequestId,
) -> Result<Observation> {
    let messages = prose::messages(&event.prompt, scene.number)
        .with_context(|| format!("scene {}: {}", scene.number, event.prompt))?;
    let named = |name: u64| scene.number << 32 | name;
    let (network, agent) = (format!("{:x}", named(event.network)), format!("agent {}", event.agent));
    let mut origin = sketcher.origin([127, 0, 0, 1].into(), &agent);
    origin.network = sketcher.purpose(&network);
    let purpose = (event.purpose > 0).then(|| sketcher.purpose(&event.purpose.to_string()));
    let tool_calls = match event.tools {
        0 => None,
        tools => sketcher.tool_calls([("run", format!("{{\"call\":{}}}", named(tools)).as_str())]),
    };
    let tokens = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(Observation {
        request,
        at_ms: begins_ms + event.at_ms,
        wallet: identity(scene, event.wallet, 1),
        wallet_since_ms: Some(begins_ms - scene.age_days * DAY),
        key: identity(scene, event.key, 2),
        model: tokens(event.model),
        provider: tokens(event.model % 3),
        endpoint: event.endpoint,
        input_tokens: tokens(event.input),
        output_tokens: tokens(event.output),
        max_tokens: tokens(event.max),
        finish: event.finish,
        fetched_permille: event.fetched.min(1_000) as u16,
        prompt: sketcher.prompt(messages.iter().map(|(role, text)| (*role, text.as_str()))),
        tool_calls,
        origin,
        purpose,
        period_ends_ms: (event.ends_ms > 0).then_some(begins_ms + event.ends_ms),
    })
}

fn identity(scene: &Scene, number: u64, kind: u8) -> [u8; 32] {
    let mut identity: KeyId = [kind; 32];
    identity[..8].copy_from_slice(&scene.number.to_le_bytes());
    identity[8..16].copy_from_slice(&number.to_le_bytes());
    let wallet: WalletId = identity;
    wallet
}
