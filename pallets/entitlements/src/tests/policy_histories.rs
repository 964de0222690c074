//! Over random histories of grants, use and changing policies: what a policy permits is granted, what it forbids
//! is refused with the error that says so, and nothing that was granted is ever taken by one.

use std::collections::BTreeMap;

use frame_support::{assert_ok, storage::with_transaction, BoundedVec};
use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::{DispatchError, TransactionOutcome};
use stipend_primitives::{
    key::KeyLimits,
    ledger::Ledger,
    mint::Grant,
    policy::{KindId, Policy, Terms, EMPLOYEE},
    AccountId, ClassId, Credits, Moment,
};

use crate::{mock::*, types::KEYS_MAX, Error};

const OWNERS: u8 = 3;
const CLASSES: u16 = 2;
const KINDS: KindId = 3;

#[derive(Clone, Debug)]
enum Step {
    Policy {
        kind: KindId,
        classes: Vec<Option<Credits>>,
        validity: Option<Moment>,
        keys_max: u32,
    },
    Kind {
        owner: u8,
        kind: KindId,
    },
    /// Grants of (owner, program, amount, starts in, lasts).
    Mint {
        grants: Vec<(u8, u32, Credits, Moment, Option<Moment>)>,
    },
    Basket {
        owner: u8,
        lines: Vec<(u32, Credits, Option<Moment>)>,
    },
    RegisterKey {
        owner: u8,
        key: u8,
    },
    RevokeKey {
        key: u8,
    },
    Reserve {
        owner: u8,
        class: u16,
        amount: Credits,
    },
    Charge {
        owner: u8,
        class: u16,
        amount: Credits,
    },
    Refund {
        owner: u8,
        class: u16,
        amount: Credits,
    },
    Revoke {
        pick: u64,
        amount: Option<Credits>,
    },
    Offboard {
        owner: u8,
    },
    Wait {
        hours: Moment,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let amount = || 1..40_u128;
    let hours = || (1..9_u64).prop_map(|hours| hours * HOUR);
    let lasts = move || proptest::option::weighted(0.8, hours());
    let grant = move || (0..OWNERS, 0..u32::from(CLASSES), amount(), 0..4 * HOUR, lasts());
    let caps = prop::collection::vec(proptest::option::weighted(0.7, 0..90_u128), CLASSES as usize);
    prop_oneof![
        2 => (1..KINDS, caps, proptest::option::weighted(0.7, hours()), 0..3_u32)
            .prop_map(|(kind, classes, validity, keys_max)| Step::Policy { kind, classes, validity, keys_max }),
        3 => (0..OWNERS, 0..KINDS).prop_map(|(owner, kind)| Step::Kind { owner, kind }),
        8 => prop::collection::vec(grant(), 1..4).prop_map(|grants| Step::Mint { grants }),
        3 => (0..OWNERS, prop::collection::vec((0..u32::from(CLASSES), amount(), lasts()), 1..4))
            .prop_map(|(owner, lines)| Step::Basket { owner, lines }),
        3 => (0..OWNERS, any::<u8>()).prop_map(|(owner, key)| Step::RegisterKey { owner, key }),
        1 => any::<u8>().prop_map(|key| Step::RevokeKey { key }),
        3 => (0..OWNERS, 0..CLASSES, amount())
            .prop_map(|(owner, class, amount)| Step::Reserve { owner, class, amount }),
        3 => (0..OWNERS, 0..CLASSES, amount())
            .prop_map(|(owner, class, amount)| Step::Charge { owner, class, amount }),
        1 => (0..OWNERS, 0..CLASSES, amount())
            .prop_map(|(owner, class, amount)| Step::Refund { owner, class, amount }),
        1 => (any::<u64>(), proptest::option::of(amount()))
            .prop_map(|(pick, amount)| Step::Revoke { pick, amount }),
        1 => (0..OWNERS).prop_map(|owner| Step::Offboard { owner }),
        3 => (0..6_u64).prop_map(|hours| Step::Wait { hours }),
    ]
}

fn owner(number: u8) -> AccountId {
    account(0xA0 + number)
}

/// One entitlement to be, as the books see it.
struct Asked {
    owner: u8,
    class: ClassId,
    amount: Credits,
    until: Option<Moment>,
}

/// A policy as it was said.
struct Said {
    caps: BTreeMap<ClassId, Credits>,
    validity: Option<Moment>,
    keys_max: u32,
}

/// Kinds and policies as they were said, kept apart from the pallet.
#[derive(Default)]
struct Books {
    kinds: BTreeMap<u8, KindId>,
    policies: BTreeMap<KindId, Said>,
}

fn held(owner: &AccountId, class: ClassId) -> Credits {
    let rows = Entitlements::wallet(owner.clone()).into_iter().filter(|row| row.class == class);
    rows.map(|row| row.amounts.available + row.amounts.reserved).sum()
}

impl Books {
    fn policy_of(&self, owner: u8) -> Option<&Said> {
        self.kinds.get(&owner).map(|kind| &self.policies[kind])
    }

