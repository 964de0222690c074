//! What must hold of the pallet's storage after every block.

use alloc::collections::BTreeMap;

use frame_support::ensure;
use sp_runtime::TryRuntimeError;
use stipend_primitives::{
    merit::{KindId, Standing, Sums},
    AccountId, ClassId,
};

use crate::{
    sweep::{add, part_of},
    *,
};

type Check = Result<(), TryRuntimeError>;

impl<T: Config> Pallet<T> {
    /// Checks the invariants of the README.
    pub fn do_try_state() -> Check {
        Self::kinds_are_whole()?;
        Self::outcomes_are_counted_once()?;
        Self::sums_add_up()?;
        Self::caps_hold()?;
        Self::contests_are_listed()
    }

    fn kinds_are_whole() -> Check {
        for (id, kind) in Kinds::<T>::iter() {
            ensure!(u32::from(id) < Kinds::<T>::count(), "merit: a kind's number was not given yet");
            ensure!(KindNames::<T>::get(&kind.name) == Some(id), "merit: a name is another kind's");
            for version in [kind.in_force, kind.announced].into_iter().flatten() {
                ensure!(version <= kind.last_version, "merit: a version was not given yet");
                ensure!(Rules::<T>::contains_key(id, version), "merit: a kind's rule is gone");
            }
        }
        ensure!(
            KindNames::<T>::iter_keys().count() == Kinds::<T>::count() as usize,
            "merit: a name without kind"
        );
        for (id, version, rule) in Rules::<T>::iter() {
            ensure!(Kinds::<T>::contains_key(id), "merit: a rule of no kind");
            ensure!(rule.version == version, "merit: a rule stands under another's version");
            ensure!(rule.announced_at < rule.from, "merit: a rule held before it was announced");
        }
        Ok(())
    }

    fn outcomes_are_counted_once() -> Check {
        let mut remembered = 0;
        for (id, outcome) in Outcomes::<T>::iter() {
            let record = &outcome.record;
            let counted = Evidence::<T>::get(record.kind, record.evidence);
            ensure!(counted == Some(id), "merit: an evidence was counted for another outcome");
            let backs = |receipt| Backing::<T>::get(record.kind, receipt) == Some(id);
            ensure!(record.source.backing().iter().all(backs), "merit: a receipt backs two outcomes");
            ensure!(OutcomesOf::<T>::contains_key(&record.wallet, id), "merit: a wallet lacks an outcome");
            ensure!(outcome.evaluator != record.wallet, "merit: somebody recorded the own outcome");
            ensure!(outcome.minted <= outcome.earned, "merit: an outcome granted more than it earned");
            ensure!(
                outcome.taken + outcome.lapsed + outcome.owed <= outcome.minted,
                "merit: more was taken than was granted"
            );
            let is_whole = outcome.taken == 0 && outcome.lapsed == 0 && outcome.owed == 0;
            ensure!(outcome.standing.is_reverted() || is_whole, "merit: something was taken of what counts");
            remembered += 1;
        }
        ensure!(OutcomesOf::<T>::iter_keys().count() == remembered, "merit: a wallet's outcome is gone");
        let ever = Kinds::<T>::iter_values().map(|kind| kind.all.outcomes).sum::<u64>();
        ensure!(ever == NextOutcomeId::<T>::get(), "merit: outcomes are miscounted");
        ensure!(Evidence::<T>::iter_keys().count() as u64 == ever, "merit: evidence was counted twice");
        Ok(())
    }

    /// What kinds, wallets and remembered outcomes say is the same, and what was granted is earned or owed.
    fn sums_add_up() -> Check {
        let mut remembered = BTreeMap::<KindId, Tally>::new();
        for outcome in Outcomes::<T>::iter_values() {
            let tally = remembered.entry(outcome.record.kind).or_default();
            tally.outcomes += 1;
            tally.reverted += u64::from(outcome.standing.is_reverted());
            add(&mut tally.sums, &part_of(&outcome));
        }
        let mut of_class = BTreeMap::<ClassId, Sums>::new();
        for (id, kind) in Kinds::<T>::iter() {
            let mut sum = remembered.remove(&id).unwrap_or_default();
            sum.outcomes += kind.forgotten.outcomes;
            sum.reverted += kind.forgotten.reverted;
            add(&mut sum.sums, &kind.forgotten.sums);
            ensure!(sum == kind.all, "merit: a kind's outcomes do not add up");
            add(of_class.entry(kind.class).or_default(), &kind.all.sums);
        }
        ensure!(remembered.is_empty(), "merit: an outcome of no kind");
        let mut of_wallets = BTreeMap::<ClassId, Sums>::new();
        for (_, class, account) in Accounts::<T>::iter() {
            let Sums { earned, minted, taken, lapsed } = account.sums;
            ensure!(
                minted == taken + lapsed + earned + account.owed,
                "merit: granted - taken - lapsed is not earned + owed"
            );
            add(of_wallets.entry(class).or_default(), &account.sums);
        }
        of_class.retain(|_, sums| *sums != Sums::default());
        ensure!(of_class == of_wallets, "merit: wallets and kinds do not add up to the same");
        Ok(())
    }

    fn caps_hold() -> Check {
        let uses = EvaluatorUses::<T>::iter().chain(WalletUses::<T>::iter());
        for (_, kind, used) in uses {
            ensure!(Kinds::<T>::contains_key(kind), "merit: a cap of no kind");
            ensure!(used.awarded <= used.ceiling, "merit: more was earned in a period than a cap admits");
        }
        Ok(())
    }

    fn contests_are_listed() -> Check {
        let mut by_account = BTreeMap::<AccountId, u32>::new();
        for (id, by) in OpenContests::<T>::iter() {
            let outcome = Outcomes::<T>::get(id).ok_or("merit: a contest about nothing")?;
            ensure!(
                outcome.standing == Standing::Contested,
                "merit: a contest is open about what is decided"
            );
            ensure!(
                outcome.contest.is_some_and(|contest| contest.by == by),
                "merit: somebody else contested"
            );
            *by_account.entry(by).or_default() += 1;
        }
        let contested =
            Outcomes::<T>::iter_values().filter(|outcome| outcome.standing == Standing::Contested).count();
        ensure!(OpenContests::<T>::iter_keys().count() == contested, "merit: a contest is forgotten");
        let counted: BTreeMap<AccountId, u32> = ContestsBy::<T>::iter().collect();
        ensure!(counted == by_account, "merit: somebody's contests are miscounted");
        ensure!(
            counted.values().all(|count| *count <= CONTESTS_MAX),
            "merit: somebody began too many contests"
        );
        Ok(())
    }
}
