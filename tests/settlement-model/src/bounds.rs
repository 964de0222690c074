//! How much of the world one check looks at.

use crate::state::{Face, Faces};

/// The world of one check. Every history within these bounds is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// What it is called.
    pub name: &'static str,
    /// The validator sets, one after the other: a bit for each validator.
    pub sets: &'static [u8],
    /// The validators that lie: a bit for each.
    pub liars: u8,
    /// What the provider attests: each of these is tried.
    pub providers: &'static [Faces],
    /// Batches that come in.
    pub items: u8,
    /// Batches that may be unsettled at a time (`UNSETTLED_MAX`).
    pub unsettled_max: u8,
    /// Changes of mind that are counted (`VOTE_CHANGES_MAX`).
    pub changes_max: u8,
    /// How often the provider can be reported.
    pub reports_max: u8,
    /// How often the chain can fall back.
    pub forks_max: u8,
}

/// An honest provider that agrees with the gateway.
pub const AGREES: Faces = &[Face::Same];

/// An honest provider that counts less than the gateway.
pub const COUNTS_LESS: Faces = &[Face::Less];

/// A provider that signs two attestations for one range.
pub const TWO_FACED: Faces = &[Face::Same, Face::Less];

/// One item, four validators of which one lies, and any provider.
pub const ONE_ITEM: Bounds = Bounds {
    name: "one item",
    sets: &[0b1111],
    liars: 0b1000,
    providers: &[AGREES, COUNTS_LESS, TWO_FACED],
    items: 1,
    unsettled_max: 1,
    changes_max: 2,
    reports_max: 1,
    forks_max: 0,
};

/// The same, with one change of mind: it is used up soon.
pub const FEW_CHANGES: Bounds = Bounds { name: "few changes", changes_max: 1, ..ONE_ITEM };

/// Four validators that are all there and honest.
pub const NOBODY_AWAY: Bounds = Bounds { name: "nobody away", liars: 0, ..ONE_ITEM };

/// Seven validators of which two lie.
pub const SEVEN_VALIDATORS: Bounds = Bounds {
    name: "seven validators",
    sets: &[0b111_1111],
    liars: 0b110_0000,
    providers: &[AGREES, COUNTS_LESS],
    changes_max: 1,
    ..ONE_ITEM
};

/// One validator leaves and another joins while votes are on their way; one of each set lies.
pub const CHANGING_SET: Bounds =
    Bounds { name: "changing set", sets: &[0b01111, 0b11110], liars: 0b10001, changes_max: 1, ..ONE_ITEM };

/// Half of the validators leave, the liar among them.
pub const SHRINKING_SET: Bounds =
    Bounds { name: "shrinking set", sets: &[0b1111, 0b0011], reports_max: 0, ..ONE_ITEM };

/// The chain falls back to the last final block, and the gateway's batch may be another one then.
pub const FORK: Bounds =
    Bounds { name: "fork", providers: &[AGREES, COUNTS_LESS], changes_max: 1, forks_max: 1, ..ONE_ITEM };

/// A second batch comes in after the first is settled, with the provider suspended or not.
pub const TWO_ITEMS: Bounds =
    Bounds { name: "two items", sets: &[0b11], liars: 0, items: 2, changes_max: 1, ..ONE_ITEM };

/// Nobody is honest. What the chain alone guarantees holds all the same.
pub const ALL_LIARS: Bounds = Bounds {
    name: "all liars",
    sets: &[0b1111],
    liars: 0b1111,
    items: 2,
    providers: &[TWO_FACED],
    ..ONE_ITEM
};

impl Bounds {
    /// Whether `validator` lies.
    pub fn is_liar(&self, validator: u8) -> bool {
        self.liars >> validator & 1 == 1
    }

    /// All validators that ever are in a set.
    pub fn validators(&self) -> impl Iterator<Item = u8> {
        let ever = self.sets.iter().fold(0, |ever, set| ever | set);
        (0..8).filter(move |validator| ever >> validator & 1 == 1)
    }

    /// Those of them that do not lie.
    pub fn honest(&self) -> impl Iterator<Item = u8> {
        let liars = self.liars;
        self.validators().filter(move |validator| liars >> validator & 1 == 0)
    }

    /// Whether fewer than a third of every validator set lie.
    pub fn has_few_liars(&self) -> bool {
        self.sets.iter().all(|set| 3 * (set & self.liars).count_ones() < set.count_ones())
    }

    /// Groups of validators that nothing tells apart: in the same sets, and all honest or all liars.
    pub fn kinds(&self) -> Vec<Vec<u8>> {
        let mut kinds: Vec<(Vec<bool>, Vec<u8>)> = Vec::new();
        for validator in self.validators() {
            let mut kind: Vec<bool> = self.sets.iter().map(|set| set >> validator & 1 == 1).collect();
            kind.push(self.is_liar(validator));
            match kinds.iter_mut().find(|(other, _)| *other == kind) {
                Some((_, validators)) => validators.push(validator),
                None => kinds.push((kind, vec![validator])),
            }
        }
        kinds.into_iter().map(|(_, validators)| validators).filter(|kind| kind.len() > 1).collect()
    }
}
