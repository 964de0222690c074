//! The council's seats, kept where the council votes.

use alloc::vec::Vec;
use core::slice::from_ref;

use frame_support::traits::ChangeMembers;
use stipend_primitives::AccountId;

/// Where the council votes, and who has a seat there: whoever holds the council's role, as this
/// pallet tells it.
pub trait Seats: ChangeMembers<AccountId> {
    /// The accounts with a seat, sorted.
    fn members() -> Vec<AccountId>;

    /// Gives `who` a seat, if it has none.
    fn add(who: &AccountId) {
        let mut members = Self::members();
        if let Err(at) = members.binary_search(who) {
            members.insert(at, who.clone());
            Self::change_members_sorted(from_ref(who), &[], &members);
        }
    }

    /// Takes the seat of `who`, if it has one, and its votes on what is being voted on.
    fn remove(who: &AccountId) {
        let mut members = Self::members();
        if let Ok(at) = members.binary_search(who) {
            members.remove(at);
            Self::change_members_sorted(&[], from_ref(who), &members);
        }
    }

    /// Has as much voted on as can be: the most expensive case of [`Self::remove`].
    #[cfg(feature = "runtime-benchmarks")]
    fn fill_for_benchmark() {}
}

impl<T, I: 'static> Seats for pallet_collective::Pallet<T, I>
where
    T: pallet_collective::Config<I> + frame_system::Config<AccountId = AccountId>,
{
    fn members() -> Vec<AccountId> {
        pallet_collective::Members::<T, I>::get()
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn fill_for_benchmark() {
        use alloc::boxed::Box;
        use frame_support::traits::Get;

        let mut number = 0_u32;
        while (Self::members().len() as u32) < T::MaxMembers::get() - 1 {
            let mut who = [0xB1; 32];
            who[..4].copy_from_slice(&number.to_le_bytes());
            let who = AccountId::new(who);
            Self::add(&who);
            // Each member proposes until it may propose no more, or the list is full.
            loop {
                number += 1;
                let remark = number.to_le_bytes().to_vec();
                let call: <T as pallet_collective::Config<I>>::Proposal =
                    frame_system::Call::<T>::remark { remark }.into();
                if Self::do_propose_proposed(who.clone(), 2, Box::new(call), u32::MAX).is_err() {
                    break;
                }
            }
        }
    }
}
