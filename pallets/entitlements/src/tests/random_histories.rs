//! Invariants 1 to 3 and 6 over random histories of three owners, three gateways and two issuers.
//!
//! Amounts and times are small, so that histories run into every edge: empty budgets, reservations
//! that outlive entitlements, refunds after withdrawal, offboarding in mid-flight.

use std::collections::BTreeMap;

use frame_support::{assert_ok, storage::with_transaction, BoundedVec};
use frame_system::RawOrigin;
use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::{DispatchError, TransactionOutcome};
use stipend_primitives::{
    key::KeyLimits,
    ledger::Ledger,
    mint::{Cosignature, Grant, MintRequest},
    policy::{Policy, Terms, EMPLOYEE},
    view::ClassBalance,
    AccountId, ClassId, Credits, Moment, Role,
};

use crate::{mock::*, NextEntitlementId, NextProgramId};

const OWNERS: u8 = 3;
const GATEWAYS: u8 = 3;
const CLASSES: u16 = 2;

/// Micro-credits per issuer, class and day: a few grants.
const ALLOWANCE: Credits = 150;

/// Micro-credits above which a grant takes two issuers.
const LARGE: Credits = 45;

fn owner(number: u8) -> AccountId {
    account(0xA0 + number)
}

fn gate(number: u8) -> AccountId {
    account(0x60 + number)
}

fn lab() -> AccountId {
    account(0x20)
}

#[derive(Clone, Debug)]
enum Step {
    Mint { owner: u8, program: u32, amount: Credits, starts_in: Moment, lasts: Option<Moment> },
    MintBasket { owner: u8 },
    MintMany { owner: u8, program: u32, amounts: Vec<Credits> },
    MintSigned { owner: u8, program: u32, amount: Credits, key: u8, cosigned: bool },
    Allow { lab: bool, class: u16, amount: Option<Credits> },
    Revoke { pick: u64, amount: Option<Credits> },
    GiveBack { pick: u64, amount: Credits },
    Freeze { owner: u8, frozen: bool },
    Offboard { owner: u8 },
    RegisterKey { owner: u8, key: u8, gateway: u8, amount: Credits },
    RevokeKey { key: u8 },
    Reserve { gateway: u8, rows: Vec<(u8, u16, Credits)>, lifetime: Moment },
    Release { gateway: u8, owner: u8, class: u16, amount: Credits },
    Charge { gateway: u8, owner: u8, class: u16, amount: Credits },
    Refund { owner: u8, class: u16, amount: Credits },
    Delegate { parent: u32, amount: Credits },
    Increase { program: u32, amount: Credits },
    Kind { owner: u8, contractor: bool },
    Policy { held: Credits, hours: Option<Moment>, keys: u32 },
    Wait { hours: Moment },
}

fn step() -> impl Strategy<Value = Step> {
    let amount = || 0..60_u128;
    let hours = || (1..12_u64).prop_map(|hours| hours * HOUR);
    let many = prop_oneof![amount(), Just(Credits::MAX)];
    prop_oneof![
        6 => (0..OWNERS, 0..5_u32, amount(), 0..3_u64, proptest::option::of(hours())).prop_map(
            |(owner, program, amount, starts_in, lasts)| Step::Mint {
                owner, program, amount, starts_in: starts_in * HOUR, lasts
            }
        ),
        1 => (0..OWNERS).prop_map(|owner| Step::MintBasket { owner }),
        1 => (0..OWNERS, 0..5_u32, prop::collection::vec(amount(), 1..4))
            .prop_map(|(owner, program, amounts)| Step::MintMany { owner, program, amounts }),
        2 => (0..OWNERS, 0..5_u32, amount(), 0..8_u8, any::<bool>()).prop_map(
            |(owner, program, amount, key, cosigned)| Step::MintSigned { owner, program, amount, key, cosigned }
        ),
        1 => (any::<bool>(), 0..CLASSES, proptest::option::of(0..4 * ALLOWANCE))
            .prop_map(|(lab, class, amount)| Step::Allow { lab, class, amount }),
        2 => (any::<u64>(), proptest::option::of(amount())).prop_map(|(pick, amount)| Step::Revoke { pick, amount }),
        2 => (any::<u64>(), amount()).prop_map(|(pick, amount)| Step::GiveBack { pick, amount }),
        1 => (0..OWNERS, any::<bool>()).prop_map(|(owner, frozen)| Step::Freeze { owner, frozen }),
        1 => (0..OWNERS).prop_map(|owner| Step::Offboard { owner }),
        4 => (0..OWNERS, 0..4_u8, 0..GATEWAYS, amount())
            .prop_map(|(owner, key, gateway, amount)| Step::RegisterKey { owner, key, gateway, amount }),
        1 => (0..4_u8).prop_map(|key| Step::RevokeKey { key }),
        6 => (0..GATEWAYS, prop::collection::vec((0..OWNERS, 0..CLASSES, amount()), 1..4), hours())
            .prop_map(|(gateway, rows, lifetime)| Step::Reserve { gateway, rows, lifetime }),
        2 => (0..GATEWAYS, 0..OWNERS, 0..CLASSES, many.clone())
            .prop_map(|(gateway, owner, class, amount)| Step::Release { gateway, owner, class, amount }),
        8 => (0..GATEWAYS, 0..OWNERS, 0..CLASSES, many.clone())
            .prop_map(|(gateway, owner, class, amount)| Step::Charge { gateway, owner, class, amount }),
        3 => (0..OWNERS, 0..CLASSES, many).prop_map(|(owner, class, amount)| Step::Refund { owner, class, amount }),
        1 => (0..5_u32, amount()).prop_map(|(parent, amount)| Step::Delegate { parent, amount }),
        1 => (0..5_u32, amount()).prop_map(|(program, amount)| Step::Increase { program, amount }),
        1 => (0..OWNERS, any::<bool>()).prop_map(|(owner, contractor)| Step::Kind { owner, contractor }),
        1 => (amount(), proptest::option::of(1..12_u64), 0..3_u32)
            .prop_map(|(held, hours, keys)| Step::Policy { held, hours, keys }),
        4 => (0..8_u64).prop_map(|hours| Step::Wait { hours }),
    ]
}

