//! How well the rules tell the scenes apart.

use std::collections::BTreeSet;

use anyhow::Result;
use stipend_detectors::{Detectors, Memory, Policy, Rule};

use crate::{
    scene::Scene,
    set::{Labelled, Set},
};

/// The highest level of evasion that recall is promised for.
pub const PROMISED_LEVEL_MAX: u64 = 2;

/// What one rule found, in scenes.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// Scenes with the pattern that it found, up to the promised level.
    pub found: usize,
    /// Scenes with the pattern, up to the promised level.
    pub there: usize,
    /// Scenes without the pattern in which it found it, by number and kind.
    pub wrong: Vec<(u64, String)>,
    /// Scenes with the pattern that it missed, up to the promised level.
    pub missed: Vec<(u64, String)>,
    /// Found and there, for each level.
    pub levels: [(usize, usize); 4],
}

impl Score {
    /// Of what it found, how much is there. Found scenes of the third level count as right as well.
    pub fn precision(&self) -> f64 {
        let right: usize = self.levels.iter().map(|(found, _)| found).sum();
        share(right, right + self.wrong.len())
    }

    /// Of what is there, how much it found.
    pub fn recall(&self) -> f64 {
        share(self.found, self.there)
    }
}

fn share(part: usize, all: usize) -> f64 {
    if all == 0 {
        return 0.0;
    }
    part as f64 / all as f64
}

/// What all rules found in a set.
pub struct Measured {
    /// One for each rule, in the order of [`Rule::ALL`].
    pub scores: Vec<Score>,
    /// Scenes and requests, and those that are honest.
    pub scenes: usize,
    /// See `scenes`.
    pub honest_scenes: usize,
    /// See `scenes`.
    pub requests: usize,
    /// See `scenes`.
    pub honest_requests: usize,
    /// Bytes that the rules remembered things in at the end.
    pub bytes: usize,
}

/// Runs all scenes of a set as one stream.
pub fn measure(set: &Set) -> Result<Measured> {
    let scenes = set.scenes()?;
    let seen = set.observations(&scenes)?;
    let mut detectors = Detectors::new(Policy::default(), Memory::default());
    let found = found(&mut detectors, &seen);
    let honest = |at: usize| scenes[at].labels.is_empty();
    Ok(Measured {
        scores: Rule::ALL.into_iter().map(|rule| score(rule, &scenes, &found)).collect(),
        scenes: scenes.len(),
        honest_scenes: scenes.iter().filter(|scene| scene.labels.is_empty()).count(),
        requests: seen.len(),
        honest_requests: seen.iter().filter(|labelled| honest(labelled.scene)).count(),
        bytes: detectors.bytes(),
    })
}

/// Which rule spoke of which scene.
fn found(detectors: &mut Detectors, seen: &[Labelled]) -> BTreeSet<(Rule, usize)> {
    let mut found = BTreeSet::new();
    for labelled in seen {
        found.extend(
            detectors.observe(&labelled.seen).into_iter().map(|finding| (finding.rule, labelled.scene)),
        );
    }
    found
}

fn score(rule: Rule, scenes: &[Scene], found: &BTreeSet<(Rule, usize)>) -> Score {
    let mut score = Score::default();
    for (at, scene) in scenes.iter().enumerate() {
        let (is_found, is_there) = (found.contains(&(rule, at)), scene.labels.contains(&rule));
        let name = || (scene.number, format!("{} at level {}", scene.kind, scene.level));
        if !is_there {
            score.wrong.extend(is_found.then(name));
            continue;
        }
        let level = &mut score.levels[scene.level.min(3) as usize];
        level.1 += 1;
        level.0 += usize::from(is_found);
        if scene.level <= PROMISED_LEVEL_MAX {
            score.there += 1;
            score.found += usize::from(is_found);
            score.missed.extend((!is_found).then(name));
        }
    }
    score
}
