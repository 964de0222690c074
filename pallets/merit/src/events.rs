//! What calls lead to: the pallet's events and errors.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// There is a new kind of outcome.
        KindRegistered {
            /// Its number.
            kind: KindId,
            /// Its name.
            name: Name,
            /// What it earns.
            class: ClassId,
        },
        /// A kind has another rule from a moment on.
        RuleAnnounced {
            /// Which kind.
            kind: KindId,
            /// The rule's number.
            version: u32,
            /// First moment at which it holds (Unix time, ms).
            from: Moment,
        },
        /// A rule that was announced will not hold: another one was announced in its place.
        RuleReplaced {
            /// Which kind.
            kind: KindId,
            /// The number of the rule that is gone. It is not given again.
            version: u32,
        },
        /// An outcome was recorded, and what it earned was granted.
        Recorded {
            /// Its number.
            outcome: OutcomeId,
            /// Of which kind.
            kind: KindId,
            /// Who recorded it.
            evaluator: AccountId,
            /// Whose compute led to it.
            wallet: AccountId,
            /// Micro-credits earned.
            earned: Credits,
            /// Micro-credits of them that were granted; the rest paid what the wallet owed.
            minted: Credits,
            /// What was granted; `None`: nothing was left after what was owed.
            entitlement: Option<EntitlementId>,
        },
        /// What came of a list of outcomes.
        ManyRecorded {
            /// Whose list.
            evaluator: AccountId,
            /// How many were recorded.
            recorded: u32,
            /// How many were refused.
            skipped: u32,
        },
        /// An outcome counts no longer.
        Reverted {
            /// Which outcome.
            outcome: OutcomeId,
            /// Whose wallet.
            wallet: AccountId,
            /// Micro-credits taken back now.
            taken: Credits,
            /// Micro-credits that the wallet owes for it.
            owed: Credits,
            /// Whether its evaluator withdrew it; otherwise the council took it back.
            withdrawn: bool,
        },
        /// More of a reverted outcome came back.
        Collected {
            /// Which outcome.
            outcome: OutcomeId,
            /// Whose wallet.
            wallet: AccountId,
            /// Micro-credits taken back now.
            taken: Credits,
        },
        /// Somebody says that an outcome is none.
        Contested {
            /// Which outcome.
            outcome: OutcomeId,
            /// Who.
            by: AccountId,
            /// Hash of the reasons.
            reason: H256,
        },
        /// The council decided on a contested outcome.
        Decided {
            /// Which outcome.
            outcome: OutcomeId,
            /// Whether it stands.
            stands: bool,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The account is not an evaluator: the council grants the role.
        NotEvaluator,
        /// A name is empty or not UTF-8.
        NameInvalid,
        /// A kind with this name is registered: announce its next rule, or take another name.
        KindExists,
        /// There are as many kinds as there can be.
        TooManyKinds,
        /// No kind has this number: the council registers it first.
        KindUnknown,
        /// A rule must award something, have caps that admit one unit of weight, a period of at least an hour, a
        /// window of at most ninety days that is no longer than what is earned lasts, and a sunset after it
        /// begins.
        RuleInvalid,
        /// No program has the number that the rule names.
        ProgramUnknown,
        /// A kind earns one class for ever: name a program of that class, or register another kind.
        OtherClass,
        /// A rule is announced before it holds: name a later moment (Unix time, ms).
        TooSoon,
        /// The kind's first rule does not hold yet: record the outcome then.
        NoRuleInForce,
        /// The kind's sunset is over: nothing new counts.
        SunsetOver,
        /// An outcome has a weight of at least one.
        ZeroWeight,
        /// Receipts are named once each, in ascending order, and more than sixteen by one hash over them.
        SourceNotCanonical,
        /// Nobody records outcomes of the own wallet: another evaluator does.
        OwnWallet,
        /// This evidence was counted for this kind before, and counts once, whatever became of it.
        EvidenceCounted,
        /// One of the receipts was counted for this kind before, and counts once, whatever became of it.
        ReceiptCounted,
        /// What is left of the evaluator's cap in this period is less than the outcome earns: record it in the
        /// next period, or ask the council for another rule.
        EvaluatorCapReached,
        /// What is left of the wallet's cap in this period is less than the outcome earns: record it in the next
        /// period.
        WalletCapReached,
        /// No outcome has this number, or it is forgotten: its window closed long ago.
        OutcomeUnknown,
        /// Another evaluator recorded this outcome: contest it.
        NotYours,
        /// The outcome's window is closed: it counts for good.
        WindowClosed,
        /// The outcome was contested before: the council decides, once.
        AlreadyContested,
        /// The outcome was withdrawn or taken back before.
        AlreadyReverted,
        /// Another evaluator contests an outcome, the wallet's owner, or the owner of the program that paid.
        MayNotContest,
        /// The account began as many contests as can be open at a time: wait until the council decides.
        TooManyContests,
        /// The outcome is not contested, so there is nothing to decide.
        NotContested,
    }
}