/// What the wallets must say, counted from outside.
#[derive(Default)]
struct Books {
    granted: BTreeMap<(AccountId, ClassId), Credits>,
    spent: BTreeMap<(AccountId, ClassId), Credits>,
    /// What each issuer minted, per class and day.
    minted: BTreeMap<(AccountId, ClassId, Moment), Credits>,
    /// What the council allows instead of the default.
    allowed: BTreeMap<(AccountId, ClassId), Credits>,
}

fn issuer_of(program: u32) -> AccountId {
    if program < 2 {
        hr()
    } else {
        lab()
    }
}

impl Books {
    /// Takes the step; a refusal is a fine answer. Returns whom it may have touched, `None`: anybody.
    fn take(&mut self, step: Step) -> Option<AccountId> {
        let id = |pick: u64| pick.checked_rem(NextEntitlementId::<Test>::get()).unwrap_or_default();
        match step {
            Step::Mint { owner: number, program, amount, starts_in, lasts } => {
                let valid_from = Now::get() + starts_in;
                let valid_until = lasts.map(|lasts| valid_from + lasts);
                let grant = Grant::One { program, amount, valid_from: Some(valid_from), valid_until };
                let issuer = issuer_of(program);
                self.mint(&owner(number), amount, || {
                    Entitlements::mint(signed(&issuer), owner(number), grant).is_ok()
                });
                Some(owner(number))
            }
            Step::MintBasket { owner: number } => {
                self.mint(&owner(number), 20, || {
                    Entitlements::mint(signed(&hr()), owner(number), Grant::Basket { basket: 1 }).is_ok()
                });
                Some(owner(number))
            }
            Step::MintMany { owner: number, program, amounts } => {
                let largest = amounts.iter().copied().max().unwrap_or_default();
                let grant = |amount| Grant::One { program, amount, valid_from: None, valid_until: None };
                let grants = amounts.into_iter().map(|amount| (owner(number), grant(amount))).collect();
                let grants = BoundedVec::truncate_from(grants);
                self.mint(&owner(number), largest, || {
                    Entitlements::mint_many(signed(&issuer_of(program)), grants).is_ok()
                });
                Some(owner(number))
            }
            Step::MintSigned { owner: number, program, amount, key, cosigned } => {
                let issuer = issuer_of(program);
                let second = if issuer == hr() { lab() } else { hr() };
                let grant = Grant::One { program, amount, valid_from: None, valid_until: None };
                let request = MintRequest { issuer, idempotency_key: [key; 16], owner: owner(number), grant };
                // The signatures themselves are the business of `authorize`.
                let cosignature = cosigned.then_some(Cosignature { issuer: second, signature: [0; 64] });
                let alone = if cosigned { 0 } else { amount };
                self.mint(&owner(number), alone, || {
                    let authorized = RawOrigin::Authorized.into();
                    Entitlements::mint_signed(authorized, request, [0; 64], cosignature).is_ok()
                });
                Some(owner(number))
            }
            Step::Allow { lab: of_lab, class, amount } => {
                let issuer = if of_lab { lab() } else { hr() };
                let of = (issuer.clone(), ClassId(class));
                assert_ok!(Entitlements::set_mint_allowance(council(), issuer, ClassId(class), amount));
                match amount {
                    Some(amount) => self.allowed.insert(of, amount),
                    None => self.allowed.remove(&of),
                };
                None
            }
            Step::Revoke { pick, amount } => {
                let _ = Entitlements::revoke(signed(&hr()), id(pick), amount);
                Entitlements::entitlement(id(pick)).map(|entitlement| entitlement.owner)
            }
            Step::GiveBack { pick, amount } => {
                let owner = Entitlements::entitlement(id(pick))?.owner;
                let _ = Entitlements::give_back(signed(&owner), id(pick), amount);
                Some(owner)
            }
            Step::Freeze { owner: number, frozen } => {
                let _ = Entitlements::freeze(signed(&hr()), owner(number), frozen);
                Some(owner(number))
            }
            Step::Offboard { owner: number } => {
                let _ = Entitlements::offboard(signed(&hr()), owner(number));
                Some(owner(number))
            }
            Step::RegisterKey { owner: number, key, gateway, amount } => {
                let reserve = (gate(gateway), BoundedVec::truncate_from(vec![(INNOVATION, amount)]));
                let (origin, hash) = (signed(&owner(number)), H256::repeat_byte(key));
                let _ = Entitlements::register_key(origin, hash, KeyLimits::default(), Some(reserve));
                Some(owner(number))
            }
            Step::RevokeKey { key } => {
                let _ = Entitlements::revoke_key(signed(&hr()), H256::repeat_byte(key));
                None
            }
            Step::Reserve { gateway, rows, lifetime } => {
                let rows = rows.into_iter().map(|(who, class, amount)| (owner(who), ClassId(class), amount));
                let rows = BoundedVec::truncate_from(rows.collect());
                assert_ok!(Entitlements::reserve_many(signed(&gate(gateway)), rows, Now::get() + lifetime));
                None
            }
            Step::Release { gateway, owner: number, class, amount } => {
                let rows = BoundedVec::truncate_from(vec![(owner(number), ClassId(class), amount)]);
                assert_ok!(Entitlements::release(signed(&gate(gateway)), rows));
                Some(owner(number))
            }
            Step::Charge { gateway, owner: number, class, amount } => {
                let wallet = (owner(number), ClassId(class));
                let collected = Entitlements::charge_alone(&gate(gateway), &wallet.0, wallet.1, amount);
                assert!(collected <= amount);
                *self.spent.entry(wallet).or_default() += collected;
                Some(owner(number))
            }
            Step::Refund { owner: number, class, amount } => {
                let wallet = (owner(number), ClassId(class));
                let spent = self.spent.entry(wallet.clone()).or_default();
                let refunded = Entitlements::refund(&wallet.0, wallet.1, amount);
                assert_eq!(refunded, amount.min(*spent), "every spent credit can be refunded, and no other");
                *spent -= refunded;
                Some(owner(number))
            }
            Step::Delegate { parent, amount } => {
                if NextProgramId::<Test>::get() < 5 {
                    let _ = Entitlements::delegate_program(signed(&hr()), parent, name("Lab"), lab(), amount);
                }
                None
            }
            Step::Increase { program, amount } => {
                let _ = Entitlements::increase_budget(council(), program, amount);
                None
            }
            Step::Kind { owner: number, contractor } => {
                let kind = if contractor { CONTRACTOR } else { EMPLOYEE };
                let _ = Entitlements::set_kind(signed(&hr()), owner(number), kind);
                Some(owner(number))
            }
            Step::Policy { held, hours, keys } => {
                let classes = BoundedVec::truncate_from(vec![Terms { class: INNOVATION, holding_max: held }]);
                let validity_ms_max = hours.map(|hours| hours * HOUR);
                set_policy(Policy { classes, validity_ms_max, keys_max: keys });
                None
            }
            Step::Wait { hours } => {
                wait(hours * HOUR);
                None
            }
        }
    }

