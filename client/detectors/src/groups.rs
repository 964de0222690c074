//! Prompts that are alike, as far back as memory goes.
//!
//! A group is found by its first prompt's digest or by one of eight bands of its MinHash, so nothing is searched. Groups that nobody
//! came back to are forgotten first: a flood of prompts that are all different does not wash out one that keeps coming.

use crate::{
    bounded::Bounded,
    finding::Examples,
    observation::{Observation, WalletId},
    sketch::{Sketch, BANDS},
    window::Window,
};

/// Wallets that are counted in one group. Four are enough for a finding.
pub(crate) const MEMBERS_MAX: usize = 8;

/// Models that are remembered of one wallet's prompt. Five are enough for a finding.
const TARGETS_MAX: usize = 8;

/// Time that repetitions are counted over.
pub(crate) const SPAN_MS: u64 = 4 * 3_600_000;

/// One wallet's part of a group.
#[derive(Default)]
pub(crate) struct Member {
    pub(crate) wallet: WalletId,
    last_ms: u64,
    /// Words of the longest prompt so far.
    longest: u32,
    /// Prompts that are the same as the group's first, and those that are nearly.
    pub(crate) same: Window,
    pub(crate) near: Window,
    pub(crate) examples: Examples,
    /// Models that got the prompt lately, and when.
    targets: Vec<(u32, u64)>,
}

impl Member {
    fn see(&mut self, seen: &Observation, is_same: bool) {
        if seen.at_ms.saturating_sub(self.last_ms) > SPAN_MS {
            self.examples.clear();
            self.longest = 0;
        }
        // A text that is longer than all before it is one that somebody writes on, not one that comes again.
        let has_grown = !is_same && seen.prompt.words > self.longest;
        self.longest = self.longest.max(seen.prompt.words);
        self.last_ms = seen.at_ms.max(self.last_ms);
        if has_grown {
            return;
        }
        let counted = if is_same { &mut self.same } else { &mut self.near };
        counted.add(seen.at_ms, SPAN_MS, seen.tokens());
        self.examples.note(seen.request);
    }

    /// Notes to which model the prompt went; says how many models got it within `span_ms`.
    pub(crate) fn spread(&mut self, seen: &Observation, span_ms: u64) -> usize {
        self.targets.retain(|(model, at_ms)| *model != seen.model && seen.at_ms.abs_diff(*at_ms) <= span_ms);
        if self.targets.len() == TARGETS_MAX {
            self.targets.remove(0);
        }
        self.targets.push((seen.model, seen.at_ms));
        self.targets.len()
    }

    /// Begins to count models anew.
    pub(crate) fn gather(&mut self) {
        self.targets.clear();
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.examples.bytes() + self.targets.capacity() * size_of::<(u32, u64)>()
    }
}

/// Prompts that are alike.
pub(crate) struct Group {
    first: Sketch,
    members: Vec<Member>,
}

impl Group {
    pub(crate) fn members(&mut self) -> &mut [Member] {
        &mut self.members
    }

    /// The wallet's part; the one that was quiet for longest makes room.
    fn member(&mut self, wallet: WalletId) -> &mut Member {
        if let Some(at) = self.members.iter().position(|member| member.wallet == wallet) {
            return &mut self.members[at];
        }
        if self.members.len() == MEMBERS_MAX {
            let oldest = (0..MEMBERS_MAX).min_by_key(|at| self.members[*at].last_ms).unwrap_or_default();
            self.members.swap_remove(oldest);
        }
        self.members.push(Member { wallet, ..Member::default() });
        self.members.last_mut().expect("it was pushed in the line above; qed")
    }
}

/// Where a prompt belongs.
pub(crate) struct Found<'g> {
    pub(crate) group: &'g mut Group,
    /// The wallet's place among the group's members.
    pub(crate) at: usize,
    /// Whether it is not the same as the group's first.
    pub(crate) is_new: bool,
}

/// All groups.
pub(crate) struct Groups {
    groups: Bounded<u64, Group>,
    /// From a band to the group that had it last.
    bands: Bounded<u64, u64>,
}

impl Groups {
    pub(crate) fn new(max: usize) -> Self {
        Groups { groups: Bounded::new(max), bands: Bounded::new(max.saturating_mul(BANDS)) }
    }

    /// Puts a prompt where it belongs.
    pub(crate) fn see(&mut self, seen: &Observation) -> Found<'_> {
        let sketch = &seen.prompt;
        let known = self.find(sketch);
        let name = known.unwrap_or(sketch.exact);
        if known.is_none() {
            for band in sketch.bands().into_iter().flatten() {
                *self.bands.entry(band, || name) = name;
            }
        }
        let group = self.groups.entry(name, || Group { first: *sketch, members: Vec::with_capacity(1) });
        let is_same = group.first.exact == sketch.exact;
        let is_new = known.is_none() || !is_same;
        group.member(seen.wallet).see(seen, is_same);
        let at = group.members.iter().position(|member| member.wallet == seen.wallet).unwrap_or_default();
        Found { group, at, is_new }
    }

    fn find(&mut self, sketch: &Sketch) -> Option<u64> {
        if self.groups.get_mut(&sketch.exact).is_some() {
            return Some(sketch.exact);
        }
        for band in sketch.bands().into_iter().flatten() {
            let Some(name) = self.bands.get_mut(&band).copied() else { continue };
            if self.groups.get(&name).is_some_and(|group| group.first.is_like(sketch)) {
                return Some(name);
            }
        }
        None
    }

    /// Bytes that all of it takes now.
    pub(crate) fn bytes(&self) -> usize {
        let members = |group: &Group| group.members.iter().map(Member::bytes).sum::<usize>();
        self.groups.values().map(|group| size_of::<Group>() + members(group)).sum::<usize>()
            + self.groups.bytes()
            + self.bands.bytes()
    }

    /// Bytes that it can take.
    pub(crate) fn bytes_max(max: usize) -> usize {
        let member = size_of::<Member>() + Examples::BYTES_MAX + TARGETS_MAX * size_of::<(u32, u64)>();
        max * (size_of::<Group>() + MEMBERS_MAX * member)
            + Bounded::<u64, Group>::bytes_max(max)
            + Bounded::<u64, u64>::bytes_max(max * BANDS)
    }
}