    /// What these grants must lead to, one after the other.
    fn verdict(&self, asked: &[Asked]) -> Result<(), Error<Test>> {
        let mut added = BTreeMap::<(u8, ClassId), Credits>::new();
        for Asked { owner: number, class, amount, until } in asked {
            let of = (*number, *class);
            let before = held(&owner(*number), *class) + added.get(&of).copied().unwrap_or_default();
            if let Some(Said { caps, validity, .. }) = self.policy_of(*number) {
                let max = caps.get(class).ok_or(Error::PolicyForbidsClass)?;
                let in_time = |end: Moment| validity.is_none_or(|validity| end - Now::get() <= validity);
                if !until.map_or(validity.is_none(), in_time) {
                    return Err(Error::PolicyForbidsValidity);
                }
                if before + amount > *max {
                    return Err(Error::PolicyForbidsHolding);
                }
            }
            *added.entry(of).or_default() += amount;
        }
        Ok(())
    }

    fn expect(&self, asked: &[Asked], mint: impl FnOnce() -> Result<(), DispatchError>) {
        let expected = self.verdict(asked).map_err(DispatchError::from);
        let said = with_transaction(|| match mint() {
            Ok(()) => TransactionOutcome::Commit(Ok::<_, DispatchError>(Ok(()))),
            Err(refusal) => TransactionOutcome::Rollback(Ok(Err(refusal))),
        });
        assert_eq!(said.unwrap(), expected);
    }

    fn mint(&self, grants: Vec<(u8, u32, Credits, Moment, Option<Moment>)>) {
        let (mut asked, mut rows) = (Vec::new(), Vec::new());
        for (number, program, amount, starts_in, lasts) in grants {
            let from = Now::get() + starts_in;
            let until = lasts.map(|lasts| from + lasts);
            asked.push(Asked { owner: number, class: ClassId(program as u16), amount, until });
            let grant = Grant::One { program, amount, valid_from: Some(from), valid_until: until };
            rows.push((owner(number), grant));
        }
        self.expect(&asked, || match rows.len() {
            1 => {
                let (owner, grant) = rows.remove(0);
                Entitlements::mint(signed(&hr()), owner, grant).map(drop).map_err(|error| error.error)
            }
            _ => Entitlements::mint_many(signed(&hr()), BoundedVec::truncate_from(rows))
                .map(drop)
                .map_err(|error| error.error),
        });
    }

    fn mint_basket(&self, number: u8, lines: Vec<(u32, Credits, Option<Moment>)>) {
        let asked: Vec<Asked> = lines
            .iter()
            .map(|(program, amount, lasts)| Asked {
                owner: number,
                class: ClassId(*program as u16),
                amount: *amount,
                until: lasts.map(|lasts| Now::get() + lasts),
            })
            .collect();
        let lines = BoundedVec::truncate_from(lines);
        assert_ok!(Entitlements::set_basket(signed(&hr()), 1, name("package"), lines));
        self.expect(&asked, || {
            Entitlements::mint(signed(&hr()), owner(number), Grant::Basket { basket: 1 })
                .map(drop)
                .map_err(|error| error.error)
        });
    }

