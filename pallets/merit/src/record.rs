//! Recording outcomes.

use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{DefensiveSaturating, Time},
};
use sp_runtime::{ArithmeticError, DispatchError, DispatchResult};
use stipend_primitives::{
    merit::{Awards, DatedRule, Outcome, OutcomeId, Record, Rule, Standing},
    AccountId, Credits, Moment,
};

use crate::*;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_record_many(evaluator: AccountId, records: Records) {
        let count = records.len() as u32;
        let mut recorded = 0;
        for record in records {
            // A grant that is refused may have written before: each is all or nothing.
            let done = with_storage_layer(|| Self::do_record(&evaluator, record));
            recorded += u32::from(done.is_ok());
        }
        Self::deposit_event(Event::ManyRecorded { evaluator, recorded, skipped: count - recorded });
    }

    pub(crate) fn do_record(evaluator: &AccountId, record: Record) -> Result<OutcomeId, DispatchError> {
        let now = T::Time::now();
        let mut kind = Kinds::<T>::get(record.kind).ok_or(Error::<T>::KindUnknown)?;
        let DatedRule { version, rule, .. } =
            Self::rule_at(record.kind, &kind, now).ok_or(Error::<T>::NoRuleInForce)?;
        ensure!(now < rule.sunset, Error::<T>::SunsetOver);
        ensure!(record.weight > 0, Error::<T>::ZeroWeight);
        ensure!(record.wallet != *evaluator, Error::<T>::OwnWallet);
        Self::check_once(&record)?;
        let earned = rule.earned(record.weight).ok_or(Error::<T>::EvaluatorCapReached)?;
        let (of_evaluator, of_wallet) = Self::uses(evaluator, &record, &rule, earned, now)?;

        let mut account = Accounts::<T>::get(&record.wallet, kind.class);
        let minted = earned - earned.min(account.owed);
        let valid_until = now.saturating_add(rule.lasts_ms);
        let entitlement = match minted {
            0 => None,
            _ => Some(T::Awards::award(rule.program, &record.wallet, minted, valid_until)?),
        };
        EvaluatorUses::<T>::insert(evaluator, record.kind, of_evaluator);
        WalletUses::<T>::insert(&record.wallet, record.kind, of_wallet);
        account.owed -= earned - minted;
        for sums in [&mut account.sums, &mut kind.all.sums] {
            sums.earned.defensive_saturating_accrue(earned);
            sums.minted.defensive_saturating_accrue(minted);
        }
        kind.all.outcomes.defensive_saturating_inc();
        Accounts::<T>::insert(&record.wallet, kind.class, account);
        Kinds::<T>::insert(record.kind, &kind);
        Self::insert(Outcome {
            evaluator: evaluator.clone(),
            rule: version,
            class: kind.class,
            program: rule.program,
            recorded_at: now,
            closes_at: now.saturating_add(rule.window_ms),
            earned,
            minted,
            entitlement,
            taken: 0,
            lapsed: 0,
            owed: 0,
            standing: Standing::Open,
            contest: None,
            record,
        })
    }

    /// Neither the evidence nor any of the receipts was counted before.
    fn check_once(record: &Record) -> DispatchResult {
        let Record { kind, evidence, source, .. } = record;
        ensure!(source.is_canonical(), Error::<T>::SourceNotCanonical);
        ensure!(!Evidence::<T>::contains_key(kind, evidence), Error::<T>::EvidenceCounted);
        let counted = source.backing().iter().any(|id| Backing::<T>::contains_key(kind, id));
        ensure!(!counted, Error::<T>::ReceiptCounted);
        Ok(())
    }

    /// What evaluator and wallet earned in this period with this outcome, unless that is beyond a cap.
    fn uses(
        evaluator: &AccountId,
        record: &Record,
        rule: &Rule,
        earned: Credits,
        now: Moment,
    ) -> Result<(Use, Use), DispatchError> {
        let of_evaluator = EvaluatorUses::<T>::get(evaluator, record.kind)
            .at(now, rule.period_ms)
            .with(earned, rule.evaluator_cap)
            .ok_or(Error::<T>::EvaluatorCapReached)?;
        let of_wallet = WalletUses::<T>::get(&record.wallet, record.kind)
            .at(now, rule.period_ms)
            .with(earned, rule.wallet_cap)
            .ok_or(Error::<T>::WalletCapReached)?;
        Ok((of_evaluator, of_wallet))
    }

    fn insert(outcome: Outcome) -> Result<OutcomeId, DispatchError> {
        let id = NextOutcomeId::<T>::get();
        NextOutcomeId::<T>::put(id.checked_add(1).ok_or(ArithmeticError::Overflow)?);
        let Record { kind, ref wallet, evidence, ref source, .. } = outcome.record;
        Evidence::<T>::insert(kind, evidence, id);
        for receipt in source.backing() {
            Backing::<T>::insert(kind, receipt, id);
        }
        OutcomesOf::<T>::insert(wallet, id, ());
        Self::deposit_event(Event::Recorded {
            outcome: id,
            kind,
            evaluator: outcome.evaluator.clone(),
            wallet: wallet.clone(),
            earned: outcome.earned,
            minted: outcome.minted,
            entitlement: outcome.entitlement,
        });
        Outcomes::<T>::insert(id, outcome);
        Ok(id)
    }
}
