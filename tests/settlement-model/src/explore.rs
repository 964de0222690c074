//! Looking at every state that can be reached, nearest first.

use std::fmt;

use indexmap::{map::Entry, IndexMap};

use crate::{Action, Goal, Property, SettlementModel, State};

/// What came of looking at everything.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// States that were looked at.
    pub states_count: usize,
    /// Actions from the beginning to the farthest of them.
    pub depth: u16,
    /// The shortest history that breaks a property; the search ends with it.
    pub broken: Option<Counterexample>,
    /// Goals that no state reached.
    pub missed: Vec<&'static str>,
}

/// A history that breaks a property.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The property.
    pub property: &'static str,
    /// What the provider attests in it.
    pub first: State,
    /// What happened, one after the other. Validators that nothing tells apart change names on the way.
    pub actions: Vec<Action>,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "broken: {}; the provider attests {:?}", self.property, self.first.faces)?;
        self.actions.iter().try_for_each(|action| writeln!(f, "  {action:?}"))
    }
}

/// How a state was reached first.
#[derive(Clone, Copy)]
struct Origin {
    /// The state before it and what happened; `None` at the beginning.
    step: Option<(usize, Action)>,
    depth: u16,
}

/// All states found so far. Those behind the one that is looked at are still to be looked at, so this
/// is the queue of a breadth-first search too.
type Found = IndexMap<State, Origin>;

/// Looks at all states of `model` until one breaks one of `properties`.
pub fn explore(model: &SettlementModel, properties: &[Property], goals: &[Goal]) -> Outcome {
    let first = Origin { step: None, depth: 0 };
    let mut found: Found = model.first_states().into_iter().map(|state| (state, first)).collect();
    let mut missed = goals.to_vec();
    let (mut actions, mut depth, mut broken) = (Vec::new(), 0, None);
    let mut at = 0;
    while let Some((state, origin)) = found.get_index(at).map(|(state, origin)| (*state, *origin)) {
        depth = origin.depth;
        missed.retain(|goal| !(goal.is_reached)(&state));
        broken = properties.iter().find(|property| !(property.holds)(model, &state));
        if broken.is_some() {
            break;
        }
        model.actions(&state, &mut actions);
        for action in actions.drain(..) {
            let Some(next) = model.next(&state, action) else { continue };
            if let Entry::Vacant(new) = found.entry(next) {
                new.insert(Origin { step: Some((at, action)), depth: depth + 1 });
            }
        }
        at += 1;
    }
    Outcome {
        states_count: found.len(),
        depth,
        broken: broken.map(|property| counterexample(&found, at, property.name)),
        missed: missed.into_iter().map(|goal| goal.name).collect(),
    }
}

fn counterexample(found: &Found, last: usize, property: &'static str) -> Counterexample {
    let mut actions = Vec::new();
    let mut at = last;
    while let Some((before, action)) = found[at].step {
        actions.push(action);
        at = before;
    }
    actions.reverse();
    let first = *found.get_index(at).expect("the search begins with a state").0;
    Counterexample { property, first, actions }
}
