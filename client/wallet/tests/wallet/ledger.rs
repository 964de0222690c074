//! Acts carried out on the made-up chain's state, as far as these tests look.

use stipend_primitives::{
    key::ApiKey,
    mint::Grant,
    view::{Amounts, ClassBalance, EntitlementView},
    AccountId, Credits, ProgramId,
};
use stipend_sdk::{pallet_entitlements::Call, RuntimeCall};
use stipend_wallet::chain::{Act, Note};

use super::fake::{classes, Ledger};

/// The name of an error.
pub struct Failed(pub &'static str);

/// Carries a call out wholly or not at all: whoever gets an error forgets the ledger.
pub fn carry_out(
    ledger: &mut Ledger,
    who: &AccountId,
    is_issuer: bool,
    now: u64,
    call: &RuntimeCall,
) -> Result<Vec<Act>, Failed> {
    let RuntimeCall::Entitlements(call) = call else { return Err(Failed("CallFiltered")) };
    let by_issuer = if is_issuer { Ok(()) } else { Err(Failed("NotIssuer")) };
    match call {
        Call::mint { owner, grant } => {
            by_issuer?;
            mint(ledger, who, now, &[(owner.clone(), grant.clone())])
        }
        Call::mint_many { grants } => {
            by_issuer?;
            mint(ledger, who, now, grants)
        }
        Call::revoke { id, amount } => {
            by_issuer?;
            withdraw(ledger, *id, *amount, "Revoked")
        }
        Call::give_back { id, amount } => withdraw(ledger, *id, Some(*amount), "GivenBack"),
        Call::freeze { owner, frozen } => {
            by_issuer?;
            let (balances, _) = ledger.wallets.get_mut(owner).ok_or(Failed("OwnerUnknown"))?;
            balances.iter_mut().for_each(|row| row.frozen = *frozen);
            Ok(noted(owner, if *frozen { "Frozen" } else { "Unfrozen" }, vec![]))
        }
        Call::offboard { owner } => {
            by_issuer?;
            offboard(ledger, owner)
        }
        Call::register_key { hash, limits, .. } => {
            if !ledger.wallets.contains_key(who) {
                return Err(Failed("OwnerUnknown"));
            }
            ledger.keys.insert(*hash, ApiKey { owner: who.clone(), limits: limits.clone() });
            Ok(noted(who, "KeyRegistered", vec![Act::Key(*hash)]))
        }
        Call::set_limits { hash, limits } => {
            let key = ledger.keys.get_mut(hash).ok_or(Failed("KeyUnknown"))?;
            key.limits = limits.clone();
            Ok(vec![Act::Key(*hash)])
        }
        Call::revoke_key { hash } => {
            ledger.keys.remove(hash).ok_or(Failed("KeyUnknown"))?;
            Ok(vec![Act::KeyGone(*hash)])
        }
        _ => Err(Failed("CallFiltered")),
    }
}

fn noted(owner: &AccountId, kind: &'static str, more: Vec<Act>) -> Vec<Act> {
    let note = Note { kind, owner: Some(owner.clone()), ..Note::default() };
    [vec![Act::Touched(owner.clone())], more, vec![Act::Noted(note)]].concat()
}

fn next_id(ledger: &Ledger) -> u64 {
    let all = ledger.wallets.values().flat_map(|(_, grants)| grants);
    all.map(|grant| grant.id + 1).max().unwrap_or_default()
}

fn mint(
    ledger: &mut Ledger,
    issuer: &AccountId,
    now: u64,
    grants: &[(AccountId, Grant)],
) -> Result<Vec<Act>, Failed> {
    let mut acts = vec![];
    for (id, (owner, grant)) in (next_id(ledger)..).zip(grants) {
        let Grant::One { program, amount, valid_from, valid_until } = grant else {
            return Err(Failed("BasketUnknown"));
        };
        let class = take(ledger, *program, *amount)?;
        let item = EntitlementView {
            id,
            owner: owner.clone(),
            class,
            issuer: issuer.clone(),
            program: *program,
            valid_from: valid_from.unwrap_or(now),
            valid_until: *valid_until,
            amounts: Amounts { granted: *amount, available: *amount, ..Amounts::default() },
        };
        ledger.wallets.entry(owner.clone()).or_default().1.push(item);
        balance(ledger, owner);
        let note = Note {
            kind: "Minted",
            owner: Some(owner.clone()),
            entitlement: Some(id),
            program: Some(*program),
            class: Some(class),
            actor: Some(issuer.clone()),
            amount: Some(*amount),
        };
        acts.extend([Act::Touched(owner.clone()), Act::Programs, Act::Noted(note)]);
    }
    Ok(acts)
}

fn take(
    ledger: &mut Ledger,
    program: ProgramId,
    amount: Credits,
) -> Result<stipend_primitives::ClassId, Failed> {
    let found = ledger.programs.iter_mut().find(|(id, _)| *id == program);
    let (_, program) = found.ok_or(Failed("ProgramUnknown"))?;
    program.unminted = program.unminted.checked_sub(amount).ok_or(Failed("BudgetExhausted"))?;
    program.granted += amount;
    Ok(program.class)
}

fn withdraw(
    ledger: &mut Ledger,
    id: u64,
    amount: Option<Credits>,
    kind: &'static str,
) -> Result<Vec<Act>, Failed> {
    let mut all = ledger.wallets.values_mut().flat_map(|(_, grants)| grants);
    let grant = all.find(|grant| grant.id == id).ok_or(Failed("EntitlementUnknown"))?;
    let amount = amount.unwrap_or(grant.amounts.available);
    grant.amounts.available =
        grant.amounts.available.checked_sub(amount).ok_or(Failed("InsufficientAvailable"))?;
    grant.amounts.revoked += amount;
    let owner = grant.owner.clone();
    balance(ledger, &owner);
    let note = Note {
        kind,
        owner: Some(owner.clone()),
        entitlement: Some(id),
        amount: Some(amount),
        ..Note::default()
    };
    Ok(vec![Act::Touched(owner), Act::Programs, Act::Noted(note)])
}

fn offboard(ledger: &mut Ledger, owner: &AccountId) -> Result<Vec<Act>, Failed> {
    let (_, grants) = ledger.wallets.get_mut(owner).ok_or(Failed("OwnerUnknown"))?;
    for grant in grants.iter_mut() {
        grant.amounts.revoked += std::mem::take(&mut grant.amounts.available);
    }
    balance(ledger, owner);
    let keys: Vec<_> =
        ledger.keys.iter().filter(|(_, key)| key.owner == *owner).map(|(hash, _)| *hash).collect();
    ledger.keys.retain(|_, key| key.owner != *owner);
    let gone = keys.into_iter().map(Act::KeyGone).collect();
    Ok(noted(owner, "Offboarded", gone))
}

/// Makes an owner's balances those of the grants.
fn balance(ledger: &mut Ledger, owner: &AccountId) {
    let Some((balances, grants)) = ledger.wallets.get_mut(owner) else { return };
    let frozen = balances.iter().any(|row| row.frozen);
    let old = std::mem::take(balances);
    for (class, known) in classes() {
        let of_class: Vec<_> = grants.iter().filter(|grant| grant.class == class).collect();
        if of_class.is_empty() {
            continue;
        }
        let sum = |amount: fn(&Amounts) -> Credits| of_class.iter().map(|grant| amount(&grant.amounts)).sum();
        let ends = of_class.iter().filter(|grant| grant.amounts.available > 0).filter_map(|g| g.valid_until);
        balances.push(ClassBalance {
            class,
            name: known.name,
            amounts: Amounts {
                granted: sum(|amounts| amounts.granted),
                available: sum(|amounts| amounts.available),
                reserved: sum(|amounts| amounts.reserved),
                spent: sum(|amounts| amounts.spent),
                expired: sum(|amounts| amounts.expired),
                revoked: sum(|amounts| amounts.revoked),
            },
            reservations: old
                .iter()
                .find(|row| row.class == class)
                .map(|row| row.reservations.clone())
                .unwrap_or_default(),
            expires_next: ends.min(),
            frozen,
        });
    }
}
