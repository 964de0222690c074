//! What the runtime API answers. Every figure has what time has done up to this block taken in, though
//! it may not be written yet.

use alloc::{collections::BTreeMap, vec::Vec};

use frame_support::traits::Time;
use stipend_primitives::{
    key::ApiKey,
    view::{
        Amounts, BasketRow, Class, ClassBalance, EntitlementView, GatewayBalance, Program, ReservationView,
    },
    AccountId, ClassId, EntitlementId, KeyHash, ProgramId,
};

use crate::{
    energy::tally::Tally,
    types::{Archived, Entitlement, Slice, Wallet, KEYS_PAGE_MAX},
    Archive, Baskets, Classes, Config, Entitlements, Keys, KeysOf, Minted, OwnedBy, Pallet, Programs,
    Wallets,
};

impl<T: Config> Pallet<T> {
    /// One entitlement.
    pub fn entitlement(id: EntitlementId) -> Option<EntitlementView> {
        let entitlement = Entitlements::<T>::get(id)?;
        let amounts = match Archive::<T>::get(id) {
            Some(archived) => archived.amounts(),
            None => {
                let mut wallet = Wallets::<T>::get(&entitlement.owner, entitlement.class)?;
                wallet.advance(T::Time::now());
                wallet.slice_mut(id)?.amounts()
            }
        };
        Some(entitlement.view(id, amounts))
    }

    /// All entitlements of an owner, by number.
    pub fn entitlements(owner: AccountId) -> Vec<EntitlementView> {
        let wallets = Self::wallets_now(&owner);
        let slices: BTreeMap<EntitlementId, &Slice> =
            wallets.iter().flat_map(|(_, wallet)| &wallet.slices).map(|slice| (slice.id, slice)).collect();
        let mut ids: Vec<EntitlementId> = OwnedBy::<T>::iter_key_prefix(&owner).collect();
        ids.sort_unstable();
        ids.into_iter()
            .filter_map(|id| {
                let amounts = match slices.get(&id) {
                    Some(slice) => slice.amounts(),
                    None => Archive::<T>::get(id)?.amounts(),
                };
                Some(Entitlements::<T>::get(id)?.view(id, amounts))
            })
            .collect()
    }

    /// A wallet, one row per class.
    pub fn wallet(owner: AccountId) -> Vec<ClassBalance> {
        Self::wallets_now(&owner)
            .into_iter()
            .map(|(class, wallet)| ClassBalance {
                class,
                name: Classes::<T>::get(class).map(|class| class.name).unwrap_or_default(),
                amounts: wallet.amounts(),
                expires_next: wallet.expires_next(),
                frozen: wallet.frozen,
                reservations: wallet
                    .reservations
                    .into_iter()
                    .map(|reservation| ReservationView {
                        gateway: reservation.gateway,
                        amount: reservation.amount,
                        expires_at: reservation.expires_at,
                    })
                    .collect(),
            })
            .collect()
    }

    /// What a mint request made, if it was carried out.
    pub fn minted(issuer: AccountId, idempotency_key: [u8; 16]) -> Option<Vec<EntitlementId>> {
        Minted::<T>::get(issuer, idempotency_key).map(Into::into)
    }

    /// All classes, by number.
    pub fn classes() -> Vec<(ClassId, Class)> {
        let mut classes: Vec<_> = Classes::<T>::iter().collect();
        classes.sort_unstable_by_key(|(id, _)| *id);
        classes
    }

    /// All programs, by number.
    pub fn programs() -> Vec<(ProgramId, Program)> {
        let mut programs: Vec<_> = Programs::<T>::iter().collect();
        programs.sort_unstable_by_key(|(id, _)| *id);
        programs
    }

    /// All baskets, by number: issuer, name and lines of (program, amount, validity in ms).
    pub fn baskets() -> Vec<BasketRow> {
        let mut baskets: Vec<_> = Baskets::<T>::iter()
            .map(|(id, basket)| (id, basket.issuer, basket.name.into_inner(), basket.lines.into_inner()))
            .collect();
        baskets.sort_unstable_by_key(|(id, ..)| *id);
        baskets
    }

    /// One API key.
    pub fn api_key(hash: KeyHash) -> Option<ApiKey> {
        Keys::<T>::get(hash)
    }

    /// Up to `limit` API keys in storage order, after `after`; whether that one still exists does not
    /// matter.
    pub fn api_keys(after: Option<KeyHash>, limit: u32) -> Vec<(KeyHash, ApiKey)> {
        let keys = match after {
            Some(after) => Keys::<T>::iter_from(Keys::<T>::hashed_key_for(after)),
            None => Keys::<T>::iter(),
        };
        keys.take(limit.min(KEYS_PAGE_MAX) as usize).collect()
    }

    /// The hashes of an owner's keys, oldest first.
    pub fn api_keys_of(owner: AccountId) -> Vec<KeyHash> {
        KeysOf::<T>::get(owner).into()
    }

    /// What a gateway can charge the owners named and what it could still reserve: one row for each
    /// class that an owner holds.
    pub fn gateway_balances(gateway: AccountId, owners: Vec<AccountId>) -> Vec<GatewayBalance> {
        let mut energy = Tally::<T>::open();
        let now = energy.now();
        let mut balances = Vec::with_capacity(owners.len());
        for owner in owners {
            let has_key = Self::has_key(&owner);
            for (class, mut wallet) in Self::wallets(&owner) {
                let room = energy.room_for(class, &mut wallet);
                let available = if has_key { wallet.available(now) } else { 0 };
                let reservation = wallet.reservation(&gateway);
                balances.push(GatewayBalance {
                    owner: owner.clone(),
                    class,
                    reserved: reservation.map_or(0, |reservation| reservation.amount),
                    expires_at: reservation.map_or(0, |reservation| reservation.expires_at),
                    available: available.min(room),
                    frozen: wallet.frozen,
                    energy_bound: available > room,
                });
            }
        }
        balances
    }

    /// An owner's wallets by class, as they are stored.
    fn wallets(owner: &AccountId) -> Vec<(ClassId, Wallet)> {
        let mut wallets: Vec<(ClassId, Wallet)> = Wallets::<T>::iter_prefix(owner).collect();
        wallets.sort_unstable_by_key(|(class, _)| *class);
        wallets
    }

    /// An owner's wallets by class, as of now.
    fn wallets_now(owner: &AccountId) -> Vec<(ClassId, Wallet)> {
        let now = T::Time::now();
        let mut wallets = Self::wallets(owner);
        for (_, wallet) in &mut wallets {
            wallet.advance(now);
        }
        wallets
    }
}

impl Entitlement {
    fn view(self, id: EntitlementId, amounts: Amounts) -> EntitlementView {
        EntitlementView {
            id,
            owner: self.owner,
            class: self.class,
            issuer: self.issuer,
            program: self.program,
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            amounts,
        }
    }
}

impl Archived {
    /// Where its credits went.
    pub fn amounts(&self) -> Amounts {
        Slice {
            id: 0,
            program: 0,
            valid_from: 0,
            valid_until: None,
            available: 0,
            reserved: 0,
            spent: self.spent,
            expired: self.expired,
            revoked: self.revoked,
            closing: self.closing,
        }
        .amounts()
    }
}
