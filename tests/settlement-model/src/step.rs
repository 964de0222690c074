//! What can happen next.

use crate::{
    rules::{Rule, Rules},
    state::{Age, Chain, Face, Signed, SignedVote, State, Verdict, Vote, ALL, HONEST, ITEMS_MAX},
    worker::work,
    Bounds,
};

/// The settlement of a few items, in every history that [`Bounds`] allow.
#[derive(Clone, Debug)]
pub struct SettlementModel {
    /// What is looked at.
    pub bounds: Bounds,
    /// By which rules.
    pub rules: Rules,
    /// Validators that nothing tells apart.
    kinds: Vec<Vec<u8>>,
}

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A gateway's batch gets into a block. Which of those that it may submit under one number.
    Submit(u8),
    /// An item gets older.
    Wait(u8),
    /// A validator's worker looks at an item, sees an attestation or none, and perhaps signs a vote.
    Work {
        /// Whose.
        validator: u8,
        /// Which.
        item: u8,
        /// What the provider showed.
        saw: Option<Face>,
    },
    /// A vote gets into a block.
    Include(SignedVote),
    /// A block has room for refunds that wait.
    Pay,
    /// A session ends.
    NextSession,
    /// Somebody reports the provider's two attestations.
    Report,
    /// The council lets the provider back.
    Reinstate,
    /// The best block becomes final.
    Finalise,
    /// Another fork wins: the chain falls back to the last final block.
    FallBack,
}

impl SettlementModel {
    /// Checks `bounds` by `rules`.
    pub fn new(bounds: Bounds, rules: Rules) -> Self {
        SettlementModel { kinds: bounds.kinds(), bounds, rules }
    }

    /// Where histories begin: one state per provider.
    pub fn first_states(&self) -> Vec<State> {
        let chain = Chain::default();
        let state = |faces| State {
            faces,
            chain,
            finalised: (self.bounds.forks_max > 0).then_some(chain),
            forks: 0,
            signed: Default::default(),
            was_in_office: Default::default(),
            undone: Default::default(),
        };
        self.bounds.providers.iter().map(|faces| state(*faces)).collect()
    }

    /// What may happen next; some of it changes nothing.
    pub fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let (bounds, chain) = (&self.bounds, &state.chain);
        actions.push(Action::Submit(0));
        if state.forks > 0 {
            // The gateway charges by another book what it could not charge in time.
            actions.push(Action::Submit(1));
        }
        actions.extend((0..bounds.items).map(Action::Wait));
        self.runs(state, actions);
        self.votes_to_include(state, actions);
        if chain.items.iter().flatten().any(|item| item.queued.is_some()) {
            actions.push(Action::Pay);
        }
        if usize::from(chain.session) + 1 < bounds.sets.len() {
            actions.push(Action::NextSession);
        }
        let is_proven = state.faces.len() > 1 && chain.items.iter().any(Option::is_some);
        if is_proven && !chain.is_suspended && chain.reports < bounds.reports_max {
            actions.push(Action::Report);
        }
        if chain.is_suspended {
            actions.push(Action::Reinstate);
        }
        if state.forks < bounds.forks_max {
            actions.extend([Action::Finalise, Action::FallBack]);
        }
    }

    /// The state after `action`; `None` if it is refused or changes nothing.
    pub fn next(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        self.apply(&mut next, action)?;
        if !next.chain.is_suspended {
            for (item, was_in_office) in next.chain.items.iter().zip(&mut next.was_in_office) {
                *was_in_office |= item.is_some_and(|item| !item.is_closed);
            }
        }
        self.normalise(&mut next);
        (next != *state).then_some(next)
    }

    fn votes_to_include(&self, state: &State, actions: &mut Vec<Action>) {
        for (at, item) in state.chain.items.iter().enumerate() {
            let Some(item) = item else { continue };
            for validator in self.bounds.validators() {
                let vote = |batch, verdict| {
                    Action::Include(SignedVote { validator, item: at as u8, batch, verdict })
                };
                if self.bounds.is_liar(validator) || !self.rules.has(Rule::SignedVotes) {
                    actions.extend(ALL.map(|verdict| vote(item.batch, verdict)));
                } else {
                    let signed = state.signed[at][usize::from(validator)].iter();
                    actions.extend(signed.map(|(batch, verdict)| vote(batch, verdict)));
                }
            }
        }
    }

    fn runs(&self, state: &State, actions: &mut Vec<Action>) {
        for at in 0..self.bounds.items {
            if state.chain.items[usize::from(at)].is_none_or(|item| item.is_closed) {
                continue;
            }
            for validator in self.bounds.honest() {
                let saws = state.faces.iter().map(|face| Some(*face)).chain([None]);
                actions.extend(saws.map(|saw| Action::Work { validator, item: at, saw }));
            }
        }
    }

    fn apply(&self, state: &mut State, action: Action) -> Option<()> {
        let (bounds, rules) = (&self.bounds, &self.rules);
        match action {
            Action::Submit(batch) => state.chain.submit(bounds, rules, batch)?,
            Action::Wait(at) => wait(&mut state.chain, at, rules.has(Rule::LateDisagreement))?,
            Action::Work { validator, item, saw } => {
                let vote = work(bounds, rules, &state.chain, (validator, item), saw)?;
                let signed = &mut state.signed[usize::from(item)][usize::from(validator)];
                signed.insert(vote.batch, vote.verdict);
            }
            Action::Include(vote) => {
                state.chain.vote(bounds, rules, vote, &state.signed[usize::from(vote.item)])?;
            }
            Action::Pay => state.chain.pay_queued(rules)?,
            Action::NextSession => state.chain.session += 1,
            Action::Report => {
                state.chain.is_suspended = true;
                state.chain.reports += 1;
            }
            Action::Reinstate => state.chain.is_suspended = false,
            Action::Finalise => state.finalised = Some(state.chain),
            Action::FallBack => fall_back(state)?,
        }
        Some(())
    }

    /// Puts validators that nothing tells apart into one order, so that histories that differ in
    /// their names only are looked at once.
    fn normalise(&self, state: &mut State) {
        for kind in &self.kinds {
            let mut rows: Vec<_> = kind.iter().map(|validator| row(state, usize::from(*validator))).collect();
            if rows.is_sorted() {
                continue;
            }
            rows.sort_unstable();
            for (validator, row) in kind.iter().zip(rows) {
                put_row(state, usize::from(*validator), row);
            }
        }
    }
}

