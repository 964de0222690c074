//! A value that is replaced as a whole while others read it.

use std::{ops::Deref, sync::Arc};

use arc_swap::ArcSwap;

/// Read as if it were the value; reading takes no lock.
///
/// What it held before stays in memory, so that a reader can keep a reference for as long as it likes. It is
/// for configuration, which people replace by hand: a hundred bytes each time.
pub(crate) struct Live<T: 'static>(ArcSwap<&'static T>);

impl<T> Live<T> {
    pub(crate) fn new(value: T) -> Self {
        let value: &'static T = Box::leak(Box::new(value));
        Live(ArcSwap::from_pointee(value))
    }

    /// Everybody who looks from now on sees this value.
    pub(crate) fn set(&self, value: T) {
        let value: &'static T = Box::leak(Box::new(value));
        self.0.store(Arc::new(value));
    }
}

impl<T> Deref for Live<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let value: &'static T = **self.0.load();
        value
    }
}