    /// Mints, and enters what was made. `alone` is the largest amount that one issuer grants alone.
    fn mint(&mut self, owner: &AccountId, alone: Credits, mint: impl FnOnce() -> bool) {
        let next = NextEntitlementId::<Test>::get();
        let done = with_transaction(|| match mint() {
            true => TransactionOutcome::Commit(Ok::<_, DispatchError>(true)),
            false => TransactionOutcome::Rollback(Ok(false)),
        });
        if !done.unwrap() {
            return;
        }
        assert!(alone <= LARGE, "one issuer alone granted {alone}");
        for id in next..NextEntitlementId::<Test>::get() {
            let made = Entitlements::entitlement(id).unwrap();
            assert_eq!(made.owner, *owner);
            let granted = made.amounts.granted;
            *self.granted.entry((owner.clone(), made.class)).or_default() += granted;
            let of = (made.issuer.clone(), made.class, Now::get() / DAY);
            let minted = self.minted.entry(of).or_default();
            *minted += granted;
            // Invariant 6, at the moment of each mint: the council may lower an allowance later.
            let allowed = self.allowed.get(&(made.issuer, made.class)).copied().unwrap_or(ALLOWANCE);
            assert!(*minted <= allowed, "{minted} minted in a day, {allowed} allowed");
        }
    }

