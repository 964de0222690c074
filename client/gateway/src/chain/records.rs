//! The questions that are asked for one receipt, of a chain whose type does not matter.

use futures::future::BoxFuture;
use stipend_primitives::{cost::PriceBook, BookVersion, Sequence};

use super::{Answer, Chain, PlacedBatch};

/// What the newest finalised block says.
pub(crate) trait Records: Send + Sync {
    /// The batch that holds a receipt of this gateway, while the chain remembers it.
    fn batch_of(&self, seq: Sequence) -> BoxFuture<'_, Answer<Option<PlacedBatch>>>;

    /// A price book, retired ones included.
    fn book(&self, version: BookVersion) -> BoxFuture<'_, Answer<Option<PriceBook>>>;
}

impl<C: Chain> Records for C {
    fn batch_of(&self, seq: Sequence) -> BoxFuture<'_, Answer<Option<PlacedBatch>>> {
        Box::pin(async move {
            let head = self.head().await?;
            self.batch(head.hash, seq).await
        })
    }

    fn book(&self, version: BookVersion) -> BoxFuture<'_, Answer<Option<PriceBook>>> {
        Box::pin(async move {
            let head = self.head().await?;
            self.old_book(head.hash, version).await
        })
    }
}
