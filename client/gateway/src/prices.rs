//! The price book that new requests are quoted from.

use std::{collections::HashMap, sync::Arc};

use stipend_primitives::{
    cost::{PriceBook, PriceEntry},
    BlockNumber, BookVersion, ClassId, ModelId, Name,
};

/// What one request is priced by, whatever happens to the book meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Quote {
    pub(crate) book: BookVersion,
    /// The entry; its name is left out, so that a copy of it allocates nothing.
    pub(crate) entry: PriceEntry,
}

/// Prices as of one finalised block.
#[derive(Default)]
pub(crate) struct Prices {
    books: Vec<PriceBook>,
    current: Option<BookVersion>,
    by_name: HashMap<String, PriceEntry>,
    class_names: Arc<HashMap<ClassId, String>>,
}

impl Prices {
    /// The prices in force at `block`.
    pub(crate) fn new(
        books: Vec<PriceBook>,
        class_names: Arc<HashMap<ClassId, String>>,
        block: BlockNumber,
    ) -> Self {
        let book = in_force(&books, block);
        let by_name = book.map(entries_by_name).unwrap_or_default();
        let current = book.map(|book| book.version);
        Prices { books, current, by_name, class_names }
    }

    /// Whether another book is in force at `block`.
    pub(crate) fn changes_by(&self, block: BlockNumber) -> bool {
        in_force(&self.books, block).map(|book| book.version) != self.current
    }

    /// The same books at a later block.
    pub(crate) fn at(&self, block: BlockNumber) -> Self {
        Prices::new(self.books.clone(), self.class_names.clone(), block)
    }

    pub(crate) fn quote(&self, model: &str) -> Option<Quote> {
        let entry = self.by_name.get(model)?;
        Some(Quote { book: self.current?, entry: entry.clone() })
    }

    /// Models by name and number.
    pub(crate) fn models(&self) -> impl Iterator<Item = (&str, ModelId)> {
        self.by_name.iter().map(|(name, entry)| (name.as_str(), entry.model))
    }

    /// The name of a model of the book in force.
    pub(crate) fn name_of(&self, model: ModelId) -> Option<&str> {
        self.models().find(|(_, known)| *known == model).map(|(name, _)| name)
    }

    /// The book in force.
    pub(crate) fn current_book(&self) -> Option<&PriceBook> {
        self.books.iter().find(|book| Some(book.version) == self.current)
    }

    /// A class's name for people.
    pub(crate) fn class_name(&self, class: ClassId) -> String {
        self.class_names.get(&class).cloned().unwrap_or_else(|| format!("class {}", class.0))
    }
}

fn in_force(books: &[PriceBook], block: BlockNumber) -> Option<&PriceBook> {
    books
        .iter()
        .filter(|book| book.effective_at <= block)
        .max_by_key(|book| (book.effective_at, book.version))
}

fn entries_by_name(book: &PriceBook) -> HashMap<String, PriceEntry> {
    let named = |entry: &PriceEntry| {
        let name = String::from_utf8(entry.name.to_vec()).ok()?;
        Some((name, PriceEntry { name: Name::default(), ..entry.clone() }))
    };
    book.entries.iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn book(version: u32, effective_at: u32, c_output: u64) -> PriceBook {
        let entry = PriceEntry {
            model: ModelId(7),
            name: b"m".to_vec().try_into().unwrap(),
            class: ClassId::REASONING,
            premium: false,
            c_input: 1,
            c_cached: 1,
            c_output,
            c_model: 0,
            weight: 0,
            reference_input: 0,
            reference_output: 0,
        };
        PriceBook { version, effective_at, chargeable_until: None, entries: vec![entry].try_into().unwrap() }
    }

    #[test]
    fn a_book_counts_from_its_block_on() {
        let books = vec![book(1, 0, 10), book(2, 50, 20)];
        let names = Arc::new(HashMap::from([(ClassId::REASONING, "Reasoning".to_owned())]));
        let before = Prices::new(books, names, 49);
        assert_eq!(before.quote("m").unwrap().entry.c_output, 10);
        assert!(!before.changes_by(49) && before.changes_by(50));
        let after = before.at(50);
        let quote = after.quote("m").unwrap();
        assert_eq!((quote.book, quote.entry.c_output), (2, 20));
        assert!(after.quote("other").is_none());
        assert_eq!(after.class_name(ClassId::REASONING), "Reasoning");
        assert_eq!(after.class_name(ClassId(9)), "class 9");
    }

    #[test]
    fn without_a_book_nothing_has_a_price() {
        let prices = Prices::default();
        assert!(prices.quote("m").is_none());
        assert_eq!(prices.models().count(), 0);
    }
}