/// All that a state says of one validator.
type Row = [(Signed, Option<Vote>, Option<Vote>); ITEMS_MAX];

fn row(state: &State, validator: usize) -> Row {
    let vote = |chain: Option<&Chain>, at: usize| chain?.items[at]?.votes[validator];
    std::array::from_fn(|at| {
        (state.signed[at][validator], vote(Some(&state.chain), at), vote(state.finalised.as_ref(), at))
    })
}

fn put_row(state: &mut State, validator: usize, row: Row) {
    for (at, (signed, vote, final_vote)) in row.into_iter().enumerate() {
        state.signed[at][validator] = signed;
        if let Some(item) = &mut state.chain.items[at] {
            item.votes[validator] = vote;
        }
        if let Some(item) = state.finalised.as_mut().and_then(|chain| chain.items[at].as_mut()) {
            item.votes[validator] = final_vote;
        }
    }
}

/// Items get older in the order that they came in.
fn wait(chain: &mut Chain, at: u8, has_late: bool) -> Option<()> {
    let older = chain.items[..usize::from(at)].iter().flatten();
    let oldest = older.filter(|item| !item.is_closed).map(|item| item.age).min().unwrap_or(Age::Late);
    let item =
        chain.items[usize::from(at)].as_mut().filter(|item| !item.is_closed && item.queued.is_none())?;
    item.age = match item.age {
        Age::InTime => Age::Overdue,
        Age::Overdue if has_late => Age::Late,
        Age::Overdue | Age::Late => return None,
    };
    (item.age <= oldest).then_some(())
}

fn fall_back(state: &mut State) -> Option<()> {
    let finalised = state.finalised.filter(|chain| *chain != state.chain)?;
    for (at, item) in state.chain.items.iter().enumerate() {
        let still = finalised.items[at].and_then(|item| item.applied);
        if let (Some(applied), None) = (item.and_then(|item| item.applied), still) {
            state.undone[at] = Some(applied.verdict);
        }
    }
    state.chain = finalised;
    state.forks += 1;
    Some(())
}

const _: () = assert!(Verdict::Unattested as usize + 1 == HONEST.len(), "honest verdicts come first");
