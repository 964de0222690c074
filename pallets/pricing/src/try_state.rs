//! What must hold of the pallet's storage after every block.

use alloc::vec::Vec;
use frame_support::ensure;
use sp_runtime::TryRuntimeError;
use stipend_primitives::{cost::entries_are_canonical, BookVersion};

use crate::*;

impl<T: Config> Pallet<T> {
    /// Checks the invariants of the README.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::books_are_whole()?;
        Self::recent_books_follow_each_other()
    }

    fn books_are_whole() -> Result<(), TryRuntimeError> {
        let last = LastVersion::<T>::get();
        for version in Books::<T>::iter_keys() {
            ensure!(version <= last, "pricing: a book has a version that was not given yet");
            let book = Self::book(version).ok_or("pricing: a book cannot be read")?;
            ensure!(!book.entries.is_empty(), "pricing: a book has no entry");
            ensure!(entries_are_canonical(&book.entries), "pricing: a book is not canonical");
        }
        for (version, model, entry) in Entries::<T>::iter() {
            ensure!(Books::<T>::contains_key(version), "pricing: an entry has no book");
            ensure!(entry.model == model, "pricing: an entry stands under another model's number");
            ensure!(ModelNames::<T>::get(model) == Some(entry.name), "pricing: a model's name changed");
        }
        Ok(())
    }

    fn recent_books_follow_each_other() -> Result<(), TryRuntimeError> {
        let recent = Recent::<T>::get();
        let terms = recent.iter().map(|version| Books::<T>::get(version).map(|term| (*version, term)));
        let terms: Vec<(BookVersion, BookTerm)> =
            terms.collect::<Option<_>>().ok_or("pricing: a recent book does not exist")?;
        for pair in terms.windows(2) {
            let [(older, old_term), (newer, new_term)] = pair else { continue };
            ensure!(older < newer, "pricing: recent books are out of order");
            ensure!(
                old_term.effective_at <= new_term.effective_at,
                "pricing: a book takes effect before an older one"
            );
            let until = old_term.chargeable_until.ok_or("pricing: a book with a successor has no end")?;
            ensure!(until >= new_term.effective_at, "pricing: a book ends before its successor takes effect");
        }
        let newest_has_no_end = terms.last().is_none_or(|(_, term)| term.chargeable_until.is_none());
        ensure!(newest_has_no_end, "pricing: the newest book has an end");
        for (version, term) in Books::<T>::iter() {
            let open = term.chargeable_until.is_none();
            ensure!(
                !open || recent.last() == Some(&version),
                "pricing: a book without end is not the newest"
            );
        }
        Ok(())
    }
}
