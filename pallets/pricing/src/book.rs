//! Publishing a book and looking prices up.

use alloc::vec::Vec;
use frame_support::{ensure, pallet_prelude::DispatchResult, traits::Get};
use sp_runtime::{DispatchError, SaturatedConversion};
use stipend_primitives::{
    cost::{entries_are_canonical, PriceBook, PriceEntries, PriceEntry, Usage, BOOK_ENTRIES_MAX},
    ledger::{PriceError, Prices},
    view::Quote,
    BlockNumber, BookVersion, ModelId,
};

use crate::*;

/// What publishing a book does to the books before it.
struct Succession {
    /// The books that stay recent, in the order of their effect; the new one follows the last.
    kept: RecentBooks,
    /// The books that will never take effect.
    withdrawn: Vec<BookVersion>,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// Publishes a book that takes effect at a later block.
    pub(crate) fn do_publish(entries: PriceEntries, effective_at: BlockNumber) -> DispatchResult {
        ensure!(effective_at > Self::now(), Error::<T>::TooSoon);
        let version = Self::insert(entries, effective_at)?;
        Self::deposit_event(Event::Published { version, effective_at });
        Ok(())
    }

    /// Checks a book and writes it.
    pub(crate) fn insert(
        entries: PriceEntries,
        effective_at: BlockNumber,
    ) -> Result<BookVersion, DispatchError> {
        Self::check(&entries)?;
        let Succession { mut kept, withdrawn } = Self::succession(effective_at)?;
        let version = LastVersion::<T>::get().checked_add(1).ok_or(Error::<T>::VersionsExhausted)?;
        let predecessor = kept.last().copied();
        kept.try_push(version).map_err(|_| Error::<T>::TooManyBooks)?;

        for version in withdrawn {
            Self::withdraw(version);
        }
        if let Some(predecessor) = predecessor {
            Books::<T>::mutate_extant(predecessor, |term| {
                term.chargeable_until = Some(effective_at.saturating_add(T::GraceBlocks::get()));
            });
        }
        for entry in entries {
            ModelNames::<T>::insert(entry.model, &entry.name);
            Entries::<T>::insert(version, entry.model, entry);
        }
        Books::<T>::insert(version, BookTerm { effective_at, chargeable_until: None });
        Recent::<T>::put(kept);
        LastVersion::<T>::put(version);
        Ok(version)
    }

    fn check(entries: &PriceEntries) -> DispatchResult {
        ensure!(!entries.is_empty(), Error::<T>::EmptyBook);
        ensure!(entries_are_canonical(entries), Error::<T>::NotCanonical);
        for entry in entries {
            ensure!(entry.model != ModelId::UNKNOWN, Error::<T>::ReservedModel);
            let renamed = ModelNames::<T>::get(entry.model).is_some_and(|name| name != entry.name);
            ensure!(!renamed, Error::<T>::ModelRenamed);
        }
        Ok(())
    }

    fn succession(effective_at: BlockNumber) -> Result<Succession, DispatchError> {
        let now = Self::now();
        let mut kept = RecentBooks::default();
        let mut withdrawn = Vec::new();
        let mut pending = 0;
        for version in Recent::<T>::get() {
            let Some(term) = Books::<T>::get(version) else { continue };
            if term.is_over(now) {
                continue;
            }
            let is_pending = !term.has_begun(now);
            if is_pending && term.effective_at >= effective_at {
                withdrawn.push(version);
                continue;
            }
            pending += u32::from(is_pending);
            kept.try_push(version).map_err(|_| Error::<T>::TooManyBooks)?;
        }
        ensure!(pending < PENDING_MAX, Error::<T>::TooManyPending);
        Ok(Succession { kept, withdrawn })
    }

    fn withdraw(version: BookVersion) {
        Books::<T>::remove(version);
        // A book has no more entries than the limit, so one round removes them all.
        let _ = Entries::<T>::clear_prefix(version, BOOK_ENTRIES_MAX, None);
        Self::deposit_event(Event::Withdrawn { version });
    }

    fn current_version() -> Option<BookVersion> {
        let now = Self::now();
        let in_effect =
            |version: &BookVersion| Books::<T>::get(version).is_some_and(|term| term.has_begun(now));
        Recent::<T>::get().into_iter().rev().find(in_effect)
    }

    /// The book that new requests are quoted from.
    pub fn current_book() -> Option<PriceBook> {
        Self::current_version().and_then(Self::book)
    }

    /// All books that can still be charged or will take effect, in the order of their effect.
    pub fn books() -> Vec<PriceBook> {
        let now = Self::now();
        let holds = |book: &PriceBook| book.chargeable_until.is_none_or(|until| until >= now);
        Recent::<T>::get().into_iter().filter_map(Self::book).filter(holds).collect()
    }

    /// One book, retired ones included.
    pub fn book(version: BookVersion) -> Option<PriceBook> {
        let term = Books::<T>::get(version)?;
        let mut entries: Vec<PriceEntry> = Entries::<T>::iter_prefix_values(version).collect();
        entries.sort_unstable_by_key(|entry| entry.model);
        Some(PriceBook {
            version,
            effective_at: term.effective_at,
            chargeable_until: term.chargeable_until,
            entries: PriceEntries::truncate_from(entries),
        })
    }

    /// The price of a usage in the book in force.
    pub fn quote(model: ModelId, usage: Usage, priority_fee: u32) -> Option<Quote> {
        let book = Self::current_version()?;
        let entry = Entries::<T>::get(book, model)?;
        Some(entry.quote(book, &usage, priority_fee))
    }
}

impl<T: Config> Prices for Pallet<T> {
    fn chargeable(book: BookVersion, model: ModelId) -> Result<PriceEntry, PriceError> {
        let now = Self::now();
        let term = Books::<T>::get(book).filter(|term| term.has_begun(now)).ok_or(PriceError::UnknownBook)?;
        if term.is_over(now) {
            return Err(PriceError::RetiredBook);
        }
        Entries::<T>::get(book, model).ok_or(PriceError::UnknownModel)
    }

    fn entry(book: BookVersion, model: ModelId) -> Option<PriceEntry> {
        Books::<T>::get(book).filter(|term| term.has_begun(Self::now()))?;
        Entries::<T>::get(book, model)
    }

    #[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
    fn publish_for_test(entries_count: u16) -> BookVersion {
        use stipend_primitives::{ClassId, Name};

        let entries = (0..entries_count).map(|number| {
            let model = ModelId(number);
            // Genesis may have named the number already.
            let name = ModelNames::<T>::get(model)
                .unwrap_or_else(|| Name::truncate_from(alloc::format!("model-{number}").into_bytes()));
            PriceEntry {
                model,
                name,
                class: ClassId::INNOVATION,
                premium: false,
                c_input: 3,
                c_cached: 1,
                c_output: 12,
                c_model: 500,
                weight: 2,
                reference_input: 150_000,
                reference_output: 600_000,
            }
        });
        let entries = PriceEntries::truncate_from(entries.collect());
        Self::insert(entries, Self::now()).expect("the entries are sorted, named and few; qed")
    }
}
