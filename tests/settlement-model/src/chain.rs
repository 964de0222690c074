//! What a block does: `pallets/settlement/src/{votes,refunds}.rs` and `pallets/receipts/src/unsettled.rs`.

use crate::{
    rules::{Rule, Rules},
    state::{
        Applied, Chain, Item, Queued, SignedBy, SignedVote, Verdict, Vote, COLLECTED, REFUNDS_AT_ONCE,
        VALIDATORS_MAX,
    },
    tally::{quorum, Tally},
    Bounds,
};

impl Rules {
    /// The validators whose votes count in `session`.
    pub(crate) fn set(&self, bounds: &Bounds, session: u8) -> u8 {
        if self.has(Rule::SetInForce) {
            bounds.sets[usize::from(session)]
        } else {
            bounds.sets.iter().take(usize::from(session) + 1).fold(0, |ever, set| ever | set)
        }
    }

    /// Votes that one verdict needs in `session`.
    pub(crate) fn quorum(&self, bounds: &Bounds, session: u8) -> u32 {
        let authorities_count = bounds.sets[usize::from(session)].count_ones();
        if self.has(Rule::TwoThirds) {
            quorum(authorities_count)
        } else {
            authorities_count.div_ceil(2)
        }
    }

    /// Whether `verdict` has the quorum.
    pub(crate) fn has_quorum(&self, bounds: &Bounds, chain: &Chain, item: &Item, vote: Vote) -> bool {
        let tally = Tally { set: self.set(bounds, chain.session), votes: &item.votes };
        tally.count(vote.verdict) >= self.quorum(bounds, chain.session)
    }
}

impl Chain {
    /// Includes a gateway's next batch.
    pub(crate) fn submit(&mut self, bounds: &Bounds, rules: &Rules, batch: u8) -> Option<()> {
        let unsettled = self.items.iter().flatten().filter(|item| !item.is_closed).count();
        if rules.has(Rule::BackPressure) && unsettled >= usize::from(bounds.unsettled_max) {
            return None;
        }
        let next = self.items.iter_mut().take(usize::from(bounds.items)).find(|item| item.is_none())?;
        *next = Some(Item::new(batch));
        Some(())
    }

    /// Includes a vote; `None` if it is refused.
    pub(crate) fn vote(
        &mut self,
        bounds: &Bounds,
        rules: &Rules,
        vote: SignedVote,
        signed: &SignedBy,
    ) -> Option<()> {
        let mut item = self.items[usize::from(vote.item)]?;
        let is_settled = item.is_closed && rules.has(Rule::OpenItems);
        let is_paying = item.queued.is_some() && rules.has(Rule::NotWhilePaying);
        if is_settled || is_paying || (item.batch != vote.batch && rules.has(Rule::SameBatch)) {
            return None;
        }
        let set = rules.set(bounds, self.session);
        if set >> vote.validator & 1 == 0 {
            return None;
        }
        if vote.verdict.total() > COLLECTED && rules.has(Rule::WithinCollected) {
            return None;
        }

        for (validator, kept) in item.votes.iter_mut().enumerate() {
            if set >> validator & 1 == 0 {
                *kept = None;
            }
        }
        let (counted, is_repeated) = count_in(bounds, rules, vote, &mut item)?;
        let has_quorum = rules.has_quorum(bounds, self, &item, counted);
        if is_repeated && !has_quorum {
            return None;
        }
        if has_quorum {
            item.apply(bounds, rules, self.session, counted, signed);
        }
        self.items[usize::from(vote.item)] = Some(item);
        Some(())
    }

    /// Goes on with the refunds that wait, as `on_idle` does; `None` if there are none.
    pub(crate) fn pay_queued(&mut self, rules: &Rules) -> Option<()> {
        let item = self.items.iter_mut().flatten().find(|item| item.queued.is_some())?;
        let queued = item.queued.take()?;
        item.pay(rules, queued);
        Some(())
    }
}

/// Puts a vote among the item's; says what it is now and whether it was there before.
fn count_in(bounds: &Bounds, rules: &Rules, vote: SignedVote, item: &mut Item) -> Option<(Vote, bool)> {
    let place = &mut item.votes[usize::from(vote.validator)];
    let may_give_up = rules.has(Rule::UnattestedAlways) && vote.verdict == Verdict::Unattested;
    let (counted, is_repeated) = match *place {
        Some(kept) if kept.verdict == vote.verdict => {
            let counts_again = !rules.has(Rule::OneVoteEach) && kept.repeats < 2;
            (Vote { repeats: kept.repeats + u8::from(counts_again), ..kept }, !counts_again)
        }
        Some(kept) if kept.changes >= bounds.changes_max && !may_give_up => return None,
        Some(kept) => (Vote { verdict: vote.verdict, changes: kept.changes + 1, repeats: 0 }, false),
        None => (Vote { verdict: vote.verdict, changes: 0, repeats: 0 }, false),
    };
    *place = Some(counted);
    Some((counted, is_repeated))
}

impl Item {
    /// Applies the verdict that `last` completed the quorum of.
    fn apply(&mut self, bounds: &Bounds, rules: &Rules, session: u8, last: Vote, signed: &SignedBy) {
        let verdict = last.verdict;
        let in_force = bounds.sets[usize::from(session)];
        let signed_it = |validator: u8| {
            bounds.is_liar(validator) || signed[usize::from(validator)].has(self.batch, verdict)
        };
        let voted_for_it =
            |validator: u8| self.votes[usize::from(validator)].is_some_and(|vote| vote.verdict == verdict);
        let supporters =
            bounds.validators().filter(|validator| voted_for_it(*validator) && signed_it(*validator));
        let votes = supporters.filter(|validator| in_force >> validator & 1 == 1).count() as u8;
        let is_honest = bounds.honest().any(signed_it);
        let validators = in_force.count_ones() as u8;
        self.applied = Some(Applied { verdict, votes, validators, is_honest });
        self.applied_count += 1;
        self.votes = [None; VALIDATORS_MAX];
        self.pay(rules, Queued { verdict, left: verdict.refunds().len() as u8 });
    }

    /// Pays what is paid at once and closes the item with the last refund.
    fn pay(&mut self, rules: &Rules, mut queued: Queued) {
        let stays = self.refunded == 0 && !rules.has(Rule::PaidOnce);
        let waits = queued.waits();
        let left = queued.left.saturating_sub(REFUNDS_AT_ONCE);
        let paid = waits - Queued { left, ..queued }.waits();
        self.refunded += paid;
        queued.left = if stays { queued.left } else { left };
        if queued.left == 0 {
            self.queued = None;
            self.is_closed = true;
        } else {
            self.queued = Some(queued);
        }
    }
}