    fn register(&self, number: u8, key: u8) {
        let who = owner(number);
        let keys = Entitlements::api_keys_of(who.clone()).len() as u32;
        let keys_max = self.policy_of(number).map_or(KEYS_MAX, |said| said.keys_max);
        let hash = H256::repeat_byte(key);
        let said = Entitlements::register_key(signed(&who), hash, KeyLimits::default(), None);
        match said {
            Ok(()) => assert!(keys < keys_max, "a key too many"),
            Err(refusal) if refusal == Error::<Test>::PolicyForbidsKey.into() => assert!(keys >= keys_max),
            // It holds nothing, or the key is taken, or there is no room for anybody.
            Err(_) => {}
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Policy { kind, classes, validity, keys_max } => {
                let caps = (0..CLASSES).map(ClassId).zip(classes);
                let caps: BTreeMap<_, _> = caps.filter_map(|(class, cap)| Some((class, cap?))).collect();
                let terms = caps.iter().map(|(class, cap)| Terms { class: *class, holding_max: *cap });
                let classes = BoundedVec::truncate_from(terms.collect());
                let policy = Policy { classes, validity_ms_max: validity, keys_max };
                unchanged(|| {
                    assert_ok!(Entitlements::set_policy(council(), kind, name("kind"), policy));
                });
                self.policies.insert(kind, Said { caps, validity, keys_max });
            }
            Step::Kind { owner: number, kind } => {
                let known = kind == EMPLOYEE || self.policies.contains_key(&kind);
                unchanged(|| {
                    let said = Entitlements::set_kind(signed(&hr()), owner(number), kind);
                    assert_eq!(said.is_ok(), known);
                });
                match kind {
                    EMPLOYEE => self.kinds.remove(&number),
                    _ if known => self.kinds.insert(number, kind),
                    _ => None,
                };
            }
            Step::Mint { grants } => self.mint(grants),
            Step::Basket { owner, lines } => self.mint_basket(owner, lines),
            Step::RegisterKey { owner, key } => self.register(owner, key),
            Step::RevokeKey { key } => {
                let _ = Entitlements::revoke_key(signed(&hr()), H256::repeat_byte(key));
            }
            Step::Reserve { owner: number, class, amount } => {
                let rows = BoundedVec::truncate_from(vec![(owner(number), ClassId(class), amount)]);
                assert_ok!(Entitlements::reserve_many(signed(&gateway()), rows, Now::get() + 3 * HOUR));
            }
            Step::Charge { owner: number, class, amount } => {
                Entitlements::charge_alone(&gateway(), &owner(number), ClassId(class), amount);
            }
            Step::Refund { owner: number, class, amount } => {
                Entitlements::refund(&owner(number), ClassId(class), amount);
            }
            Step::Revoke { pick, amount } => {
                let next = crate::NextEntitlementId::<Test>::get();
                if let Some(id) = pick.checked_rem(next) {
                    let _ = Entitlements::revoke(signed(&hr()), id, amount);
                }
            }
            Step::Offboard { owner: number } => {
                if Entitlements::offboard(signed(&hr()), owner(number)).is_ok() {
                    self.kinds.remove(&number);
                }
            }
            Step::Wait { hours } => wait(hours * HOUR),
        }
    }
}

/// Does something that must change no wallet, no key and no budget.
fn unchanged(act: impl FnOnce()) {
    let look = || {
        let owners = || (0..OWNERS).map(owner);
        let wallets: Vec<_> = owners().map(Entitlements::wallet).collect();
        let keys: Vec<_> = owners().map(Entitlements::api_keys_of).collect();
        (wallets, keys, Entitlements::programs())
    };
    let before = look();
    act();
    assert_eq!(look(), before);
}

proptest! {
    #[test]
    fn what_a_policy_permits_is_granted_and_nothing_else(steps in prop::collection::vec(step(), 1..60)) {
        new_test_ext().execute_with(|| {
            let mut books = Books::default();
            for step in steps {
                books.take(step);
                assert_ok!(Entitlements::do_try_state());
                let kinds = Entitlements::kinds_of((0..OWNERS).map(owner).collect());
                let said = |number| books.kinds.get(&number).copied().unwrap_or(EMPLOYEE);
                assert_eq!(kinds, (0..OWNERS).map(said).collect::<Vec<_>>());
            }
        });
    }
}
