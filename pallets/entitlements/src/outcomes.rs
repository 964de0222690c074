//! What calls lead to: the pallet's events and errors.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod outcomes {
    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A class can be granted from now on.
        ClassRegistered {
            /// Its number.
            id: ClassId,
        },
        /// There is a new budget.
        ProgramCreated {
            /// Its number.
            id: ProgramId,
            /// The program that its budget came from; `None`: the council.
            parent: Option<ProgramId>,
            /// Who mints from it.
            owner: AccountId,
            /// Micro-credits.
            budget: Credits,
        },
        /// A budget grew.
        BudgetIncreased {
            /// Which program's.
            id: ProgramId,
            /// By how many micro-credits.
            amount: Credits,
        },
        /// A basket has these lines from now on; none: it is gone.
        BasketSet {
            /// Its number.
            id: BasketId,
            /// How many lines.
            lines: u32,
        },
        /// An entitlement was granted.
        Minted {
            /// Its number.
            id: EntitlementId,
            /// Whose it is.
            owner: AccountId,
            /// What it buys.
            class: ClassId,
            /// Micro-credits.
            amount: Credits,
            /// Who granted it.
            issuer: AccountId,
            /// The budget that paid.
            program: ProgramId,
        },
        /// Credits that were not used were taken: by an issuer, or because an outcome that earned them fell.
        Revoked {
            /// From which entitlement.
            id: EntitlementId,
            /// Whose it is.
            owner: AccountId,
            /// Micro-credits taken now.
            amount: Credits,
            /// Whether the entitlement is withdrawn as a whole, so that what gateways still hold of it
            /// follows when they let go.
            whole: bool,
        },
        /// An owner gave credits back.
        GivenBack {
            /// From which entitlement.
            id: EntitlementId,
            /// Whose it is.
            owner: AccountId,
            /// Micro-credits.
            amount: Credits,
        },
        /// Withdrawn credits are in their program's budget again.
        ReturnedToProgram {
            /// Which program.
            id: ProgramId,
            /// Micro-credits.
            amount: Credits,
        },
        /// Nothing new can be used of an owner's wallets, or it can again.
        Frozen {
            /// Whose wallets.
            owner: AccountId,
            /// Whether they are frozen now.
            frozen: bool,
        },
        /// All of an owner's entitlements are withdrawn and all keys are gone; its wallets are an employee's.
        Offboarded {
            /// Who.
            owner: AccountId,
        },
        /// An API key can be used.
        KeyRegistered {
            /// Who pays.
            owner: AccountId,
            /// The key, by hash.
            hash: KeyHash,
        },
        /// An API key can be used no longer.
        KeyRevoked {
            /// The key, by hash.
            hash: KeyHash,
        },
        /// An API key has new limits.
        LimitsSet {
            /// The key, by hash.
            hash: KeyHash,
        },
        /// A gateway set credits aside.
        ReservationsMade {
            /// Which gateway.
            gateway: AccountId,
            /// Rows carried out.
            made: u32,
            /// Rows that nothing was done for: the wallet did not have that much, is frozen, or is
            /// reserved by too many gateways; or the class's energy budget does not cover it.
            skipped: u32,
        },
        /// A gateway let credits go.
        ReservationsReleased {
            /// Which gateway.
            gateway: AccountId,
            /// Rows carried out.
            released: u32,
            /// Rows for which nothing was reserved.
            skipped: u32,
        },
        /// The council set what an issuer may mint in a period.
        MintAllowanceSet {
            /// Which issuer.
            issuer: AccountId,
            /// In which class.
            class: ClassId,
            /// Micro-credits per period; `None`: the default.
            amount: Option<Credits>,
        },
        /// A request was carried out under the signatures of two issuers.
        MintCosigned {
            /// Whose request, and whose allowance it counts against.
            issuer: AccountId,
            /// Who signed too.
            second: AccountId,
            /// The request's idempotency key.
            idempotency_key: [u8; 16],
        },
        /// A class has this energy budget from now on; none: it has no limit.
        EnergyBudgetSet {
            /// Which class.
            class: ClassId,
            /// The budget.
            budget: Option<EnergyBudget>,
        },
        /// Requests took more energy than they can cost at most, and a class more than its budget: nothing
        /// more is reserved in it until the period ends. Once per period.
        EnergyBudgetExceeded {
            /// Which class.
            class: ClassId,
            /// First moment of the next period (Unix time, ms).
            period_ends_at: Moment,
        },
        /// There is a new kind of wallet, or one has another policy from now on.
        PolicySet {
            /// Which kind.
            kind: KindId,
        },
        /// An issuer said of which kind an owner's wallets are.
        KindSet {
            /// Whose wallets.
            owner: AccountId,
            /// The kind; 0: an employee's.
            kind: KindId,
            /// Who said so.
            issuer: AccountId,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// A class with this number is registered: take another number.
        ClassExists,
        /// The registry of classes is full.
        TooManyClasses,
        /// No class has this number: the council registers it first.
        ClassUnknown,
        /// A name is empty or not UTF-8.
        NameInvalid,
        /// No program has this number.
        ProgramUnknown,
        /// There are as many programs as there can be.
        TooManyPrograms,
        /// Programs would nest too deep: delegate from a higher one.
        ProgramsTooDeep,
        /// A budget would be larger than any program may have.
        BudgetTooLarge,
        /// The program has less than this left to mint: ask for a larger budget, or grant less.
        BudgetExhausted,
        /// The signer owns neither the program nor one above it.
        NotProgramOwner,
        /// The account is not an issuer: the council grants the role.
        NotIssuer,
        /// The account is not a gateway: the council grants the role.
        NotGateway,
        /// No basket has this number.
        BasketUnknown,
        /// There are as many baskets as there can be: empty one that is not used.
        TooManyBaskets,
        /// Another issuer set this basket, and only that one changes it and mints it: set one of your own
        /// under another number.
        NotBasketIssuer,
        /// An amount is zero.
        ZeroAmount,
        /// The entitlement would expire before anybody could use it: check the moments, they are
        /// Unix time in milliseconds.
        ValidityOver,
        /// The owner holds as many unused entitlements of the class as a wallet has room for: revoke
        /// some, or wait until they are used up or expired.
        TooManyEntitlements,
        /// No entitlement has this number.
        EntitlementUnknown,
        /// The entitlement is somebody else's.
        NotOwner,
        /// The entitlement is withdrawn as a whole already.
        AlreadyWithdrawn,
        /// Less than this is available: what gateways have reserved comes back when they release it.
        InsufficientAvailable,
        /// The account was never granted an entitlement.
        OwnerUnknown,
        /// The owner holds no entitlement now.
        NothingHeld,
        /// The owner is frozen: an issuer can lift that.
        OwnerFrozen,
        /// A key with this hash is registered: make a new key.
        KeyTaken,
        /// No key has this hash.
        KeyUnknown,
        /// The owner has as many keys as one may have: revoke one that is not used.
        TooManyKeys,
        /// The key is somebody else's.
        NotKeyOwner,
        /// The key would be expired from the start: check the moment, it is Unix time in
        /// milliseconds.
        KeyExpired,
        /// A reservation must end after now and within the time that the chain allows.
        ReservationTimeInvalid,
        /// Other gateways hold all the reservations that the wallet can have.
        TooManyReservations,
        /// The idempotency key was used: nothing new was minted.
        AlreadyMinted,
        /// The issuer has less than this left of what it may mint of the class in this period: wait for
        /// the next period, or ask the council to raise the allowance.
        AllowanceExhausted,
        /// A grant as large as this takes two issuers: sign a mint request, and have another issuer sign
        /// it too.
        SecondIssuerNeeded,
        /// The second signature must be that of another account that is an issuer.
        NotSecondIssuer,
        /// A basket grants no more than one issuer may grant alone: take amounts out, and grant them by
        /// mint requests with two signatures.
        BasketTooLarge,
        /// The owner has no API key, so nobody may reserve its credits: the owner registers one first.
        NoKey,
        /// The class's energy budget does not cover so many credits now: wait until receipts are settled or
        /// the next period begins, or ask the council for a larger budget.
        EnergyBudgetExhausted,
        /// A period and what a credit costs at most must be more than nothing.
        EnergyBudgetInvalid,
        /// A policy names each class once and by number, lets grants last, and allows no more API keys than
        /// anybody may have; and employees, who are kind 0, have none.
        PolicyInvalid,
        /// There are as many kinds of wallets as there can be: set the policy of one that is not used.
        TooManyKinds,
        /// No kind of wallet has this number: the council sets its policy first.
        KindUnknown,
        /// Wallets of the owner's kind are not granted this class: grant one that its policy names, or ask the
        /// council to change the policy.
        PolicyForbidsClass,
        /// Grants to wallets of the owner's kind must end sooner, counted from the grant: give an earlier end.
        PolicyForbidsValidity,
        /// With this the owner would hold more of the class than wallets of its kind may: grant less, or wait
        /// until some of it is used or expired.
        PolicyForbidsHolding,
        /// Owners of this kind of wallet have no more API keys than this one has: revoke one that is not used,
        /// or ask an issuer whether the kind is right.
        PolicyForbidsKey,
    }
}