    /// What the views say of allowances is what was minted and set.
    fn check_allowances(&self) {
        for issuer in [hr(), lab()] {
            for row in Entitlements::mint_allowance(issuer.clone()).unwrap().classes {
                let of = (issuer.clone(), row.class, Now::get() / DAY);
                assert_eq!(row.minted, self.minted.get(&of).copied().unwrap_or_default());
                let allowed = self.allowed.get(&(issuer.clone(), row.class)).copied().unwrap_or(ALLOWANCE);
                assert_eq!((row.allowance, row.left), (allowed, allowed.saturating_sub(row.minted)));
            }
        }
    }

    /// Invariants 1 and 2: what an owner was ever granted changes by mints to that owner alone, and
    /// what is spent by that owner's charges and refunds alone.
    fn check(&self) {
        assert_ok!(Entitlements::do_try_state());
        self.check_allowances();
        for row in wallets() {
            let (owner, balance) = row;
            let wallet = (owner, balance.class);
            assert_eq!(balance.amounts.granted, self.granted.get(&wallet).copied().unwrap_or_default());
            assert_eq!(balance.amounts.spent, self.spent.get(&wallet).copied().unwrap_or_default());
        }
    }
}

fn wallets() -> Vec<(AccountId, ClassBalance)> {
    (0..OWNERS)
        .map(owner)
        .flat_map(|owner| {
            Entitlements::wallet(owner.clone()).into_iter().map(move |row| (owner.clone(), row))
        })
        .collect()
}

/// Invariant 3: when all gateways charge all they can, in whatever order, together they get what is
/// reserved and available and no more, and each gets at least its reservation.
fn check_chargeable(first: u8) {
    for (owner, row) in wallets() {
        let _ = with_transaction(|| {
            let balances: Vec<_> = (0..GATEWAYS)
                .map(|number| gate((first + number) % GATEWAYS))
                .map(|gateway| {
                    let rows = Entitlements::gateway_balances(gateway.clone(), vec![owner.clone()]);
                    (gateway, rows.into_iter().find(|balance| balance.class == row.class).unwrap())
                })
                .collect();
            let mut collected = 0;
            for (gateway, balance) in &balances {
                let part = Entitlements::charge_alone(gateway, &owner, row.class, Credits::MAX);
                assert!(part >= balance.reserved, "a reservation is a promise");
                collected += part;
            }
            assert_eq!(collected, row.amounts.reserved + balances[0].1.available);
            assert!(collected <= row.amounts.reserved + row.amounts.available);
            TransactionOutcome::Rollback(Ok::<_, DispatchError>(()))
        });
    }
}

proptest! {
    #[test]
    fn invariants_hold_after_every_step(
        steps in prop::collection::vec((step(), 0..GATEWAYS), 1..80),
    ) {
        new_test_ext().execute_with(|| {
            MintAllowance::set(ALLOWANCE);
            LargeMint::set(LARGE);
            RoleHolders::mutate(|holders| {
                holders.push((gate(2), Role::Gateway));
                holders.push((lab(), Role::Issuer));
            });
            let lines = BoundedVec::truncate_from(vec![(0, 10, Some(5 * HOUR)), (1, 10, None)]);
            assert_ok!(Entitlements::set_basket(signed(&hr()), 1, name("package"), lines));
            let mut books = Books::default();
            for (step, first) in steps {
                let before = wallets();
                let touched = books.take(step);
                if let Some(touched) = touched {
                    let others = |rows: Vec<(AccountId, ClassBalance)>| -> Vec<_> {
                        rows.into_iter().filter(|(owner, _)| *owner != touched).collect()
                    };
                    assert_eq!(others(before), others(wallets()), "another owner's wallet changed");
                }
                books.check();
                check_chargeable(first);
            }
        });
    }
}
